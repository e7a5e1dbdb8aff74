"""A small U-Net that learns to draw lesions from their outlines."""

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy, interpolate, max_pool2d

from mammoseg.config import Config
from mammoseg.nn.contract import Batch, Learning, Network, NetworkConfig, Output, Stage, StepOutput


class UNetConfig(NetworkConfig):
    """Two levels."""

    width: int = 16
    """Channels of the fine level; the coarse one has twice as many."""


class Objective(Config):
    """What only training needs."""

    lesion_weight: float = 5.0
    """How many pixels beside lesions one in a lesion is worth."""


class UNet(Network):
    """Image (B, 1, H, W) -> a map of every class, whose highest value is the score of the image."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        w = config.width
        self.down = nn.Sequential(nn.Conv2d(1, w, 3, padding=1), nn.ReLU(), nn.Conv2d(w, w, 3, padding=1), nn.ReLU())
        self.bottom = nn.Sequential(nn.Conv2d(w, 2 * w, 3, padding=1), nn.ReLU(), nn.Conv2d(2 * w, w, 3, padding=1))
        self.up = nn.Conv2d(2 * w, len(config.classes), 3, padding=1)

    def forward(self, image_B1HW: Tensor) -> Output:
        fine = self.down(image_B1HW)
        coarse = interpolate(self.bottom(max_pool2d(fine, 4)), size=fine.shape[-2:])
        map_BKHW = torch.sigmoid(self.up(torch.cat([fine, coarse], dim=1)).float())
        return Output(map_BKHW.amax((-2, -1)), {"saliency": map_BKHW})


def learn(model: UNet, batch: Batch, objective: Objective, training: bool) -> StepOutput:
    """Cross-entropy of the pixels whose truth is known."""
    out, truth = model(batch.image_BCHW), batch.mask_BKHW
    if truth is None:
        raise TypeError("a model that learns from masks needs batches with them")
    map_BKHW, known = out.maps["saliency"], ~truth.isnan()
    weight = 1 + (objective.lesion_weight - 1) * truth[known]
    loss = binary_cross_entropy(map_BKHW[known], truth[known], weight) if known.any() else 0 * map_BKHW.sum()
    return StepOutput({"bce": loss}, out.y_BK, map_BKHW)


Config, build, TINY = UNetConfig, UNet, UNetConfig(width=4)
LEARNING = Learning(
    stages=(Stage("pixels", trains=("*",), step=learn, judged_by=("dice", "loss")),),
    objective=Objective,
    learns_from=("labels", "masks"),
)
