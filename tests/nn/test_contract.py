"""Stages: which parameters a pattern means."""

import pytest
import torch
from torch import nn

from mammoseg.nn.contract import Batch, Stage, StepOutput


def step(model: nn.Module, batch: Batch, objective: object, training: bool) -> StepOutput:
    return StepOutput({"loss": model(batch.image_BCHW).sum()}, batch.label_BK, batch.image_BCHW)


@pytest.fixture
def model() -> nn.Module:
    return nn.ModuleDict({"first": nn.Linear(2, 2), "first_head": nn.Linear(2, 2), "last": nn.BatchNorm1d(2)})


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (("first.*",), ["first.weight", "first.bias"]),
        (("first*.bias", "last.weight"), ["first.bias", "first_head.bias", "last.weight"]),
        (("last.*", "last.weight"), ["last.weight", "last.bias"]),
    ],
)
def test_patterns(model: nn.Module, patterns: tuple[str, ...], expected: list[str]) -> None:
    assert Stage("s", patterns, step).trained_parameters(model) == expected


def test_every_parameter(model: nn.Module) -> None:
    assert Stage("s", ("*",), step).trained_parameters(model) == [name for name, _ in model.named_parameters()]


@pytest.mark.parametrize("pattern", ["second.*", "first", "First.*", "last.running_mean"])
def test_a_pattern_that_fits_nothing(model: nn.Module, pattern: str) -> None:
    with pytest.raises(ValueError, match="stage 'late': no parameter of ModuleDict fits"):
        Stage("late", ("first.*", pattern), step).trained_parameters(model)


def test_batches_have_no_patches_unless_given() -> None:
    assert Batch(torch.zeros(1, 1, 2, 2), torch.zeros(1, 2)).corners_BP2 is None
