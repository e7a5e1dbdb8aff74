"""Both views of a breast together: each has its map, and one score is for both."""

import torch
from torch import Tensor, nn

from mammoseg.nn.contract import Batch, Learning, Network, NetworkConfig, Output, Stage, StepOutput
from mammoseg.nn.loss import bce
from mammoseg.records.sees import Sees


class TwoViewsConfig(NetworkConfig):
    """Nothing to choose but the classes."""


class TwoViews(Network):
    """Images (B, 1, H, W) and which are there (U, V), B = U x V -> scores of breasts, the same for both images of each."""

    def __init__(self, config: TwoViewsConfig) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(1, 8, 5, stride=4, padding=2), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU()
        )
        self.head = nn.Conv2d(8, len(config.classes), 1)

    def forward(self, image_BCHW: Tensor, there_UV: Tensor) -> Output:
        map_BKhw = torch.sigmoid(self.head(self.trunk(image_BCHW)).float())
        y_UVK = map_BKhw.amax((-2, -1)).unflatten(0, there_UV.shape)
        there_UV1 = there_UV.unsqueeze(-1)
        y_UK = (y_UVK * there_UV1).sum(1) / there_UV1.sum(1)
        y_BK = y_UK.repeat_interleave(there_UV.shape[1], dim=0)
        return Output(y_BK, {"saliency": map_BKhw}, {"view": y_UVK.flatten(0, 1)})


def learn(model: TwoViews, batch: Batch, objective: object, training: bool) -> StepOutput:
    """Cross-entropy of the score of the breast with the label of each of its images."""
    if batch.there_UV is None:
        raise TypeError("a model of several views needs batches of units")
    out = model(batch.image_BCHW, batch.there_UV)
    return StepOutput({"bce": bce(out.y_BK, batch.label_BK)}, out.y_BK, out.maps["saliency"])


Config, build, TINY = TwoViewsConfig, TwoViews, TwoViewsConfig()
LEARNING = Learning(
    stages=(Stage("breasts", trains=("*",), step=learn, judged_by=("auc", "loss")),),
    sees=lambda config: Sees(views=("CC", "MLO")),
)
