"""Global module: maps and predictions follow from the trunk's features as the paper says."""

import pytest
import torch
from torch import Tensor, nn

from mammoseg.models.glam.config import GlobalConfig
from mammoseg.models.glam.global_module import GlobalModule
from mammoseg.nn.pooling import top_t_pool


def upsampled(values: Tensor, times: int) -> Tensor:
    return values.repeat_interleave(times, -2).repeat_interleave(times, -1)


@pytest.fixture
def module() -> GlobalModule:
    torch.manual_seed(0)
    config = GlobalConfig(widths=(4, 4, 6, 8, 10), strides=(1, 2, 1, 2, 2), stem_pool=False, top_t=0.1)
    return GlobalModule(config, 2).eval()


def test_maps_and_predictions(module: GlobalModule) -> None:
    image = torch.randn(2, 1, 96, 64)
    _, _, h0, h1, _, h2 = module.trunk(image)
    out = module(image)
    for S, y, head, h, times in zip(out.scales, out.y_scales, module.heads, (h0, h1, h2), (1, 2, 4), strict=True):
        native = torch.sigmoid(torch.einsum("bchw,kc->bkhw", h, head.weight[:, :, 0, 0]))
        torch.testing.assert_close(S, upsampled(native, times))
        torch.testing.assert_close(y, top_t_pool(S, 0.1))
    S0, S1, S2 = out.scales
    torch.testing.assert_close(out.saliency_BKhw, 0.2 * S0 + 0.6 * S1 + 0.2 * S2)
    torch.testing.assert_close(out.y_BK, sum(out.y_scales) / 3)
    torch.testing.assert_close(out.z_BC, h2.flatten(2).max(-1).values)


def test_pooling_on_the_maps_own_grids(module: GlobalModule) -> None:
    """24 x 16, 12 x 8 and 6 x 4 cells: 10 % of them are 38, 10 and 2. Everything but the predictions stays."""
    native = GlobalModule(module.config.model_copy(update={"pool_at": "native"}), 2).eval()
    native.load_state_dict(module.state_dict())
    image = torch.randn(2, 1, 96, 64)
    out, finest = native(image), module(image)
    for S, y, times, k in zip(out.scales, out.y_scales, (1, 2, 4), (38, 10, 2), strict=True):
        own = S[..., ::times, ::times].flatten(2)
        assert torch.equal(upsampled(S[..., ::times, ::times], times), S)
        torch.testing.assert_close(y, own.sort(-1, descending=True).values[..., :k].mean(-1))
    torch.testing.assert_close(out.y_BK, sum(out.y_scales) / 3)
    assert torch.equal(out.saliency_BKhw, finest.saliency_BKhw)
    assert torch.equal(out.y_scales[0], finest.y_scales[0])
    assert not torch.allclose(out.y_scales[2], finest.y_scales[2], atol=1e-6)


def test_pooling_over_the_breast(module: GlobalModule) -> None:
    """A breast of half the window, t = 10 %: 19 of its 192 cells. There is nothing outside of it in any map."""
    of_breast = GlobalModule(module.config.model_copy(update={"top_t_of": "breast"}), 2).eval()
    of_breast.load_state_dict(module.state_dict())
    image = torch.rand(2, 1, 96, 64) + 0.5
    image[:, :, 48:] = 0
    whole, out = module(image), of_breast(image)
    for S_whole, S, y in zip(whole.scales, out.scales, out.y_scales, strict=True):
        assert torch.equal(S[..., :12, :], S_whole[..., :12, :])
        assert (S[..., 12:, :] == 0).all()
        torch.testing.assert_close(y, S.flatten(2).sort(-1, descending=True).values[..., :19].mean(-1))


def test_scale_weights(module: GlobalModule) -> None:
    only_finest = GlobalModule(module.config.model_copy(update={"scale_weights": (1.0, 0.0, 0.0)}), 2).eval()
    out = only_finest(torch.randn(1, 1, 96, 64))
    assert torch.equal(out.saliency_BKhw, out.scales[0])


def test_published_cells() -> None:
    with torch.device("meta"):
        out = GlobalModule(GlobalConfig(), 2)(torch.empty(1, 1, 2944, 1920))
    assert [tuple(S.shape) for S in out.scales] == [(1, 2, 184, 120)] * 3
    assert out.z_BC.shape == (1, 256)


@pytest.mark.parametrize("size", [(50, 37), (33, 33), (17, 90)])
def test_odd_windows(module: GlobalModule, size: tuple[int, int]) -> None:
    out = module(torch.randn(1, 1, *size))
    assert out.saliency_BKhw.shape == out.scales[2].shape
    assert ((out.saliency_BKhw >= 0) & (out.saliency_BKhw <= 1)).all()


def test_heads_have_no_bias_and_convolutions_start_xavier_normal() -> None:
    torch.manual_seed(0)
    module = GlobalModule(GlobalConfig(), 2)
    assert all(head.bias is None for head in module.heads)
    convolutions = [m.weight for m in module.modules() if isinstance(m, nn.Conv2d)]
    for weight in (w for w in convolutions if w.numel() > 5000):
        outputs, inputs, *kernel = weight.shape
        expected = (2 / ((inputs + outputs) * torch.Size(kernel).numel())) ** 0.5
        assert weight.std().item() == pytest.approx(expected, rel=0.05)


def test_efficientnet_as_trunk() -> None:
    """Its features at strides 8, 16 and 32 are the three scales."""
    torch.manual_seed(0)
    net = GlobalModule(GlobalConfig(trunk="efficientnet_lite0", top_t=0.1), 2).eval()
    image = torch.randn(2, 1, 96, 64)
    out, features = net(image), net.trunk(image)
    for S, head, h, times in zip(out.scales, net.heads, features, (1, 2, 4), strict=True):
        native = torch.sigmoid(torch.einsum("bchw,kc->bkhw", h, head.weight[:, :, 0, 0]))
        torch.testing.assert_close(S, upsampled(native, times))
    assert out.saliency_BKhw.shape == (2, 2, 12, 8)
    assert out.z_BC.shape == (2, net.features)
