"""CAM: the map says where the prediction comes from."""

import pytest
import torch

from mammoseg.models.cam import TINY, CamConfig, build
from mammoseg.nn.tissue import breast_cells


def breasts(count: int = 3) -> torch.Tensor:
    torch.manual_seed(1)
    image = torch.zeros(count, 1, 96, 64)
    image[:, :, 16:80, :40] = 1 + torch.rand(count, 1, 64, 40)
    return image


def learned() -> torch.nn.Module:
    torch.manual_seed(0)
    model = build(TINY)
    for _ in range(3):
        model.train()(breasts(8) + torch.randn(8, 1, 1, 1))  # for the statistics of features
    return model.eval()


def test_the_logit_of_the_prediction_is_the_mean_of_those_of_the_map() -> None:
    model, image = learned(), breasts()
    out = model(image)
    S_BKhw = out.maps["saliency"]
    cells = breast_cells(image, (S_BKhw.shape[-2], S_BKhw.shape[-1])).expand_as(S_BKhw)
    logits = torch.where(cells, torch.logit(S_BKhw.double()), 0.0).sum((-2, -1)) / cells.sum((-2, -1))
    torch.testing.assert_close(logits, torch.logit(out.y_BK.double()), rtol=1e-3, atol=1e-3)
    assert (S_BKhw[~cells] == 0).all()


def test_neither_brightness_nor_contrast_of_the_window_counts() -> None:
    """Nor how it was normalised."""
    model, image = learned(), breasts()
    torch.testing.assert_close(model(5 * image - 3).y_BK, model(image).y_BK, rtol=1e-3, atol=1e-4)


def test_a_batch_of_one_image_learns() -> None:
    model = learned().train()
    model(breasts(1)).y_BK.sum().backward()
    assert torch.isfinite(model.head.weight.grad).all()


def test_three_scales_of_efficientnet() -> None:
    torch.manual_seed(0)
    out = build(CamConfig()).eval()(breasts(1))
    assert out.maps["saliency"].shape == (1, 2, 12, 8)


def test_settings_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="one entry per group"):
        CamConfig(blocks=(1, 2))
