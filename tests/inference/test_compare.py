"""A line about predicted images and the training images, from the records."""

import shutil
from pathlib import Path

import pytest

from mammoseg.data.domain import Domain
from mammoseg.data.manifest import ImageRow, Manifest
from mammoseg.inference.batch import predict_images
from mammoseg.inference.compare import compare_to_training
from mammoseg.inference.predictor import Predictor
from mammoseg.io.runs import load_prediction, record_path


@pytest.fixture(scope="module")
def rows(phantom_study: Manifest) -> list[ImageRow]:
    return list(phantom_study.subset("train").rows())[:4]


@pytest.fixture(scope="module")
def folder(predictor: Predictor, rows: list[ImageRow], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("predictions")
    predict_images(predictor, rows, out)
    return out


def test_training_images_are_like_themselves(predictor: Predictor, rows: list[ImageRow], folder: Path) -> None:
    assert predictor.engine.trained_on is not None
    assert compare_to_training(predictor.engine.trained_on, rows, folder) is None
    assert not any("unlike" in note for note in load_prediction(folder, rows[0].image_id).notes)


def test_others_are_told(predictor: Predictor, rows: list[ImageRow], folder: Path) -> None:
    assert predictor.engine.trained_on is not None
    finer = predictor.engine.trained_on.model_copy(update={"pixel_mm": (0.05, 0.1)})
    line = compare_to_training(finer, rows, folder)
    assert line == "4 of 4 images are unlike the training data: pixel size 1.12 mm, training 0.05 to 0.1 mm (4)"


def test_images_that_failed_do_not_count(
    predictor: Predictor, rows: list[ImageRow], folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "predictions"
    shutil.copytree(folder, out)
    record_path(out, rows[0].image_id).unlink()
    assert predictor.engine.trained_on is not None
    finer = predictor.engine.trained_on.model_copy(update={"pixel_mm": (0.05, 0.1)})
    assert str(compare_to_training(finer, rows, out)).startswith("3 of 3 ")


def test_an_older_checkpoint_says_that_nothing_is_known(rows: list[ImageRow], folder: Path) -> None:
    nothing: Domain | None = None
    assert "is not known" in str(compare_to_training(nothing, rows, folder))
