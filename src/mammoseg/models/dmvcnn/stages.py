"""How DMV-CNN learns: all parts at once, each head from the labels of the breasts whose views it sees.

    L = sum over heads and classes of the cross-entropy of p with the labels, mean over the views that are there

Source   Wu et al. 2019 (arXiv:1903.08297), whose networks have learned BI-RADS before; noise on the input from the released
         software. How the terms of both heads are weighed is not known to us: ours is their sum. Early stopping is the
         choice of the best epoch by the AUC in validation.
"""

import torch

from mammoseg.models.dmvcnn.config import DmvCnnConfig, ObjectiveConfig
from mammoseg.models.dmvcnn.model import VIEWS, DmvCnn
from mammoseg.nn.contract import Batch, Learning, Stage, StepOutput
from mammoseg.nn.loss import bce
from mammoseg.prep.projection import PROJECTIONS
from mammoseg.records.label import CLASSES
from mammoseg.records.sees import Sees


def joint_step(model: DmvCnn, batch: Batch, objective: ObjectiveConfig, training: bool) -> StepOutput:
    image_BCHW, there_UV = batch.image_BCHW, batch.there_UV
    if there_UV is None:
        raise TypeError("a model of several views needs batches of units")
    if training:
        image_BCHW = image_BCHW + objective.noise * torch.randn_like(image_BCHW)
    seen = model.see(image_BCHW, there_UV)
    p_UVK = model.judge(seen)
    label_UVK = batch.label_BK.unflatten(0, there_UV.shape)
    losses = {
        f"{name.lower()}_bce": bce(p_UPK.flatten(0, 1), label_UPK.flatten(0, 1))
        for name, p_UPK, label_UPK in zip(PROJECTIONS, p_UVK.split(2, 1), label_UVK.split(2, 1), strict=True)
    }
    y_BK, parts = model.fuse(p_UVK, there_UV)
    with torch.no_grad():  # nothing learns from the maps
        saliency_BKhw = model.map(seen)
    return StepOutput(losses, y_BK, saliency_BKhw, parts)


def sees(network: DmvCnnConfig) -> Sees:
    """The views of an exam, each with the heatmaps of a patch classifier or without, in windows of two sizes."""
    return Sees(heatmaps=CLASSES if network.heatmaps else (), views=VIEWS, windows=dict(network.windows.items()))


LEARNING = Learning(
    stages=(Stage("joint", trains=("*",), step=joint_step, judged_by=("auc", "loss")),),
    objective=ObjectiveConfig,
    sees=sees,
)
