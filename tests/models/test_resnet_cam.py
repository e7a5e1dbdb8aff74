"""The classifier on mean features: its maps say where the logit comes from, between 0 and 1."""

import pytest
import torch
from torch import nn

from mammoseg.models.resnet_cam import TINY, ResNetCam, ResNetCamConfig

IMAGE = torch.randn(3, 1, 96, 64, generator=torch.Generator().manual_seed(1))


def model(**changes: object) -> ResNetCam:
    torch.manual_seed(0)
    return ResNetCam(TINY.model_copy(update=changes)).eval()


def test_the_logit_is_the_mean_of_the_activation_map_and_the_bias() -> None:
    net = model()
    nn.init.normal_(net.head.bias)
    M_BKhw = torch.einsum("kd,bdhw->bkhw", net.head.weight, net.look(IMAGE))
    torch.testing.assert_close(net(IMAGE).y_BK, torch.sigmoid(M_BKhw.mean((-2, -1)) + net.head.bias))


def test_maps_go_from_zero_to_one_in_the_order_of_the_activation() -> None:
    net = model()
    S_BKhw = net(IMAGE).maps["saliency"]
    assert torch.equal(S_BKhw.amin((-2, -1)), torch.zeros(3, 2))
    assert torch.equal(S_BKhw.amax((-2, -1)), torch.ones(3, 2))
    M_BKhw = torch.einsum("kd,bdhw->bkhw", net.head.weight, net.look(IMAGE))
    assert torch.equal(S_BKhw.flatten(2).argmax(-1), M_BKhw.flatten(2).argmax(-1))


def test_peaks_of_several_images_can_be_ranked() -> None:
    one, score = model()(IMAGE), model(peak="score")(IMAGE)
    torch.testing.assert_close(score.maps["saliency"].amax((-2, -1)), score.y_BK)
    torch.testing.assert_close(score.maps["saliency"], one.y_BK[:, :, None, None] * one.maps["saliency"])


def test_a_map_that_is_the_same_everywhere_shows_nothing() -> None:
    net = model()
    nn.init.zeros_(net.head.weight)
    assert not net(IMAGE).maps["saliency"].any()


@pytest.mark.parametrize("channels_in", [1, 3])
@pytest.mark.parametrize("trunk", ["resnet", "resnet22"])
def test_trunks_and_channels(trunk: str, channels_in: int) -> None:
    out = model(trunk=trunk, channels_in=channels_in)(IMAGE)
    assert (out.y_BK.shape, out.maps["saliency"].shape) == ((3, 2), (3, 2, 12, 8))


def test_settings_of_others_are_refused() -> None:
    with pytest.raises(ValueError, match="channels_in"):
        ResNetCamConfig.model_validate({"channels_in": 2})
