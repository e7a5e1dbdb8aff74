from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from mammoseg.data.manifest import load_manifest
from mammoseg.ingest.synthetic import StudyExistsError, clear_study, write_study
from mammoseg.phantom.config import PhantomConfig
from mammoseg.phantom.exam import generate_exam

TINY = PhantomConfig.small(rows=208, columns=160, pixel_mm=1.12, malignant_prevalence=0.5, benign_prevalence=0.5)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def times(folder: Path) -> dict[str, int]:
    return {p.name: p.stat().st_mtime_ns for p in (folder / "images").iterdir()}


def test_what_is_written_is_what_was_generated(tmp_path: Path) -> None:
    steps: list[int] = []
    path = write_study(tmp_path / "study", 3, TINY, 7, (0.5, 0.25, 0.25), progress=steps.append)
    assert steps == [1, 2, 3]
    table = load_manifest(path).table
    assert len(table) == 12
    assert table["split"].isin(["train", "val", "test"]).all()
    assert (table.groupby("patient_id")["split"].nunique() == 1).all()
    assert (table["horizontal_flip"] == "NO").all()
    assert (table["pixel_mm"] == 1.12).all()
    assert {"density", "lesion_kind"} <= set(table.columns)
    for _, row in table.iterrows():
        exam = generate_exam(TINY, int(row["patient_id"][1:]), 7)
        image = exam.images[f"{row['laterality']}-{row['view']}"]
        stored = cv2.imread(row["path"], cv2.IMREAD_UNCHANGED)
        assert stored.dtype == np.uint16
        np.testing.assert_array_equal(stored, image.pixels)
        for label, mask in (("benign", image.benign_mask), ("malignant", image.malignant_mask)):
            assert row[label] == exam.labels[image.laterality][label]
            if row[label]:
                stored = cv2.imread(row[f"{label}_mask"], cv2.IMREAD_UNCHANGED)
                assert stored.dtype == np.uint8
                np.testing.assert_array_equal(stored, mask * np.uint8(255))
            else:
                assert pd.isna(row[f"{label}_mask"]) or not row[f"{label}_mask"]


def test_writing_again_keeps_files_and_repairs_missing_ones(tmp_path: Path) -> None:
    path = write_study(tmp_path, 2, TINY, 1)
    before, written = contents(tmp_path), times(tmp_path)
    path.unlink()
    (tmp_path / "images" / "p00001_R-CC.png").unlink()
    write_study(tmp_path, 2, TINY, 1)
    assert contents(tmp_path) == before
    after = times(tmp_path)
    assert all((after[name] == written[name]) == name.startswith("p00000") for name in written)


def test_more_exams_extend_a_study_without_moving_patients(tmp_path: Path) -> None:
    splits = (0.6, 0.2, 0.2)
    few = pd.read_csv(write_study(tmp_path, 3, TINY, 1, splits))
    written = times(tmp_path)
    many = pd.read_csv(write_study(tmp_path, 5, TINY, 1, splits))
    pd.testing.assert_frame_equal(many.iloc[: len(few)], few)
    assert len(many) == 20
    assert {name: times(tmp_path)[name] for name in written} == written


def test_worker_processes_write_the_same_study(tmp_path: Path) -> None:
    write_study(tmp_path / "one", 2, TINY, 3)
    write_study(tmp_path / "two", 2, TINY, 3, workers=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_another_configuration_or_seed_is_refused(tmp_path: Path) -> None:
    write_study(tmp_path, 1, TINY, 1)
    before = contents(tmp_path)
    with pytest.raises(StudyExistsError, match=r"seed 1 \(asked for: 2\)"):
        write_study(tmp_path, 1, TINY, 2)
    with pytest.raises(StudyExistsError, match="vessels"):
        write_study(tmp_path, 1, TINY.model_copy(update={"vessels": 9.0}), 1)
    assert contents(tmp_path) == before


def test_a_foreign_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("patient_id\n")
    with pytest.raises(StudyExistsError, match=r"phantom\.json is missing or damaged"):
        write_study(tmp_path, 1, TINY, 1)
    assert (tmp_path / "manifest.csv").read_text() == "patient_id\n"


@pytest.mark.parametrize(
    "text", [None, "", "[]", "{}", '{"seed": 1, "config": 3}', "[" * 100_000], ids=lambda t: str(t)[:9]
)
def test_phantoms_whose_settings_are_lost_never_mix_with_others(tmp_path: Path, text: str | None) -> None:
    write_study(tmp_path, 2, TINY, 1).unlink()  # stopped before the manifest was written
    before = contents(tmp_path / "images")
    (tmp_path / "phantom.json").unlink()
    if text is not None:
        (tmp_path / "phantom.json").write_text(text)
    with pytest.raises(StudyExistsError, match=r"phantom\.json is missing or damaged.*Expected.*Choose another folder"):
        write_study(tmp_path, 2, TINY, 2)
    assert contents(tmp_path / "images") == before
    assert not (tmp_path / "manifest.csv").exists()


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"path": 1}]', "[" * 100_000], ids=lambda text: text[:9])
def test_a_damaged_record_of_an_exam_is_written_again(tmp_path: Path, text: str) -> None:
    write_study(tmp_path, 1, TINY, 1)
    before = contents(tmp_path)
    (tmp_path / "exams" / "p00000.json").write_text(text)
    write_study(tmp_path, 1, TINY, 1)
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("exams", "seed", "splits", "workers"),
    [
        (0, 0, None, 1),
        (1, -1, None, 1),
        (1, 0, None, 0),
        (1, 0, (0.5, 0.1, 0.1), 1),
        (1, 0, (1.5, -0.5, 0.0), 1),
    ],
)
def test_impossible_arguments_write_nothing(
    tmp_path: Path, exams: int, seed: int, splits: tuple[float, float, float] | None, workers: int
) -> None:
    with pytest.raises(ValueError, match="expected"):
        write_study(tmp_path / "study", exams, TINY, seed, splits, workers)
    assert not (tmp_path / "study").exists()


def test_clearing_leaves_what_is_not_ours(tmp_path: Path) -> None:
    write_study(tmp_path, 1, TINY, 1)
    (tmp_path / "notes.txt").write_text("mine")
    clear_study(tmp_path)
    assert contents(tmp_path) == {"notes.txt": b"mine"}
    write_study(tmp_path, 1, TINY, 2)


def test_clearing_a_folder_that_is_no_study_does_nothing(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "mine.png").write_bytes(b"x")
    clear_study(tmp_path)
    assert (tmp_path / "images" / "mine.png").exists()
