"""A model that predicts malignant alone: what it is trained on, how its epochs are chosen, and its way to the figures."""

import logging
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mammoseg.data.manifest import Manifest
from mammoseg.evaluation.evaluate import evaluate
from mammoseg.export.figures import overlay_writer
from mammoseg.inference.batch import predict_images
from mammoseg.inference.predictor import open_predictor
from mammoseg.io.runs import load_prediction, predicted_ids
from mammoseg.io.scores_table import read_predictions_csv
from mammoseg.nn.checkpoint import open_checkpoint
from mammoseg.nn.contract import Batch, Learning, Network, NetworkConfig, Output, Patches, Stage, StepOutput
from mammoseg.training.config import StageConfig, TrainConfig
from mammoseg.training.run import train

CPU = torch.device("cpu")
NAME = "my_lab.spots"


class SpotsConfig(NetworkConfig):
    """Nothing to choose."""

    classes: tuple[str, ...] = ("malignant",)


class Spots(Network):
    """Bright spots are malignant."""

    def __init__(self, config: SpotsConfig) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(1, 1, 5, stride=4, padding=2), nn.Sigmoid())

    def forward(self, image_B1HW: Tensor) -> Output:
        map_BKhw = self.net(image_B1HW)
        y_BK = map_BKhw.mean((-2, -1))
        corners_BP2 = torch.zeros(len(y_BK), 1, 2, dtype=torch.int64)
        return Output(y_BK, {"saliency": map_BKhw}, {"mean": y_BK}, Patches(corners_BP2, 16, y_BK[:, None]))


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Tensor, bool]]:
    """The model as a plug-in from outside; its stage notes the labels of every batch, and whether it was training."""
    labels: list[tuple[Tensor, bool]] = []

    def step(model: Spots, batch: Batch, objective: object, training: bool) -> StepOutput:
        labels.append((batch.label_BK, training))
        out = model(batch.image_BCHW)
        known = ~batch.label_BK.isnan()
        return StepOutput({"error": (out.y_BK - batch.label_BK)[known].square().mean()}, out.y_BK, out.maps["saliency"])

    plugin = ModuleType(NAME)
    learning = Learning(stages=(Stage("only", ("*",), step),))
    vars(plugin).update(Config=SpotsConfig, build=Spots, LEARNING=learning, TINY=SpotsConfig())
    monkeypatch.setitem(sys.modules, NAME, plugin)
    return labels


@pytest.fixture
def config(seen: list[Any], tiny_config: TrainConfig) -> TrainConfig:
    stage = StageConfig(epochs=2, learning_rate=1e-2, batch_size=4)
    return TrainConfig(
        model=NAME, network=SpotsConfig(), prep=tiny_config.prep, augment=tiny_config.augment, stages={"only": stage}
    )


def with_columns(manifest: Manifest, **columns: object) -> Manifest:
    return Manifest.from_table(manifest.table.assign(**columns), manifest.path)


def test_training_knows_only_what_the_model_predicts(
    config: TrainConfig, seen: list[tuple[Tensor, bool]], phantom_study: Manifest, trained_run: Path, tmp_path: Path
) -> None:
    """A benign finding is a negative, benign masks are not opened, and its own AUC and Dice are all there is."""
    garbage = tmp_path / "mask.png"
    garbage.write_bytes(b"no image")
    table = phantom_study.table
    table = table.assign(benign=1.0 - table["malignant"], benign_mask=str(garbage))
    manifest = Manifest.from_table(table, phantom_study.path)
    train(config, manifest, tmp_path / "run", CPU, cache_folder=trained_run / "cache")
    assert {label_BK.shape[1] for label_BK, _ in seen} == {1}
    trained = torch.cat([label_BK for label_BK, training in seen if training])
    rows = table[table["split"] == "train"]
    exams = rows.groupby("exam_id")["malignant"].max()
    assert 0 < exams.sum() < len(exams) / 2, "else this test shows nothing"
    assert len(trained) == 2 * 2 * 4 * exams.sum(), "two epochs: malignant exams of four images, and as many others"
    assert trained.sum() == 2 * (rows["malignant"] == 1).sum()
    validated = torch.cat([label_BK for label_BK, training in seen if not training])[:, 0]
    assert validated.tolist() == 2 * table.loc[table["split"] == "val", "malignant"].tolist()
    provenance = open_checkpoint(tmp_path / "run" / "stages" / "only" / "checkpoint").provenance
    assert provenance["criterion"] == "dice"
    assert set(provenance["best"]) == {"epoch", "loss", "auc_malignant", "dice_malignant", "peak_malignant", "select"}
    assert provenance["best"]["select"] == provenance["best"]["dice_malignant"]


def test_from_training_to_figures(
    config: TrainConfig, phantom_study: Manifest, trained_run: Path, tmp_path: Path
) -> None:
    result = train(config, phantom_study, tmp_path / "run", CPU, cache_folder=trained_run / "cache")
    predictor, out = open_predictor(result.checkpoint, "cpu"), tmp_path / "predictions"
    rows = list(phantom_study.subset("test").rows())
    predict_images(predictor, rows, out, before_saving=overlay_writer(out, predictor.prep))
    assert len(predicted_ids(out)) == len(rows)
    prediction = load_prediction(out, rows[0].image_id)
    assert (
        list(prediction.scores) == list(prediction.parts["mean"]) == list(prediction.patches[0].scores) == ["malignant"]
    )
    assert prediction.maps["saliency"].shape == (1, 24, 16)
    assert not list((out / "maps").glob("*_benign.png"))
    assert cv2.imread(str(out / "maps" / f"{rows[0].image_id}_malignant.png")).shape[:2] == (208, 160)
    assert len(list((out / "overlays").iterdir())) == len(rows)
    table = read_predictions_csv(out)
    assert table[["benign", "mean_benign"]].isna().all(axis=None)
    metrics = evaluate(out, phantom_study, tmp_path / "metrics", split="test", bootstrap=20)
    final = {label: table["final"] for label, table in metrics["scores"]["breast"].items()}
    assert final["benign"]["reason"] == metrics["maps"]["benign"]["reason"] == "the model does not predict this class"
    assert 0 <= final["malignant"]["auc"]["value"] <= 1
    assert metrics["maps"]["malignant"]["maps"]["saliency"]["pxap"]["n"] > 0


def test_labels_of_the_other_class_are_nothing_to_learn_from(
    config: TrainConfig, phantom_study: Manifest, tmp_path: Path
) -> None:
    manifest = with_columns(phantom_study, malignant=np.nan)
    message = r"none of the training images has a known label of what my_lab.spots predicts \(malignant\)"
    with pytest.raises(ValueError, match=message):
        train(config, manifest, tmp_path / "run", CPU)
    assert not (tmp_path / "run").exists()


def test_findings_of_the_other_class_alone_are_warned_of(
    config: TrainConfig, phantom_study: Manifest, trained_run: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    manifest = with_columns(phantom_study, malignant=0.0, malignant_mask=None)
    with caplog.at_level(logging.WARNING):
        train(config, manifest, tmp_path / "run", CPU, cache_folder=trained_run / "cache")
    assert "No training image has a malignant finding" in caplog.text
    assert "AUC is undefined" in caplog.text


def test_a_class_of_which_nothing_is_known_is_not_trained(
    tiny_config: TrainConfig,
    phantom_study: Manifest,
    trained_run: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It has no score and no map: neither would mean anything."""
    manifest = with_columns(phantom_study, benign=np.nan, benign_mask=None)
    once = {name: stage.model_copy(update={"epochs": 1}) for name, stage in tiny_config.stages.items()}
    config = tiny_config.model_copy(update={"stages": once})
    with caplog.at_level(logging.WARNING):
        result = train(config, manifest, tmp_path / "run", CPU, cache_folder=trained_run / "cache")
    assert (
        "No training image has a known label of benign: it is not trained, and has no score and no map" in caplog.text
    )
    row, out = next(manifest.subset("test").rows()), tmp_path / "predictions"
    predict_images(open_predictor(result.checkpoint, "cpu"), [row], out)
    prediction = load_prediction(out, row.image_id)
    assert (list(prediction.scores), prediction.maps["saliency"].shape[0]) == (["malignant"], 1)
    assert not list((out / "maps").glob("*_benign.png"))
    again = train(config, manifest, tmp_path / "run", CPU, cache_folder=trained_run / "cache")
    assert again == result, "the same command finds the run finished"
    with pytest.raises(ValueError, match="select_class is benign, of which no training image has a known label"):
        train(config.model_copy(update={"select_class": "benign"}), manifest, tmp_path / "other", CPU)
