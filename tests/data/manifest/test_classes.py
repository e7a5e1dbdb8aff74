"""Classes of any names: labels, masks, boxes and heatmaps of whatever a model asks for."""

from pathlib import Path

import numpy as np
import pytest

from mammoseg.data.columns import ManifestError
from mammoseg.data.manifest import Manifest, load_manifest

HEADER = "patient_id,exam_id,image_id,laterality,view,path"


@pytest.fixture
def study(tmp_path: Path) -> Manifest:
    (tmp_path / "m.png").touch()
    (tmp_path / "images.csv").write_text(
        f"{HEADER},mass,mass_mask,mass_boxes,mass_heatmap,cyst,skin_mask\n"
        "p,e,a,L,CC,a.png,1,m.png,10 20 30 40.5; 0 0 5 6;,m.png,,free text\n"
        "\n"
        "p,e,b,R,CC,b.png,,,,,true,\n"
    )
    return load_manifest(tmp_path / "images.csv")


def test_rows_hold_what_is_known_of_the_classes_asked_for(study: Manifest, tmp_path: Path) -> None:
    first, second = study.rows(("cyst", "mass"))
    assert (first.labels, second.labels) == ({"mass": 1}, {"cyst": 1})
    assert (first.masks, second.masks) == ({"mass": tmp_path / "m.png"}, {})
    assert first.boxes == {"mass": ((10, 20, 30, 40.5), (0, 0, 5, 6))}
    assert (first.heatmaps, second.boxes) == ({"mass": tmp_path / "m.png"}, {})
    np.testing.assert_array_equal(first.label_K(("cyst", "mass", "benign")), [np.nan, 1, np.nan])
    assert next(study.rows()).labels == {}


def test_the_table_of_these_classes(study: Manifest, tmp_path: Path) -> None:
    table = study.with_classes(["mass"]).table
    assert table["mass"].dtype == np.float64
    assert table.index.tolist() == [2, 4], "as in the file, with its empty line"
    assert table["skin_mask"].tolist() == ["free text", None], "no file and not asked for: not ours"
    study.with_classes(["mass"]).to_csv(tmp_path / "else" / "copy.csv")
    study.to_csv(tmp_path / "else" / "unasked.csv")
    for name in ("copy", "unasked"):
        again = load_manifest(tmp_path / "else" / f"{name}.csv")
        assert list(again.rows(["mass", "cyst"])) == list(study.rows(["mass", "cyst"]))


def test_a_class_of_which_no_column_speaks(study: Manifest) -> None:
    with pytest.raises(
        ManifestError, match=r"no column speaks of tumour, which the model is about: expected tumour \(0, 1 or"
    ) as caught:
        study.rows(("mass", "tumour"))
    assert (
        "tumour_mask or tumour_boxes; The columns are patient_id, exam_id, image_id, laterality, view, path, mass, mass_mask"
        in str(caught.value)
    )
    assert "mass_heatmap, cyst, skin_mask" in str(caught.value)
    assert [row.labels for row in study.rows(("mass", "tumour"), required=False)] == [{"mass": 1}, {}]
    assert [row.labels for row in study.rows(("benign", "malignant"))] == [{}, {}], "these may be unknown everywhere"
    with pytest.raises(ManifestError, match=r"expected Cyst \(.*did you mean 'cyst'\?"):
        study.rows(("Cyst",))
    with pytest.raises(ManifestError, match="view: no name for a class"):
        study.rows(("view",), required=False)
    with pytest.raises(
        ManifestError, match="mass_mask: no name for a class, since a column of it holds something else"
    ):
        study.rows(("mass", "mass_mask"))


def test_cells_of_any_class_are_checked_and_told_together(tmp_path: Path) -> None:
    boxes = ("1 2 3", "a b c d", "5 5 5 9", "-1 0 4 4", "0 0 70000 4", "nan 0 4 4", "1 1 2 2; 3", ";")
    rows = [f"p,e,i{n},L,CC,a.png,{'x' if n else 1},gone.png,{text}" for n, text in enumerate(boxes)]
    (tmp_path / "m.csv").write_text("\n".join([f"{HEADER},mass,mass_mask,mass_boxes", *rows]))
    manifest = load_manifest(tmp_path / "m.csv")
    with pytest.raises(ManifestError) as caught:
        manifest.rows(["mass"])
    for text in (
        "mass must be 0, 1 or empty (unknown) (7 rows): row 3 'x'",
        "mass_mask: there is no such file (8 rows): row 2",
        "mass_boxes must be 'top left bottom right' in pixels of the image, such as",
        "(8 rows): row 2 '1 2 3'; row 3 'a b c d'; row 4 '5 5 5 9'",
    ):
        assert text in str(caught.value)


def test_both_images_of_a_breast_have_one_label(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(f"{HEADER},mass\np,e,a,L,CC,a.png,1\np,e,b,L,MLO,b.png,0\n")
    with pytest.raises(ManifestError, match=r"mass differs between images of the same breast \(1 case\): rows 2, 3"):
        load_manifest(tmp_path / "m.csv").rows(["mass"])
