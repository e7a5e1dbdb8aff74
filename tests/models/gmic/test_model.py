"""The wiring of GMIC: published sizes, which part ends up where in the output, and every ablation of the paper."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from mammoseg.models.gmic.config import GmicConfig, LocalConfig
from mammoseg.models.gmic.model import Gmic
from mammoseg.models.gmic.published import CBIS
from mammoseg.nn.contract import Batch
from mammoseg.nn.patches import crop_patches, select_patches

Build = Callable[..., Gmic]


def on_meta(config: GmicConfig) -> Gmic:
    with torch.device("meta"):
        return Gmic(config).eval()


def count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def inside(corners_BP2: Tensor, image: Tensor, patch_px: int) -> bool:
    last = torch.tensor(image.shape[-2:]) - patch_px
    return bool(((corners_BP2 >= 0) & (corners_BP2 <= last)).all())


def seen_by(part: nn.Module, run: Callable[[], object]) -> list[Tensor]:
    """What reaches a part of the model while `run` runs."""
    seen: list[Tensor] = []
    hook = part.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    run()
    hook.remove()
    return seen


def test_published_parameters() -> None:
    model = on_meta(GmicConfig())
    assert count(model) == 14_110_322
    assert count(model.global_module.trunk) == 2_799_536
    assert count(model.fusion) == 2 * (256 + 512) + 2


@pytest.mark.parametrize(("bottleneck", "millions"), [(False, 25.29), (True, 27.95)], ids=["resnet34", "resnet50"])
def test_larger_local_networks_have_the_papers_parameters(bottleneck: bool, millions: float) -> None:
    """The paper counts a convolution of 256 x 256 x 4 x 4 that no forward pass uses."""
    local = LocalConfig(blocks=(3, 4, 6, 3), bottleneck=bottleneck)
    assert (count(on_meta(GmicConfig(local_module=local))) + 256 * 256 * 4 * 4) / 1e6 == pytest.approx(
        millions, abs=0.07
    )


def test_published_shapes() -> None:
    out = on_meta(GmicConfig())(torch.empty(2, 1, 2944, 1920, device="meta"))
    assert {name: tuple(value.shape) for name, value in out.maps.items()} == {"saliency": (2, 2, 46, 30)}
    patches = out.patches
    assert (patches.corners_BP2.shape, patches.y_BPK.shape, patches.attention_BP.shape) == (
        (2, 6, 2),
        (2, 6, 2),
        (2, 6),
    )


def test_shapes_of_the_variant_with_one_class() -> None:
    model = on_meta(CBIS)
    out = model(torch.empty(1, 1, 2944, 1920, device="meta"))
    assert out.maps["saliency"].shape == (1, 1, 92, 60)
    assert {tuple(y.shape) for y in (out.y_BK, *out.parts.values())} == {(1, 1)}
    assert out.patches.y_BPK.shape == (1, 6, 1)
    assert model.fusion.linear.weight.shape == (1, 512 + 512)


def test_the_variant_with_one_class_runs_on_a_gray_image() -> None:
    torch.manual_seed(0)
    small = CBIS.model_copy(update={"patch_px": 64, "num_patches": 2})
    out = Gmic(small).eval()(torch.rand(1, 1, 192, 128))
    assert out.maps["saliency"].shape == (1, 1, 6, 4)
    assert out.y_BK.isfinite().all()


def test_forward_is_its_parts(build: Build, batch: Batch) -> None:
    model, image = build(), batch.image_BCHW
    out = model(image)
    coarse = model.global_module(image)
    corners = select_patches(coarse.saliency_BKhw, (96, 64), 16, 3)
    fine = model.local_module(crop_patches(image, corners, 16))
    assert torch.equal(out.patches.corners_BP2, corners)
    assert torch.equal(out.maps["saliency"], coarse.saliency_BKhw)
    assert torch.equal(out.patches.y_BPK, fine.y_patch_BPK)
    assert torch.equal(out.patches.attention_BP, fine.attention_BP)
    assert torch.equal(out.parts["global"], coarse.y_BK)
    assert torch.equal(out.parts["local"], fine.y_BK)
    W, b = model.fusion.linear.weight, model.fusion.linear.bias
    expected = torch.sigmoid(coarse.z_BD @ W[:, :10].T + fine.z_BC @ W[:, 10:].T + b)  # global features first
    torch.testing.assert_close(out.parts["fusion"], expected)


@pytest.mark.parametrize("prediction", ["global", "local", "fusion"])
def test_the_configured_prediction(build: Build, batch: Batch, prediction: str) -> None:
    out = build(f"prediction={prediction}")(batch.image_BCHW)
    assert out.y_BK is out.parts[prediction]
    assert len({id(y) for y in out.parts.values()}) == 3


def test_the_average_of_global_and_local(build: Build, batch: Batch) -> None:
    out = build("prediction=average")(batch.image_BCHW)
    torch.testing.assert_close(out.y_BK, 0.5 * out.parts["global"] + 0.5 * out.parts["local"])


@pytest.mark.parametrize("prediction", ["global", "local", "fusion", "average"])
def test_predict_is_the_prediction_of_forward(build: Build, batch: Batch, prediction: str) -> None:
    model = build(f"prediction={prediction}")
    assert torch.equal(model.predict(batch.image_BCHW), model(batch.image_BCHW).y_BK)
    spared = not seen_by(model.local_module, lambda: model.predict(batch.image_BCHW))
    assert spared == (prediction == "global")


def test_random_patches(build: Build, batch: Batch) -> None:
    """Inside the image; the same for every image and every time, so a prediction does not depend on its batch."""
    model, image = build("rois=random", "num_patches=50"), batch.image_BCHW
    out, again, alone = model(image), model(image), model(image[2:3])
    assert inside(out.patches.corners_BP2, image, 16)
    assert len(out.patches.corners_BP2[0].unique(dim=0)) > 40
    assert torch.equal(out.patches.corners_BP2, again.patches.corners_BP2)
    assert torch.equal(out.y_BK, again.y_BK)
    assert torch.equal(out.patches.corners_BP2[2:3], alone.patches.corners_BP2)
    torch.testing.assert_close(out.y_BK[2:3], alone.y_BK)
    patches = seen_by(model.local_module, lambda: model(image))[0]
    assert torch.equal(patches, crop_patches(image, out.patches.corners_BP2, 16))


def test_random_patches_vary_in_training(build: Build, batch: Batch) -> None:
    model = build("rois=random").train()
    first, second = model(batch.image_BCHW), model(batch.image_BCHW)
    assert not torch.equal(first.patches.corners_BP2, second.patches.corners_BP2)
    assert not torch.equal(first.patches.corners_BP2[0], first.patches.corners_BP2[1])
    torch.manual_seed(3)
    seeded = model(batch.image_BCHW).patches.corners_BP2
    torch.manual_seed(3)
    assert torch.equal(model(batch.image_BCHW).patches.corners_BP2, seeded)


def test_random_patches_need_no_values(build: Build) -> None:
    """Counting what a network costs runs it without values."""
    out = build("rois=random").to("meta")(torch.empty(2, 1, 96, 64, device="meta"))
    assert out.patches.corners_BP2.shape == (2, 3, 2)


@pytest.mark.parametrize("K", [1, 30, 120])
def test_any_number_of_patches(build: Build, batch: Batch, K: int) -> None:
    """12 x 8 cells hold 24 patches side by side; more are allowed, and the first ones stay the same."""
    model = build(f"num_patches={K}")
    out = model(batch.image_BCHW)
    assert out.patches.corners_BP2.shape == (4, K, 2)
    assert inside(out.patches.corners_BP2, batch.image_BCHW, 16)
    shared = min(K, 3)
    assert torch.equal(out.patches.corners_BP2[:, :shared], build()(batch.image_BCHW).patches.corners_BP2[:, :shared])
    torch.testing.assert_close(out.patches.attention_BP.sum(1), torch.ones(4))
    assert out.y_BK.isfinite().all()


def test_heatmaps_are_for_the_global_module_only(build: Build) -> None:
    model = build("heatmaps=true")
    torch.manual_seed(1)
    image = torch.randn(2, 3, 96, 64)
    out = model(image)
    patches = seen_by(model.local_module, lambda: model(image))[0]
    assert torch.equal(patches, crop_patches(image[:, :1], out.patches.corners_BP2, 16))
    for channel in range(3):
        other = image.clone()
        other[:, channel] += torch.randn(96, 64)
        assert not torch.allclose(model(other).maps["saliency"], out.maps["saliency"], atol=1e-3)


def test_images_of_a_batch_do_not_meet(build: Build, batch: Batch) -> None:
    model = build()
    together, alone = model(batch.image_BCHW), model(batch.image_BCHW[2:3])
    torch.testing.assert_close(together.y_BK[2:3], alone.y_BK)
    torch.testing.assert_close(together.maps["saliency"][2:3], alone.maps["saliency"])
    torch.testing.assert_close(together.patches.attention_BP[2:3], alone.patches.attention_BP)


def test_channels_last_changes_nothing(build: Build, batch: Batch) -> None:
    expected = build()(batch.image_BCHW)
    model = build().to(memory_format=torch.channels_last)
    out = model(batch.image_BCHW.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(out.maps["saliency"], expected.maps["saliency"])
    torch.testing.assert_close(out.y_BK, expected.y_BK)


@pytest.mark.parametrize("size", [(101, 67), (33, 90), (16, 16), (17, 23)])
@pytest.mark.parametrize("rois", ["retrieved", "random"])
def test_odd_windows(build: Build, size: tuple[int, int], rois: str) -> None:
    image = torch.randn(2, 1, *size)
    out = build(f"rois={rois}")(image)
    assert inside(out.patches.corners_BP2, image, 16)
    assert ((out.y_BK > 0) & (out.y_BK < 1)).all()


def test_constant_maps(build: Build, batch: Batch) -> None:
    """Nothing stands out: the first place, again and again, and numbers all the same."""
    model = build()
    nn.init.zeros_(model.global_module.head.weight)
    out = model(batch.image_BCHW)
    assert out.patches.corners_BP2.tolist() == [[[0, 0]] * 3] * 4
    torch.testing.assert_close(out.patches.attention_BP, torch.full((4, 3), 1 / 3))
    assert out.y_BK.isfinite().all()


@pytest.mark.parametrize("rois", ["retrieved", "random"])
def test_a_window_smaller_than_a_patch(build: Build, rois: str) -> None:
    with pytest.raises(ValueError, match="16 pixels do not fit into an image of 12 x 40"):
        build(f"rois={rois}")(torch.randn(1, 1, 12, 40))
