"""Reading images: exact pixels, and refusal of everything that would be read wrongly."""

import hashlib
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mammoseg.io.read import ImageReadError, read_image, read_mask, read_pixels
from mammoseg.records.source import DicomIdentity, Source

GREY16 = np.random.default_rng(0).integers(1, 4096, (90, 70)).astype(np.uint16)
GREY8 = (GREY16 >> 4).astype(np.uint8)


def encoded(suffix: str, pixels: NDArray[np.generic]) -> bytes:
    done, data = cv2.imencode(suffix, pixels)
    assert done
    return data.tobytes()


def saved(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def pillow(folder: Path, name: str, image: Image.Image, **options: object) -> Path:
    image.save(folder / name, **options)
    return folder / name


@pytest.mark.parametrize("suffix", [".png", ".pgm", ".tif"])
@pytest.mark.parametrize("pixels", [GREY8, GREY16], ids=["8 bits", "16 bits"])
def test_exact(tmp_path: Path, suffix: str, pixels: NDArray[np.generic]) -> None:
    read = read_pixels(saved(tmp_path, f"bild ä{suffix}", encoded(suffix, pixels)))
    assert read.dtype == pixels.dtype
    np.testing.assert_array_equal(read, pixels)


def test_jpeg(tmp_path: Path) -> None:
    smooth = cv2.GaussianBlur(GREY8, (0, 0), 5)
    read = read_pixels(saved(tmp_path, "a.jpg", encoded(".jpg", smooth)))
    assert np.abs(read.astype(int) - smooth).max() <= 3


def test_pgm_keeps_values_below_its_maximum(tmp_path: Path) -> None:
    data = b"P5\n70 90\n4095\n" + GREY16.astype(">u2").tobytes()
    np.testing.assert_array_equal(read_pixels(saved(tmp_path, "a.pgm", data)), GREY16)


@pytest.mark.parametrize("pixels", [GREY8, GREY16], ids=["8 bits", "16 bits"])
def test_grey_saved_as_colour(tmp_path: Path, pixels: NDArray[np.generic]) -> None:
    rgb = saved(tmp_path, "a.png", encoded(".png", np.dstack([pixels] * 3)))
    np.testing.assert_array_equal(read_pixels(rgb), pixels)
    opaque = np.full_like(pixels, np.iinfo(pixels.dtype).max)
    rgba = saved(tmp_path, "b.png", encoded(".png", np.dstack([pixels, pixels, pixels, opaque])))
    np.testing.assert_array_equal(read_pixels(rgba), pixels)


def test_colour_is_weighted(tmp_path: Path) -> None:
    rgb = np.zeros((2, 3, 3), np.uint8)
    rgb[0], rgb[1, 0] = np.diag([255, 255, 255]), (10, 20, 30)
    read = read_pixels(pillow(tmp_path, "a.png", Image.fromarray(rgb)))
    assert read.tolist() == [[76, 150, 29], [round(2.99 + 11.74 + 3.42), 0, 0]]


def test_palette(tmp_path: Path) -> None:
    palette = Image.fromarray(GREY8).convert("P")
    np.testing.assert_array_equal(read_pixels(pillow(tmp_path, "a.png", palette)), GREY8)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_one_bit_mask(tmp_path: Path, name: str) -> None:
    mask = GREY8 > 100
    path = pillow(tmp_path, name, Image.fromarray(mask))
    np.testing.assert_array_equal(read_mask(path), mask)
    np.testing.assert_array_equal(read_pixels(path) > 0, mask)


def test_mask_of_any_colour(tmp_path: Path) -> None:
    rgb = np.zeros((4, 5, 3), np.uint8)
    rgb[1, 2] = (0, 0, 1)  # would round to grey 0
    assert np.argwhere(read_mask(pillow(tmp_path, "a.png", Image.fromarray(rgb)))).tolist() == [[1, 2]]


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("suffix", [".png", ".pgm", ".tif", ".jpg"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.99])
def test_cut_short(tmp_path: Path, suffix: str, kept: float) -> None:
    data = encoded(suffix, GREY8)
    path = saved(tmp_path, f"a{suffix}", data[: int(len(data) * kept)])
    with pytest.raises(ImageReadError, match="a" + suffix):
        read_pixels(path)


@pytest.mark.parametrize("lost", [1, 20, 3000])
def test_tiff_with_early_header_cut_short(tmp_path: Path, lost: int) -> None:
    height, width = GREY16.shape
    tags = [(256, width), (257, height), (258, 16), (259, 1), (262, 1), (273, 122), (278, height), (279, GREY16.nbytes)]
    header = b"II*\0" + struct.pack("<IH", 8, len(tags))
    header += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags) + b"\0" * 4
    data = header.ljust(122, b"\0") + GREY16.tobytes()
    np.testing.assert_array_equal(read_pixels(saved(tmp_path, "whole.tif", data)), GREY16)
    with pytest.raises(ImageReadError, match="damaged or cut short"):
        read_pixels(saved(tmp_path, "cut.tif", data[:-lost]))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, rows: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_png_with_too_few_rows(tmp_path: Path) -> None:
    with pytest.raises(ImageReadError, match="damaged or cut short"):
        read_pixels(saved(tmp_path, "a.png", png(100, 100, b"\0" + bytes(100))))


def test_png_with_a_changed_byte(tmp_path: Path) -> None:
    data = bytearray(encoded(".png", GREY16))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(ImageReadError, match="damaged"):
        read_pixels(saved(tmp_path, "a.png", bytes(data)))


@pytest.mark.filterwarnings("ignore:Image size")
@pytest.mark.parametrize("side", [13_000, 30_000, 2**31 - 1])
def test_absurd_size_is_refused_before_decoding(tmp_path: Path, side: int) -> None:
    with pytest.raises(ImageReadError, match="more than 150 million pixels"):
        read_pixels(saved(tmp_path, "a.png", png(side, side, bytes(100))))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"not an image at all", "no image"),
        (bytes(128) + b"DICM" + bytes(100), "DICOM"),
        (b"GIF89a" + bytes(50), "no image"),
    ],
)
def test_not_an_image(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(ImageReadError, match=message):
        read_pixels(saved(tmp_path, "a.png", data))


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(ImageReadError, match=r"nothing\.png"):
        read_pixels(tmp_path / "nothing.png")
    with pytest.raises(ImageReadError, match="cannot be read"):
        read_mask(tmp_path)


def test_transparency_is_refused(tmp_path: Path) -> None:
    alpha = Image.fromarray(np.where(GREY8 > 200, 254, 255).astype(np.uint8))
    path = pillow(tmp_path, "a.png", Image.merge("LA", [Image.fromarray(GREY8), alpha]))
    with pytest.raises(ImageReadError, match="transparent"):
        read_pixels(path)


def test_other_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageReadError, match="float32"):
        read_pixels(saved(tmp_path, "a.tif", encoded(".tif", GREY16.astype(np.float32))))


def test_pages_are_refused(tmp_path: Path) -> None:
    page = Image.fromarray(GREY8)
    with pytest.raises(ImageReadError, match="several pages"):
        read_pixels(pillow(tmp_path, "a.tif", page, save_all=True, append_images=[page]))


def test_white_as_zero_is_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.fromarray(GREY8).save(stream, "TIFF")
    data = stream.getvalue().replace(struct.pack("<HHII", 262, 3, 1, 1), struct.pack("<HHII", 262, 3, 1, 0))
    with pytest.raises(ImageReadError, match="white as 0"):
        read_pixels(saved(tmp_path, "a.tif", data))


def test_what_is_read_says_where_it_is_from(tmp_path: Path, write_mammogram: Callable[..., Path]) -> None:
    path = saved(tmp_path, "a.png", encoded(".png", GREY16))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert read_image(path).source == Source(path, digest, 90, 70)
    uids = {"StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.2.3", "SOPInstanceUID": "1.2.3.4"}
    path = write_mammogram(tmp_path / "b", **uids, ImagerPixelSpacing=[0.07, 0.07])
    source = read_image(path).source
    identity = DicomIdentity("1.2.840.10008.5.1.4.1.1.1.2", "1.2.3.4", "1.2.3", "1.2", frame=1)
    assert (source.dicom, source.pixel_mm, source.rows, source.columns) == (identity, (0.07, 0.07), 160, 128)
    assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert read_image(write_mammogram(tmp_path / "c", SeriesInstanceUID=None)).source.dicom is None
