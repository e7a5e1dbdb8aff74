"""GMIC with heatmaps: two more files per image, from training to predictions."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from mammoseg.data.load import HeatmapError
from mammoseg.data.manifest import ImageRow, Manifest
from mammoseg.inference.batch import BatchResult, predict_images
from mammoseg.inference.predictor import Predictor, open_predictor
from mammoseg.io.failures import Failures
from mammoseg.io.read import read_mask, read_pixels
from mammoseg.io.runs import load_prediction
from mammoseg.models.gmic.config import GlobalConfig, GmicConfig, LocalConfig, ObjectiveConfig
from mammoseg.prep.breast import PrepError
from mammoseg.prep.pipeline import prepare
from mammoseg.training.config import StageConfig, TrainConfig
from mammoseg.training.run import train

CPU = torch.device("cpu")
OfWindow = Callable[..., Any]
CLASSES = ("benign", "malignant")


@pytest.fixture(scope="module")
def study(phantom_study: Manifest, tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """A patch classifier that has seen every lesion; heatmaps of 8 bits for benign, of 16 for malignant."""
    folder = tmp_path_factory.mktemp("heatmaps")
    files: dict[str, list[str]] = {f"{name}_heatmap": [] for name in CLASSES}
    for row in phantom_study.rows():
        for name in CLASSES:
            certain = read_mask(row.masks[name]) if name in row.masks else np.zeros((208, 160), bool)
            path = folder / f"{row.image_id}_{name}.png"
            values = np.where(certain, 240, 20).astype(np.uint8)
            cv2.imwrite(str(path), values if name == "benign" else values.astype(np.uint16) * 257)
            files[f"{name}_heatmap"].append(str(path))
    return Manifest.from_table(phantom_study.table.assign(**files), phantom_study.path)


@pytest.fixture(scope="module")
def config(tiny_config: TrainConfig) -> TrainConfig:
    network = GmicConfig(
        global_module=GlobalConfig(blocks=(1, 1, 1), widths=(4, 6, 8), strides=(1, 2, 2), stem_pool=False),
        local_module=LocalConfig(blocks=(1, 1), widths=(4, 6), strides=(1, 2), stem_pool=False, channels_in=1),
        heatmaps=True,
        patch_px=16,
        num_patches=3,
    )
    return TrainConfig(
        model="gmic",
        network=network,
        objective=ObjectiveConfig(reduction="mean"),
        prep=tiny_config.prep,
        augment=tiny_config.augment,
        stages={"joint": StageConfig(epochs=2, learning_rate=1e-3, batch_size=8)},
    )


@pytest.fixture(scope="module")
def run(config: TrainConfig, study: Manifest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("with_heatmaps") / "run"
    assert train(config, study, out, CPU).failed == 0
    return out


@pytest.fixture(scope="module")
def predictor(run: Path) -> Predictor:
    return open_predictor(run, "cpu")


@pytest.fixture(scope="module")
def rows(study: Manifest) -> list[ImageRow]:
    return list(study.subset("test").rows())


def lesion(rows: list[ImageRow]) -> ImageRow:
    return next(row for row in rows if "malignant" in row.masks)


def scores(predictor: Predictor, row: ImageRow, out: Path) -> dict[str, float]:
    assert predict_images(predictor, [row], out).failed == 0
    return dict(load_prediction(out, row.image_id).scores)


def test_the_model_sees_three_channels_and_predicts(predictor: Predictor, rows: list[ImageRow], tmp_path: Path) -> None:
    stem = next(
        module for module in predictor.engine.model.global_module.modules() if isinstance(module, torch.nn.Conv2d)
    )
    assert stem.in_channels == 3
    assert predict_images(predictor, rows, tmp_path) == BatchResult(len(rows), 0, 0)
    prediction = load_prediction(tmp_path, rows[0].image_id)
    assert prediction.maps["saliency"].shape[0] == 2
    assert len(prediction.patches) == 3


def test_each_heatmap_changes_the_prediction(predictor: Predictor, rows: list[ImageRow], tmp_path: Path) -> None:
    row = lesion(rows)
    empty = tmp_path / "empty.png"
    cv2.imwrite(str(empty), np.zeros((208, 160), np.uint8))
    found = [scores(predictor, row, tmp_path / "as it is")]
    for name in CLASSES:
        found.append(scores(predictor, replace(row, heatmaps={**row.heatmaps, name: empty}), tmp_path / name))
    swapped = replace(row, heatmaps=dict(zip(CLASSES, [*row.heatmaps.values()][::-1], strict=True)))
    found.append(scores(predictor, swapped, tmp_path / "swapped"))
    assert len({tuple(values.values()) for values in found}) == 4


def test_an_image_without_a_heatmap_fails_alone(predictor: Predictor, rows: list[ImageRow], tmp_path: Path) -> None:
    small = tmp_path / "small.png"
    cv2.imwrite(str(small), np.zeros((104, 80), np.uint8))
    given = [
        replace(rows[0], heatmaps={"malignant": rows[0].heatmaps["malignant"]}),
        rows[1],
        replace(rows[2], heatmaps={**rows[2].heatmaps, "malignant": small}),
        replace(rows[3], heatmaps={}),
    ]
    out = tmp_path / "out"
    assert predict_images(predictor, given, out) == BatchResult(predicted=1, done_before=0, failed=3)
    errors = Failures(out).read().set_index("image_id")
    assert errors["error"].tolist() == ["HeatmapError", "ImageReadError", "HeatmapError"]
    assert set(errors["step"]) == {"read"}
    assert (
        "is without benign_heatmap. Expected the heatmaps of benign and malignant"
        in errors.loc[rows[0].image_id, "message"]
    )
    assert predict_images(predictor, rows[:4], out) == BatchResult(predicted=3, done_before=1, failed=0)


def test_a_window_without_heatmaps_is_refused(of_window: OfWindow, predictor: Predictor, rows: list[ImageRow]) -> None:
    row = rows[0]
    prepared = prepare(row.mammogram(read_pixels(row.path)), predictor.prep)
    with pytest.raises(PrepError, match="a window without heatmaps"):
        of_window(predictor, prepared, row)


def test_training_without_the_files_is_refused_before_anything_is_written(
    config: TrainConfig, study: Manifest, phantom_study: Manifest, tmp_path: Path
) -> None:
    with pytest.raises(HeatmapError, match=r"36 images are without a heatmap: .* and 31 more\. Expected those"):
        train(config, phantom_study, tmp_path / "run", CPU)
    table = study.table.copy()
    index = table.index[table["split"] == "val"][0]
    table.loc[index, "malignant_heatmap"] = None
    with pytest.raises(HeatmapError, match=rf"1 image is without a heatmap: {table.loc[index, 'image_id']}\. "):
        train(config, Manifest.from_table(table, study.path), tmp_path / "run", CPU)
    assert not (tmp_path / "run").exists()


def test_what_is_trained_without_heatmaps_needs_none(
    config: TrainConfig, run: Path, study: Manifest, phantom_study: Manifest, tmp_path: Path
) -> None:
    """Also with a cache that has them: the weights are the same with and without the columns."""
    plain = config.model_copy(update={"network": config.network.model_copy(update={"heatmaps": False})})
    hashes = set()
    for manifest in (study, phantom_study):
        out = tmp_path / str(len(hashes))
        train(plain, manifest, out, CPU, cache_folder=run / "cache")
        hashes.add(open_predictor(out, "cpu").engine.checkpoint.sha256)
    assert len(hashes) == 1


def test_test_images_need_no_heatmaps_for_training(
    config: TrainConfig, run: Path, study: Manifest, tmp_path: Path
) -> None:
    table = study.table.copy()
    table.loc[table["split"] == "test", ["benign_heatmap", "malignant_heatmap"]] = None
    short = config.model_copy(update={"stages": {"joint": StageConfig(epochs=1, learning_rate=1e-3, batch_size=8)}})
    manifest = Manifest.from_table(table, study.path)
    assert train(short, manifest, tmp_path, CPU, cache_folder=run / "cache").failed == 0
