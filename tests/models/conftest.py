"""Weights and images that anyone can generate, as the stored numbers of the golden tests had them.

simple        normal numbers for every tensor; eight Gaussian blobs
calibrated    numbers as a network starts with, batch-norm statistics measured so that activations look like a trained
              network's (they are stored); half an ellipse with forty blobs and noise
"""

import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mammoseg.io.read import read_pixels
from mammoseg.nn.inference import speed_up
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.pipeline import prepare
from mammoseg.published.file import PublishedFile
from mammoseg.records.image import Mammogram

Rule = Callable[[str, tuple[int, ...]], Any]
"""Published name and shape of a tensor -> its values."""

WINDOW = (2944, 1920)


@pytest.fixture(scope="session")
def fill() -> Callable[[nn.Module, PublishedFile, Rule], None]:
    """`fill(model, file, rule)` gives each tensor of the model the values for its name in the published file."""

    def fill_model(model: nn.Module, file: PublishedFile, rule: Rule) -> None:
        for ours, value in model.state_dict().items():
            value.copy_(torch.from_numpy(np.asarray(rule(file.published_name(ours), tuple(value.shape)))))

    return fill_model


@pytest.fixture(scope="module", params=["as trained", "as predicted with"])
def made_ready(request: pytest.FixtureRequest) -> Callable[[nn.Module], None]:
    """What is done to a network with its weights before it computes, in training and for predictions."""
    return (lambda model: speed_up(model, "32-true")) if request.param == "as predicted with" else lambda model: None


@pytest.fixture(scope="session")
def simple_weights() -> Rule:
    def rule(key: str, shape: tuple[int, ...]) -> Any:
        if key.endswith("num_batches_tracked"):
            return np.zeros((), np.int64)
        n = np.random.RandomState(zlib.crc32(key.encode())).standard_normal(shape).astype(np.float32)
        if len(shape) >= 2:
            return n * np.float32(np.sqrt(1 / np.prod(shape[1:])))
        if key.endswith("running_var"):
            return 1 + 0.2 * np.abs(n)
        return 1 + 0.1 * n if key.endswith("weight") else 0.1 * n

    return rule


@pytest.fixture(scope="session")
def calibrated_weights() -> Callable[[Mapping[str, NDArray[np.float32]]], Rule]:
    """`calibrated_weights(buffers)` is the rule with these batch-norm statistics."""

    def with_buffers(buffers: Mapping[str, NDArray[np.float32]]) -> Rule:
        def rule(key: str, shape: tuple[int, ...]) -> Any:
            if key.endswith(("running_mean", "running_var")):
                return buffers[key]
            if key.endswith("num_batches_tracked"):
                return np.ones((), np.int64)
            random = np.random.RandomState(zlib.crc32(key.encode()) & 0x7FFFFFFF)
            if len(shape) == 4:
                return random.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
            if len(shape) == 2:
                return random.standard_normal(shape) / np.sqrt(shape[1])
            return random.uniform(0.8, 1.2, shape) if key.endswith("weight") else 0.1 * random.standard_normal(shape)

        return rule

    return with_buffers


@pytest.fixture(scope="session")
def simple_image_11HW() -> Tensor:
    random = np.random.RandomState(4)
    rows, cols = np.ogrid[: WINDOW[0], : WINDOW[1]]
    image = np.zeros(WINDOW)
    for _ in range(8):
        cy, cx, s, a = (random.uniform(*bounds) for bounds in ((300, 2644), (300, 1620), (60, 160), (-6, 6)))
        image += a * np.exp(-((rows - cy) ** 2) / (2 * s * s)) * np.exp(-((cols - cx) ** 2) / (2 * s * s))
    return torch.from_numpy(image.astype(np.float32))[None, None]


@pytest.fixture(scope="session")
def calibrated_images_21HW() -> Tensor:
    return torch.from_numpy(np.stack([_breast(seed) for seed in (11, 12)]))[:, None]


def _breast(seed: int) -> NDArray[np.float32]:
    random = np.random.RandomState(seed)
    (h, w), (rows, cols) = WINDOW, np.ogrid[: WINDOW[0], : WINDOW[1]]
    cy, ry, rx = h * random.uniform(0.4, 0.6), h * random.uniform(0.3, 0.42), w * random.uniform(0.45, 0.75)
    image = np.full(WINDOW, 0.4, np.float32)
    for _ in range(40):
        by, bx = cy + ry * random.uniform(-1, 1), rx * random.uniform(0, 1)
        s, a = np.exp(random.uniform(np.log(12), np.log(160))), random.uniform(-0.2, 0.6)
        down = a * np.exp(-((rows - by) ** 2) / (2 * s * s))
        image += down.astype(np.float32) * np.exp(-((cols - bx) ** 2) / (2 * s * s)).astype(np.float32)
    image += 0.05 * random.standard_normal(WINDOW).astype(np.float32)
    image[((rows - cy) / ry) ** 2 + (cols / rx) ** 2 >= 1] = 0
    return (image - image.mean()) / image.std()


@pytest.fixture(scope="session")
def real_image_11HW(shared: Path) -> Callable[[str], Tensor]:
    """`real_image_11HW("L-CC")` is a view of the first exam of the research images, prepared."""

    def image(view: str) -> Tensor:
        pixels = read_pixels(shared / "data" / "nyu_sample" / "images" / f"0_{view}.png")
        side, projection = view.split("-")
        return torch.from_numpy(prepare(Mammogram(pixels, side, projection, view), PrepConfig()).window)[None, None]

    return image


@pytest.fixture(scope="session")
def close() -> Callable[..., None]:
    """`close(tensor, array)` checks maps within 1e-4; `atol=1e-5` is for predictions."""

    def check(values: Tensor, expected: Any, atol: float = 1e-4) -> None:
        np.testing.assert_allclose(values.numpy(), expected, rtol=0, atol=atol)

    return check
