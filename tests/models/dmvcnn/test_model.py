"""DMV-CNN: who judges a breast when views are missing, what a map says, and what black images must not do."""

import pytest
import torch
from torch import Tensor

from mammoseg.models import misfit
from mammoseg.models.dmvcnn.config import TINY, DmvCnnConfig
from mammoseg.models.dmvcnn.model import DmvCnn, Seen
from mammoseg.models.gmic.config import GmicConfig
from mammoseg.prep.config import PrepConfig

ALL = torch.ones(1, 4, dtype=torch.bool)
IMAGE_WISE = TINY.model_copy(update={"fusion": "image_wise"})


def model(config: DmvCnnConfig = TINY) -> DmvCnn:
    torch.manual_seed(0)
    return DmvCnn(config).eval()


def exam(seed: int = 1) -> Tensor:
    return torch.randn(4, 1, 96, 64, generator=torch.Generator().manual_seed(seed))


def without(*views: int) -> Tensor:
    there = ALL.clone()
    there[0, list(views)] = False
    return there


@torch.inference_mode()
def test_a_breast_has_one_prediction_the_mean_of_both_heads() -> None:
    out = model()(exam(), ALL)
    assert torch.equal(out.y_BK[0], out.y_BK[2])
    assert torch.equal(out.y_BK[1], out.y_BK[3])
    torch.testing.assert_close(out.y_BK, (out.parts["cc"] + out.parts["mlo"]) / 2)
    assert not torch.equal(out.y_BK[0], out.y_BK[1])


@torch.inference_mode()
def test_without_the_left_cc() -> None:
    net, image = model(), exam()
    out, whole = net(image, without(0)), net(image, ALL)
    assert torch.isnan(out.parts["cc"][0]).all()
    assert torch.equal(out.y_BK[2], whole.parts["mlo"][2]), "the left breast is judged by its MLO alone"
    twice = image.clone()
    twice[0] = twice[1]
    as_twins = net(twice, ALL)
    torch.testing.assert_close(out.parts["cc"][1], as_twins.parts["cc"][1])  # the right CC stands in for the left


@torch.inference_mode()
def test_image_wise_every_image_is_judged_alone() -> None:
    net, image = model(IMAGE_WISE), exam()
    out = net(image, ALL)
    changed = image.clone()
    changed[1] = exam(2)[1]
    other = net(changed, without(3))
    for number in (0, 2):
        torch.testing.assert_close(out.y_BK[number], other.y_BK[number])
        torch.testing.assert_close(out.maps["saliency"][number], other.maps["saliency"][number])
    assert len({tuple(y_K) for y_K in net(image[:1].expand(4, -1, -1, -1), ALL).y_BK.tolist()}) == 4, (
        "heads of their own"
    )


@pytest.mark.parametrize("config", [TINY, IMAGE_WISE], ids=["view-wise", "image-wise"])
@torch.inference_mode()
def test_a_map_says_what_the_head_says_of_a_place(config: DmvCnnConfig) -> None:
    """Where all places have the same features, it is everywhere what the head says of the view."""
    net = model(config)
    h_USDhw = torch.rand(1, 2, 8, 1, 1).expand(-1, -1, -1, 5, 4)
    seen = [Seen(h_USDhw, h_USDhw.mean((-2, -1)))] * 2
    p_BK = net.judge(seen).flatten(0, 1)
    map_BKhw = net.map(seen)
    torch.testing.assert_close(map_BKhw, p_BK[:, :, None, None].expand_as(map_BKhw))


def test_black_images_do_not_enter_the_statistics() -> None:
    image, there = exam(), without(0, 3)
    norms = []
    for filled in (0.0, 50.0):
        net = model().train()
        net(torch.where(there.flatten()[:, None, None, None], image, filled), there)
        norms.append({name: value for name, value in net.state_dict().items() if "running" in name})
    assert all(torch.equal(value, norms[1][name]) for name, value in norms[0].items())


def test_a_batch_without_a_projection_is_finite() -> None:
    net = model().train()
    out = net(exam(), without(2, 3))
    assert out.y_BK.isfinite().all()
    assert all(value.isfinite().all() for value in net.state_dict().values())


def test_images_smaller_than_the_windows_are_refused() -> None:
    with pytest.raises(ValueError, match="Expected windows of 96 x 56 in them, those of MLO"):
        model()(exam()[..., :90, :], ALL)


def test_network_and_preparation_have_the_same_windows() -> None:
    prep = PrepConfig(windows=TINY.windows)
    assert misfit("dmvcnn", TINY, None, prep) is None
    for wrong in (PrepConfig(), PrepConfig(windows={"CC": (88, 64), "MLO": (96, 64)})):
        told = misfit("dmvcnn", TINY, None, wrong)
        assert told is not None
        assert "dmvcnn sees windows of 88 x 64 (CC) and 96 x 56 (MLO)" in told
    assert "gmic sees windows of one size" in (misfit("gmic", GmicConfig(), None, prep) or "")
