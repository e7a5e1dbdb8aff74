"""Frozen features and multiple instance learning: what others have learned, and a head that is trained in minutes.

    f(p)   features of cell p of the breast, of a trunk that is never trained     h(p) = ReLU(W norm(f(p)) + b)
    alpha  gated attention over the cells of the breast                           1 / n for each of its n cells
    c_k(p) = alpha(p) u_k . h(p) + v_k . h(p) / n                                 y_k = sigmoid(b_k + sum_p c_k(p))
    S_k(p) = y_k max(d_k(p), 0) / (largest d_k)                                   d = c - its mean over the breast

The first term of c is the local one, which attends to few cells, the second the global one, the mean over the breast; `pooling`
leaves one of them. c is what a cell adds to the logit, so the map shows the cells that speak for the class more than the mean one;
its peak is y.

Source   MIL-PF (Jovisic et al. 2026, arXiv:2603.09374). Its abstract says: frozen foundation encoders, features computed once, a
         head of 40 thousand parameters that models global tissue and sparse local signals by aggregation with attention. Summaries
         of it say: DINOv2 ViT-g or MedSigLIP; the mean for the global part, cross-attention over tiles for the local one.
         The attention here is that of Ilse et al. 2018 (nn/attention.py).
Ours     All else: a trunk with ImageNet weights (`pretrained.trunk`), whose cells are the instances, in the place of an encoder of
         tiles; an image in the place of a breast; W, width and dropout, with 40 thousand parameters, too; the map.
Details  Without ImageNet weights the trunk stays random: the log warns of it. The three scales of EfficientNet-Lite0 are
         brought to the cells of the middle one, 16 pixels wide. Features are stored as float16: y of a prediction,
         which computes them anew, differs in the third decimal at most.
Shapes   B batch | K class | P cells | C features of a cell | c of them after W | H, W pixels of the window | h, w cells of the map
"""

from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from mammoseg.nn.attention import GatedAttention
from mammoseg.nn.contract import Batch, Learning, Network, NetworkConfig, NoObjective, Output, Stage, StepOutput
from mammoseg.nn.loss import bce
from mammoseg.nn.tissue import breast_cells
from mammoseg.nn.trunk import SlimShape, TrunkModule, full_range


class FrozenMilConfig(SlimShape, NetworkConfig):
    """A trunk and a head."""

    pooling: Literal["both", "attention", "mean"] = "both"
    """How cells become an image."""
    hidden: int = Field(64, ge=1, le=4096)
    """Features of a cell after W; also those in the attention."""
    dropout: float = Field(0.25, ge=0, lt=1)
    """Share of h that is left out at a time in training."""


class Head(nn.Module):
    """All that learns."""

    def __init__(self, features: int, config: FrozenMilConfig) -> None:
        super().__init__()
        hidden, classes, pooling = config.hidden, len(config.classes), config.pooling
        layer = nn.Linear(features, hidden)
        self.project = nn.Sequential(nn.LayerNorm(features), layer, nn.ReLU(), nn.Dropout(config.dropout))
        self.attention = None if pooling == "mean" else GatedAttention(hidden, hidden)
        self.u = None if pooling == "mean" else nn.Linear(hidden, classes, bias=False)
        self.v = None if pooling == "attention" else nn.Linear(hidden, classes, bias=False)
        self.bias_K = nn.Parameter(torch.zeros(classes))

    def forward(self, features_BChw: Float[Tensor, "B C1 h w"]) -> Output:
        x_BPC = features_BChw.flatten(2).transpose(1, 2)
        h_BPc, inside_BP = self.project(x_BPC[..., :-1]), x_BPC[..., -1] > 0.5
        c_BPK = torch.zeros((), device=h_BPc.device)
        if self.attention is not None and self.u is not None:
            c_BPK = c_BPK + self.attention(h_BPc, inside_BP).unsqueeze(-1) * self.u(h_BPc)
        if self.v is not None:
            mean_BP = inside_BP / inside_BP.sum(1, keepdim=True)
            c_BPK = c_BPK + mean_BP.unsqueeze(-1) * self.v(h_BPc)
        c_BPK, breast_BP1 = c_BPK.float(), inside_BP.unsqueeze(-1)
        y_BK = torch.sigmoid(self.bias_K + (c_BPK * breast_BP1).sum(1))
        mean_B1K = (c_BPK * breast_BP1).sum(1, keepdim=True) / breast_BP1.sum(1, keepdim=True)
        speaks_BPK = (c_BPK - mean_B1K).clamp(min=0) * breast_BP1
        S_BPK = y_BK.unsqueeze(1) * speaks_BPK / speaks_BPK.amax(1, keepdim=True).clamp(min=1e-12)
        return Output(y_BK, {"saliency": S_BPK.transpose(1, 2).unflatten(-1, features_BChw.shape[-2:])})


class FrozenMil(TrunkModule, Network):
    def __init__(self, config: FrozenMilConfig) -> None:
        super().__init__(config)
        self.head = Head(sum(self.scale_features), config)

    def forward(self, image_B1HW: Float[Tensor, "B 1 H W"]) -> Output:
        out: Output = self.head(self.cell_features(image_B1HW))
        return out

    def cell_features(self, image_B1HW: Float[Tensor, "B 1 H W"]) -> Float[Tensor, "B C1 h w"]:
        """Of the trunk, and as the last one whether a cell is of the breast: 0 or 1."""
        scales = self.scales(full_range(image_B1HW))
        middle = scales[len(scales) // 2]
        cells = middle.shape[-2], middle.shape[-1]
        inside_B1hw = breast_cells(image_B1HW, cells)
        return torch.cat([*(_onto(h.float(), cells) for h in scales), inside_B1hw.float()], dim=1)


def _onto(h_BChw: Tensor, cells: tuple[int, int]) -> Tensor:
    """Means of finer cells; coarser ones between their middles."""
    if h_BChw.shape[-2] > cells[0]:
        return adaptive_avg_pool2d(h_BChw, cells)
    return interpolate(h_BChw, size=cells, mode="bilinear", align_corners=False)


def step(model: FrozenMil, batch: Batch, objective: NoObjective, training: bool) -> StepOutput:
    if batch.features is None:
        raise TypeError("the head learns from features that are computed before")
    out = model.head(batch.features)
    return StepOutput({"bce": bce(out.y_BK, batch.label_BK)}, out.y_BK, out.maps["saliency"])


def build(config: FrozenMilConfig) -> FrozenMil:
    return FrozenMil(config)


Config = FrozenMilConfig
TINY = FrozenMilConfig(trunk="resnet", blocks=(1, 1), widths=(4, 6), strides=(1, 2), hidden=8)
LEARNING = Learning(
    stages=(
        Stage(
            "head",
            trains=("head.*",),
            step=step,
            precomputes=FrozenMil.cell_features,
            judged_by=("auc", "loss"),
        ),
    ),
    keeps=("trunk.*",),
)
