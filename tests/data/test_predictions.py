"""A predictions folder image by image: what is read for an exporter, and what happens to the image that fails."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mammoseg.data.manifest import Manifest
from mammoseg.data.predictions import Predicted, Predictions
from mammoseg.io.errors import ImageReadError, RunFileError
from mammoseg.io.failures import Failures
from mammoseg.io.read import read_pixels
from mammoseg.io.runs import save_prediction, write_run
from mammoseg.records.grid import PixelGrid
from mammoseg.records.prediction import Prediction


@pytest.fixture
def predicted(phantom_study: Manifest, tmp_path: Path) -> Path:
    """Predictions of the first three images."""
    write_run(tmp_path / "predictions", {"prep": {"opening_px": 3}})
    for row in list(phantom_study.rows())[:3]:
        grid = PixelGrid((208, 160), (208, 160), False, 0, 0, 208, 160, (208, 160))
        maps = {"saliency": np.zeros((1, 4, 3), np.float32)}
        made = Prediction(row.image_id, "p", "e", "L", "CC", {"malignant": 0.5}, grid, maps)
        save_prediction(tmp_path / "predictions", made)
    return tmp_path / "predictions"


def test_each_image_comes_with_its_pixels_and_truth(predicted: Path, phantom_study: Manifest, tmp_path: Path) -> None:
    images = Predictions(predicted, phantom_study, tmp_path)
    assert images.prep.opening_px == 3
    rows = {row.image_id: row for row in phantom_study.rows()}

    def check(image: Predicted) -> str:
        row = rows[image.prediction.image_id]
        np.testing.assert_array_equal(image.image().pixels, read_pixels(row.path))
        masks = {name: path for name, path in row.masks.items() if path}
        assert image.truth().masks.keys() == masks.keys()
        return row.image_id

    assert images.each(check) == images.image_ids
    assert not images.failed


def test_what_fails_is_noted_until_it_works(predicted: Path, phantom_study: Manifest, tmp_path: Path) -> None:
    images = Predictions(predicted, phantom_study, tmp_path)
    one = images.image_ids[1]

    def fail(error: type[Exception]) -> Callable[[Predicted], str]:
        def make(image: Predicted) -> str:
            if image.prediction.image_id == one:
                raise error("no reason")
            return image.prediction.image_id

        return make

    assert images.each(fail(ImageReadError)) == [images.image_ids[0], images.image_ids[2]]
    assert images.failed == {one: "no reason"}
    assert Failures(tmp_path).image_ids() == [one]
    with pytest.raises(TypeError):
        images.each(fail(TypeError))  # a mistake in the exporter is no fault of the image
    again = Predictions(predicted, phantom_study, tmp_path)
    assert len(again.each(lambda image: image)) == 3
    assert not Failures(tmp_path).image_ids()


def test_a_record_of_an_earlier_version_needs_the_manifest(predicted: Path, tmp_path: Path) -> None:
    images = Predictions(predicted, None, tmp_path)
    assert images.each(lambda image: image.row.laterality) == ["L"] * 3
    assert images.each(lambda image: image.image()) == []
    assert "does not name the file" in (tmp_path / "errors.csv").read_text()


def test_the_wrong_manifest_or_folder_is_told(predicted: Path, phantom_study: Manifest, tmp_path: Path) -> None:
    others = Manifest(phantom_study.table.tail(3), phantom_study.path)
    with pytest.raises(RunFileError, match=r"none of its 3 images is in .*manifest\.csv"):
        Predictions(predicted, others, tmp_path)
    with pytest.raises(RunFileError, match="not a predictions folder"):
        Predictions(tmp_path, None, tmp_path)
