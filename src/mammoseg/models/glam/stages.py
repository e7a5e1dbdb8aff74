"""How GLAM learns. The training plan of the paper: four stages, each starting from the best epoch of the one before.

1. global    train the global module; keep the epoch that segments best. Ours: its maps must move with the image
2. (patches) freeze it and let it choose patches on every training image: `extracts` of the next stage
3. local     train the local module on those patches
4. joint     train everything together with the fusion
5. student   only of a network with a student, which is ours: outline a lesion where the final map of each image points (grow.py),
             and train a U-Net on these outlines

Source   Liu et al. 2021 (arXiv:2106.07049), Sec. 2. Patches are turned by a random multiple of 90 degrees in training (Shen et al.
         2021, Sec. 3.3) and shifted a little, so that the local module does not learn one crop by heart.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mammoseg.models.glam.config import GlamConfig, ObjectiveConfig
from mammoseg.models.glam.grow import outline
from mammoseg.models.glam.maps import combine_maps, place_patches
from mammoseg.models.glam.model import Glam
from mammoseg.models.glam.objective import global_losses, joint_losses, local_losses
from mammoseg.nn.contract import Batch, Learning, Stage, StepOutput
from mammoseg.nn.equivariance import disagreement, rise, twin_of
from mammoseg.nn.patches import patches_problem, turn_patches
from mammoseg.nn.unet import segmentation_step


def global_step(model: Glam, batch: Batch, objective: ObjectiveConfig, training: bool) -> StepOutput:
    top_t = _top_t(model, objective, batch.progress) if training else None
    out = model.global_module(batch.image_BCHW, top_t)
    losses = global_losses(out, batch.label_BK, objective)
    if training and objective.equivariance:
        twin = twin_of(batch.image_BCHW)
        other = model.global_module(twin.image_BCHW, top_t)
        of_twin = global_losses(other, batch.label_BK, objective)
        losses = {name: loss + of_twin[name] for name, loss in losses.items()}
        apart = disagreement(twin, out.scales, other.scales)
        losses["global_equivariance"] = objective.equivariance * rise(batch.progress) * apart
    return StepOutput(losses, out.y_BK, out.saliency_BKhw)


def _top_t(model: Glam, objective: ObjectiveConfig, progress: float) -> float:
    """t of the global module, which falls geometrically until the middle of the stage."""
    end = model.config.global_module.top_t
    start = objective.top_t_start or end
    return start * (end / start) ** min(1.0, 2 * progress)


def choose_patches(model: Glam, image_B1HW: Tensor, objective: ObjectiveConfig) -> tuple[Tensor, int]:
    coarse = model.global_module(image_B1HW)
    return model.select(coarse, _shape(image_B1HW), objective.num_patches), model.config.patch_px


def local_step(model: Glam, batch: Batch, objective: ObjectiveConfig, training: bool) -> StepOutput:
    if batch.corners_BP2 is None:
        raise TypeError("the local stage needs batches with patch corners")
    corners_BP2 = batch.corners_BP2 if training else batch.corners_BP2[:, : model.config.num_patches]
    reach = objective.patch_jitter if training else None
    out = model.local_module(_patches(model, batch.image_BCHW, corners_BP2, reach))
    map_BKuv = place_patches(out.maps_BPKmm, corners_BP2, model.config.patch_px, _shape(batch.image_BCHW))
    return StepOutput(local_losses(out, batch.label_BK, objective), out.y_BK, map_BKuv)


def joint_step(model: Glam, batch: Batch, objective: ObjectiveConfig, training: bool) -> StepOutput:
    config = model.config
    if not training:
        out = model(batch.image_BCHW)
        coarse, fine, y_fusion_BK = out.global_, out.local, out.y_fusion_BK
        y_BK, map_BKuv = out.parts[_without_student(config).prediction], out.teacher_BKuv
    else:
        coarse = model.global_module(batch.image_BCHW)
        corners_BP2 = model.select(coarse, _shape(batch.image_BCHW), objective.num_patches)
        fine = model.local_module(_patches(model, batch.image_BCHW, corners_BP2, objective.patch_jitter))
        y_fusion_BK = model.fuse(coarse, fine)
        y_BK = fine.y_BK if y_fusion_BK is None else y_fusion_BK
        local_BKuv = place_patches(fine.maps_BPKmm, corners_BP2, config.patch_px, _shape(batch.image_BCHW))
        map_BKuv = combine_maps(coarse.saliency_BKhw, local_BKuv, config.combine)
    losses = joint_losses(coarse, fine, y_fusion_BK, batch.label_BK, objective)
    parts = {"global": coarse.y_BK, "local": fine.y_BK} | ({} if y_fusion_BK is None else {"fusion": y_fusion_BK})
    return StepOutput(losses, y_BK, map_BKuv, parts)


def draw_outlines(
    model: Glam, image_B1HW: Tensor, label_BK: Tensor, objective: ObjectiveConfig
) -> list[list[NDArray[np.float64] | None]]:
    """From the final map of each class that the image is known to show; other images are not looked at."""
    found: list[list[NDArray[np.float64] | None]] = [[None] * label_BK.shape[1] for _ in label_BK]
    shown = (label_BK == 1).any(1).nonzero().flatten().tolist()
    if shown:
        maps = model(image_B1HW[shown]).teacher_BKuv.float().cpu().numpy()
        for b, S_Kuv in zip(shown, maps, strict=True):
            image_HW = image_B1HW[b, 0].cpu().numpy()
            for k, S_uv in enumerate(S_Kuv):
                if label_BK[b, k] == 1:
                    found[b][k] = outline(image_HW, S_uv, objective.lesion_radius_px)
    return found


def student_step(model: Glam, batch: Batch, objective: ObjectiveConfig, training: bool) -> StepOutput:
    if batch.outline_BKHW is None or model.student is None:
        raise TypeError("the student's stage needs batches with outlines, and a student")
    return segmentation_step(model.student, batch.image_BCHW, batch.outline_BKHW, batch.label_BK, training)


def _shape(image_B1HW: Tensor) -> tuple[int, int]:
    return image_B1HW.shape[-2], image_B1HW.shape[-1]


def _patches(model: Glam, image_B1HW: Tensor, corners_BP2: Tensor, jitter: float | None) -> Tensor:
    """The patches at the corners; with a `jitter` shifted by up to so much of their side, and each turned by a random multiple
    of 90 degrees."""
    if jitter is None:
        return model.crop(image_B1HW, corners_BP2)
    reach = int(jitter * model.config.patch_px)
    shift = torch.randint(-reach, reach + 1, corners_BP2.shape, device=corners_BP2.device)
    last = torch.tensor(_shape(image_B1HW), device=corners_BP2.device) - model.config.patch_px
    return turn_patches(model.crop(image_B1HW, torch.minimum((corners_BP2 + shift).clamp(min=0), last)))


def misfit(network: GlamConfig, objective: ObjectiveConfig | None, window: tuple[int, int]) -> str | None:
    """Patches that the window cannot hold, or not so many."""
    counts = {"network.num_patches": network.num_patches}
    if objective is not None:
        counts["objective.num_patches"] = objective.num_patches
    return patches_problem(network.patch_px, counts, window)


def _only(module: Literal["global", "local"]) -> Callable[[GlamConfig], GlamConfig]:
    """What has not learned yet has no part in the prediction."""
    return lambda config: config.model_copy(update={"prediction": module, "combine": module})


def _without_student(config: GlamConfig) -> GlamConfig:
    instead = {"prediction": "fusion" if config.fusion else "global", "combine": "mean"}
    return config.model_copy(
        update={name: value for name, value in instead.items() if getattr(config, name) == "student"}
    )


LEARNING = Learning(
    stages=(
        Stage("global", trains=("global_module.*",), step=global_step, leaves=_only("global")),
        Stage("local", trains=("local_module.*",), step=local_step, extracts=choose_patches, leaves=_only("local")),
        Stage("joint", trains=("[!s]*",), step=joint_step, leaves=_without_student),  # all but the student
        Stage(
            "student",
            trains=("student.*",),
            step=student_step,
            outlines=draw_outlines,
            wanted=lambda config: config.student is not None,
        ),
    ),
    objective=ObjectiveConfig,
    misfit=misfit,
)
