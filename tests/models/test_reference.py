"""References without learning: each kind shows what it says, and the random one is the image's own."""

import pytest
import torch
from torch import Tensor

from mammoseg.models.reference import Reference, ReferenceConfig

KINDS = ["random", "brightness", "contrast", "convergence"]
every_kind = pytest.mark.parametrize("kind", KINDS)
every_measure = pytest.mark.parametrize("kind", KINDS[1:])


def breast(row: int = 60, column: int = 30, height: float = 2.0, size: float = 7.0) -> Tensor:
    """A breast of noise at the left, brighter downwards, with a lump, on an even background."""
    rows, columns = torch.meshgrid(torch.arange(120.0), torch.arange(96.0), indexing="ij")
    inside = torch.hypot((rows - 60) / 55, columns / 70) < 1
    lump = height * torch.sigmoid((size - torch.hypot(rows - row, columns - column)) / 1.5)
    noise = 0.1 * torch.randn(120, 96, generator=torch.Generator().manual_seed(0))
    return (inside * (3 + rows / 200 + lump + noise))[None, None]


def model(kind: str, cell_px: int = 1) -> Reference:
    return Reference(ReferenceConfig.model_validate({"kind": kind, "cell_px": cell_px})).eval()


@every_kind
@pytest.mark.parametrize("cell_px", [1, 7])
def test_the_same_image_has_the_same_map_and_score_whatever_is_beside_it(kind: str, cell_px: int) -> None:
    net, images = model(kind, cell_px), torch.cat([breast(), breast(40, 20)])
    together = net(images)
    for i in (0, 1):
        alone = net(images[i : i + 1].clone())
        assert torch.equal(alone.y_BK[0], together.y_BK[i])
        torch.testing.assert_close(alone.maps["saliency"][0], together.maps["saliency"][i])
    assert not torch.equal(together.maps["saliency"][0], together.maps["saliency"][1])


@every_kind
def test_values_are_ranks_between_0_and_1_and_mixed_precision_changes_nothing(kind: str) -> None:
    out = model(kind)(breast())
    with torch.autocast("cpu", torch.bfloat16):
        coarse = model(kind)(breast())
    for one, other in ((out.y_BK, coarse.y_BK), (out.maps["saliency"], coarse.maps["saliency"])):
        assert torch.equal(one, other)
        assert one.dtype == torch.float32
        assert ((one >= 0) & (one <= 1)).all()


@every_kind
def test_a_window_without_contrast(kind: str) -> None:
    out = model(kind)(torch.full((1, 1, 96, 64), 3.0))
    assert out.y_BK.isfinite().all()
    assert out.maps["saliency"].isfinite().all()


@every_kind
def test_it_reads_no_values(kind: str) -> None:
    out = model(kind, 8)(torch.empty(2, 1, 100, 70, device="meta"))
    assert (out.y_BK.shape, out.maps["saliency"].shape) == ((2, 2), (2, 2, 13, 9))


@every_measure
def test_the_peak_is_at_the_lump_and_is_the_score(kind: str) -> None:
    out = model(kind)(breast(60, 30))
    S_hw = out.maps["saliency"][0, 1]
    row, column = divmod(int(S_hw.argmax()), S_hw.shape[1])
    assert abs(row - 60) <= 4
    assert abs(column - 30) <= 4
    assert out.y_BK[0, 1] == S_hw.max()


@every_measure
def test_nothing_beside_the_breast(kind: str) -> None:
    S_hw = model(kind)(breast()).maps["saliency"][0, 0]
    assert not S_hw[:, 75:].any()


@every_measure
def test_a_breast_with_a_lump_has_the_higher_score(kind: str) -> None:
    assert model(kind)(breast()).y_BK[0, 0] > model(kind)(breast(height=0)).y_BK[0, 0] + 0.1


@every_measure
def test_neither_brightness_nor_contrast_of_the_window_counts(kind: str) -> None:
    """Nor how it was normalised."""
    torch.testing.assert_close(model(kind)(5 * breast() - 3).y_BK, model(kind)(breast()).y_BK, rtol=1e-3, atol=1e-3)


def test_contrast_is_about_the_neighbourhood_and_brightness_about_the_breast() -> None:
    """A bright half of the breast is no lump."""
    half = breast(height=0)
    half[..., 60:, :] += 2 * (half[..., 60:, :] > 0)
    S = {kind: model(kind)(half).maps["saliency"][0, 0] for kind in ("brightness", "contrast")}
    assert S["brightness"][90, 20] > 0.4
    assert S["contrast"][90, 20] < 0.1


def test_random_numbers_are_uniform_and_do_not_follow_the_image() -> None:
    images = torch.randn(40, 1, 96, 64, generator=torch.Generator().manual_seed(0))
    out = model("random")(images)
    S_Bn = out.maps["saliency"][:, 0].flatten(1)
    assert abs(S_Bn.mean() - 0.5) < 0.005
    assert abs(S_Bn.std() - 12**-0.5) < 0.005
    assert abs(torch.corrcoef(torch.stack([S_Bn.flatten(), images.flatten()]))[0, 1]) < 0.01
    assert abs(torch.corrcoef(S_Bn)[0, 1:]).max() < 0.1, "images do not share their numbers"
    assert 0.35 < out.y_BK[:, 0].mean() < 0.65
    assert len(out.y_BK[:, 0].unique()) == 40


def test_random_numbers_of_all_machines() -> None:
    """Written down once: whole numbers have no rounding."""
    image = torch.arange(6.0).view(1, 1, 2, 3)
    out = model("random")(image)
    torch.testing.assert_close(out.maps["saliency"][0, 0], torch.tensor(EXPECTED))
    changed = image.clone()
    changed[0, 0, 0, 0] = -1e-30  # the smallest change gives others
    assert not torch.isclose(model("random")(changed).maps["saliency"], out.maps["saliency"]).any()


EXPECTED = [[0.4246067, 0.7202743, 0.8908939], [0.2829435, 0.8164713, 0.1003015]]
