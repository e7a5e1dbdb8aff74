"""The module that trains any stage: what is frozen stays as it is, and a loss that is no number ends the training."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning import Trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader

from mammoseg.config import Config
from mammoseg.data.dataset import WindowDataset
from mammoseg.data.manifest import Manifest
from mammoseg.nn.contract import Batch, Stage, StepOutput
from mammoseg.records.label import CLASSES
from mammoseg.training.config import StageConfig, TrainConfig
from mammoseg.training.module import StageModule, TrainingError


class TwoPart(nn.Module):
    """Two parts that both see every image, each with batch norm and dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.frozen = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Dropout(0.5))
        self.trained = nn.Sequential(nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2), nn.Dropout(0.5))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.trained(self.frozen(x))
        return out


def step(model: nn.Module, batch: Batch, objective: Config, training: bool) -> StepOutput:
    out = model(batch.image_BCHW)
    y_BK = torch.sigmoid(out.mean((-2, -1)))
    return StepOutput({"bce": y_BK.mean(), "other": y_BK.square().mean()}, y_BK, out)


def nan_step(model: nn.Module, batch: Batch, objective: Config, training: bool) -> StepOutput:
    out = step(model, batch, objective, training)
    return out._replace(losses={"bce": out.y_BK.mean() * float("nan")})


class Malignant(TwoPart):
    """Of two channels, the last one is the model's only class."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)[:, 1:]


@pytest.fixture
def validation(phantom_study: Manifest, tiny_config: TrainConfig, tmp_path: Any) -> WindowDataset:
    from mammoseg.data.cache import CropCache

    return WindowDataset(list(phantom_study.rows())[:2], CropCache(tmp_path, tiny_config.prep))


def stage_module(validation: WindowDataset, function: Any = step) -> StageModule:
    stage = Stage("second", trains=("trained.*",), step=function)
    return StageModule(TwoPart(), stage, StageConfig(learning_rate=0.3), Config(), validation, "loss", seed=0)


def batch() -> tuple[Batch, list[int]]:
    return Batch(torch.randn(4, 1, 8, 8), torch.zeros(4, 2)), [0, 1, 0, 1]


def test_only_what_the_stage_trains_gets_a_gradient(validation: WindowDataset) -> None:
    module = stage_module(validation)
    for name, parameter in module.model.named_parameters():
        assert parameter.requires_grad == name.startswith("trained.")
    optimizer = module.configure_optimizers()
    assert [id(p) for g in optimizer.param_groups for p in g["params"]] == [
        id(p)
        for p in module.model.trained.parameters()  # type: ignore[union-attr]
    ]


def test_frozen_parts_do_not_change_in_training_buffers_included(validation: WindowDataset) -> None:
    module = stage_module(validation)
    before = {name: value.clone() for name, value in module.model.state_dict().items()}
    module.train()
    optimizer = module.configure_optimizers()
    for _ in range(3):
        images, _ = batch()
        loss = torch.stack(list(step(module.model, images, Config(), True).losses.values())).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    for name, value in module.model.state_dict().items():
        assert torch.equal(value, before[name]) == name.startswith("frozen."), name


def test_train_mode_is_for_the_trained_part_alone(validation: WindowDataset) -> None:
    module = stage_module(validation)
    module.model.eval()  # as choosing patches leaves it
    module.on_fit_start()
    assert all(part.training for part in module.model.trained.modules())  # type: ignore[union-attr]  # dropout too
    assert not any(part.training for part in module.model.frozen.modules())  # type: ignore[union-attr]
    assert not any(part.training for part in module.eval().modules())


def test_a_loss_that_is_no_number_ends_training_with_advice(validation: WindowDataset) -> None:
    module = stage_module(validation, nan_step)
    advice = r"stage second, epoch 1: the {} is nan.*lower rate than 0.3.*--set stages.second.learning_rate=0.1 --over"
    with pytest.raises(TrainingError, match=advice.format("loss")):
        module.training_step(batch(), 0)
    with pytest.raises(TrainingError, match=advice.format("validation loss")):
        module.validation_step(batch(), 0)


def test_a_step_is_given_the_objective_of_the_run(validation: WindowDataset) -> None:
    class Weights(Config):
        weight: float = 2.5

    seen = []

    def watching(network: nn.Module, batch: Batch, objective: Weights, training: bool) -> StepOutput:
        seen.append((objective.weight, training))
        return step(network, batch, objective, training)

    stage = Stage("second", ("trained.*",), watching)
    module = StageModule(TwoPart(), stage, StageConfig(), Weights(), validation, "loss", seed=0)
    module.log_dict = lambda *_, **__: None  # type: ignore[method-assign, assignment]  # there is no trainer
    module.training_step(batch(), 0)
    with torch.no_grad():
        module.validation_step(batch(), 0)
    assert seen == [(2.5, True), (2.5, False)]


def test_validation_compares_each_map_with_the_mask_of_its_class(
    validation: WindowDataset, phantom_study: Manifest
) -> None:
    """A model of one class: its only channel belongs to its class, and masks of the other one are left aside."""
    row = next(row for row in phantom_study.rows() if "malignant" in row.masks)
    lesion = WindowDataset([row], validation.cache).masks(0)["malignant"]
    both = replace(row, masks=dict.fromkeys(CLASSES, row.masks["malignant"]))
    data = WindowDataset([both], validation.cache, classes=("malignant",))

    def perfect(model: nn.Module, batch: Batch, objective: Config, training: bool) -> StepOutput:
        map_11HW = torch.from_numpy(lesion).float()[None, None]
        return StepOutput({"bce": torch.tensor(0.5)}, torch.tensor([[0.9]]), map_11HW)

    module = StageModule(Malignant(), Stage("second", ("*",), perfect), StageConfig(), Config(), data, "dice", seed=0)
    module.validation_step((Batch(torch.zeros(1, 1, 96, 64), torch.tensor([[1.0]])), [0]), 0)
    module.on_validation_epoch_end()
    assert module.validation_scores["dice_malignant"] == module.validation_scores["select"] == 1
    assert "dice_benign" not in module.validation_scores


def test_a_step_knows_how_far_its_stage_is(validation: WindowDataset, tmp_path: Path) -> None:
    """Also in epochs after the first: 0, 1/6, ... of three epochs of two steps."""
    seen = []

    def watching(network: nn.Module, batch: Batch, objective: Config, training: bool) -> StepOutput:
        if training:
            seen.append(batch.progress)
        return step(network, batch, objective, training)

    config = StageConfig(epochs=3)
    module = StageModule(
        TwoPart(), Stage("second", ("trained.*",), watching), config, Config(), validation, "loss", seed=0
    )
    trainer = Trainer(
        max_epochs=3, accelerator="cpu", devices=1, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, default_root_dir=tmp_path, limit_val_batches=0,
    )  # fmt: skip
    trainer.fit(module, DataLoader([batch(), batch()], batch_size=None))
    assert seen == [n / 6 for n in range(6)]


@pytest.mark.parametrize(("criterion", "keys"), [("auc", {"moves_malignant"}), ("dice", set())])
def test_without_masks_validation_says_whether_maps_move_with_their_images(
    validation: WindowDataset, criterion: str, keys: set[str]
) -> None:
    """Of the classes that images show; a map that is the image moves with it. Where masks decide, they tell more."""

    def copies(model: nn.Module, batch: Batch, objective: Config, training: bool) -> StepOutput:
        assert batch.outline_BKHW is not None
        assert batch.outline_BKHW.shape[-2:] == batch.image_BCHW.shape[-2:]
        y_BK = torch.full((len(batch.label_BK), 2), 0.5)
        return StepOutput({"none": torch.zeros(())}, y_BK, batch.image_BCHW.expand(-1, 2, -1, -1))

    stage = Stage("second", trains=("trained.*",), step=copies)
    module = StageModule(TwoPart(), stage, StageConfig(), Config(), validation, criterion, seed=0)
    module.scores.add([0], torch.full((1, 2), 0.5).numpy(), 0.0)
    images = torch.rand(3, 1, 8, 8).repeat_interleave(8, -1).repeat_interleave(8, -2)
    labels = torch.tensor([[0.0, 1.0], [0.0, 0.0], [0.0, float("nan")]])
    outlined = Batch(images, labels, outline_BKHW=images.expand(-1, 2, -1, -1))
    module.validation_step((outlined, [0, 1, -1]), 0)
    found = {name: value for name, value in module.scores.compute("auc").items() if name.startswith("moves")}
    assert found.keys() == keys
    assert all(value > 0.9 for value in found.values())
    with_patches = outlined._replace(corners_BP2=torch.zeros(3, 1, 2))
    module.scores.found.of_maps.clear()
    module.validation_step((with_patches, [0, 1, -1]), 0)
    assert not [name for name in module.scores.found.of_maps if name.startswith("moves")]
