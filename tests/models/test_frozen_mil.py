"""Frozen features and a head: the map says where the prediction comes from. What holds for every model is in test_contract.py."""

import pytest
import torch

from mammoseg.models.frozen_mil import TINY, FrozenMil, FrozenMilConfig, build, step
from mammoseg.nn.contract import Batch, NoObjective
from mammoseg.nn.tissue import breast_cells

POOLING = pytest.mark.parametrize("pooling", ["both", "attention", "mean"])


def breasts(count: int = 3) -> torch.Tensor:
    torch.manual_seed(1)
    image = torch.zeros(count, 1, 96, 64)
    image[:, :, 16:80, :40] = 1 + torch.rand(count, 1, 64, 40)
    return image


def model_with(pooling: str) -> FrozenMil:
    torch.manual_seed(0)
    return build(FrozenMilConfig.model_validate({**TINY.model_dump(), "pooling": pooling, "dropout": 0})).eval()


@POOLING
def test_the_map_has_the_score_at_its_peak_and_nothing_beside_the_breast(pooling: str) -> None:
    model, image = model_with(pooling), breasts()
    out = model(image)
    S_BKhw = out.maps["saliency"]
    cells = breast_cells(image, (S_BKhw.shape[-2], S_BKhw.shape[-1])).expand_as(S_BKhw)
    assert (S_BKhw[~cells] == 0).all()
    torch.testing.assert_close(S_BKhw.amax((-2, -1)), out.y_BK)


@POOLING
def test_what_lies_beside_the_breast_does_not_count(pooling: str) -> None:
    model = model_with(pooling)
    features = model.cell_features(breasts())
    other = features.clone()
    other[:, :-1] += 5 * torch.randn_like(other[:, :-1]) * (other[:, -1:] == 0)
    torch.testing.assert_close(model.head(other).y_BK, model.head(features).y_BK)
    torch.testing.assert_close(model.head(other).maps["saliency"], model.head(features).maps["saliency"])


@POOLING
def test_the_head_learns_a_cell_from_labels_of_images(pooling: str) -> None:
    """Of classes that are shown by a feature in one cell; with attention the map points at it."""
    torch.manual_seed(0)
    model = model_with(pooling).train()
    features = torch.randn(32, 7, 6, 5) * 0.3
    features[:, -1] = 1
    label = torch.arange(32) % 2
    rows, cols = torch.randint(0, 6, (32,)), torch.randint(0, 5, (32,))
    features[torch.arange(32), 2, rows, cols] += 6.0 * label
    batch = Batch(torch.zeros(32, 1, 96, 64), torch.stack([1 - label, label], 1).float(), features=features)
    optimizer = torch.optim.Adam(model.head.parameters(), 1e-2)
    for _ in range(150):
        optimizer.zero_grad()
        step(model, batch, NoObjective(), True).losses["bce"].backward()
        optimizer.step()
    out = step(model, batch, NoObjective(), False)
    shown = label == 1
    assert out.y_BK[shown, 1].min() > out.y_BK[~shown, 1].max()
    peak = out.saliency_BKhw[shown, 1].flatten(1).argmax(1)
    assert pooling == "mean" or (peak == rows[shown] * 5 + cols[shown]).float().mean() > 0.9


def test_the_head_of_efficientnet_has_forty_thousand_parameters() -> None:
    model = build(FrozenMilConfig())
    assert sum(p.numel() for p in model.head.parameters()) == 39_730
    assert model.cell_features(breasts(1)).shape == (1, 473, 6, 4)


def test_it_needs_features() -> None:
    with pytest.raises(TypeError, match="computed before"):
        step(build(TINY), Batch(breasts(), torch.zeros(3, 2)), NoObjective(), True)
