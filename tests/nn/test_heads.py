"""What heads make of features, and what they say before they have learned."""

import torch
from torch.nn.functional import interpolate

from mammoseg.nn.heads import PlainHead, WhereWhatHead, make_head


def features(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_a_plain_head_is_a_convolution_without_bias() -> None:
    head, h = make_head("plain", 5, 2), features(3, 5, 6, 4)
    assert isinstance(head, PlainHead)
    assert {name: tuple(value.shape) for name, value in head.state_dict().items()} == {"weight": (2, 5, 1, 1)}
    out = head(h)
    expected = torch.sigmoid(torch.einsum("kc,bchw->bkhw", head.weight[:, :, 0, 0], h))
    torch.testing.assert_close(out.saliency_BKhw, expected)
    assert out.finding_B1hw is None


def test_maps_of_the_classes_share_out_the_map_of_any_finding() -> None:
    out = make_head("where_what", 5, 3)(features(2, 5, 6, 4))
    assert out.finding_B1hw is not None
    assert out.saliency_BKhw.shape == (2, 3, 6, 4)
    torch.testing.assert_close(out.saliency_BKhw.sum(1, keepdim=True), out.finding_B1hw)
    assert (out.saliency_BKhw >= 0).all()


def test_without_learning_where_what_says_no_whatever_the_scale_of_the_features() -> None:
    head = make_head("where_what", 16, 2)
    assert isinstance(head, WhereWhatHead)
    for scale in (1, 100):
        finding = head(features(2, 16, 12, 8) * scale + 3 * scale).finding_B1hw
        assert finding is not None
        assert finding.mean() < 0.1


def test_on_the_grid_of_a_finer_map() -> None:
    like = torch.zeros(2, 2, 12, 8)
    for kind in ("plain", "where_what"):
        out = make_head(kind, 5, 2)(features(2, 5, 6, 4))
        fine = out.on_grid(like)
        assert torch.equal(fine.saliency_BKhw, interpolate(out.saliency_BKhw, scale_factor=2, mode="nearest"))
        assert (fine.finding_B1hw is None) == (out.finding_B1hw is None)
        assert fine.finding_B1hw is None or fine.finding_B1hw.shape == (2, 1, 12, 8)
