"""GMIC against numbers measured with the published software on weights anyone can generate.

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

from mammoseg.models.gmic.model import Gmic, GmicOutput
from mammoseg.models.gmic.published import PUBLISHED

FORWARD = Path(__file__).parent / "golden_forward.json"
MAPS = Path(__file__).parent / "golden_maps.npz"
FILE = PUBLISHED[0]


@pytest.fixture(scope="module")
def maps() -> dict[str, Any]:
    """Measured outputs for two images, and the batch-norm statistics of the weights. The map is in units of 1 / 65535."""
    stored = dict(np.load(MAPS))
    return stored | {"saliency": stored["saliency"] / 65535}


@pytest.fixture(scope="module")
def calibrated(
    maps: dict[str, Any],
    calibrated_weights: Callable[..., Any],
    fill: Callable[..., None],
    made_ready: Callable[..., None],
) -> Gmic:
    model = Gmic(FILE.config).eval()
    fill(model, FILE, calibrated_weights(maps))
    made_ready(model)
    return model


@torch.inference_mode()
def test_forward(simple_weights: Any, fill: Callable[..., None], simple_image_11HW: Tensor) -> None:
    model = Gmic(FILE.config).eval()
    fill(model, FILE, simple_weights)
    cases = json.loads(FORWARD.read_text())
    assert simple_image_11HW.double().sum().item() == pytest.approx(cases[0]["x_sum"], rel=1e-6)
    out = model(simple_image_11HW)
    A_Khw = out.maps["saliency"][0]
    patch_sums = model.crop(simple_image_11HW, out.patches.corners_BP2)[0].double().sum((1, 2, 3)).tolist()
    for case in cases:  # they differ in t only, and t only in y_global
        module = model.global_module
        module.config = module.config.model_copy(update={"top_t": case["percent_t"]})
        assert module.pool(A_Khw[None])[0].tolist() == pytest.approx(case["y_global"], abs=1e-5)
        assert out.y_BK[0].tolist() == pytest.approx(case["y_fusion"], abs=1e-5)
        assert out.parts["local"][0].tolist() == pytest.approx(case["y_local"], abs=1e-5)
        assert out.patches.attention_BP[0].tolist() == pytest.approx(case["alpha"], abs=1e-5)
        assert out.patches.corners_BP2[0].tolist() == case["patch_locations"]
        assert patch_sums == pytest.approx(case["patch_sums"], rel=1e-6, abs=1e-3)
        assert list(A_Khw.shape) == case["A"]["shape"]
        assert A_Khw.double().sum((1, 2)).tolist() == pytest.approx(case["A"]["sum"], rel=1e-5)
        assert A_Khw.amin((1, 2)).tolist() == pytest.approx(case["A"]["min"], abs=1e-4)
        assert A_Khw.amax((1, 2)).tolist() == pytest.approx(case["A"]["max"], abs=1e-4)
        assert A_Khw[:, 10, 10].tolist() == pytest.approx(case["A_10_10"], abs=1e-4)
        assert A_Khw[:, 35, 14].tolist() == pytest.approx(case["A_35_14"], abs=1e-4)


def check(out: GmicOutput, golden: dict[str, Any], close: Callable[..., None]) -> None:
    assert np.array_equal(out.patches.corners_BP2.numpy(), golden["patch_locations"])
    close(out.maps["saliency"], golden["saliency"])
    close(out.patches.attention_BP, golden["attention"], atol=1e-5)
    close(out.y_BK, golden["y"], atol=1e-5)
    close(out.parts["fusion"], golden["y"], atol=1e-5)
    close(out.parts["global"], golden["y_global"], atol=1e-5)
    close(out.parts["local"], golden["y_local"], atol=1e-5)


@torch.inference_mode()
def test_maps(
    calibrated: Gmic, maps: dict[str, Any], calibrated_images_21HW: Tensor, close: Callable[..., None]
) -> None:
    check(calibrated(calibrated_images_21HW), maps, close)


@pytest.mark.shared
@pytest.mark.parametrize("view", ["L-CC", "R-MLO"])
@torch.inference_mode()
def test_real_images(
    calibrated: Gmic, real_image_11HW: Callable[[str], Tensor], shared: Path, view: str, close: Callable[..., None]
) -> None:
    """From the file to the prediction."""
    golden = dict(np.load(shared / "golden" / "maps" / f"gmic_nyu0_{view}.npz"))
    check(calibrated(real_image_11HW(view)), golden, close)


@pytest.mark.shared
def test_copied_numbers(shared: Path, maps: dict[str, Any]) -> None:
    assert json.loads(FORWARD.read_text()) == json.loads(
        (shared / "golden" / "forward" / "forward_gmic.json").read_text()
    )
    folder = shared / "golden" / "maps"
    originals = {**np.load(folder / "gmic_bn.npz"), **np.load(folder / "gmic_synthetic.npz")}
    assert maps.keys() == originals.keys()
    for name, values in originals.items():
        np.testing.assert_allclose(maps[name], values, rtol=0, atol=1e-5 if name == "saliency" else 0)
