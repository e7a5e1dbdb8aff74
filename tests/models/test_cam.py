"""CAM: the map says where the prediction comes from."""

import pytest
import torch

from mammoseg.models.cam import TINY, CamConfig, build
from mammoseg.nn.tissue import breast_cells
from mammoseg.nn.trunk import full_range


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


def test_the_map_has_the_score_at_its_peak_and_nothing_beside_the_breast() -> None:
    model, image = learned(), breasts()
    out = model(image)
    S_BKhw = out.maps["saliency"]
    cells = breast_cells(image, (S_BKhw.shape[-2], S_BKhw.shape[-1])).expand_as(S_BKhw)
    assert (S_BKhw[~cells] == 0).all()
    peaks = S_BKhw.amax((-2, -1))
    assert (torch.isclose(peaks, out.y_BK) | (peaks == 0)).all()
    assert (peaks > 0).any()


def test_the_map_shows_what_speaks_for_the_class() -> None:
    """A head that looks at one feature, about its mean here: the classes show opposite places, the first one where it is large."""
    model, image = learned(), breasts(1)
    with torch.no_grad():
        h_Chw = model.scales(full_range(image))[0][0]
        channel = int(h_Chw.flatten(1).std(1).argmax())
        cells = breast_cells(image, (h_Chw.shape[-2], h_Chw.shape[-1]))[0, 0]
        model.norm.running_mean.fill_(h_Chw[channel][cells].mean())
        model.head.weight.zero_()
        model.head.weight[0, channel], model.head.weight[1, channel] = 5.0, -5.0
        model.head.bias.zero_()
    S0_hw, S1_hw = model(image).maps["saliency"][0]
    assert (S0_hw > 0).any()
    assert (S1_hw > 0).any()
    assert not ((S0_hw > 0) & (S1_hw > 0)).any()
    assert h_Chw[channel][S0_hw > 0].mean() > h_Chw[channel][S1_hw > 0].mean()


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
