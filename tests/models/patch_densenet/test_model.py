"""The network of patches and its walk over a window. What holds for every model is in test_contract.py."""

import pytest
import torch

from mammoseg.models import parameters
from mammoseg.models.patch_densenet.config import TINY, PatchDenseNetConfig
from mammoseg.models.patch_densenet.model import PatchDenseNet
from mammoseg.nn.walk import spread, starts

PUBLISHED = 7_978_856 - 1025 * 1000 + 1025 * 4
"""Parameters of DenseNet-121 with four classes instead of a thousand."""


def test_has_the_published_size() -> None:
    with torch.device("meta"):
        assert parameters(PatchDenseNet(PatchDenseNetConfig())) == PUBLISHED == 6_957_956


def test_order_of_the_outputs() -> None:
    """0 malignant, 1 benign; the classes are 0 benign, 1 malignant."""
    model = PatchDenseNet(TINY)
    p_NK = model.of_classes(torch.tensor([[9.0, 0, 0, 0], [0, 9, 0, 0], [0, 0, 9, 0], [0, 0, 0, 9]]))
    assert (p_NK > 0.9).tolist() == [[False, True], [True, False], [False, False], [False, False]]
    one = PatchDenseNet(TINY.model_copy(update={"classes": ("malignant",)}))
    assert one.classifier.out_features == 3


def test_a_map_is_the_mean_of_the_patches() -> None:
    """Against a loop over all pixels; 75 rows and 43 columns leave a remainder along both axes."""
    torch.manual_seed(0)
    model, image = PatchDenseNet(TINY).eval(), torch.randn(2, 1, 75, 43)
    rows, cols = (starts(side, TINY.patch_px, TINY.stride_px, spread) for side in (75, 43))
    sums, counts = torch.zeros(2, 2, 75, 43), torch.zeros(75, 43)
    with torch.inference_mode():
        for top in rows:
            for left in cols:
                shown = (slice(top, top + 16), slice(left, left + 16))
                sums[(..., *shown)] += model.of_patches(image[(..., *shown)])[:, :, None, None]
                counts[shown] += 1
        out = model(image)
    expected = (sums / counts)[..., 1::2, 1::2]  # a cell is two pixels, its centre the border between them
    torch.testing.assert_close(out.maps["saliency"][..., :37, :21], expected)
    torch.testing.assert_close(out.y_BK, out.maps["saliency"].amax((-2, -1)))


def test_how_many_images_are_computed_together_makes_no_difference() -> None:
    torch.manual_seed(0)
    model, image = PatchDenseNet(TINY).eval(), torch.randn(5, 1, 96, 64)
    with torch.inference_mode():
        torch.testing.assert_close(model(image).y_BK[3:4], model(image[3:4]).y_BK)


def test_settings_that_cannot_be_are_told() -> None:
    with pytest.raises(ValueError, match="no patch would see what lies between"):
        PatchDenseNetConfig(patch_px=32, stride_px=33)
    with pytest.raises(ValueError, match="halved to nothing"):
        PatchDenseNetConfig(stem_width=4)
