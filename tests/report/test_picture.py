"""What a page holds of pixels: read back as the viewer does it, and within the budget."""

import base64
import zlib

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mammoseg.report.picture import Packed, pack, plain_pictures, smaller, thumbnail

LOTS = 10**9


def unpacked(packed: Packed) -> NDArray[np.uint16]:
    """As viewer/pixels.js."""
    content = np.frombuffer(zlib.decompress(base64.b64decode(packed.text)), np.uint8)
    low, high = content.reshape(2, *packed.shape).astype(np.uint16)
    return np.cumsum(low | (high << 8), axis=0, dtype=np.uint16)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_pixels_are_read_back_exactly(kind: type) -> None:
    pixels = np.random.default_rng(0).integers(0, np.iinfo(kind).max, (33, 21), dtype=kind, endpoint=True)
    packed = pack(pixels, LOTS)
    assert packed.factor == 1
    np.testing.assert_array_equal(unpacked(packed), pixels)
    assert packed.bytes == len(base64.b64decode(packed.text))


def test_the_smallest_factor_that_fits_is_taken() -> None:
    pixels = np.random.default_rng(0).integers(0, 4096, (600, 400), dtype=np.uint16)
    whole = pack(pixels, LOTS)
    half = pack(pixels, whole.bytes - 1)
    assert half.factor == 2
    assert half.shape == (300, 200)
    third = pack(pixels, whole.bytes // 6)
    assert third.factor == 3
    assert third.bytes <= whole.bytes // 6
    assert pack(pixels, 1).shape[1] == 1, "it ends whatever is asked"


def test_a_full_size_view_of_much_grain_fits_into_its_share() -> None:
    pixels = np.random.default_rng(0).integers(0, 4096, (3328, 2560), dtype=np.uint16)
    assert pack(pixels, 2_000_000).bytes <= 2_000_000


def test_means_of_squares_with_the_last_ones_repeated() -> None:
    pixels = np.array([[0, 2, 9], [4, 6, 9], [8, 8, 7]], np.uint16)
    np.testing.assert_array_equal(smaller(pixels, 2), [[3, 9], [8, 7]])


def test_the_plain_picture_and_the_thumbnail() -> None:
    pixels = np.zeros((1800, 1000), np.uint16)
    pixels[:, :500] = np.linspace(1000, 3000, 1800, dtype=np.uint16)[:, None]
    (low, high), jpeg, small = plain_pictures(pixels)
    assert 1000 <= low < high <= 3000
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture.shape == (900, 500)
    assert picture[10, 10] < 20 < 230 < picture[-10, 10]
    assert small.shape == (72, 40)
    sheet = cv2.imdecode(np.frombuffer(thumbnail([[small, small], [None, small]]), np.uint8), cv2.IMREAD_UNCHANGED)
    assert sheet.shape == (72, 160)
    assert sheet[-5, 45] > 200, "the left view begins in the middle of its pair"
    assert sheet[:, 80:118].max() < 30, "a gap is black"


@pytest.mark.parametrize("shape", [(1, 1), (20000, 10), (10, 100000)])
def test_images_of_any_shape(shape: tuple[int, int]) -> None:
    pixels = np.full(shape, 200, np.uint8)
    packed = pack(pixels, LOTS)
    assert max(packed.shape) <= 8192
    _, jpeg, small = plain_pictures(pixels)
    assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_UNCHANGED) is not None
    assert small.shape[0] <= 72
    assert thumbnail([[small, None], [None, small]])
