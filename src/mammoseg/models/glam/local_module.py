"""Local module: patches -> a fine saliency map in each, and one prediction from all of them.

    A_p = head(h_p),   y_p = top-t(A_p)
    concatenation:  y_l = top-t over the cells of all A_p together        attention:  y_l = sum_p alpha_p y_p

Source   Liu et al. 2021 (arXiv:2106.07049), Fig. 2 and 7. How a patch becomes a vector z_p is not public; we take the maximum
         over space, as for the global module. Concatenation has no weights, so its z_l is the maximum over the patches.
Shapes   B batch | P patches | K class | s side of a patch | m side of its map | C channels
"""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from mammoseg.models.glam.config import LocalConfig
from mammoseg.nn.attention import GatedAttention
from mammoseg.nn.heads import make_head
from mammoseg.nn.pooling import top_t_pool
from mammoseg.nn.resnet import ResNet


class LocalOutput(NamedTuple):
    maps_BPKmm: Tensor
    """A_p."""
    y_patch_BPK: Tensor
    y_BK: Tensor
    z_BC: Tensor
    """What the fusion sees."""
    attention_BP: Tensor | None
    """alpha; None for the concatenation."""
    y_finding_B1: Tensor | None = None
    """Prediction of a finding of any class, of a head that has a map of it; weighed like y_l."""


class LocalModule(nn.Module):
    def __init__(self, config: LocalConfig, classes: int) -> None:
        super().__init__()
        self.config = config
        self.trunk = ResNet(config.blocks, config.widths, config.strides, config.stem_pool, config.channels_in)
        self.head = make_head(config.heads, self.features, classes)
        self.attention = GatedAttention(self.features) if config.aggregation == "attention" else None

    @property
    def features(self) -> int:
        return self.config.widths[-1]

    def forward(self, patches_BP1ss: Float[Tensor, "B P 1 s s"]) -> LocalOutput:
        B, P = patches_BP1ss.shape[:2]
        h_NCmm = self.trunk(patches_BP1ss.flatten(0, 1).expand(-1, self.config.channels_in, -1, -1))
        A_NKmm, D_N1mm = self.head(h_NCmm)
        y_BPK = self._of_patches(A_NKmm, B)
        z_BPC = h_NCmm.amax((-2, -1)).float().unflatten(0, (B, P))
        alpha_BP = None if self.attention is None else self.attention(z_BPC)
        z_BC = z_BPC.amax(1) if alpha_BP is None else (alpha_BP.unsqueeze(-1) * z_BPC).sum(1)
        return LocalOutput(
            A_NKmm.unflatten(0, (B, P)),
            y_BPK,
            self._of_image(A_NKmm, y_BPK, alpha_BP),
            z_BC,
            alpha_BP,
            None if D_N1mm is None else self._of_image(D_N1mm, self._of_patches(D_N1mm, B), alpha_BP),
        )

    def _of_patches(self, A_NKmm: Tensor, B: int) -> Tensor:
        return top_t_pool(A_NKmm, self.config.top_t).unflatten(0, (B, -1))

    def _of_image(self, A_NKmm: Tensor, y_BPK: Tensor, alpha_BP: Tensor | None) -> Tensor:
        """One prediction from all patches."""
        if alpha_BP is None:
            cells_BK1n = A_NKmm.unflatten(0, (len(y_BPK), -1)).transpose(1, 2).flatten(2).unsqueeze(2)
            return top_t_pool(cells_BK1n, self.config.top_t)
        # rounding can make the weights sum to a little more than 1
        return (alpha_BP.unsqueeze(-1) * y_BPK).sum(1).clamp(max=1)
