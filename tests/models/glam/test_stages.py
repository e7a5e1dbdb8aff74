"""The training plan: what each stage trains and leaves alone, sees and is judged by."""

from unittest import mock

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mammoseg.data.dataset import WindowDataset
from mammoseg.models.glam.config import TINY, GlamConfig, ObjectiveConfig
from mammoseg.models.glam.model import Glam
from mammoseg.models.glam.objective import global_losses
from mammoseg.models.glam.stages import (
    LEARNING,
    choose_patches,
    draw_outlines,
    global_step,
    joint_step,
    local_step,
    student_step,
)
from mammoseg.nn.contract import Batch, Output, Stage
from mammoseg.nn.unet import UNet, UNetShape
from mammoseg.training.config import StageConfig
from mammoseg.training.module import StageModule

GLOBAL, LOCAL, JOINT, STUDENT = LEARNING.stages
OBJECTIVE = ObjectiveConfig()


def with_patches(model: Glam, batch: Batch, objective: ObjectiveConfig = OBJECTIVE) -> Batch:
    with torch.no_grad():
        return batch._replace(corners_BP2=choose_patches(model.eval(), batch.image_BCHW, objective)[0])


def trained(model: Glam, stage: Stage, batch: Batch) -> None:
    """One training step, large enough to change every parameter that learns."""
    module = StageModule(model, stage, StageConfig(), OBJECTIVE, WindowDataset([], mock.Mock()), "auc", 0)
    module.train()
    optimizer = torch.optim.SGD([p for p in module.parameters() if p.requires_grad], lr=10.0)
    torch.stack(list(stage.step(model, batch, OBJECTIVE, True).losses.values())).sum().backward()
    optimizer.step()


def test_the_plan() -> None:
    assert [stage.name for stage in LEARNING.stages_of(GlamConfig())] == ["global", "local", "joint"]
    assert [stage.name for stage in LEARNING.stages_of(TINY)] == ["global", "local", "joint", "student"]
    assert [stage.extracts is not None for stage in LEARNING.stages] == [False, True, False, False]
    assert [stage.outlines is not None for stage in LEARNING.stages] == [False, False, False, True]


@pytest.mark.parametrize(("stage", "parts"), [(GLOBAL, {"global_module"}), (LOCAL, {"local_module"}), (JOINT, None)])
def test_what_learns_and_what_stays(model: Glam, batch: Batch, stage: Stage, parts: set[str] | None) -> None:
    batch = with_patches(model, batch)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    trained(model, stage, batch)
    for name, value in model.state_dict().items():
        learns = parts is None or name.split(".")[0] in parts
        assert torch.equal(value, before[name]) != learns, name


def test_losses_of_the_stages(model: Glam, batch: Batch) -> None:
    coarse, fine = ["global_bce", "global_sparsity"], ["local_bce", "local_sparsity"]
    batch = with_patches(model, batch)
    for training in (True, False):
        assert list(global_step(model, batch, OBJECTIVE, training).losses) == coarse
        assert list(local_step(model, batch, OBJECTIVE, training).losses) == fine
        assert list(joint_step(model, batch, OBJECTIVE, training).losses) == [*coarse, *fine, "fusion_bce"]


def test_t_falls_until_the_middle_of_the_global_stage(model: Glam, batch: Batch) -> None:
    """With sparsity off, the loss is that of the t in between: geometrically from 40 % to the 10 % of the network."""
    model.config = model.config.model_copy(
        update={"global_module": model.config.global_module.model_copy(update={"top_t": 0.1})}
    )
    objective = ObjectiveConfig(global_sparsity=0, top_t_start=0.4)
    model.eval()  # so that only t differs
    for progress, t in ((0.0, 0.4), (0.25, 0.2), (0.5, 0.1), (0.8, 0.1)):
        losses = global_step(model, batch._replace(progress=progress), objective, True).losses
        expected = global_losses(model.global_module(batch.image_BCHW, t), batch.label_BK, objective)
        torch.testing.assert_close(losses["global_bce"], expected["global_bce"])
    at_start, judged = batch._replace(progress=0.0), global_step(model, batch, objective, False)
    assert torch.equal(global_step(model, at_start, objective, False).y_BK, judged.y_BK)


def test_maps_that_do_not_move_with_the_image_cost_in_training(model: Glam, batch: Batch) -> None:
    """Nothing at the start, the whole weight from the middle on; the smaller mirror image learns the labels too."""
    objective = ObjectiveConfig(equivariance=20)
    plain = global_step(model, batch, OBJECTIVE, True).losses

    def cost(progress: float) -> dict[str, Tensor]:
        torch.manual_seed(1)
        return dict(global_step(model, batch._replace(progress=progress), objective, True).losses)

    assert cost(0.0)["global_equivariance"] == 0
    assert cost(0.25)["global_equivariance"] > 0
    torch.testing.assert_close(cost(0.5)["global_equivariance"], 2 * cost(0.25)["global_equivariance"])
    torch.testing.assert_close(cost(0.5)["global_equivariance"], cost(1.0)["global_equivariance"])
    assert cost(1.0)["global_bce"] > 1.5 * plain["global_bce"]
    assert "global_equivariance" not in global_step(model, batch, objective, False).losses


@pytest.mark.parametrize(("stage", "name"), [(GLOBAL, "global"), (LOCAL, "local")])
def test_a_part_is_judged_by_its_own_prediction_and_map(model: Glam, batch: Batch, stage: Stage, name: str) -> None:
    out = model.eval()(batch.image_BCHW)
    judged = stage.step(model, with_patches(model, batch), OBJECTIVE, False)
    torch.testing.assert_close(judged.y_BK, out.parts[name])
    torch.testing.assert_close(judged.saliency_BKhw, out.maps[name])


def test_the_local_part_is_judged_by_its_map_of_overlapping_patches(model: Glam, batch: Batch) -> None:
    model.config = model.config.model_copy(update={"num_patches": 40})
    batch = with_patches(model, batch, ObjectiveConfig(num_patches=40))
    assert torch.equal(local_step(model, batch, OBJECTIVE, False).saliency_BKhw, model(batch.image_BCHW).maps["local"])


def test_a_model_without_fusion(model: Glam, batch: Batch) -> None:
    other = Glam(model.config.model_copy(update={"fusion": False, "prediction": "global"}))
    for training in (True, False):
        judged = joint_step(other.train(training), batch, OBJECTIVE, training)
        assert list(judged.losses) == ["global_bce", "global_sparsity", "local_bce", "local_sparsity"]
    torch.testing.assert_close(judged.y_BK, other(batch.image_BCHW).y_BK)


@pytest.mark.parametrize("combine", ["mean", "global", "local"])
def test_the_whole_is_judged_by_what_inference_gives(model: Glam, batch: Batch, combine: str) -> None:
    model.config = model.config.model_copy(update={"combine": combine})
    out = model.eval()(batch.image_BCHW)
    judged = joint_step(model, batch, OBJECTIVE, False)
    torch.testing.assert_close(judged.y_BK, out.y_BK)
    torch.testing.assert_close(judged.saliency_BKhw, out.maps["saliency"])


def test_patches_are_chosen_for_training(model: Glam, batch: Batch) -> None:
    corners_BP2, side = choose_patches(model.eval(), batch.image_BCHW, OBJECTIVE)
    assert (corners_BP2.shape, side) == ((4, 3, 2), 16)
    assert torch.equal(corners_BP2[:, :2], model(batch.image_BCHW).patches.corners_BP2)


def test_the_local_stage_needs_corners(model: Glam, batch: Batch) -> None:
    with pytest.raises(TypeError, match="the local stage needs batches with patch corners"):
        local_step(model, batch, OBJECTIVE, True)


def seen_patches(model: Glam, batch: Batch, training: bool, jitter: float = 0.125) -> Tensor:
    """What reaches the local module, (B, P, 1, s, s)."""
    seen: list[Tensor] = []
    hook = model.local_module.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    local_step(model, batch, ObjectiveConfig(patch_jitter=jitter), training)
    hook.remove()
    return seen[0]


def test_patches_are_turned_and_shifted_in_training_only(model: Glam, batch: Batch) -> None:
    batch = with_patches(model, batch)
    assert batch.corners_BP2 is not None
    plain = model.crop(batch.image_BCHW, batch.corners_BP2)
    assert torch.equal(seen_patches(model, batch, training=False), plain[:, :2])  # as many as in inference

    assert turns_of(seen_patches(model, batch, training=True, jitter=0.0), plain).all()
    assert not turns_of(seen_patches(model, batch, training=True, jitter=0.25), plain).all()


def turns_of(patches_BP1ss: Tensor, plain_BP1ss: Tensor) -> Tensor:
    """For each patch, whether it is the plain one turned by some multiple of 90 degrees."""
    turned = [torch.rot90(plain_BP1ss, k, (-2, -1)) == patches_BP1ss for k in range(4)]
    return torch.stack([same.flatten(2).all(-1) for same in turned]).any(0)


def test_shifts_are_small_and_stay_inside(model: Glam) -> None:
    rows = torch.arange(96.0).view(1, 1, -1, 1).expand(64, 1, 96, 64)
    for corner in ([0, 0], [96 - 16, 64 - 16], [40, 20]):
        corners_BP2 = torch.tensor(corner).expand(64, 3, 2)
        batch = Batch(rows, torch.zeros(64, 2), corners_BP2)
        first_row = seen_patches(model, batch, training=True).amin((-3, -2, -1))
        shift = first_row - corner[0]
        assert (shift.abs() <= 0.125 * 16).all()
        assert len(shift.unique()) == (5 if 0 < corner[0] < 80 else 3)


def test_shifts_repeat_with_the_seed(model: Glam, batch: Batch) -> None:
    batch = with_patches(model, batch)
    torch.manual_seed(5)
    first = seen_patches(model, batch, training=True)
    assert not torch.equal(seen_patches(model, batch, training=True), first)
    torch.manual_seed(5)
    assert torch.equal(seen_patches(model, batch, training=True), first)


def test_training_does_not_run_in_channels_last(model: Glam, batch: Batch) -> None:
    """There, the backward pass of a narrow 1 x 1 convolution with stride 2 crashes PyTorch 2.13 on CPUs with AVX-512."""
    batch = with_patches(model, batch)
    seen: list[Tensor] = []
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda _module, inputs, _output: seen.extend(inputs))
    for step in (global_step, local_step, joint_step):
        step(model, batch, OBJECTIVE, True)
    assert seen
    assert all(output.is_contiguous() for output in seen)


def test_what_each_stage_leaves_predicts_by_the_parts_that_have_learned() -> None:
    left = [(config.prediction, config.combine) for stage in LEARNING.stages for config in [stage.leaves(TINY)]]
    assert left == [("global", "global"), ("local", "local"), ("fusion", "mean"), ("fusion", "student")]
    by_student = TINY.model_copy(update={"prediction": "student"})
    assert [stage.leaves(by_student).prediction for stage in (JOINT, STUDENT)] == ["fusion", "student"]
    assert JOINT.leaves(by_student.model_copy(update={"fusion": False})).prediction == "global"
    published = GlamConfig(prediction="global", combine="local")
    assert JOINT.leaves(published) == published


@pytest.fixture
def with_student() -> Glam:
    torch.manual_seed(0)
    return Glam(TINY)


def test_the_student_learns_alone_and_gives_the_final_map(with_student: Glam, batch: Batch) -> None:
    """What it is taught is drawn from the map that the others would give without it."""
    outline = torch.zeros(4, 2, 96, 64)
    outline[0, 1, 40:60, 30:50] = 1
    before = {name: value.clone() for name, value in with_student.state_dict().items()}
    trained(with_student, STUDENT, batch._replace(outline_BKHW=outline))
    for name, value in with_student.state_dict().items():
        assert torch.equal(value, before[name]) != name.startswith("student."), name
    assert with_student.student is not None
    out = with_student.eval()(batch.image_BCHW)
    torch.testing.assert_close(out.maps["saliency"], with_student.student(batch.image_BCHW).maps["saliency"])
    without = Glam(TINY.model_copy(update={"student": None, "combine": "mean"})).eval()
    without.load_state_dict(
        {name: v for name, v in with_student.state_dict().items() if not name.startswith("student.")}
    )
    torch.testing.assert_close(out.teacher_BKuv, without(batch.image_BCHW).saliency_BKuv)
    judged = joint_step(with_student, batch, OBJECTIVE, False)
    torch.testing.assert_close(judged.saliency_BKhw, out.teacher_BKuv)
    own = student_step(with_student, batch._replace(outline_BKHW=outline), OBJECTIVE, False)
    torch.testing.assert_close(own.saliency_BKhw, out.maps["saliency"])


def test_the_student_can_say_the_score(with_student: Glam, batch: Batch) -> None:
    """The other parts stay as they are, and the joint stage is not judged by a student that has not learned."""
    asked = Glam(TINY.model_copy(update={"prediction": "student"})).eval()
    asked.load_state_dict(with_student.state_dict())
    out, fused = asked(batch.image_BCHW), with_student.eval()(batch.image_BCHW)
    torch.testing.assert_close(out.y_BK, out.parts["student"])
    torch.testing.assert_close(asked.predict(batch.image_BCHW), out.y_BK)
    torch.testing.assert_close(dict(out.parts), dict(fused.parts))
    torch.testing.assert_close(joint_step(asked, batch, OBJECTIVE, False).y_BK, fused.parts["fusion"])
    with pytest.raises(ValueError, match="there is no student"):
        GlamConfig(prediction="student")


def test_image_and_outline_are_mirrored_together(with_student: Glam, batch: Batch) -> None:
    """Where the outline is the bright part of the image, a student that returns its image has no Dice loss in any flip."""
    image = torch.zeros(4, 1, 96, 64)
    image[:, :, 10:40, 5:25] = 1

    class Copy(UNet):
        def forward(self, image_B1HW: Tensor) -> Output:
            return Output(torch.full((4, 2), 0.5), {"saliency": image_B1HW.expand(-1, 2, -1, -1)})

    with_student.student = Copy(UNetShape(widths=(4, 6)), 2)
    seen = batch._replace(image_BCHW=image, outline_BKHW=image.expand(-1, 2, -1, -1))
    for seed in range(8):
        torch.manual_seed(seed)
        assert student_step(with_student, seen, OBJECTIVE, True).losses["dice"] < 1e-3


def test_the_student_needs_outlines(with_student: Glam, batch: Batch) -> None:
    with pytest.raises(TypeError, match="needs batches with outlines"):
        student_step(with_student, batch, OBJECTIVE, True)


def test_outlines_of_the_classes_that_are_shown(with_student: Glam) -> None:
    """A bright disc in every image; the labels say whose it is."""
    rows, cols = np.mgrid[:96, :64]
    disc = torch.from_numpy((np.hypot(rows - 40, cols - 30) < 8).astype(np.float32))
    labels = torch.tensor([[1.0, 0.0], [0.0, 0.0], [float("nan"), 1.0]])
    with torch.no_grad():
        found = draw_outlines(
            with_student.eval(), disc.expand(3, 1, 96, 64), labels, ObjectiveConfig(lesion_radius_px=(4, 20))
        )
    assert [[corners is not None for corners in of_image] for of_image in found] == [
        [True, False], [False, False], [False, True],
    ]  # fmt: skip
