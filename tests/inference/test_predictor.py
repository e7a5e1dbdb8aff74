"""A checkpoint and a prepared image become a prediction on the image's own pixels."""

from pathlib import Path

import numpy as np
import pytest

from mammoseg.config import ConfigError
from mammoseg.data.manifest import ImageRow, Manifest
from mammoseg.inference.predictor import Predictor
from mammoseg.io.read import read_pixels
from mammoseg.nn.checkpoint import CheckpointError
from mammoseg.prep.pipeline import Prepared, prepare
from mammoseg.training.config import TrainConfig


@pytest.fixture(scope="module")
def row(phantom_study: Manifest) -> ImageRow:
    return next(phantom_study.subset("test").rows())


@pytest.fixture(scope="module")
def prepared(row: ImageRow, predictor: Predictor) -> Prepared:
    return prepare(row.mammogram(read_pixels(row.path)), predictor.prep)


def test_preparation_and_network_come_from_the_checkpoint(predictor: Predictor, tiny_config: TrainConfig) -> None:
    assert predictor.prep == tiny_config.prep
    assert predictor.network == tiny_config.network


def test_a_prediction(predictor: Predictor, prepared: Prepared, row: ImageRow) -> None:
    found = predictor.predict(prepared, row)
    assert (found.image_id, found.patient_id, found.exam_id) == (row.image_id, row.patient_id, row.exam_id)
    assert (found.laterality, found.view) == (row.laterality, row.view)
    assert found.grid == prepared.grid
    assert found.notes == prepared.notes
    assert set(found.parts) == {"global", "local", "fusion"}
    for scores in (found.scores, *found.parts.values(), *(patch.scores for patch in found.patches)):
        assert list(scores) == ["benign", "malignant"]
        assert all(0 < p < 1 for p in scores.values())
    assert found.scores == found.parts["fusion"]
    assert set(found.maps) == {"saliency", "global", "local"}
    for values in found.maps.values():
        assert values.dtype == np.float32
        assert values.ndim == 3
        assert len(values) == 2
        assert values.min() >= 0
        assert values.max() <= 1
    assert found.grid.restore(found.maps["saliency"]).shape == (2, 208, 160)


def test_patches_lie_where_the_local_map_is(predictor: Predictor, prepared: Prepared, row: ImageRow) -> None:
    found = predictor.predict(prepared, row)
    [patch] = found.patches
    assert patch.size == 32
    local = found.maps["local"].max(axis=0)
    rows, cols = np.nonzero(local)
    cell = 96 / local.shape[0]
    assert (rows.min() * cell, (rows.max() + 1) * cell) == pytest.approx((patch.row, patch.row + 32), abs=cell)
    assert (cols.min() * cell, (cols.max() + 1) * cell) == pytest.approx((patch.col, patch.col + 32), abs=cell)


def test_the_same_again(predictor: Predictor, prepared: Prepared, row: ImageRow) -> None:
    """No dropout, no batch statistics: an image is judged by itself."""
    first, second = predictor.predict(prepared, row), predictor.predict(prepared, row)
    assert first.scores == second.scores
    assert all(np.array_equal(values, second.maps[name]) for name, values in first.maps.items())


def test_settings_of_the_network_can_be_changed(trained_run: Path, prepared: Prepared, row: ImageRow) -> None:
    changed = Predictor(trained_run, "cpu", ["num_patches=3", "prediction=global"])
    found = changed.predict(prepared, row)
    assert len(found.patches) == 3
    assert found.scores == found.parts["global"]


@pytest.mark.parametrize(
    ("sets", "error", "message"),
    [
        (["patches=3"], ConfigError, "there is no field 'patches'"),
        (["num_patches=0"], ConfigError, "num_patches"),
        (["local_module.widths=[16]"], CheckpointError, "the weights do not fit this glam"),
    ],
)
def test_settings_that_do_not_fit(trained_run: Path, sets: list[str], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Predictor(trained_run, "cpu", sets)


def test_every_stage_is_a_checkpoint_too(trained_run: Path, prepared: Prepared, row: ImageRow) -> None:
    found = Predictor(trained_run / "stages" / "global", "cpu").predict(prepared, row)
    assert 0 < found.parts["global"]["malignant"] < 1


def test_no_checkpoint(tmp_path: Path, trained_run: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint here"):
        Predictor(tmp_path, "cpu")
    (tmp_path / "config.yaml").write_bytes((trained_run / "config.yaml").read_bytes())
    with pytest.raises(CheckpointError, match="has not finished"):
        Predictor(tmp_path, "cpu")


def test_a_device_that_is_not_there(trained_run: Path) -> None:
    with pytest.raises(ValueError, match="not available here"):
        Predictor(trained_run, "cuda:99")
