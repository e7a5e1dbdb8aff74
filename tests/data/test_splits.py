"""Splits: whole patients, the right sizes, the same result again, and leaks found."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mammoseg.data.manifest import Manifest
from mammoseg.data.splits import (
    SplitError,
    SplitLeakError,
    assign_by_date,
    assign_folds,
    assign_splits,
    check_leaks,
    describe_splits,
    draw_val,
    has_dates,
)

KINDS = {"malignant": (0.0, 1.0), "benign": (1.0, 0.0), "normal": (0.0, 0.0), "unknown": (np.nan, np.nan)}


def study(images: int = 2, **patients: int) -> Manifest:
    """`patients` per kind, each with `images` images, the first of which has the label."""
    rows = []
    for kind, count in patients.items():
        for n in range(count):
            for i in range(images):
                benign, malignant = KINDS[kind] if i == 0 else KINDS["unknown" if kind == "unknown" else "normal"]
                name = f"{kind}{n}"
                rows.append((name, f"{name}-e", f"{name}-{i}", "LR"[i % 2], "CC", f"{name}-{i}.png", benign, malignant))
    columns = ["patient_id", "exam_id", "image_id", "laterality", "view", "path", "benign", "malignant"]
    return Manifest.from_table(pd.DataFrame(rows, columns=columns), Path("/study/manifest.csv"))


def of_patients(manifest: Manifest) -> dict[str, str]:
    assert (manifest.table.groupby("patient_id")["split"].nunique() == 1).all()
    return dict(zip(manifest.table["patient_id"], manifest.table["split"], strict=True))


def counts(manifest: Manifest, kind: str) -> list[int]:
    names = [s for p, s in of_patients(manifest).items() if p.startswith(kind)]
    return [names.count(s) for s in ("train", "val", "test")]


def test_stratified_by_the_worst_label() -> None:
    divided = assign_splits(study(malignant=20, benign=30, normal=100, unknown=10), seed=0)
    assert counts(divided, "malignant") == [16, 2, 2]
    assert counts(divided, "benign") == [24, 3, 3]
    assert counts(divided, "normal") == [80, 10, 10]
    assert counts(divided, "unknown") == [8, 1, 1]
    check_leaks(divided)


def test_the_same_again_in_any_order_of_rows() -> None:
    given_ = study(malignant=15, benign=15, normal=40)
    first = of_patients(assign_splits(given_, seed=3))
    shuffled = Manifest(given_.table.sample(frac=1, random_state=1).reset_index(drop=True), given_.path)
    assert of_patients(assign_splits(shuffled, seed=3)) == first
    assert of_patients(assign_splits(given_, seed=4)) != first
    assert given_.table["split"].isna().all()


@settings(max_examples=60)
@given(
    st.tuples(*[st.integers(0, 12)] * 4).filter(any),
    st.sampled_from([(0.8, 0.1, 0.1), (0.6, 0.2, 0.2), (0.5, 0.5, 0.0), (0.0, 0.0, 1.0), (1 / 3, 1 / 3, 1 / 3)]),
)
def test_sizes_follow_the_fractions(numbers: tuple[int, ...], fractions: tuple[float, ...]) -> None:
    divided = assign_splits(study(images=1, **dict(zip(KINDS, numbers, strict=True))), fractions, seed=0)
    splits = list(of_patients(divided).values())
    used = [f > 0 for f in fractions]
    for name, fraction in zip(("train", "val", "test"), fractions, strict=True):
        n = splits.count(name)
        assert n == 0 if fraction == 0 else abs(n - fraction * len(splits)) <= 2 * len(KINDS)
    for kind, number in zip(KINDS, numbers, strict=True):
        present = [n > 0 for n, u in zip(counts(divided, kind), used, strict=True) if u]
        assert sum(present) == min(number, sum(used))


def test_rounding_does_not_add_up() -> None:
    divided = assign_splits(study(malignant=44, benign=44, normal=44, unknown=44), seed=0)
    splits = list(of_patients(divided).values())
    assert [splits.count(s) for s in ("train", "val", "test")] == [141, 18, 17]


def test_too_few_patients_are_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        divided = assign_splits(study(malignant=2, benign=1, normal=20, unknown=1), seed=0)
    assert counts(divided, "malignant") == [1, 0, 1]
    assert counts(divided, "benign") == [1, 0, 0]
    assert "2 malignant patients are too few: none in val" in caplog.text
    assert "1 benign patients are too few: none in val, test" in caplog.text
    assert "normal" not in caplog.text
    assert "unknown" not in caplog.text


@pytest.mark.parametrize(
    "fractions", [(0.8, 0.1), (0.8, 0.1, 0.2), (1.2, -0.1, -0.1), (float("nan"), 0.5, 0.5), (8.0, 1.0, 1.0)]
)
def test_wrong_fractions(fractions: tuple[float, ...]) -> None:
    with pytest.raises(SplitError, match="together 1"):
        assign_splits(study(normal=5), fractions, seed=0)


def test_val_is_drawn_from_train_alone() -> None:
    manifest = assign_splits(study(malignant=20, benign=20, normal=60, unknown=10), (0.5, 0, 0.5))
    drawn = draw_val(manifest, 0.2, seed=3)
    before, after = manifest.table["split"], drawn.table["split"]
    assert set(before[after == "val"]) == {"train"}
    assert before[after != "val"].equals(after[after != "val"])
    for kind in ("malignant", "benign"):
        assert counts(drawn, kind) == [8, 2, 10]
    assert draw_val(manifest, 0.2, seed=3).table.equals(drawn.table)
    assert not draw_val(manifest, 0.2, seed=4).table.equals(drawn.table)


def test_leaks_are_found(tmp_path: Path) -> None:
    manifest = assign_splits(study(malignant=10, normal=10), (0.5, 0.25, 0.25), seed=0)
    table = manifest.table.copy()
    table.loc[2, "split"] = "test" if table.loc[2, "split"] != "test" else "train"
    with pytest.raises(SplitLeakError, match=r"1 patients are in more than one split, with images \['malignant0-0'"):
        check_leaks(Manifest(table, manifest.path))
    table.loc[2, "split"] = None  # an image without split is in none
    check_leaks(Manifest(table, manifest.path))


def test_the_same_file_in_two_splits(tmp_path: Path) -> None:
    manifest = assign_splits(study(images=1, normal=2), (0.5, 0.0, 0.5), seed=0)
    (tmp_path / "real.png").touch()
    (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
    table = manifest.table.assign(path=[str(tmp_path / "real.png"), str(tmp_path / "link.png")])
    with pytest.raises(SplitLeakError, match="1 files are in more than one split"):
        check_leaks(Manifest(table, manifest.path))


def test_description() -> None:
    manifest = assign_splits(study(malignant=10, benign=10, unknown=10), seed=0)
    table = describe_splits(manifest)
    assert table.index.tolist() == ["train", "val", "test"]
    assert table.loc["train"].to_dict() == {
        **{"patients": 24, "exams": 24, "images": 48, "benign": 8, "benign_unknown": 16},
        **{"malignant": 8, "malignant_unknown": 16},
    }
    assert table["images"].sum() == 60
    assert describe_splits(study(normal=1)).index.tolist() == ["none"]


def test_folds_are_alike_and_always_the_same() -> None:
    """In number of patients, and of each worst label; whatever the order of rows; another seed gives others."""
    manifest = study(malignant=11, benign=7, normal=20, unknown=3)
    folds = assign_folds(manifest, 5, seed=1)
    of_fold = [[patient for patient, fold in folds.items() if fold == number] for number in range(1, 6)]
    assert {len(patients) for patients in of_fold} == {8, 9}
    for kind, count in (("malignant", 11), ("benign", 7), ("normal", 20), ("unknown", 3)):
        found = [sum(patient.startswith(kind) for patient in patients) for patients in of_fold]
        assert sum(found) == count
        assert max(found) - min(found) <= 1
    turned = Manifest.from_table(manifest.table.iloc[::-1], manifest.path)
    assert assign_folds(turned, 5, seed=1) == folds
    assert assign_folds(manifest, 5, seed=2) != folds


@pytest.mark.parametrize("folds", [0, 1, 5])
def test_folds_that_cannot_be(folds: int) -> None:
    with pytest.raises(SplitError, match=f"{folds} folds of 4 patients"):
        assign_folds(study(malignant=4), folds)


def dated(days: dict[str, list[int | None]]) -> Manifest:
    """Patient -> day of each exam in January 2024; None: unknown."""
    rows = [
        (name, f"{name}-{n}", f"{name}-{n}", "L", "CC", f"{name}-{n}.png", 0, 0, day and f"2024-01-{day:02d}")
        for name, exams in days.items()
        for n, day in enumerate(exams)
    ]
    columns = ["patient_id", "exam_id", "image_id", "laterality", "view", "path", "benign", "malignant", "study_date"]
    return Manifest.from_table(pd.DataFrame(rows, columns=columns), Path("/study/manifest.csv"))


def test_by_date_the_latest_patients_are_tested() -> None:
    """The latest exam of a patient counts; all of hers are in one split."""
    early: dict[str, list[int | None]] = {f"p{n}": [n + 1, None] for n in range(8)}
    manifest = dated(early | {"late": [1, 30], "last": [2, 31]})
    assert has_dates(manifest)
    splits = of_patients(assign_by_date(manifest, (0.8, 0.1, 0.1)))
    assert splits == {**dict.fromkeys(early, "train"), "late": "val", "last": "test"}
    assert set(of_patients(assign_by_date(manifest, (0.5, 0.5, 0))).values()) == {"train", "val"}
    few = assign_by_date(dated({f"p{n}": [n + 1] for n in range(3)}))
    assert of_patients(few) == {"p0": "train", "p1": "val", "p2": "test"}


def test_by_date_needs_a_date_of_every_patient() -> None:
    manifest = dated({"a": [1], "b": [None, None]})
    assert not has_dates(manifest)
    assert not has_dates(study(malignant=3))
    with pytest.raises(SplitError, match=r"1 patients have no study_date, e.g. of image b-0"):
        assign_by_date(manifest)
