"""Image files without a manifest: side and view from the name, and a clear word where that does not work."""

from pathlib import Path

import pytest

from mammoseg.cli.images import rows_from_files
from mammoseg.io.runs import is_safe_id


@pytest.mark.parametrize(
    ("name", "exam", "image_id", "side", "view"),
    [
        ("0012_L-CC.png", "0012", "0012_L-CC", "L", "CC"),
        ("0012_R_MLO.png", "0012", "0012_R_MLO", "R", "MLO"),
        ("0012-LCC.tif", "0012", "0012-LCC", "L", "CC"),
        ("a.b r mlo.pgm", "a.b", "a.b-r-mlo", "R", "MLO"),
        ("case_L_R_MLO_2.png", "case_L", "case_L_R_MLO_2", "R", "MLO"),
        ("L-CC.png", "folder", "L-CC", "L", "CC"),
        ("Frau Müller 1_L-CC.png", "Frau Müller 1", "Frau-M-ller-1_L-CC", "L", "CC"),
        ("日本_R-ML.png", "日本", "R-ML", "R", "ML"),
    ],
)
def test_a_name_says_everything(name: str, exam: str, image_id: str, side: str, view: str) -> None:
    [row] = rows_from_files([Path("/data/folder") / name], 0.07)
    assert (row.patient_id, row.exam_id, row.image_id, row.laterality, row.view) == (exam, exam, image_id, side, view)
    assert row.path == Path("/data/folder") / name
    assert row.pixel_mm == 0.07
    assert row.benign is row.malignant is None
    assert is_safe_id(row.image_id)


def test_relative_names_become_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    [row] = rows_from_files([Path("L-CC.png")], None)
    assert row.path == tmp_path / "L-CC.png"
    assert row.exam_id == tmp_path.name


def test_every_name_that_does_not_work_is_listed(tmp_path: Path) -> None:
    files = [Path(name) for name in ("scan1.png", "x_LCX.png", "a_L-CC.png", "b/A_L-CC.png", "LLCC.png")]
    with pytest.raises(ValueError, match="without a manifest") as error:
        rows_from_files([*files, tmp_path], None)
    message = str(error.value)
    for expected in (
        "scan1.png: no side and view in the name",
        "x_LCX.png: no side",
        "A_L-CC.png: another file would also be called A_L-CC",
        "LLCC.png: no side",
        f"{tmp_path}: a folder; give the files in it",
        "Expected unique names such as 0012_L-CC.png",
        "--manifest",
    ):
        assert expected in message
    assert "  a_L-CC.png" not in message
