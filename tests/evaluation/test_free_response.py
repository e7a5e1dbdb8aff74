"""Tables of marks of a study of rows."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mammoseg.evaluation.free_response import froc_points, mark_tables
from mammoseg.evaluation.localise import IMAGE_COLUMNS, LESION_COLUMNS, MARK_COLUMNS, Localised
from mammoseg.evaluation.maps import ROW_KEYS
from mammoseg.evaluation.method import Method, load_metrics

METHOD = Method(load_metrics(), bootstrap=60)
IS = {"a": "lesions", "b": "lesions", "c": "normal", "d": "normal", "e": "unknown", "f": "undrawn"}


def study() -> Localised:
    """Two lesions of 4 and 30 mm in a (0.9 and not found), one in b (0.3); false marks 0.5 in a, 0.6 and 0.2 in c."""
    images = [(name, f"p{name}", "malignant", what, ("saliency", "findings"), 0) for name, what in IS.items()]
    about = {"class": "malignant", "top": 0, "left": 0, "bottom": 1, "right": 1, "area_px": 1, "diameter_px": 1}
    lesions: list[dict[str, Any]] = [
        {
            "image_id": name,
            "patient_id": f"p{name}",
            "lesion": number,
            **about,
            "diameter_mm": mm,
            "rating_saliency": rating,
        }
        for name, number, mm, rating in (("a", 1, 4.0, 0.9), ("a", 2, 30.0, -np.inf), ("b", 1, 4.5, 0.3))
    ]
    marks = [
        (name, f"p{name}", "malignant", "saliency", rating, 0, 0, "", "non-lesion")
        for name, rating in (("a", 0.5), ("c", 0.6), ("c", 0.2))
    ]
    marks.append(("a", "pa", "malignant", "saliency", 0.7, 0, 0, "1", "further"))
    of_lesions = pd.DataFrame(lesions).reindex(columns=[*LESION_COLUMNS, "rating_saliency"])
    return Localised(
        pd.DataFrame(columns=ROW_KEYS),
        pd.DataFrame(images, columns=IMAGE_COLUMNS),
        of_lesions.assign(rating_findings=-np.inf),
        pd.DataFrame(marks, columns=MARK_COLUMNS),
        {},
    )


def test_numbers_by_hand() -> None:
    table = mark_tables(study(), METHOD, {})["malignant"]
    assert list(table) == ["saliency", "findings"]
    final = table["saliency"]
    counts = {
        key: final[key] for key in ("n", "positives", "negatives", "lesions", "false_marks", "unknown", "undrawn")
    }
    assert counts == {
        "n": 4, "positives": 2, "negatives": 2, "lesions": 3, "false_marks": 3, "unknown": 1, "undrawn": 1,
    }  # fmt: skip
    assert final["caution"] == "caution: only 2 positive and 2 negative patients"
    # Normal images: 0.6 and none. Lesions: 0.9 wins both; none: half against none; 0.3 wins one.
    assert final["afroc"]["value"] == pytest.approx((2 + 0.5 + 1) / 6)
    assert final["wafroc"]["value"] == pytest.approx(((2 + 0.5) / 2 + 1) / 4)
    assert final["froc_at_0.125"]["value"] == pytest.approx(1 / 3)
    assert final["froc_at_0.5"]["value"] == pytest.approx(2 / 3)
    assert 0 <= final["froc_cpm"]["low"] <= final["froc_cpm"]["value"] <= final["froc_cpm"]["high"] <= 1
    assert table["findings"]["froc_found"]["value"] == 0
    assert [each["found_at_1"]["value"] for each in table["findings"]["by_size"].values()] == [0, 0]
    assert table["findings"]["afroc"]["value"] == 0.5


def test_lesions_found_by_size_and_by_column() -> None:
    groups = pd.Series(pd.Categorical(["x", "y", "x", "x", "y", "y"], ["y", "x"]), index=[*IS])
    final = mark_tables(study(), METHOD, {"kind": groups})["malignant"]["saliency"]
    assert list(final["by_size"]) == ["up to 5 mm", "over 20 mm"]
    assert final["by_size"]["up to 5 mm"]["found"]["value"] == 1
    assert final["by_size"]["up to 5 mm"]["found"]["n"] == 2
    assert final["by_size"]["over 20 mm"]["found"]["value"] == 0
    assert list(final["by"]["kind"]) == ["y", "x"]
    assert final["by"]["kind"]["x"]["found"]["value"] == 0.5
    assert final["threshold_at_1"] == 0.2
    assert final["by"]["kind"]["y"]["found_at_1"]["caution"] == "caution: only 1 patient"


def test_points_of_the_curve() -> None:
    points = froc_points(study())
    final = points[points["of"] == "saliency"]
    assert final["threshold"].tolist() == [0.9, 0.6, 0.5, 0.3, 0.2]
    np.testing.assert_allclose(final["found"], np.array([1, 1, 1, 2, 2]) / 3)
    np.testing.assert_allclose(final["false_per_image"], np.array([0, 1, 2, 2, 3]) / 4)
    np.testing.assert_allclose(final["false_per_normal_image"], np.array([0, 1, 1, 1, 2]) / 2)


@pytest.mark.parametrize(
    ("what", "reason"), [("normal", "no image is known to have no"), ("lesions", "no image with a drawn")]
)
def test_what_is_missing_is_said(what: str, reason: str) -> None:
    found = study()
    images = found.images[found.images["is"] != what]
    ids = [*images.loc[images["is"].isin(["normal", "lesions"]), "image_id"]]
    lesions, marks = (table[table["image_id"].isin(ids)] for table in (found.lesions, found.marks))
    table = mark_tables(Localised(found.pixel_rows, images, lesions, marks, {}), METHOD, {})["malignant"]["saliency"]
    assert np.isnan([table["afroc"]["value"], table["wafroc"]["low"]]).all()
    assert table["afroc"]["reason"].startswith(reason)
    assert np.isnan(table["froc_cpm"]["value"]) == (what == "lesions")
