"""Group-max pooling, by regions and of the whole image."""

import pytest
import torch

from mammoseg.models.rgp_ggp import TINY, RgpGgp, RgpGgpConfig

IMAGE = torch.randn(3, 1, 96, 64, generator=torch.Generator().manual_seed(1))


def model(**changes: object) -> RgpGgp:
    torch.manual_seed(0)
    return RgpGgp(TINY.model_copy(update=changes)).eval()


def test_ggp_is_the_mean_of_the_largest_places() -> None:
    a_BKhw = torch.randn(2, 2, 10, 10)
    expected = a_BKhw.flatten(2).sort(-1, descending=True).values[..., :20].mean(-1)
    torch.testing.assert_close(model(pooling="ggp", group=0.2).pool(a_BKhw), expected)


def test_rgp_is_the_mean_of_the_regions_with_the_largest_groups() -> None:
    a_BKhw = torch.zeros(1, 1, 4, 4)
    a_BKhw[0, 0, :2, :2] = torch.tensor([[5.0, 3.0], [0.0, 0.0]])  # the two largest: 4
    a_BKhw[0, 0, 2:, 2:] = torch.tensor([[9.0, -9.0], [1.0, -9.0]])  # 5
    a_BKhw[0, 0, :2, 2:] = -7
    net = model(grid=(2, 2), group=0.5, regions=2)
    torch.testing.assert_close(net.pool(a_BKhw), torch.tensor([[4.5]]))
    assert model(grid=(2, 2), group=0.5, regions=4).pool(a_BKhw) == (4 + 5 + 0 - 7) / 4


def test_one_region_is_the_whole_image() -> None:
    a_BKhw = torch.randn(2, 2, 7, 5)
    one = model(grid=(1, 1), group=0.2, regions=1).pool(a_BKhw)
    torch.testing.assert_close(one, model(pooling="ggp", group=0.2).pool(a_BKhw))


def test_a_map_of_fewer_cells_than_regions() -> None:
    a_BKhw = torch.randn(2, 2, 3, 2)
    pooled = model(grid=(8, 8), group=1.0, regions=64).pool(a_BKhw)
    torch.testing.assert_close(pooled, a_BKhw.mean((-2, -1)))


@pytest.mark.parametrize("pooling", ["rgp", "ggp"])
def test_the_mean_of_logits_is_the_layer_on_the_mean_features(pooling: str) -> None:
    """Of all places, where one can say it without choosing any."""
    net = model(pooling=pooling, group=1.0, grid=(2, 2), regions=4, channels_in=3)
    z_BD11 = net.look(IMAGE).mean((-2, -1), keepdim=True)
    torch.testing.assert_close(net(IMAGE).y_BK, torch.sigmoid(net.head(z_BD11))[..., 0, 0])


@pytest.mark.parametrize("values", [{"grid": (0, 4)}, {"grid": (2, 2), "regions": 5}, {"grid": (65, 1)}])
def test_settings_that_do_not_fit(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="of which"):
        RgpGgpConfig.model_validate(values)
