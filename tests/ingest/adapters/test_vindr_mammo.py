"""VinDr-Mammo: labels by BI-RADS of the breast, boxes into masks, the official split, and what is left out."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mammoseg.data.manifest import Manifest, load_manifest
from mammoseg.ingest.adapters.vindr_mammo import ABOUT, make_manifest
from mammoseg.ingest.data_set import AdapterError
from mammoseg.io.read import read_mask
from mammoseg.records.label import CLASSES

BREASTS = (
    *("study_id", "series_id", "image_id", "laterality", "view_position", "height", "width"),
    *("breast_birads", "breast_density", "split"),
)
FINDINGS = (*BREASTS, "finding_categories", "finding_birads", "xmin", "ymin", "xmax", "ymax")

Row = dict[str, Any]


def image(name: str, birads: object = 1, **changes: Any) -> Row:
    """A row of the breast table: `l_cc` is an image of the left breast in study s1."""
    side, view = name.upper().split("_")[:2]
    row = {"study_id": "s1", "series_id": "r1", "image_id": name, "laterality": side, "view_position": view}
    shape = {"height": "40", "width": "30", "breast_birads": f"BI-RADS {birads}", "breast_density": "DENSITY C"}
    return {**row, **shape, "split": "training", **changes}


def finding(of: Row, birads: object, box: Sequence[object]) -> Row:
    corners = dict(zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True))
    return {**of, "finding_categories": "['Mass', 'Skin Retraction']", "finding_birads": birads, **corners}


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Manifest]:
    """`made(images, findings)` writes the data set and makes the manifest; images whose id is in `without` have no file."""

    def make(images: list[Row], findings: Sequence[Row] = (), without: Sequence[str] = ()) -> Manifest:
        root = tmp_path / "vindr"
        root.mkdir()
        findings = findings or [finding(images[0], "", [""] * 4)]
        tables = ("breast-level_annotations.csv", BREASTS, images), ("finding_annotations.csv", FINDINGS, findings)
        for name, columns, rows in tables:
            with (root / name).open("w", newline="") as file:
                writer = csv.DictWriter(file, columns)
                writer.writeheader()
                writer.writerows(rows)
        for row in images:
            if row["image_id"] not in without and "/" not in row["image_id"]:
                path = root / "images" / row["study_id"] / f"{row['image_id']}.dicom"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
        return make_manifest(root, tmp_path / "masks")

    return make


@pytest.mark.parametrize(
    ("birads", "benign", "malignant"),
    [(1, 0, 0), (2, 1, 0), (3, None, None), (4, None, 1), (5, None, 1), (0, None, None), ("6?", None, None)],
)
def test_labels_are_those_of_the_breast(
    made: Callable[..., Manifest], birads: object, benign: int | None, malignant: int | None
) -> None:
    manifest = made([image("l_cc", birads), image("l_mlo", birads), image("r_cc"), image("r_mlo")])
    left, _, right, _ = manifest.rows()
    assert tuple(map(left.labels.get, CLASSES)) == (benign, malignant)
    assert tuple(map(right.labels.get, CLASSES)) == (0, 0)


def test_rows_of_the_manifest(made: Callable[..., Manifest], tmp_path: Path) -> None:
    made([image("l_cc", 4), image("r_mlo", 2, study_id="s2", split="test")]).to_csv(tmp_path / "manifest.csv")
    manifest = load_manifest(tmp_path / "manifest.csv", check_files=True)
    first, second = manifest.rows()
    assert (first.patient_id, first.exam_id, first.image_id) == ("s1", "s1", "l_cc")
    assert (first.laterality, first.view, first.split) == ("L", "CC", "train")
    assert first.path == tmp_path / "vindr" / "images" / "s1" / "l_cc.dicom"
    assert (second.patient_id, second.laterality, second.view, second.split) == ("s2", "R", "MLO", "test")
    assert manifest.table[["birads", "density"]].to_numpy().tolist() == [["4", "C"], ["2", "C"]]


def test_boxes_go_into_the_mask_of_their_own_birads(made: Callable[..., Manifest]) -> None:
    images = [image("l_cc", 5), image("l_mlo", 5), image("r_cc", 3)]
    boxes = [
        finding(images[0], "BI-RADS 5", ["2.5", "4.0", "6.0", "9.9"]),
        finding(images[0], "BI-RADS 4", ["-3", "35", "4", "60"]),
        finding(images[0], "BI-RADS 2", ["20", "20", "22", "21"]),
        finding(images[0], "BI-RADS 3", ["0", "0", "30", "40"]),
        finding(images[1], "", ["0", "0", "9", "9"]),
        finding(images[2], "", ["", "", "", ""]),
    ]
    left, other, right = made(images, boxes).rows()
    expected = np.zeros((40, 30), dtype=bool)
    expected[4:10, 2:6] = True
    expected[35:, :4] = True
    np.testing.assert_array_equal(read_mask(left.masks["malignant"]), expected)
    assert left.mask_frame is None
    assert np.argwhere(read_mask(left.masks["benign"])).tolist() == [[20, 20], [20, 21]]
    assert [other.masks, right.masks] == [{}, {}]


def test_what_is_left_out_is_told(made: Callable[..., Manifest], caplog: pytest.LogCaptureFixture) -> None:
    images = [
        image("l_cc", 4),
        image("l_mlo", 4),
        image("r_cc", laterality="B"),
        image("../../r_mlo"),
        image("r_mlo", study_id="../s1"),
        image("r_cc_2", study_id="s2", height="tall"),
        image("r_cc_3", study_id="s2"),
    ]
    boxes = [
        finding(images[1], "BI-RADS 4", ["9", "9", "1", "1"]),
        finding(images[1], "BI-RADS 4", ["nan", "9", "1", "1"]),
        finding(images[1], "BI-RADS 3", ["1", "1", "2", "2"]),
        finding(images[5], "BI-RADS 4", ["1", "1", "2", "2"]),
        finding(images[6], "BI-RADS 4", ["50", "50", "60", "60"]),
    ]
    rows = list(made(images, boxes, without=["l_cc"]).rows())
    assert [row.image_id for row in rows] == ["l_mlo", "r_cc_2", "r_cc_3"]
    assert all(row.masks.get("malignant") is None for row in rows)
    for text in (
        "3 rows left out, their ids, laterality or view cannot be used: rows 4, 5, 6",
        "2 boxes left out, their numbers are no box: rows 2, 3",
        "1 boxes of BI-RADS 3 or none are in no mask: rows 4",
        "2 images without their masks, size or boxes cannot be used: r_cc_2, r_cc_3",
        "1 images of the tables have no file and are left out: l_cc",
    ):
        assert text in caplog.text


def test_a_breast_of_several_birads_is_unknown(made: Callable[..., Manifest], caplog: pytest.LogCaptureFixture) -> None:
    rows = made([image("l_cc", 1), image("l_mlo", 4), image("r_cc", 1)]).rows()
    assert [tuple(map(row.labels.get, CLASSES)) for row in rows] == [
        (None, None),
        (None, None),
        (0, 0),
    ]
    assert "1 breasts have several BI-RADS values, labels left empty: s1 L" in caplog.text


def test_another_folder_is_refused(made: Callable[..., Manifest], tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match=r"there is no such folder. Expected breast-level_annotations.csv and"):
        make_manifest(tmp_path / "elsewhere", tmp_path / "masks")
    with pytest.raises(AdapterError, match="none of the 1 images of the tables is there"):
        made([image("l_cc")], without=["l_cc"])
    assert not (tmp_path / "masks").exists()


def test_about_says_that_birads_is_no_pathology() -> None:
    assert "not pathology" in ABOUT.label_source
