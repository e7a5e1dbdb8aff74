"""Pictures of all kinds are read as one sees them, or refused by name, in a time that their size allows."""

import io
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from mammoseg.io.pictures import decode_picture, looks_like_picture, picture_shape
from mammoseg.io.read import ImageReadError, read_image, read_mask, read_pixels

GREY16 = np.random.default_rng(0).integers(1, 4096, (90, 70)).astype(np.uint16)
GREY8 = (GREY16 >> 4).astype(np.uint8)


def encoded(suffix: str, pixels: NDArray[Any]) -> bytes:
    lossless = [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000] if suffix == ".jp2" else []
    return bytes(cv2.imencode(suffix, pixels, lossless)[1].tobytes())


def saved(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def big_tiff(pixels: NDArray[Any]) -> bytes:
    height, width = pixels.shape
    bits = 8 * pixels.itemsize
    tags = [
        (256, width),
        (257, height),
        (258, bits),
        (259, 1),
        (262, 1),
        (273, 512),
        (278, height),
        (279, pixels.nbytes),
    ]
    header = b"II+\0" + struct.pack("<HHQQ", 8, 0, 16, len(tags))
    header += b"".join(struct.pack("<HHQQ", tag, 4, 1, value) for tag, value in tags) + bytes(8)
    return header.ljust(512, b"\0") + pixels.tobytes()


@pytest.mark.parametrize("pixels", [GREY8, GREY16], ids=["8 bits", "16 bits"])
@pytest.mark.parametrize("suffix", [".jp2", ".j2k", ".btf"])
def test_exact(tmp_path: Path, suffix: str, pixels: NDArray[Any]) -> None:
    if suffix == ".btf":
        data = big_tiff(pixels)
    elif suffix == ".jp2":
        data = encoded(".jp2", pixels)
    else:
        whole = encoded(".jp2", pixels)
        data = whole[whole.index(b"\xff\x4f\xff\x51") :]
    assert looks_like_picture(data)
    read = read_pixels(saved(tmp_path / f"a{suffix}", data))
    assert read.dtype == pixels.dtype
    np.testing.assert_array_equal(read, pixels)


def test_bmp(tmp_path: Path) -> None:
    data = encoded(".bmp", GREY8)
    assert looks_like_picture(data)
    np.testing.assert_array_equal(read_pixels(saved(tmp_path / "a.bmp", data)), GREY8)


@pytest.mark.parametrize("suffix", [".bmp", ".jp2", ".btf"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.99])
def test_cut_short(tmp_path: Path, suffix: str, kept: float, capfd: pytest.CaptureFixture[str]) -> None:
    data = big_tiff(GREY16) if suffix == ".btf" else encoded(suffix, GREY8)
    path = saved(tmp_path / f"a{suffix}", data[: int(len(data) * kept)])
    with pytest.raises(ImageReadError, match="a" + suffix):
        read_pixels(path)
    assert capfd.readouterr() == ("", ""), "what decoders print names no file"


SCENE = np.kron(np.arange(10, 250, 10, dtype=np.uint8).reshape(4, 6), np.ones((16, 16), np.uint8))
SEEN: dict[int, Any] = {  # of the stored picture: what one sees
    1: lambda p: p,
    2: np.fliplr,
    3: lambda p: np.rot90(p, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda p: np.rot90(p, -1),
    7: lambda p: np.rot90(p, 2).T,
    8: np.rot90,
}


@pytest.mark.parametrize("orientation", SEEN)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_orientation(tmp_path: Path, kind: str, orientation: int) -> None:
    """EXIF and TIFF say the same with the same number, and masks are turned like images."""
    image = Image.fromarray(SCENE)
    exif = image.getexif()
    exif[274] = orientation
    path = tmp_path / f"a.{kind.lower()}"
    image.save(path, kind, **({"tiffinfo": {274: orientation}} if kind == "TIFF" else {"exif": exif, "quality": 95}))
    pixels, expected = read_pixels(path), SEEN[orientation](SCENE)
    assert pixels.shape == expected.shape == picture_shape(path)
    assert np.abs(pixels.astype(int) - expected).max() <= (3 if kind == "JPEG" else 0)
    np.testing.assert_array_equal(read_mask(path), np.ones(expected.shape, bool))


@pytest.mark.parametrize("orientation", [0, 9])
def test_an_orientation_that_there_is_not_changes_nothing(tmp_path: Path, orientation: int) -> None:
    image = Image.fromarray(SCENE)
    exif = image.getexif()
    exif[274] = orientation
    image.save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_pixels(tmp_path / "a.png"), SCENE)


def test_colours_as_planes_are_refused(tmp_path: Path) -> None:
    planes = np.stack([GREY8, GREY8 // 2, GREY8 // 3])
    height, width = GREY8.shape
    tags = [
        *((256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 2)),
        *((273, 4, 3, 400), (277, 3, 1, 3), (278, 4, 1, height), (279, 4, 3, 412), (284, 3, 1, 2)),
    ]
    header = b"II*\0" + struct.pack("<IH", 8, len(tags))
    header += b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    offsets = struct.pack("<6I", *(512 + GREY8.size * n for n in range(3)), *[GREY8.size] * 3)
    data = (header.ljust(400, b"\0") + offsets).ljust(512, b"\0") + planes.tobytes()
    for read in (read_pixels, read_mask):
        with pytest.raises(ImageReadError, match=r"a\.tif: .*PlanarConfiguration 2"):
            read(saved(tmp_path / "a.tif", data))


def smooth_jpeg(**options: Any) -> bytes:
    stream = io.BytesIO()
    scene = cv2.GaussianBlur(np.kron(GREY8, np.ones((4, 4), np.uint8)), (0, 0), 3)
    Image.fromarray(scene).save(stream, "JPEG", quality=90, **options)
    return stream.getvalue()


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 2}], ids=str)
def test_damage_within_jpeg(tmp_path: Path, options: dict[str, Any], capfd: pytest.CaptureFixture[str]) -> None:
    """The markers are whole, and the picture would be one with a torn half."""
    data = bytearray(smooth_jpeg(**options))
    read_pixels(saved(tmp_path / "whole.jpg", bytes(data)))
    middle = len(data) // 2
    data[middle : middle + 40] = bytes(40)
    with pytest.raises(ImageReadError, match=r"torn\.jpg: the image is damaged"):
        read_pixels(saved(tmp_path / "torn.jpg", bytes(data)))
    assert capfd.readouterr() == ("", "")


def test_colour_and_cmyk_jpeg(tmp_path: Path) -> None:
    scene = Image.fromarray(SCENE)
    scene.convert("RGB").save(tmp_path / "rgb.jpg", quality=95)
    assert np.abs(read_pixels(tmp_path / "rgb.jpg").astype(int) - SCENE).max() <= 3
    scene.convert("CMYK").save(tmp_path / "cmyk.jpg")
    with pytest.raises(ImageReadError, match=r"cmyk\.jpg: this JPEG picture is of type CMYK"):
        read_pixels(tmp_path / "cmyk.jpg")


def test_jpeg_2000_with_a_palette_or_alpha(tmp_path: Path) -> None:
    Image.fromarray(np.dstack([GREY8, np.full_like(GREY8, 255)]), "LA").save(tmp_path / "a.jp2")
    with pytest.raises(ImageReadError, match=r"a\.jp2: this JPEG2000 picture is of type LA"):
        read_pixels(tmp_path / "a.jp2")


def test_jpeg_2000_of_parts_that_do_not_fit(tmp_path: Path) -> None:
    """What serves to be expensive is looked for before a decoder sees it, as in DICOM files."""
    data = encoded(".jp2", GREY16)
    start = data.index(b"\xff\x90")
    broken = data[: start + 6] + b"\0\0\0\x20" + data[start + 10 :]
    with pytest.raises(ImageReadError, match=r"a\.jp2: the parts of the JPEG 2000 stream do not fit together"):
        read_pixels(saved(tmp_path / "a.jp2", broken))


def test_a_tiff_of_very_many_pages_is_refused_at_once(tmp_path: Path) -> None:
    pages = 60_000
    directory = struct.pack("<HHHII", 1, 256, 4, 1, 8)
    data = b"II*\0" + struct.pack("<I", 8)
    data += b"".join(directory + struct.pack("<I", 8 + 18 * (n + 1) if n + 1 < pages else 0) for n in range(pages))
    started = time.process_time()
    with pytest.raises(ImageReadError, match=r"a\.tif"):
        decode_picture(saved(tmp_path / "a.tif", data))
    assert time.process_time() - started < 5, "to count them takes more than a minute"


def test_a_bomb_of_text_is_refused_with_the_name_of_the_file(tmp_path: Path) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add(b"zTXt", b"x\0\0" + zlib.compress(bytes(80 << 20)))
    Image.fromarray(GREY8).save(tmp_path / "bomb.png", pnginfo=texts)
    with pytest.raises(ImageReadError, match=r"bomb\.png: this is no image that can be read"):
        read_image(tmp_path / "bomb.png")
