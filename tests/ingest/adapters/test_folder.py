"""A folder of images: rows from names, what is left out, and names that cannot be told apart."""

from pathlib import Path

import pytest

from mammoseg.data.manifest import load_manifest
from mammoseg.ingest.adapters.folder import make_manifest
from mammoseg.ingest.patterns import PatternError
from mammoseg.ingest.tables import AdapterError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("007_L_CC.png", "007_right_mlo.DCM", "below/8_R_CC.tif", "notes.txt", "logo.png"):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "images"


def test_rows(root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    manifest = make_manifest(root, tmp_path / "masks")
    columns = ["patient_id", "exam_id", "image_id", "laterality", "view"]
    assert manifest.table[columns].to_numpy().tolist() == [
        ["007", "007", "007_L_CC", "L", "CC"],
        ["007", "007", "007_right_mlo", "R", "MLO"],
        ["8", "8", "below_8_R_CC", "R", "CC"],
    ]
    assert not any(row.labels for row in manifest.rows())
    assert "1 image files are not of the pattern and are left out: logo.png" in caplog.text
    assert not (tmp_path / "masks").exists()
    manifest.to_csv(manifest.path)
    assert len(load_manifest(manifest.path, check_files=True)) == 3


def test_exams_and_folders(tmp_path: Path) -> None:
    for name in ("p 1/2020/LCC.png", "p 1/2022/LCC.png", "p2/2020/RMLO.png"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    table = make_manifest(tmp_path, tmp_path / "masks", "{patient}/{exam}/{laterality}{view}").table
    assert table["exam_id"].tolist() == ["p 1_2020", "p 1_2022", "p2_2020"]
    assert table["patient_id"].tolist() == ["p 1", "p 1", "p2"]
    assert table["image_id"].tolist() == ["p_1_2020_LCC", "p_1_2022_LCC", "p2_2020_RMLO"]


def test_patterns_that_do_not_tell_enough(root: Path, tmp_path: Path) -> None:
    with pytest.raises(PatternError, match=r"without \{laterality\}, \{view\}"):
        make_manifest(root, tmp_path, "{patient}")


def test_nothing_of_the_pattern(root: Path, tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match=r"no image file is of the pattern .*other image files: 4"):
        make_manifest(root, tmp_path, "{patient}/{exam}/{laterality}_{view}")


def test_the_same_name_twice_but_for_its_suffix(root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (root / "007_L_CC.tif").touch()
    assert len(make_manifest(root, tmp_path)) == 3
    assert (
        "1 image files have the name of another one, but for their suffix, and are left out: 007_L_CC.tif"
        in caplog.text
    )
