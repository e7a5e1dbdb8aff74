"""How GMIC learns. The training plan of the paper: all parts at once, end to end.

Source   Shen et al. 2021 (arXiv:2002.07613), Sec. 3.3. Patches are turned by a random multiple of 90 degrees in training.
"""

from mammoseg.models.gmic.config import GmicConfig, ObjectiveConfig
from mammoseg.models.gmic.model import Gmic
from mammoseg.models.gmic.objective import global_losses, joint_losses
from mammoseg.nn.contract import Batch, Learning, Stage, StepOutput
from mammoseg.nn.equivariance import disagreement, rise, twin_of
from mammoseg.nn.patches import patches_problem, turn_patches
from mammoseg.records.label import CLASSES
from mammoseg.records.sees import Sees


def joint_step(model: Gmic, batch: Batch, objective: ObjectiveConfig, training: bool) -> StepOutput:
    image_BCHW = batch.image_BCHW
    coarse = model.global_module(image_BCHW)
    corners_BP2 = model.select(coarse, image_BCHW)
    patches_BP1ss = model.crop(image_BCHW, corners_BP2)
    fine = model.local_module(turn_patches(patches_BP1ss) if training else patches_BP1ss)
    out = model.fuse(coarse, fine, corners_BP2)
    losses = joint_losses(out, batch.label_BK, objective)
    if training and objective.equivariance:
        twin = twin_of(image_BCHW)
        other = model.global_module(twin.image_BCHW)
        losses |= {name: losses[name] + loss for name, loss in global_losses(other, batch.label_BK, objective).items()}
        apart = disagreement(twin, [coarse.saliency_BKhw], [other.saliency_BKhw])
        losses["global_equivariance"] = objective.equivariance * rise(batch.progress) * apart
    return StepOutput(losses, out.y_BK, out.global_.saliency_BKhw, out.parts)


def sees(network: GmicConfig) -> Sees:
    """The mammogram, or with it the heatmaps of a patch classifier."""
    return Sees(heatmaps=CLASSES if network.heatmaps else ())


def misfit(network: GmicConfig, objective: ObjectiveConfig | None, window: tuple[int, int]) -> str | None:
    """Patches that the window cannot hold, or not so many."""
    return patches_problem(network.patch_px, {"network.num_patches": network.num_patches}, window)


LEARNING = Learning(
    stages=(Stage("joint", trains=("*",), step=joint_step),), objective=ObjectiveConfig, sees=sees, misfit=misfit
)
