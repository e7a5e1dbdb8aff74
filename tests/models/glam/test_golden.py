"""GLAM against numbers measured with the published software on weights anyone can generate.

`golden_forward.json` needs nothing else. The full maps, and those of real images, lie in the reference data.
"""

import csv
import json
import re
import runpy
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from mammoseg.io.read import read_pixels
from mammoseg.models.glam.config import GlamConfig, LocalConfig
from mammoseg.models.glam.fusion import combine_maps, place_patches
from mammoseg.models.glam.model import Glam
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.pipeline import prepare
from mammoseg.records.image import Mammogram

WINDOW = (2944, 1920)
FORWARD = Path(__file__).parent / "golden_forward.json"
NAMES = (
    (r"global_module\.trunk\.stem", "global_network.downsampling_branch.first_conv"),
    (r"global_module\.trunk\.groups", "global_network.downsampling_branch.layer_list"),
    (r"global_module\.trunk", "global_network.downsampling_branch"),
    (r"global_module\.heads\.0", "global_network.postprocess_module.gn_conv_1"),
    (r"global_module\.heads\.1", "global_network.postprocess_module.gn_conv_2"),
    (r"global_module\.heads\.2", "global_network.postprocess_module.gn_conv_last"),
    (r"local_module\.head", "detection_network.gn_conv_last"),
    (r"local_module\.trunk\.groups\.(\d)", lambda m: f"detection_network.dn_resnet.layer{int(m[1]) + 1}"),
    (r"local_module\.trunk", "detection_network.dn_resnet"),
    (r"shortcut\.weight", "downsample.0.weight"),
    (r"shortcut", "downsample"),
)


def published_name(ours: str) -> str:
    for pattern, name in NAMES:
        ours = re.sub(pattern, name, ours)
    return ours


@pytest.fixture(scope="module")
def model() -> Glam:
    """The published network; weights come from `load`."""
    config = GlamConfig(local_module=LocalConfig(aggregation="concatenation"), prediction="global")
    return Glam(config).eval()


def load(model: Glam, rule: Callable[[str, tuple[int, ...]], NDArray[Any]]) -> None:
    """Fill the model with what `rule` gives for the published name and shape of each tensor."""
    for ours, value in model.state_dict().items():
        if not ours.startswith("fusion."):  # the published software has none
            value.copy_(torch.from_numpy(np.asarray(rule(published_name(ours), tuple(value.shape)))))


def simple_rule(key: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """The weights of golden_forward.json: normal numbers drawn for each name, scaled by its kind."""
    if key.endswith("num_batches_tracked"):
        return np.zeros((), np.int64)
    n = np.random.RandomState(zlib.crc32(key.encode())).standard_normal(shape).astype(np.float32)
    if len(shape) >= 2:
        return n * np.float32(np.sqrt(1 / np.prod(shape[1:])))
    if key.endswith("running_var"):
        return 1 + 0.2 * np.abs(n)
    return 1 + 0.1 * n if key.endswith("weight") else 0.1 * n


def simple_image(seed: int) -> Tensor:
    """Eight Gaussian blobs; (1, 1, H, W)."""
    rng = np.random.RandomState(seed)
    rows, cols = np.ogrid[: WINDOW[0], : WINDOW[1]]
    image = np.zeros(WINDOW)
    for _ in range(8):
        cy, cx, s, a = (rng.uniform(*bounds) for bounds in ((300, 2644), (300, 1620), (60, 160), (-6, 6)))
        image += a * np.exp(-((rows - cy) ** 2 + (cols - cx) ** 2) / (2 * s * s))
    return torch.from_numpy(image.astype(np.float32))[None, None]


def check_map(values_Khw: Tensor, expected: dict[str, list[float]], pixels_per_cell: int = 1) -> None:
    flat = values_Khw.double().flatten(1)
    assert (flat.sum(1) * pixels_per_cell).tolist() == pytest.approx(expected["sum"], rel=1e-4)
    assert flat.amin(1).tolist() == pytest.approx(expected["min"], abs=1e-4)
    assert flat.amax(1).tolist() == pytest.approx(expected["max"], abs=1e-4)


@torch.inference_mode()
def test_forward(model: Glam) -> None:
    load(model, simple_rule)
    image = simple_image(4)
    golden = {case["K"]: case for case in json.loads(FORWARD.read_text())}
    one, three = golden[1], golden[3]
    assert image.double().sum().item() == pytest.approx(three["x_sum"], rel=1e-6)
    out = model(image, num_patches=3)

    names = ("fine", "mid", "coarse")
    for name, S, y in zip(names, out.global_.scales, out.global_.y_scales, strict=True):
        check_map(S[0], three[f"S_{name}"])
        assert y[0].tolist() == pytest.approx(three[f"y_scale_{name}"], abs=1e-5)
    check_map(out.maps["global"][0], three["S_g"])
    assert out.y_BK[0].tolist() == pytest.approx(three["y_global"], abs=1e-5)
    assert out.corners_BP2[0].tolist() == three["patch_locations"]
    for A, expected in zip(out.local.maps_BPKmm[0], three["A_local"], strict=True):
        check_map(A, expected)

    # The first of three patches is the only one of one: the maps of both cases come from one forward pass.
    for case in (one, three):
        K, (row, col) = case["K"], case["patch_locations"][0]
        local = place_patches(out.local.maps_BPKmm[:, :K], out.corners_BP2[:, :K], 512, WINDOW)
        final = combine_maps(out.maps["global"], local, "mean")[0]
        check_map(local[0], case["S_local"], pixels_per_cell=16)
        check_map(final, case["S_final"], pixels_per_cell=16)
        assert final[:, 0, 0].tolist() == pytest.approx(case["S_final_0_0"], abs=1e-4)
        centre = final[:, (row + 256) // 4, (col + 256) // 4]
        assert centre.tolist() == pytest.approx(case["S_final_at_patch0_centre"], abs=1e-4)
    assert torch.equal(out.maps["saliency"][0], final)


@pytest.mark.shared
def test_copied_numbers(shared: Path) -> None:
    reference = shared / "golden" / "forward" / "forward_glam.json"
    assert json.loads(FORWARD.read_text()) == json.loads(reference.read_text())


@pytest.mark.shared
def test_names_and_shapes(shared: Path, model: Glam) -> None:
    with (shared / "spec" / "glam_keys.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["in_code_model"] == "yes"]
    published = {row["key"]: row["shape"].replace("scalar", "") for row in rows}
    [unused] = [key for key in published if key.endswith("combine.weight")]
    del published[unused]
    ours = {published_name(k): "x".join(map(str, v.shape)) for k, v in model.state_dict().items()}
    assert {k: v for k, v in ours.items() if not k.startswith("fusion.")} == published


@pytest.fixture
def calibrated(model: Glam, shared: Path) -> Callable[[int], Tensor]:
    """Fills the model with the weights of the full maps; returns their input as a function of its seed."""
    folder = shared / "golden" / "maps"
    rules = runpy.run_path(str(folder / "golden_rule.py"))
    buffers = np.load(folder / "glam_bn.npz")
    load(model, lambda key, shape: rules["tensor"](key, shape, buffers))
    return lambda seed: torch.from_numpy(rules["image"](seed))[None]


def close(values: Tensor, expected: NDArray[np.floating], atol: float = 1e-4) -> None:
    np.testing.assert_allclose(values.numpy(), expected, rtol=0, atol=atol)


@pytest.mark.shared
@torch.inference_mode()
def test_synthetic_maps(model: Glam, calibrated: Callable[[int], Tensor], shared: Path) -> None:
    """A batch of two with three patches each; one of the six patches goes through the slow local module."""
    golden = np.load(shared / "golden" / "maps" / "glam_synthetic.npz")
    image = torch.stack([calibrated(11), calibrated(12)])
    out = model.global_module(image)
    y_levels = golden["y_levels"]
    for S, y, expected_S, expected_y in zip(
        out.scales, out.y_scales, golden["saliency_levels"], y_levels, strict=False
    ):
        close(S, expected_S)
        close(y, expected_y, atol=1e-5)
    close(out.saliency_BKhw, golden["saliency_global"])
    close(out.y_BK, golden["y"], atol=1e-5)
    corners = model.select(out, WINDOW, 3)
    assert np.array_equal(corners.numpy(), golden["patch_locations"])

    maps = golden["local_maps"].reshape(2, 3, 2, 128, 128)
    fine = model.local_module(model.crop(image[1:], corners[1:, 1:2]))
    close(fine.maps_BPKmm, maps[1:, 1:2])

    local = place_patches(torch.from_numpy(maps), corners, 512, WINDOW)
    close(combine_maps(out.saliency_BKhw, local, "mean")[..., ::4, ::4], golden["saliency_sub16"])


@pytest.mark.shared
@pytest.mark.parametrize("view", ["L-CC", "R-MLO"])
@torch.inference_mode()
def test_real_images(model: Glam, calibrated: Callable[[int], Tensor], shared: Path, view: str) -> None:
    """From the file to the final map."""
    golden = np.load(shared / "golden" / "maps" / f"glam_nyu0_{view}.npz")
    pixels = read_pixels(shared / "data" / "nyu_sample" / "images" / f"0_{view}.png")
    side, projection = view.split("-")
    window = prepare(Mammogram(pixels, side, projection, view), PrepConfig()).window
    out = model(torch.from_numpy(window)[None, None])
    assert np.array_equal(out.corners_BP2.numpy(), golden["patch_locations"])
    close(out.y_BK, golden["y"], atol=1e-5)
    close(out.maps["global"], golden["saliency_global"])
    close(out.local.maps_BPKmm[:, 0], golden["local_maps"])
    close(out.maps["saliency"][..., ::4, ::4], golden["saliency_sub16"])
