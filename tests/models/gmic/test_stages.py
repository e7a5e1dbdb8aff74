"""The training plan: one stage that trains everything, sees turned patches and is judged by what inference gives."""

from collections.abc import Callable
from unittest import mock

import pytest
import torch
from torch import Tensor

from mammoseg.data.dataset import WindowDataset
from mammoseg.models.gmic.config import ObjectiveConfig
from mammoseg.models.gmic.model import Gmic
from mammoseg.models.gmic.stages import LEARNING, joint_step
from mammoseg.nn.contract import Batch
from mammoseg.training.config import StageConfig
from mammoseg.training.module import StageModule

Build = Callable[..., Gmic]
[JOINT] = LEARNING.stages
OBJECTIVE = ObjectiveConfig()


def seen_patches(model: Gmic, batch: Batch, training: bool) -> Tensor:
    """What reaches the local module, (B, P, 1, s, s)."""
    seen: list[Tensor] = []
    hook = model.local_module.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    joint_step(model, batch, OBJECTIVE, training)
    hook.remove()
    return seen[0]


def test_the_plan() -> None:
    assert (JOINT.name, JOINT.trains, JOINT.extracts) == ("joint", ("*",), None)


def test_everything_learns(build: Build, batch: Batch) -> None:
    """One training step, large enough to change every parameter."""
    model = build()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    module = StageModule(model, JOINT, StageConfig(), OBJECTIVE, WindowDataset([], mock.Mock()), "auc", 0)
    module.train()
    optimizer = torch.optim.SGD(module.parameters(), lr=10.0)
    torch.stack(list(joint_step(model, batch, OBJECTIVE, True).losses.values())).sum().backward()
    optimizer.step()
    for name, value in model.state_dict().items():
        assert not torch.equal(value, before[name]), name


@pytest.mark.parametrize("sets", [(), ("prediction=average",), ("rois=random", "local_module.attention=uniform")])
def test_judged_by_what_inference_gives(build: Build, batch: Batch, sets: tuple[str, ...]) -> None:
    model = build(*sets)
    out, judged = model(batch.image_BCHW), joint_step(model, batch, OBJECTIVE, False)
    torch.testing.assert_close(judged.y_BK, out.y_BK)
    torch.testing.assert_close(judged.saliency_BKhw, out.maps["saliency"])
    assert list(judged.losses) == ["global_bce", "local_bce", "fusion_bce", "sparsity"]


def test_our_head_and_a_map_that_must_move_with_the_image(build: Build, batch: Batch) -> None:
    """Both learn only if they are asked for, and the penalty is one of training."""
    model, objective = build("global_module.heads=where_what"), ObjectiveConfig(equivariance=20)
    plain = ["global_bce", "local_bce", "fusion_bce", "sparsity", "global_finding_bce"]
    assert list(joint_step(model, batch, objective, False).losses) == plain
    losses = joint_step(model, batch, objective, True).losses
    assert list(losses) == [*plain, "global_equivariance"]
    assert losses["global_equivariance"] > 0
    assert joint_step(model, batch._replace(progress=0.0), objective, True).losses["global_equivariance"] == 0
    assert list(joint_step(build(), batch, objective, True).losses) == [*plain[:-1], "global_equivariance"]


def test_patches_are_turned_in_training_only(build: Build, batch: Batch) -> None:
    model = build()
    plain = model.crop(batch.image_BCHW, model(batch.image_BCHW).patches.corners_BP2)
    assert torch.equal(seen_patches(model, batch, training=False), plain)
    turned = seen_patches(model, batch, training=True)
    for own, seen in zip(plain.flatten(0, 1), turned.flatten(0, 1), strict=True):
        assert sum(torch.equal(seen, torch.rot90(own, k, (-2, -1))) for k in range(4)) == 1
    assert not torch.equal(turned, plain)


def test_turns_repeat_with_the_seed(build: Build, batch: Batch) -> None:
    model = build()
    torch.manual_seed(5)
    first = seen_patches(model, batch, training=True)
    assert not torch.equal(seen_patches(model, batch, training=True), first)
    torch.manual_seed(5)
    assert torch.equal(seen_patches(model, batch, training=True), first)


def test_random_patches_are_drawn_anew_in_training(build: Build, batch: Batch) -> None:
    model = build("rois=random")
    validation = seen_patches(model.eval(), batch, training=False)
    assert torch.equal(seen_patches(model, batch, training=False), validation)
    sums = {seen_patches(model.train(), batch, training=True).sum().item() for _ in range(3)}
    assert len(sums) == 3
