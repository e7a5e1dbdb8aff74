"""GLAM against numbers measured with the published software on weights anyone can generate.

`golden_forward.json` and `golden_maps.npz` need nothing else. Those of real images lie in the reference data.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mammoseg.models.glam.maps import combine_maps, place_patches
from mammoseg.models.glam.model import Glam
from mammoseg.models.glam.published import PUBLISHED

WINDOW = (2944, 1920)
FORWARD = Path(__file__).parent / "golden_forward.json"
MAPS = Path(__file__).parent / "golden_maps.npz"
FILE = PUBLISHED[1]  # the published software's forward pass has no fusion


def finest(S: Any, times: int) -> Any:
    return S.repeat(times, -1).repeat(times, -2)


@pytest.fixture(scope="module")
def maps() -> dict[str, Any]:
    """Measured outputs for two images with three patches each, and the batch-norm statistics of the weights.

    Maps are stored at their own resolution in units of 1 / 65535; of the patch maps, that of image 1, patch 1.
    """
    stored = dict(np.load(MAPS))
    own = {name: stored[name] / 65535 for name in ("S0", "S1", "S2", "local_map")}
    return stored | own | {"S1": finest(own["S1"], 2), "S2": finest(own["S2"], 4)}


@pytest.fixture(scope="module")
def calibrated(
    maps: dict[str, Any],
    calibrated_weights: Callable[..., Any],
    fill: Callable[..., None],
    made_ready: Callable[..., None],
) -> Glam:
    model = Glam(FILE.config).eval()
    fill(model, FILE, calibrated_weights(maps))
    made_ready(model)
    return model


def check_map(values_Khw: Tensor, expected: dict[str, list[float]], pixels_per_cell: int = 1) -> None:
    flat = values_Khw.double().flatten(1)
    assert (flat.sum(1) * pixels_per_cell).tolist() == pytest.approx(expected["sum"], rel=1e-4)
    assert flat.amin(1).tolist() == pytest.approx(expected["min"], abs=1e-4)
    assert flat.amax(1).tolist() == pytest.approx(expected["max"], abs=1e-4)


@pytest.mark.slow
@torch.inference_mode()
def test_forward(simple_weights: Any, fill: Callable[..., None], simple_image_11HW: Tensor) -> None:
    model = Glam(FILE.config).eval()
    fill(model, FILE, simple_weights)
    golden = {case["K"]: case for case in json.loads(FORWARD.read_text())}
    one, three = golden[1], golden[3]
    assert simple_image_11HW.double().sum().item() == pytest.approx(three["x_sum"], rel=1e-6)
    out = model(simple_image_11HW, num_patches=3)

    names = ("fine", "mid", "coarse")
    for name, S, y in zip(names, out.global_.scales, out.global_.y_scales, strict=True):
        check_map(S[0], three[f"S_{name}"])
        assert y[0].tolist() == pytest.approx(three[f"y_scale_{name}"], abs=1e-5)
    check_map(out.maps["global"][0], three["S_g"])
    assert out.y_BK[0].tolist() == pytest.approx(three["y_global"], abs=1e-5)
    assert out.patches.corners_BP2[0].tolist() == three["patch_locations"]
    for A, expected in zip(out.local.maps_BPKmm[0], three["A_local"], strict=True):
        check_map(A, expected)

    # The first of three patches is the only one of one: the maps of both cases come from one forward pass.
    for case in (one, three):
        K, (row, col) = case["K"], case["patch_locations"][0]
        placed = place_patches(out.local.maps_BPKmm[:, :K], out.patches.corners_BP2[:, :K], 512, WINDOW)
        final = combine_maps(out.maps["global"], placed, "mean")[0]
        check_map(placed[0], case["S_local"], pixels_per_cell=16)
        check_map(final, case["S_final"], pixels_per_cell=16)
        assert final[:, 0, 0].tolist() == pytest.approx(case["S_final_0_0"], abs=1e-4)
        centre = final[:, (row + 256) // 4, (col + 256) // 4]
        assert centre.tolist() == pytest.approx(case["S_final_at_patch0_centre"], abs=1e-4)
    assert torch.equal(out.maps["saliency"][0], final)


@pytest.mark.slow
@torch.inference_mode()
def test_maps(
    calibrated: Glam, maps: dict[str, Any], calibrated_images_21HW: Tensor, close: Callable[..., None]
) -> None:
    """One of the six patches goes through the slow local module."""
    out = calibrated.global_module(calibrated_images_21HW)
    for n, (S, y) in enumerate(zip(out.scales, out.y_scales, strict=True)):
        close(S, maps[f"S{n}"])
        close(y, maps["y_levels"][n], atol=1e-5)
    close(out.saliency_BKhw, 0.2 * maps["S0"] + 0.6 * maps["S1"] + 0.2 * maps["S2"])
    close(out.y_BK, maps["y"], atol=1e-5)
    corners_BP2 = calibrated.select(out, WINDOW, 3)
    assert np.array_equal(corners_BP2.numpy(), maps["patch_locations"])
    fine = calibrated.local_module(calibrated.crop(calibrated_images_21HW[1:], corners_BP2[1:, 1:2]))
    close(fine.maps_BPKmm[0, 0], maps["local_map"])


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("view", ["L-CC", "R-MLO"])
@torch.inference_mode()
def test_real_images(
    calibrated: Glam, real_image_11HW: Callable[[str], Tensor], shared: Path, view: str, close: Callable[..., None]
) -> None:
    """From the file to the final map."""
    golden = np.load(shared / "golden" / "maps" / f"glam_nyu0_{view}.npz")
    out = calibrated(real_image_11HW(view))
    assert np.array_equal(out.patches.corners_BP2.numpy(), golden["patch_locations"])
    close(out.y_BK, golden["y"], atol=1e-5)
    close(out.maps["global"], golden["saliency_global"])
    close(out.local.maps_BPKmm[:, 0], golden["local_maps"])
    close(out.maps["saliency"][..., ::4, ::4], golden["saliency_sub16"])


@pytest.mark.shared
def test_copied_numbers(shared: Path, maps: dict[str, Any]) -> None:
    assert json.loads(FORWARD.read_text()) == json.loads(
        (shared / "golden" / "forward" / "forward_glam.json").read_text()
    )
    folder = shared / "golden" / "maps"
    buffers, outputs = dict(np.load(folder / "glam_bn.npz")), dict(np.load(folder / "glam_synthetic.npz"))
    exact = buffers | {name: outputs[name] for name in ("y", "y_levels", "patch_locations")}
    levels = {f"S{n}": S for n, S in enumerate(outputs["saliency_levels"])}
    rounded = levels | {"local_map": outputs["local_maps"][4]}  # six patch maps: 3 of image 0, 3 of image 1
    assert maps.keys() == exact.keys() | rounded.keys()
    for name, values in exact.items():
        assert np.array_equal(maps[name], values), name
    for name, values in rounded.items():
        np.testing.assert_allclose(maps[name], values, rtol=0, atol=1e-5)


@pytest.mark.shared
def test_final_map_of_a_batch(shared: Path, close: Callable[..., None]) -> None:
    """The measured parts, put together by our rule, are the measured final map."""
    golden = np.load(shared / "golden" / "maps" / "glam_synthetic.npz")
    local_maps = torch.from_numpy(golden["local_maps"]).unflatten(0, (2, 3))
    corners_BP2 = torch.from_numpy(golden["patch_locations"]).long()
    placed = place_patches(local_maps, corners_BP2, 512, WINDOW)
    final = combine_maps(torch.from_numpy(golden["saliency_global"]), placed, "mean")
    close(final[..., ::4, ::4], golden["saliency_sub16"])
