"""Global module: map, prediction and features follow from the trunk's last feature map as the paper says."""

import pytest
import torch
from torch import Tensor, nn

from mammoseg.models.gmic.config import GlobalConfig
from mammoseg.models.gmic.global_module import GlobalModule

SMALL = GlobalConfig(blocks=(1, 1, 1), widths=(4, 6, 10), strides=(1, 2, 2), stem_pool=False, top_t=0.1)
RESNET18 = GlobalConfig(trunk="resnet", blocks=(2, 2, 2, 2), widths=(64, 128, 256, 512), strides=(1, 2, 2, 2))
"""As for CBIS-DDSM."""


def module(config: GlobalConfig = SMALL, classes: int = 2, image_channels: int = 1, **changes: object) -> GlobalModule:
    torch.manual_seed(0)
    return GlobalModule(config.model_copy(update=changes), classes, image_channels).eval()


def saliency_of(net: GlobalModule, h_BDhw: Tensor) -> Tensor:
    return torch.sigmoid(torch.einsum("bdhw,kd->bkhw", h_BDhw, net.head.weight[:, :, 0, 0]))


def test_map_prediction_and_features() -> None:
    net = module()
    image = torch.randn(3, 1, 96, 64)
    out, h_BDhw = net(image), net.trunk(image)[-1]
    torch.testing.assert_close(out.saliency_BKhw, saliency_of(net, h_BDhw))
    largest = out.saliency_BKhw.flatten(2).sort(-1, descending=True).values[..., :10]  # 10 % of 12 x 8 cells
    torch.testing.assert_close(out.y_BK, largest.mean(-1))
    assert torch.equal(out.z_BD, h_BDhw.flatten(2).max(-1).values)
    assert (h_BDhw >= 0).all()  # the final batch norm and ReLU have been passed
    assert net.head.bias is None


def test_pooling_of_the_ablation() -> None:
    image = torch.randn(2, 1, 96, 64)
    A_BKn = module()(image).saliency_BKhw.flatten(2)
    assert torch.equal(module(pooling="max")(image).y_BK, A_BKn.max(-1).values)
    torch.testing.assert_close(module(pooling="average")(image).y_BK, A_BKn.mean(-1))


@pytest.mark.parametrize(("t", "k"), [(0.01, 14), (0.02, 28), (0.03, 41), (0.05, 69), (0.1, 138), (0.2, 276)])
def test_published_numbers_of_pooled_cells(t: float, k: int) -> None:
    """The mean of the k largest of 0, 1/1379, ... 1 on 46 x 30 cells is 1 - (k - 1) / 2 / 1379."""
    A_BKhw = torch.linspace(0, 1, 46 * 30)[torch.randperm(46 * 30)].view(1, 1, 46, 30)
    assert module(top_t=t).pool(A_BKhw).item() == pytest.approx(1 - (k - 1) / 2 / 1379, abs=1e-6)


@pytest.mark.parametrize("image_channels", [1, 3])
def test_published_cells(image_channels: int) -> None:
    with torch.device("meta"):
        out = GlobalModule(GlobalConfig(), 2, image_channels)(torch.empty(1, image_channels, 2944, 1920))
    assert (out.saliency_BKhw.shape, out.y_BK.shape, out.z_BD.shape) == ((1, 2, 46, 30), (1, 2), (1, 256))


@pytest.mark.parametrize("image_channels", [1, 3])
def test_cells_of_the_resnet18(image_channels: int) -> None:
    with torch.device("meta"):
        net = GlobalModule(RESNET18, 1, image_channels)
        out = net(torch.empty(1, image_channels, 2944, 1920))
    assert (out.saliency_BKhw.shape, out.y_BK.shape, out.z_BD.shape) == ((1, 1, 92, 60), (1, 1), (1, 512))
    assert sum(p.numel() for p in net.trunk.parameters()) == 11_176_512


def test_a_resnet_sees_a_gray_image_three_times() -> None:
    net = module(RESNET18, classes=1)
    image = torch.randn(2, 1, 64, 96)
    out, h_BDhw = net(image), net.trunk(torch.cat([image] * 3, 1))
    torch.testing.assert_close(out.saliency_BKhw, saliency_of(net, h_BDhw))
    torch.testing.assert_close(out.z_BD, h_BDhw.flatten(2).max(-1).values)


@pytest.mark.parametrize("config", [SMALL, RESNET18], ids=["resnet22", "resnet"])
def test_an_image_without_its_heatmaps_does_not_pass(config: GlobalConfig) -> None:
    net = module(config, image_channels=3)
    assert net(torch.randn(1, 3, 64, 64)).y_BK.isfinite().all()
    with pytest.raises(RuntimeError, match="channels"):
        net(torch.randn(1, 1, 64, 64))


@pytest.mark.parametrize("size", [(50, 37), (33, 33), (17, 90), (9, 9)])
def test_odd_windows(size: tuple[int, int]) -> None:
    out = module(top_t=0.02)(torch.randn(2, 1, *size))
    assert out.saliency_BKhw.shape[-2:] == tuple(-(-pixels // 8) for pixels in size)
    assert ((out.y_BK > 0) & (out.y_BK < 1)).all()


def test_a_constant_map_is_its_own_prediction() -> None:
    net = module()
    nn.init.zeros_(net.head.weight)
    assert net(torch.randn(2, 1, 40, 40)).y_BK.tolist() == [[0.5, 0.5]] * 2


def test_efficientnet_as_trunk() -> None:
    net = module(GlobalConfig(trunk="efficientnet_lite0", top_t=0.1))
    image = torch.randn(2, 1, 96, 64)
    out, h_BDhw = net(image), net.trunk(image)[-1]
    assert net.features == h_BDhw.shape[1] == 320
    torch.testing.assert_close(out.saliency_BKhw, saliency_of(net, h_BDhw))
    assert out.saliency_BKhw.shape == (2, 2, 3, 2)
