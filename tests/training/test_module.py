"""The module that trains any stage: what is frozen stays as it is, and a loss that is no number ends the training."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mammoseg.data.dataset import WindowDataset
from mammoseg.data.manifest import Manifest
from mammoseg.nn.contract import Batch, Stage, StepOutput
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


def step(model: nn.Module, batch: Batch, training: bool) -> StepOutput:
    out = model(batch.image_B1HW)
    y_BK = torch.sigmoid(out.mean((-2, -1)))
    return StepOutput({"bce": y_BK.mean(), "other": y_BK.square().mean()}, y_BK, out)


def nan_step(model: nn.Module, batch: Batch, training: bool) -> StepOutput:
    out = step(model, batch, training)
    return out._replace(losses={"bce": out.y_BK.mean() * float("nan")})


@pytest.fixture
def validation(phantom_study: Manifest, tiny_config: TrainConfig, tmp_path: Any) -> WindowDataset:
    from mammoseg.data.cache import CropCache

    return WindowDataset(list(phantom_study.rows())[:2], CropCache(tmp_path, tiny_config.prep), (96, 64))


def stage_module(validation: WindowDataset, function: Any = step) -> StageModule:
    stage = Stage("second", trains=("trained.*",), step=function)
    return StageModule(TwoPart(), stage, StageConfig(learning_rate=0.3), validation, "loss", seed=0)


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
        loss = torch.stack(list(step(module.model, images, True).losses.values())).sum()
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
