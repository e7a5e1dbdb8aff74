"""The training plan of the paper: all parts at once, end to end.

Source   Shen et al. 2021 (arXiv:2002.07613), Sec. 3.3. Patches are turned by a random multiple of 90 degrees in training.
"""

from mammoseg.models.gmic.model import Gmic
from mammoseg.models.gmic.objective import joint_losses
from mammoseg.nn.contract import Batch, Stage, StepOutput
from mammoseg.nn.patches import turn_patches


def joint_step(model: Gmic, batch: Batch, training: bool) -> StepOutput:
    image_BCHW = batch.image_BCHW
    coarse = model.global_module(image_BCHW)
    corners_BP2 = model.select(coarse, image_BCHW)
    patches_BP1ss = model.crop(image_BCHW, corners_BP2)
    fine = model.local_module(turn_patches(patches_BP1ss) if training else patches_BP1ss)
    out = model.fuse(coarse, fine, corners_BP2)
    losses = joint_losses(out, batch.label_BK, model.config.objective)
    return StepOutput(losses, out.y_BK, out.global_.saliency_BKhw)


STAGES = (Stage("joint", trains=("*",), step=joint_step),)
