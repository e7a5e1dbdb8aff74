"""A PNG file reaches the decoder without anything that makes it speak."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from mammoseg.io.pictures import decode_picture
from mammoseg.io.png import SIGNATURE, picture_of_png
from mammoseg.io.read import ImageReadError

GREY = np.random.default_rng(0).integers(0, 60000, (41, 37)).astype(np.uint16)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*between: bytes, idat: bytes = zlib.compress(bytes(6)), head: bytes = b"") -> bytes:
    """Two rows of two pixels."""
    header = head or struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0)
    return SIGNATURE + chunk(b"IHDR", header) + b"".join(between) + chunk(b"IDAT", idat) + chunk(b"IEND", b"")


def test_what_is_not_picture_is_left_out(tmp_path: Path) -> None:
    beside = [chunk(b"tEXt", b"Patient\0Secret"), chunk(b"iCCP", b"x\0\0" + zlib.compress(b"no profile"))]
    assert picture_of_png(png(*beside)) == png(idat=zlib.compress(bytes(6), 0))
    checked = picture_of_png(cv2.imencode(".png", GREY)[1].tobytes())
    assert checked is not None
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(checked, np.uint8), cv2.IMREAD_UNCHANGED), GREY)


@pytest.mark.parametrize(
    "data",
    [
        png()[:-1],
        png()[:40],
        png().replace(b"IEND", b"IENE"),
        png(idat=zlib.compress(bytes(5))),
        png(idat=zlib.compress(bytes(7))),
        png(idat=zlib.compress(bytes(6))[:-1]),
        png(idat=zlib.compress(bytes(6))[:-1] + b"\0"),
        png(idat=zlib.compress(bytes(1 << 20))),
        png(idat=b"nonsense"),
        SIGNATURE + chunk(b"IDAT", zlib.compress(bytes(6))) + chunk(b"IEND", b""),
    ],
)
def test_damage(data: bytes) -> None:
    assert picture_of_png(data) is None


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("size", [(1, 1), (5, 3), (9, 17)])
def test_every_kind_is_whole(tmp_path: Path, mode: str, size: tuple[int, int]) -> None:
    path = tmp_path / "a.png"
    Image.new(mode, size).save(path)
    assert picture_of_png(path.read_bytes()) is not None


@pytest.mark.parametrize(("width", "height"), [(1, 1), (5, 3), (9, 17)])
def test_interlaced(width: int, height: int) -> None:
    """The passes of Adam7 with their filter bytes, counted pixel by pixel."""
    pattern = np.array(
        [[1, 6, 4, 6, 2, 6, 4, 6], [7] * 8, [5, 6] * 4, [7] * 8, [3, 6, 4, 6] * 2, [7] * 8, [5, 6] * 4, [7] * 8]
    )
    passes = np.tile(pattern, (3, 3))[:height, :width]
    size = sum((passes == p).sum() + (passes == p).any(axis=1).sum() for p in range(1, 8))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 1)
    assert picture_of_png(png(idat=zlib.compress(bytes(int(size))), head=head)) is not None
    assert picture_of_png(png(idat=zlib.compress(bytes(int(size) + 1)), head=head)) is None


def test_decoders_print_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What libpng says names no file."""
    profile = chunk(b"iCCP", b"x\0\0" + zlib.compress(b"no profile"))
    path = tmp_path / "a.png"
    path.write_bytes(png(profile))
    decode_picture(path)
    for data in (png(idat=zlib.compress(bytes(6))[:-1] + b"\0"), png(idat=zlib.compress(bytes(3)))):
        path.write_bytes(data)
        with pytest.raises(ImageReadError, match=r"a\.png: the image is damaged"):
            decode_picture(path)
    assert capfd.readouterr() == ("", "")
