"""PASS, WARN and FAIL of images, each with its reason; a bad file never ends the check."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from mammoseg.data import suitability
from mammoseg.data.domain import Domain, domain_of
from mammoseg.data.load import load_crop
from mammoseg.data.manifest import ImageRow, Manifest
from mammoseg.data.suitability import Suitability, check_images, counts_of, summary_of, unusable, write_checks
from mammoseg.io.errors import ImageReadError
from mammoseg.prep.config import PrepConfig
from mammoseg.training.config import TrainConfig

Look = Callable[..., list[Suitability]]


@pytest.fixture(scope="module")
def rows(phantom_study: Manifest) -> list[ImageRow]:
    return list(phantom_study.rows())


@pytest.fixture(scope="module")
def prep(tiny_config: TrainConfig) -> PrepConfig:
    return tiny_config.prep


@pytest.fixture(scope="module")
def trained_on(rows: list[ImageRow], prep: PrepConfig) -> Domain:
    facts = [load_crop(row, prep, False)[1].facts for row in rows]
    return domain_of([f for f in facts if f], [])


def test_images_of_the_training_data_pass(rows: list[ImageRow], prep: PrepConfig, trained_on: Domain) -> None:
    done: list[int] = []
    found = list(check_images(rows[:4], prep, trained_on, False, 2, lambda: done.append(1)))
    assert [each.check.result for each in found] == ["PASS"] * 4
    assert [each.image_id for each in found] == [row.image_id for row in rows[:4]]
    assert len(done) == 4
    assert (counts_of(found), summary_of(found, trained_on)) == ({}, None)


def test_each_kind_of_trouble(rows: list[ImageRow], prep: PrepConfig, trained_on: Domain, tmp_path: Path) -> None:
    (tmp_path / "bad_12.png").write_bytes(b"\x89PNG, and no more")
    bad = replace(rows[0], image_id="bad_12", path=tmp_path / "bad_12.png")
    finer = replace(rows[1], pixel_mm=0.9)
    unknown = replace(rows[2], pixel_mm=None)
    found = list(check_images([bad, finer, unknown, rows[3]], prep, trained_on, False, 1))
    assert [each.check.result for each in found] == ["FAIL", "WARN", "FAIL", "PASS"]
    broken, unlike, missed, _ = (each.check for each in found)
    assert "bad_12.png" not in broken.found
    assert broken.remedy
    assert unlike.found.startswith("unlike the training data: pixel size 0.9 mm, training 1.12 mm")
    assert "train on some of them" in unlike.remedy
    assert "of the breast is inside the model window" in missed.found
    assert "--pixel-mm" in missed.remedy
    assert "unlike the training data: pixel size" in counts_of(found)
    assert str(summary_of(found, trained_on)).startswith("2 of 3 images are unlike the training data: ")


def test_without_training_images_only_the_window_counts(rows: list[ImageRow], prep: PrepConfig) -> None:
    found = list(check_images([replace(rows[0], pixel_mm=0.9)], prep, None, False, 0))
    assert [each.check.result for each in found] == ["PASS"]


def test_a_program_error_costs_one_image(
    rows: list[ImageRow], prep: PrepConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = suitability.load_crop

    def load_but_one(row: ImageRow, *rest: object) -> object:
        return load(row, *rest) if row != rows[0] else 1 / 0  # type: ignore[arg-type]

    monkeypatch.setattr(suitability, "load_crop", load_but_one)
    assert [each.check.result for each in check_images(rows[:2], prep, None, False, 1)] == ["FAIL", "PASS"]


def test_reasons_are_counted_without_numbers_and_names() -> None:
    found = [
        unusable(
            "a", Path("/x/a.png"), ImageReadError(f"/x/{name}: {size} bytes are too few. Expected an image. Copy it.")
        )
        for name, size in (("a.png", 12), ("a.png", 1400))
    ]
    assert counts_of(found) == {"N bytes are too few": 2}
    assert (found[0].check.found, found[0].check.remedy) == ("12 bytes are too few", "Copy it")


def test_the_table(rows: list[ImageRow], prep: PrepConfig, trained_on: Domain, tmp_path: Path) -> None:
    found = [
        unusable("a", Path("a.png"), ValueError("damaged. Copy it.")),
        *check_images(rows[:1], prep, None, False, 0),
    ]
    write_checks(tmp_path / "checks.csv", found)
    table = pd.read_csv(tmp_path / "checks.csv", keep_default_na=False)
    assert table["result"].tolist() == ["FAIL", "PASS"]
    assert table["found"].tolist() == ["damaged", ""]
    assert 0.8 < float(table["in_window"][1]) <= 1
