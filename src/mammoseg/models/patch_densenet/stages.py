"""How the patch classifier learns: cross-entropy over its outputs, of patches that are drawn anew in every step (draws.py).

Source   Not published beyond "patches and pixel labels": ours. Patches are turned by a random multiple of 90 degrees in training.
"""

import torch
from torch.nn.functional import cross_entropy

from mammoseg.models.patch_densenet.config import ObjectiveConfig, PatchDenseNetConfig
from mammoseg.models.patch_densenet.draws import UNKNOWN, draw_patches, with_boxes
from mammoseg.models.patch_densenet.model import PatchDenseNet
from mammoseg.nn.contract import Batch, Learning, Stage, StepOutput
from mammoseg.nn.patches import crop_patches, patches_problem, turn_patches


def patches_step(model: PatchDenseNet, batch: Batch, objective: ObjectiveConfig, training: bool) -> StepOutput:
    """Judged by the walk over the window; in training, where that is not asked for, by the drawn patches."""
    if batch.mask_BKHW is None:
        raise TypeError("a model that learns from masks needs batches with them")
    network, image_B1HW = model.config, batch.image_BCHW
    mask_BKHW = with_boxes(batch.mask_BKHW, batch.boxes, network.classes)
    generator = None if training else torch.Generator().manual_seed(0)
    corners_BP2, target_BP = draw_patches(
        mask_BKHW, batch.label_BK, network.patch_px, objective.patches, objective.lesions, generator
    )
    patches_BP1ss = crop_patches(image_B1HW, corners_BP2, network.patch_px)
    logits = model.logits((turn_patches(patches_BP1ss) if training else patches_BP1ss).flatten(0, 1))
    known = (target_BP != UNKNOWN).sum().clamp(min=1)
    loss = cross_entropy(logits, target_BP.flatten(), ignore_index=UNKNOWN, reduction="sum") / known
    if training:
        y_BK = model.of_classes(logits.detach()).unflatten(0, target_BP.shape).amax(1)
        return StepOutput({"patch_ce": loss}, y_BK, y_BK[:, :, None, None])
    out = model(image_B1HW)
    return StepOutput({"patch_ce": loss}, out.y_BK, out.maps["saliency"])


def misfit(network: PatchDenseNetConfig, objective: ObjectiveConfig | None, window: tuple[int, int]) -> str | None:
    """Patches that the window cannot hold."""
    return patches_problem(network.patch_px, {}, window)


LEARNING = Learning(
    stages=(Stage("patches", trains=("*",), step=patches_step),),
    objective=ObjectiveConfig,
    learns_from=("labels", "masks", "boxes"),
    misfit=misfit,
)
