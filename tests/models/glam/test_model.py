"""The wiring of GLAM: what the published network measures, and which part ends up where in the output."""

import pytest
import torch

from mammoseg.models.glam.config import GlamConfig, LocalConfig
from mammoseg.models.glam.maps import combine_maps, place_patches
from mammoseg.models.glam.model import Glam
from mammoseg.nn.contract import Batch


def changed(model: Glam, **values: object) -> Glam:
    other = Glam(model.config.model_copy(update=values))
    other.load_state_dict(model.state_dict())
    return other.eval()


def test_published_parameters() -> None:
    with torch.device("meta"):
        model = Glam(GlamConfig(local_module=LocalConfig(aggregation="concatenation")))
    count = {name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()}
    unused = 2 * 6  # `combine.weight` of the published file takes no part in its forward pass
    assert count["global_module"] + count["local_module"] == 24_086_140 - unused
    assert count["fusion"] == 2 * (256 + 512) + 2
    assert sum(p.numel() for p in model.local_module.trunk.parameters()) == 21_284_672
    assert sum(p.numel() for p in model.global_module.trunk.parameters()) == 2_799_536


def test_published_shapes() -> None:
    with torch.device("meta"):
        out = Glam(GlamConfig())(torch.empty(1, 1, 2944, 1920), num_patches=3)
    shapes = {name: tuple(value.shape) for name, value in out.maps.items()}
    assert shapes == {"saliency": (1, 2, 736, 480), "global": (1, 2, 184, 120), "local": (1, 2, 736, 480)}
    assert out.local.maps_BPKmm.shape == (1, 3, 2, 128, 128)
    assert out.patches.corners_BP2.shape == (1, 3, 2)


def test_forward_is_its_parts(model: Glam, batch: Batch) -> None:
    image, size = batch.image_BCHW, (96, 64)
    out = model.eval()(image)
    coarse = model.global_module(image)
    corners = model.select(coarse, size, 2)
    fine = model.local_module(model.crop(image, corners))
    placed = place_patches(fine.maps_BPKmm, corners, 16, size)
    assert torch.equal(out.patches.corners_BP2, corners)
    assert torch.equal(out.maps["global"], coarse.saliency_BKhw)
    assert torch.equal(out.maps["local"], placed)
    assert torch.equal(out.maps["saliency"], combine_maps(coarse.saliency_BKhw, placed, "mean"))
    assert model.fusion is not None
    assert torch.equal(out.parts["fusion"], model.fusion(coarse.z_BC, fine.z_BC))
    assert torch.equal(out.patches.y_BPK, fine.y_patch_BPK)
    assert out.patches.attention_BP is not None
    assert torch.equal(out.patches.attention_BP, fine.attention_BP)


@pytest.mark.parametrize("prediction", ["global", "local", "fusion"])
def test_the_configured_prediction(model: Glam, batch: Batch, prediction: str) -> None:
    out = changed(model, prediction=prediction)(batch.image_BCHW)
    assert out.y_BK is out.parts[prediction]
    assert len({id(y) for y in out.parts.values()}) == 3


@pytest.mark.parametrize("combine", ["global", "local"])
def test_the_configured_map(model: Glam, batch: Batch, combine: str) -> None:
    out = changed(model, combine=combine)(batch.image_BCHW)
    assert out.maps["saliency"] is out.maps[combine]


def test_without_fusion(model: Glam, batch: Batch) -> None:
    other = Glam(model.config.model_copy(update={"fusion": False, "prediction": "local"})).eval()
    assert {name for name, _ in other.named_children()} == {"global_module", "local_module"}
    other.load_state_dict({k: v for k, v in model.state_dict().items() if not k.startswith("fusion.")})
    out, whole = other(batch.image_BCHW), model.eval()(batch.image_BCHW)
    assert out.y_fusion_BK is None
    assert set(out.parts) == {"global", "local"}
    assert torch.equal(out.y_BK, whole.parts["local"])
    assert torch.equal(out.maps["saliency"], whole.maps["saliency"])


@pytest.mark.parametrize("prediction", ["global", "local", "fusion"])
def test_predict_is_the_prediction_of_forward(model: Glam, batch: Batch, prediction: str) -> None:
    other = changed(model, prediction=prediction)
    used: list[object] = []
    expected = other(batch.image_BCHW).y_BK
    hook = other.local_module.register_forward_pre_hook(lambda *_: used.append(None))
    assert torch.equal(other.predict(batch.image_BCHW), expected)
    hook.remove()
    assert bool(used) == (prediction != "global")  # the local module is spared where nothing depends on it


def test_another_number_of_patches_begins_with_the_same(model: Glam, batch: Batch) -> None:
    one, three = (model.eval()(batch.image_BCHW, num_patches=n) for n in (1, 3))
    assert one.patches.corners_BP2.shape == (4, 1, 2)
    assert torch.equal(three.patches.corners_BP2[:, :1], one.patches.corners_BP2)
    torch.testing.assert_close(three.patches.y_BPK[:, :1], one.patches.y_BPK)


def test_images_of_a_batch_do_not_meet(model: Glam, batch: Batch) -> None:
    together = model.eval()(batch.image_BCHW)
    alone = model(batch.image_BCHW[2:3])
    torch.testing.assert_close(together.y_BK[2:3], alone.y_BK)
    torch.testing.assert_close(together.maps["saliency"][2:3], alone.maps["saliency"])


def test_channels_last_changes_nothing(model: Glam, batch: Batch) -> None:
    expected = model.eval()(batch.image_BCHW)
    model.to(memory_format=torch.channels_last)
    out = model(batch.image_BCHW.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(out.maps["saliency"], expected.maps["saliency"])
    torch.testing.assert_close(out.y_BK, expected.y_BK)


def test_a_window_smaller_than_a_patch(model: Glam) -> None:
    with pytest.raises(ValueError, match="16 pixels do not fit into an image of 12 x 40"):
        model.eval()(torch.randn(1, 1, 12, 40))
