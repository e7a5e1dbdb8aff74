"""One hash for the same rows, wherever and however they are written down."""

import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from mammoseg.data.manifest import Manifest, load_manifest
from mammoseg.data.splits import assign_splits

ROWS = """patient_id,exam_id,image_id,laterality,view,path,malignant,malignant_mask,mass_mask,mask_frame,density
1,1,a,L,CC,images/a.png,1,masks/a.png,,image,B
1,1,b,L,MLO,images/b.png,1,,masks/a.png,,B
2,2,c,R,CC,images/c.png,0,,,,
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """images.csv beside its images and masks."""
    folder = tmp_path / "study"
    for name in ("images/a.png", "images/b.png", "images/c.png", "masks/a.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (folder / "images.csv").write_text(ROWS)
    return folder / "images.csv"


def test_a_copy_in_the_folder_of_a_run_with_drawn_splits(study: Path, tmp_path: Path) -> None:
    given = load_manifest(study)
    drawn = assign_splits(given)
    drawn.to_csv(tmp_path / "run" / "manifest.csv")
    copy = load_manifest(tmp_path / "run" / "manifest.csv")
    assert copy.table["split"].notna().all()
    assert {given.sha256(), drawn.sha256(), copy.sha256()} == {given.sha256()}
    assert drawn.sha256(splits=True) == copy.sha256(splits=True) != given.sha256(splits=True)


def test_order_spelling_and_what_is_empty_do_not_matter(study: Path) -> None:
    given = load_manifest(study)
    table = (
        pd.read_csv(study, dtype=str).iloc[::-1, ::-1].assign(benign=None, remark="", laterality=["right", "l", "L"])
    )
    table["malignant"] = table["malignant"].replace({"1": "True", "0": "0.0"})
    table["mask_frame"] = None
    table.to_csv(study, index=False)
    assert load_manifest(study).sha256() == given.sha256()
    assert given.with_classes(["mass"]).sha256() == given.sha256()


def test_a_study_that_was_moved(study: Path, tmp_path: Path) -> None:
    given = load_manifest(study)
    shutil.move(study.parent, tmp_path / "elsewhere" / "renamed")
    assert load_manifest(tmp_path / "elsewhere" / "renamed" / "images.csv").sha256() == given.sha256()


def test_parquet(study: Path) -> None:
    given = load_manifest(study)
    given.table.to_parquet(study.with_suffix(".parquet"), index=False)
    assert load_manifest(study.with_suffix(".parquet")).sha256() == given.sha256()


@pytest.mark.parametrize(
    "change",
    [
        ("a,L,CC", "a,L,ML"),
        ("b.png,1,", "b.png,,"),
        ("images/c.png", "images/b.png"),
        ("1,masks/a.png", "1,"),
        ("1,,masks/a.png", "1,,"),
        (",image,", ",window,"),
        (",B\n", ",C\n"),
        ("2,2,c,R,CC,images/c.png,0,,,,\n", ""),
    ],
)
def test_what_the_rows_say_matters(study: Path, change: tuple[str, str]) -> None:
    given = load_manifest(study)
    assert change[0] in ROWS
    study.write_text(ROWS.replace(*change, 1))
    assert load_manifest(study).sha256() != given.sha256()


def test_the_pixel_size_matters(study: Path) -> None:
    given = load_manifest(study)
    assert given.with_pixel_mm(0.1).sha256() != given.sha256()
    assert replace(given, path=Path("/other/name.csv")).sha256() == given.sha256()


def test_one_row_of_an_image_that_is_not_there() -> None:
    row = {
        "patient_id": ["1"],
        "exam_id": ["1"],
        "image_id": ["i"],
        "laterality": ["L"],
        "view": ["CC"],
        "path": ["i.png"],
    }
    first, second = (Manifest.from_table(pd.DataFrame(row), Path(f"/{name}/m.csv")) for name in "ab")
    assert first.sha256() == second.sha256()
