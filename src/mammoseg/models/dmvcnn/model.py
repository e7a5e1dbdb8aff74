"""DMV-CNN: the four views of an exam -> a prediction for each breast.

    h = ResNet-22(view), one for both CC and one for both MLO views;      z = mean of h over space
    view-wise    p_cc  = softmax(W2 relu(W1 [z_L-CC,  z_R-CC])),   p_mlo the same with weights of its own;   y = (p_cc + p_mlo) / 2
    image-wise   y = softmax(W2 relu(W1 z)) of each view, with weights of its own

y, p are of two outcomes, no and yes, for each class and, view-wise, each side. Every image of a breast has the prediction of the
breast (view-wise), or its own (image-wise), whose mean over images is that of the breast.

Source   Wu et al. 2019 (arXiv:1903.08297); names, paddings and sizes of the released software, whose model for single
         images is image-wise. The paper has two more ways of fusing the views, whose weights were not given.
Ours     Missing views. The paper has complete exams only. Here a breast is judged by the heads that see a view of it; a head that
         lacks the view of the other breast sees that of this one in its place. (Zeros, or the features of a black image, are
         nothing that it has learned from.) Image-wise no view needs another.
         Maps. The paper has none. S(i, j) is what the head of the view says if every place of the view had the features h(i, j),
         and the other view were as it is: no learning of its own, and a probability. Those of CC and MLO have different numbers
         of cells: all are brought to the largest number of rows and of columns, bilinearly. Each covers the window of its view.
Details  Half of the outputs of the released image-wise heads are never used; they are left out.
Shapes   U exams | V = 4 views: L-CC, R-CC, L-MLO, R-MLO | B = U V images | C image channels (1, or 3 with heatmaps) | S sides a
         head sees (L, R; or one) | K class | D features | H, W pixels | h, w cells (42 x 31 of CC, 47 x 28 of MLO windows)
"""

from collections.abc import Sequence
from copy import deepcopy
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn, relu
from torch.nn.functional import interpolate

from mammoseg.models.dmvcnn.config import DmvCnnConfig
from mammoseg.nn.contract import Network, Output
from mammoseg.nn.resnet22 import ResNet22
from mammoseg.prep.projection import PROJECTIONS

SIDES = ("L", "R")
VIEWS = tuple(f"{side}-{projection}" for projection in PROJECTIONS for side in SIDES)


class Head(nn.Module):
    """The features of one view, or of those of both sides -> the probability of each class on each side."""

    def __init__(self, features: int, sides: int, classes: int) -> None:
        super().__init__()
        self.sides, self.classes = sides, classes
        self.hidden = nn.Linear(sides * features, sides * features)
        self.output = nn.Linear(sides * features, classes * sides * 2)

    def forward(self, z_USD: Float[Tensor, "*U S D"]) -> Float[Tensor, "*U S K"]:
        logits_UF = self.output(relu(self.hidden(z_USD.flatten(-2)))).float()
        logits_UKS2 = logits_UF.unflatten(-1, (self.classes, self.sides, 2))
        return torch.softmax(logits_UKS2, -1)[..., 1].transpose(-1, -2)

    def at_every_place(self, h_USDhw: Tensor, z_USD: Tensor) -> Float[Tensor, "U S K h w"]:
        """For each side, with the features of a place in the place of their mean."""
        h_UShwD = h_USDhw.movedim(2, -1)
        mean_UShwD = z_USD[:, :, None, None].expand_as(h_UShwD)
        maps = []
        for side in range(self.sides):
            here = [(h_UShwD if other == side else mean_UShwD)[:, other] for other in range(self.sides)]
            maps.append(self(torch.stack(here, -2))[..., side, :].movedim(-1, 1))
        return torch.stack(maps, 1)


class Seen(NamedTuple):
    """What the network of a projection finds in its two views."""

    h_USDhw: Tensor
    z_USD: Tensor
    """Their means; of a view that is not there that of the other side."""


class DmvCnn(Network):
    def __init__(self, config: DmvCnnConfig) -> None:
        super().__init__()
        self.config = config
        self.trunks = nn.ModuleDict(
            {
                name.lower(): ResNet22(
                    *(config.widths, config.strides, config.blocks, config.stem_pool),
                    *(3 if config.heatmaps else 1, config.stem_padding),
                )
                for name in PROJECTIONS
            }
        )
        sides, names = (2, [*self.trunks]) if config.fusion == "view_wise" else (1, [_name(view) for view in VIEWS])
        self.heads = nn.ModuleDict({name: Head(config.widths[-1], sides, len(config.classes)) for name in names})

    def forward(self, image_BCHW: Float[Tensor, "B C H W"], there_UV: Bool[Tensor, "U V"]) -> Output:
        """Whole windows, each in the upper left corner -> predictions and maps of all views, there or not."""
        seen = self.see(image_BCHW, there_UV)
        p_UVK = self.judge(seen)
        y_BK, parts = self.fuse(p_UVK, there_UV)
        return Output(y_BK, {"saliency": self.map(seen)}, parts)

    def predict(self, image_BCHW: Float[Tensor, "B C H W"], *there: Tensor) -> Float[Tensor, "B K"]:
        """The prediction of `forward` without the maps."""
        return self.fuse(self.judge(self.see(image_BCHW, *there)), *there)[0]

    def see(self, image_BCHW: Tensor, there_UV: Tensor) -> list[Seen]:
        """Of each projection. Raises ValueError for images that are smaller than the windows in them."""
        image_UVCHW = image_BCHW.unflatten(0, there_UV.shape)
        seen = []
        for number, name in enumerate(PROJECTIONS):
            views, (rows, cols) = slice(2 * number, 2 * number + 2), self.config.windows[name]
            window_USChw = image_UVCHW[:, views, :, :rows, :cols]
            if window_USChw.shape[-2:] != (rows, cols):
                raise ValueError(
                    f"images of {image_BCHW.shape[-2]} x {image_BCHW.shape[-1]} pixels. Expected windows of {rows} x {cols} in "
                    f"them, those of {name}. Prepare them so, or set the windows of the network."
                )
            there_US = there_UV[:, views]
            h_USDhw = self._features(name, window_USChw.flatten(0, 1), there_US.flatten()).unflatten(0, there_US.shape)
            z_USD = h_USDhw.float().mean((-2, -1))
            seen.append(Seen(h_USDhw, torch.where(there_US[..., None], z_USD, z_USD.flip(1))))
        return seen

    def _features(self, projection: str, image_NCHW: Tensor, there_N: Tensor) -> Tensor:
        """In training black images in the place of views must not enter the statistics of the batch norms."""
        trunk = self.trunks[projection.lower()]
        if not self.training:
            h_NDhw: Tensor = trunk(image_NCHW)[-1]
            return h_NDhw
        if not there_N.any():  # nothing to see, but a shape to have
            with torch.no_grad():
                return torch.zeros_like(deepcopy(trunk).eval()(image_NCHW)[-1])
        found = trunk(image_NCHW[there_N])[-1]
        h_NDhw = found.new_zeros(len(there_N), *found.shape[1:])
        h_NDhw[there_N] = found
        return h_NDhw

    def _heads(self, number: int) -> Sequence[tuple[Head, slice]]:
        """The heads of a projection, and which of its sides each sees."""
        name = PROJECTIONS[number].lower()
        if self.config.fusion == "view_wise":
            return [(self.heads[name], slice(0, 2))]  # type: ignore[list-item]
        return [(self.heads[side.lower() + name], slice(s, s + 1)) for s, side in enumerate(SIDES)]  # type: ignore[misc]

    def judge(self, seen: Sequence[Seen]) -> Float[Tensor, "U V K"]:
        """What the head of each view says of its breast."""
        return torch.cat(
            [head(z_USD[:, sides]) for n, (_, z_USD) in enumerate(seen) for head, sides in self._heads(n)], 1
        )

    def fuse(
        self, p_UVK: Float[Tensor, "U V K"], there_UV: Bool[Tensor, "U V"]
    ) -> tuple[Float[Tensor, "B K"], dict[str, Float[Tensor, "B K"]]]:
        """The prediction for each image, and those of the heads of both projections for its breast."""
        if self.config.fusion == "image_wise":
            return p_UVK.flatten(0, 1), {}
        there_UPS1 = there_UV.unflatten(1, (len(PROJECTIONS), len(SIDES))).unsqueeze(-1)
        p_UPSK = p_UVK.unflatten(1, there_UPS1.shape[1:3])
        y_USK = (p_UPSK * there_UPS1).sum(1) / there_UPS1.sum(1).clamp(min=1)
        known_UPSK = torch.where(there_UPS1, p_UPSK, torch.nan)
        parts = {name.lower(): _of_images(known_UPSK[:, number]) for number, name in enumerate(PROJECTIONS)}
        return _of_images(y_USK), parts

    def map(self, seen: Sequence[Seen]) -> Float[Tensor, "B K h w"]:
        """S of each view, on the cells of the largest map."""
        maps = [
            torch.cat([head.at_every_place(h_USDhw[:, sides], z_USD[:, sides]) for head, sides in self._heads(n)], 1)
            for n, (h_USDhw, z_USD) in enumerate(seen)
        ]
        rows, cols = (max(S_USKhw.shape[axis] for S_USKhw in maps) for axis in (-2, -1))
        large = [
            interpolate(S_USKhw.flatten(0, 1), size=(rows, cols), mode="bilinear", align_corners=False).unflatten(
                0, S_USKhw.shape[:2]
            )
            for S_USKhw in maps
        ]
        return torch.cat(large, 1).flatten(0, 1)


def _name(view: str) -> str:
    """L-CC -> lcc."""
    return view.replace("-", "").lower()


def _of_images(y_USK: Tensor) -> Float[Tensor, "B K"]:
    """What is known of the breasts of exams, for each of their images."""
    return y_USK.unsqueeze(1).expand(-1, len(PROJECTIONS), -1, -1).flatten(0, 2)
