"""Patch classifier: a DenseNet that says of a patch which lesion is in its middle, and walks over an image to make heatmaps.

    h = mean over space of relu(DenseNet(patch)),   p = softmax(W h + b),   S = mean of p over the patches that see a place
    y = largest value of S

Outputs  Of p with two classes: 0 malignant, 1 benign (published), 2 and 3 without a lesion, of an image with one and without.
         In general the classes in reverse order come first. What 2 and 3 of the published network are is not known here; neither
         is used for a heatmap.
Source   Wu et al. 2019 (arXiv:1903.08297), Sec. 3.2 and the released software.
Deviates S and y on a window are ours, for validation and comparison with other models: S on cells of an eighth of a patch, with the
         shorter strides spread evenly where the software draws them. The walk of the software, over the whole breast and on
         every pixel, is `mammoseg heatmaps` (inference/heatmaps.py).
Shapes   B batch | N patches | K class | H, W pixels of the window | s side of a patch | R, C rows and columns of patches |
         h, w cells
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn, relu

from mammoseg.models.patch_densenet.config import PatchDenseNetConfig
from mammoseg.nn.contract import Output
from mammoseg.nn.densenet import DenseNet
from mammoseg.nn.walk import PatchNetwork, mean_of_patches, spread, starts

WITHOUT = 2
"""Outputs for patches without a lesion, after those of the classes."""
_CELLS = 8
"""Of the map, along a side of a patch."""
_AT_ONCE = 32
"""Patches that are computed together."""


class PatchDenseNet(PatchNetwork):
    def __init__(self, config: PatchDenseNetConfig) -> None:
        super().__init__()
        self.config = config
        self.patch_px, self.stride_px = config.patch_px, config.stride_px
        self.features = DenseNet(config.blocks, config.growth, config.stem_width, config.stem_pool, config.channels_in)
        self.classifier = nn.Linear(self.features.channels, len(config.classes) + WITHOUT)

    def logits(self, patches_N1ss: Float[Tensor, "N 1 s s"]) -> Float[Tensor, "N outputs"]:
        """In the order of the published network."""
        h_NDhw = relu(self.features(patches_N1ss.expand(-1, self.config.channels_in, -1, -1)))
        logits: Tensor = self.classifier(h_NDhw.mean((-2, -1)))
        return logits.float()

    def of_patches(self, patches_N1ss: Float[Tensor, "N 1 s s"]) -> Float[Tensor, "N K"]:
        return self.of_classes(self.logits(patches_N1ss))

    def of_classes(self, logits: Float[Tensor, "N outputs"]) -> Float[Tensor, "N K"]:
        """Probabilities of the classes in their own order."""
        return logits.softmax(-1)[:, : len(self.config.classes)].flip(1)

    def forward(self, image_B1HW: Float[Tensor, "B 1 H W"]) -> Output:
        shape = image_B1HW.shape[-2], image_B1HW.shape[-1]
        rows, cols = (starts(side, self.patch_px, self.stride_px, spread) for side in shape)
        p_BKRC = self._walk(image_B1HW, rows, cols)
        cell = max(1, self.patch_px // _CELLS)
        S_BKhw = mean_of_patches(p_BKRC, rows, cols, self.patch_px, shape, cell)
        return Output(S_BKhw.amax((-2, -1)), {"saliency": S_BKhw})

    def _walk(self, image_B1HW: Tensor, rows: list[int], cols: list[int]) -> Float[Tensor, "B K R C"]:
        B, s = len(image_B1HW), self.patch_px
        corners = [(row, col) for row in rows for col in cols]
        step = max(1, _AT_ONCE // B)
        found = []
        for first in range(0, len(corners), step):
            patches = [image_B1HW[..., row : row + s, col : col + s] for row, col in corners[first : first + step]]
            found.append(self.of_patches(torch.cat(patches)).unflatten(0, (-1, B)))
        return torch.cat(found).permute(1, 2, 0).unflatten(-1, (len(rows), len(cols)))
