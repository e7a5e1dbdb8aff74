"""A checkpoint and a prepared image become a prediction on the image's own pixels."""

import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from mammoseg.config import ConfigError
from mammoseg.data.manifest import ImageRow, Manifest
from mammoseg.inference.augment import Displaced, displaced_windows
from mammoseg.inference.predictor import Predictor, open_predictor
from mammoseg.inference.trained import training_images
from mammoseg.io.read import read_pixels
from mammoseg.models import build_model, network_of
from mammoseg.nn.checkpoint import CheckpointError, open_checkpoint, save_checkpoint
from mammoseg.prep.breast import PrepError
from mammoseg.prep.pipeline import Prepared, crop_breast, prepare
from mammoseg.training.config import TrainConfig

OfWindow = Callable[..., Any]


@pytest.fixture(scope="module")
def row(phantom_study: Manifest) -> ImageRow:
    return next(phantom_study.subset("test").rows())


@pytest.fixture(scope="module")
def prepared(row: ImageRow, predictor: Predictor) -> Prepared:
    return prepare(row.mammogram(read_pixels(row.path)), predictor.prep)


def test_preparation_and_network_come_from_the_checkpoint(predictor: Predictor, tiny_config: TrainConfig) -> None:
    assert predictor.prep == tiny_config.prep
    assert predictor.engine.network == tiny_config.network


def test_a_prediction(of_window: OfWindow, predictor: Predictor, prepared: Prepared, row: ImageRow) -> None:
    found = of_window(predictor, prepared, row)
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


def test_patches_lie_where_the_local_map_is(
    of_window: OfWindow, predictor: Predictor, prepared: Prepared, row: ImageRow
) -> None:
    found = of_window(predictor, prepared, row)
    [patch] = found.patches
    assert patch.size == 32
    local = found.maps["local"].max(axis=0)
    rows, cols = np.nonzero(local)
    cell = 96 / local.shape[0]
    assert (rows.min() * cell, (rows.max() + 1) * cell) == pytest.approx((patch.row, patch.row + 32), abs=cell)
    assert (cols.min() * cell, (cols.max() + 1) * cell) == pytest.approx((patch.col, patch.col + 32), abs=cell)


def test_the_same_again(of_window: OfWindow, predictor: Predictor, prepared: Prepared, row: ImageRow) -> None:
    """No dropout, no batch statistics: an image is judged by itself."""
    first, second = of_window(predictor, prepared, row), of_window(predictor, prepared, row)
    assert first.scores == second.scores
    assert all(np.array_equal(values, second.maps[name]) for name, values in first.maps.items())


def test_folded_batch_norms_change_nothing(
    of_window: OfWindow, predictor: Predictor, trained_run: Path, prepared: Prepared, row: ImageRow
) -> None:
    """The checkpoint is computed in another way, up to rounding with the same result."""
    plain = build_model("glam", predictor.engine.network).eval()
    predictor.engine.checkpoint.load_weights(plain)
    norms = [sum(isinstance(m, nn.BatchNorm2d) for m in model.modules()) for model in (predictor.engine.model, plain)]
    assert 0 < norms[0] < norms[1]
    with torch.inference_mode():
        out = plain(torch.from_numpy(prepared.window)[None, None])
    found = of_window(predictor, prepared, row)
    assert list(found.scores.values()) == pytest.approx(out.y_BK[0].tolist(), abs=1e-5)
    for name, scores in found.parts.items():
        assert list(scores.values()) == pytest.approx(out.parts[name][0].tolist(), abs=1e-5)
    for name, values in found.maps.items():
        np.testing.assert_allclose(values, out.maps[name][0].numpy(), rtol=0, atol=1e-5)
    assert [[patch.row, patch.col] for patch in found.patches] == out.patches.corners_BP2[0].tolist()


@pytest.mark.parametrize("model", ["glam", "gmic"])
def test_patches_know_their_weight(
    of_window: OfWindow,
    trained_run: Path,
    tiny_gmic: Callable[..., Path],
    prepared: Prepared,
    row: ImageRow,
    model: str,
) -> None:
    checkpoint = trained_run if model == "glam" else tiny_gmic(1)
    found = open_predictor(checkpoint, "cpu", ["num_patches=3"])
    weights = [patch.attention for patch in of_window(found, prepared, row).patches]
    with torch.inference_mode():
        out = found.engine.model(torch.from_numpy(prepared.window)[None, None])
    assert weights == pytest.approx(out.patches.attention_BP[0].tolist(), abs=1e-6)
    assert len(set(weights)) == 3
    assert sum(w for w in weights if w is not None) == pytest.approx(1, abs=1e-6)


def test_a_model_that_does_not_weigh_patches(
    of_window: OfWindow, predictor: Predictor, prepared: Prepared, row: ImageRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    with torch.inference_mode():
        out = predictor.engine.model(torch.from_numpy(prepared.window)[None, None])
    without = out._replace(patches=out.patches._replace(attention_BP=None))
    monkeypatch.setattr(type(predictor.engine.model), "forward", lambda model, image: without)
    assert [patch.attention for patch in of_window(predictor, prepared, row).patches] == [None]


@pytest.mark.parametrize("model", ["glam", "gmic"])
def test_half_precision_is_close_and_no_more(
    of_window: OfWindow,
    trained_run: Path,
    tiny_gmic: Callable[..., Path],
    prepared: Prepared,
    row: ImageRow,
    model: str,
) -> None:
    checkpoint = trained_run if model == "glam" else tiny_gmic(1)
    exact = of_window(open_predictor(checkpoint, "cpu"), prepared, row)
    half = of_window(open_predictor(checkpoint, "cpu", precision="bf16-mixed"), prepared, row)
    assert half.scores != exact.scores
    assert dict(half.scores) == pytest.approx(dict(exact.scores), abs=0.02)
    for name, values in half.maps.items():
        assert values.dtype == np.float32
        np.testing.assert_allclose(values, exact.maps[name], rtol=0, atol=0.05)


def test_the_description_is_what_decides_a_prediction(predictor: Predictor, trained_run: Path) -> None:
    described = predictor.engine.description()
    assert described == json.loads(json.dumps(described)), "plain values"
    assert described == {
        "model": "glam",
        "checkpoint_sha256": predictor.engine.checkpoint.sha256,
        "network": predictor.engine.network.model_dump(mode="json"),
        "prep": predictor.prep.model_dump(mode="json"),
        "precision": "32-true",
    }
    half = open_predictor(trained_run, "cpu", precision="bf16-mixed").engine.description()
    assert half == described | {"precision": "bf16-mixed"}


def test_mean_over_displaced_windows(
    of_window: OfWindow, predictor: Predictor, row: ImageRow, prepared: Prepared
) -> None:
    crop = crop_breast(row.mammogram(read_pixels(row.path)), predictor.prep)
    windows = list(displaced_windows(crop, predictor.prep, 3))
    each = [of_window(predictor, window, row).scores for window in windows]
    assert len({scores["malignant"] for scores in each}) == 3
    found = Predictor(Displaced(predictor.engine, 3)).predict(row).scores
    assert list(found) == ["benign", "malignant"]
    for name, score in found.items():
        assert score == pytest.approx(sum(scores[name] for scores in each) / 3, abs=1e-6)


def test_a_model_of_one_class(
    of_window: OfWindow, tiny_gmic: Callable[..., Path], prepared: Prepared, row: ImageRow
) -> None:
    cancer = open_predictor(tiny_gmic(1, "classes=[malignant]"), "cpu")
    found = of_window(cancer, prepared, row)
    for scores in (found.scores, *found.parts.values(), *(p.scores for p in found.patches)):
        assert list(scores) == ["malignant"]
    assert found.maps["saliency"].shape == (1, 12, 8)


def test_a_model_that_sees_heatmaps(
    of_window: OfWindow, tiny_gmic: Callable[..., Path], prepared: Prepared, row: ImageRow
) -> None:
    seeing = open_predictor(tiny_gmic(1, "heatmaps=true"), "cpu")
    assert seeing.engine.sees.heatmaps
    low, high = (replace(prepared, heatmaps=np.full((2, 96, 64), p, np.float32)) for p in (0, 1))
    assert of_window(seeing, low, row).scores != of_window(seeing, high, row).scores
    with pytest.raises(PrepError, match="without heatmaps"):
        of_window(seeing, prepared, row)


def test_settings_of_the_network_can_be_changed(
    of_window: OfWindow, trained_run: Path, prepared: Prepared, row: ImageRow
) -> None:
    changed = open_predictor(trained_run, "cpu", ["num_patches=3", "prediction=global"])
    found = of_window(changed, prepared, row)
    assert len(found.patches) == 3
    assert found.scores == found.parts["global"]


@pytest.mark.parametrize(
    ("sets", "error", "message"),
    [
        (["patches=3"], ConfigError, "there is no field 'patches'"),
        (["num_patches=0"], ConfigError, "num_patches"),
        (["objective.reduction=sum"], ConfigError, "there is no field 'objective'"),
        (["local_module.widths=[16]"], CheckpointError, "the weights do not fit this glam"),
    ],
)
def test_settings_that_do_not_fit(trained_run: Path, sets: list[str], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        open_predictor(trained_run, "cpu", sets)


def test_every_stage_is_a_checkpoint_too(
    of_window: OfWindow, trained_run: Path, prepared: Prepared, row: ImageRow
) -> None:
    found = of_window(open_predictor(trained_run / "stages" / "global", "cpu"), prepared, row)
    assert 0 < found.parts["global"]["malignant"] < 1


def test_no_checkpoint(tmp_path: Path, trained_run: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint here"):
        open_predictor(tmp_path, "cpu")
    (tmp_path / "config.yaml").write_bytes((trained_run / "config.yaml").read_bytes())
    with pytest.raises(CheckpointError, match="has not finished"):
        open_predictor(tmp_path, "cpu")


def test_a_device_that_is_not_there(trained_run: Path) -> None:
    with pytest.raises(ValueError, match="not available here"):
        open_predictor(trained_run, "cuda:99")


def test_patches_that_do_not_fit_the_window_are_refused(trained_run: Path) -> None:
    with pytest.raises(ConfigError, match=r"num_patches is 100000; a window of \(96, 64\) takes at most 24 patches"):
        open_predictor(trained_run, "cpu", ["num_patches=100000"])


def test_a_checkpoint_of_a_network_that_no_memory_holds(trained_run: Path, tmp_path: Path) -> None:
    """Its seal fits: it was written so."""
    description = json.loads((trained_run / "checkpoint" / "checkpoint.json").read_text())
    network = description["network"]
    for widths, message in (
        ([10**9], "widths.0: Input should be less than or equal to"),
        ([16384, 16384], "parameters"),
    ):
        network["local_module"] |= {"widths": widths, "blocks": [9] * len(widths), "strides": [1] * len(widths)}
        folder = save_checkpoint(tmp_path / str(len(widths)), "glam", nn.Linear(1, 1), network, description["prep"], {})
        with pytest.raises(CheckpointError, match=message):
            open_predictor(folder, "cpu")


@pytest.mark.parametrize(
    "values",
    [{"prep": {"window": [0, 8]}}, {"prep": {"more": 1}}, {"network": {"num_patches": 10**6}}, {"model": "glan"}],
    ids=str,
)
def test_a_checkpoint_whose_settings_cannot_be(trained_run: Path, tmp_path: Path, values: dict[str, Any]) -> None:
    described = json.loads((trained_run / "checkpoint" / "checkpoint.json").read_text())
    parts = [described[name] | values.get(name, {}) for name in ("network", "prep")]
    save_checkpoint(tmp_path, values.get("model", "glam"), nn.Linear(1, 1), *parts, {})
    with pytest.raises(CheckpointError, match=re.escape(str(tmp_path))):
        open_predictor(tmp_path, "cpu")


def test_a_model_from_outside_is_named_by_who_predicts(
    tmp_path: Path, tiny_config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_lab_of_this_test").mkdir()
    (tmp_path / "my_lab_of_this_test" / "model.py").write_text(
        "from mammoseg.models.glam import LEARNING, TINY, Config, build\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    name = "my_lab_of_this_test.model"
    plain = [config.model_dump(mode="json") for config in (tiny_config.network, tiny_config.prep)]
    folder = save_checkpoint(tmp_path / "run", name, build_model("glam", tiny_config.network), *plain, {})
    with pytest.raises(CheckpointError, match=r"a module outside mammoseg.*--set model=my_lab_of_this_test\.model"):
        open_predictor(folder, "cpu")
    assert name not in sys.modules
    with pytest.raises(ConfigError, match=r"--set model=glam: .* is of the model my_lab_of_this_test\.model"):
        open_predictor(Path(folder), "cpu", ["model=my_lab_of_this_test.model", "model=glam"])
    found = open_predictor(folder, "cpu", [f"model={name}", "num_patches=2"])
    assert found.engine.network.num_patches == 2  # type: ignore[attr-defined]
    monkeypatch.delitem(sys.modules, name)


def test_statistics_of_training_images_that_cannot_be(predictor: Predictor) -> None:
    assert training_images(predictor.engine.checkpoint) == predictor.engine.trained_on
    assert training_images(replace(predictor.engine.checkpoint, trained_on=None)) is None
    with pytest.raises(CheckpointError, match="settings that cannot be"):
        training_images(replace(predictor.engine.checkpoint, trained_on={"images": "many"}))


def test_what_is_unlike_the_training_images_is_a_remark(
    of_window: OfWindow, predictor: Predictor, prepared: Prepared, row: ImageRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert predictor.engine.trained_on is not None
    known = predictor.engine.trained_on.model_copy(update={"pixel_mm": (0.07, 0.1), "manufacturers": ("hologic",)})
    monkeypatch.setattr(predictor.engine, "trained_on", known)
    found = of_window(predictor, prepared, replace(row, manufacturer="Siemens"))
    assert found.notes == (
        *prepared.notes,
        "unlike the training data: pixel size 1.12 mm, training 0.07 to 0.1 mm; manufacturer siemens, training hologic",
    )


def test_patients_of_training_are_known(trained_run: Path, phantom_study: Manifest, tmp_path: Path) -> None:
    """Those of split train alone, also through an ensemble and displaced windows."""
    expected = {row.image_id: row.split == "train" for row in phantom_study.rows()}
    assert set(expected.values()) == {True, False}
    rows = [next(row for row in phantom_study.rows() if row.split == split) for split in ("train", "val", "test")]
    stage = trained_run / "stages" / "global" / "checkpoint"
    given = open_checkpoint(stage)
    model = build_model("glam", network_of("glam", given.network, "here"))
    given.load_weights(model)
    old = save_checkpoint(tmp_path / "old", "glam", model, given.network, given.prep, {})
    for predictor in (
        open_predictor(trained_run, "cpu"),
        open_predictor(trained_run, "cpu", displaced=1),
        open_predictor(stage, "cpu"),
        open_predictor([old, trained_run], "cpu", ["prediction=global", "combine=global"]),
    ):
        assert [predictor.predict(row).of_training for row in rows] == [True, False, False]
    assert not open_predictor(old, "cpu").predict(rows[0]).of_training
