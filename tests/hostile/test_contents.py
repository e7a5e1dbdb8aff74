"""Folders with damaged, disguised and strange images: each costs itself and is named, the good images are used."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin
from pydicom import uid

Survives = Callable[..., None]
Write = Callable[..., Path]

DAMAGED, NO_IMAGE, NOT_READ = "damaged or cut short", "this is no image that can be read", "neither DICOM nor a picture"
SPACING = {"ImagerPixelSpacing": [1.4, 1.4]}


def pillow(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def changed(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def zipped(content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a", content)
    return stream.getvalue()


def png_of(width: int, height: int, rows: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def tiff_of(pixels: NDArray[Any], *tags: tuple[int, int, int, int], big: bool = False) -> bytes:
    """Uncompressed; `tags` are added or replace those of a plain grey picture."""
    height, width = pixels.shape[-2:]
    plain = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8 * pixels.itemsize), (259, 3, 1, 1), (262, 3, 1, 1)]
    plain += [(273, 4, 1, 512), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, pixels.nbytes)]
    known = {tag[0]: tag for tag in (*plain, *tags)}
    head = (
        b"II+\0" + struct.pack("<HHQQ", 8, 0, 16, len(known)) if big else b"II*\0" + struct.pack("<IH", 8, len(known))
    )
    head += b"".join(struct.pack("<HHQQ" if big else "<HHII", *known[tag]) for tag in sorted(known)) + bytes(8)
    return head.ljust(512, b"\0") + pixels.tobytes()


def many_pages(count: int) -> bytes:
    page = struct.pack("<HHHII", 1, 256, 4, 1, 8)
    ends = (struct.pack("<I", 8 + 18 * (n + 1) if n + 1 < count else 0) for n in range(count))
    return b"II*\0" + struct.pack("<I", 8) + b"".join(page + end for end in ends)


def text_bomb(image: Image.Image) -> bytes:
    texts = PngImagePlugin.PngInfo()
    texts.add(b"zTXt", b"x\0\0" + zlib.compress(bytes(80 << 20), 1))
    return pillow(image, "PNG", pnginfo=texts)


def _pictures() -> dict[str, tuple[str, bytes, str]]:
    """Case -> name of the file, content, part of the reason why it is lost (empty: it is a good image)."""
    rows, columns = np.mgrid[:100, :72]
    inside = ((rows - 50) / 40) ** 2 + (columns / 50) ** 2 <= 1
    breast = np.where(inside, 120 + columns + rows % 7, 0).astype(np.uint8)
    grey = Image.fromarray(breast)
    png, bmp, jp2, tif, pgm = (bytes(cv2.imencode(s, breast)[1]) for s in (".png", ".bmp", ".jp2", ".tif", ".pgm"))
    jpeg = pillow(Image.fromarray(cv2.resize(breast, None, fx=2, fy=2)), "JPEG", quality=90)
    wide = (breast.astype(np.uint16) << 4) + np.uint16(1)
    turned = Image.Exif()
    turned[274] = 3
    see_through = Image.merge("LA", [grey, Image.fromarray(np.where(breast > 150, 254, 255).astype(np.uint8))])
    half = len(png) // 2
    return {
        "BigTIFF": ("b_L-CC.tif", tiff_of(breast, big=True), ""),
        "JPEG 2000": ("b_L-CC.jp2", jp2, ""),
        "BMP": ("b_L-CC.bmp", bmp, ""),
        "PGM": ("b_L-CC.pgm", pgm, ""),
        "16 bits": ("b_L-CC.png", bytes(cv2.imencode(".png", np.where(breast > 0, wide, 0).astype(np.uint16))[1]), ""),
        "turned by EXIF": ("b_R-CC.png", pillow(grey, "PNG", exif=turned), ""),
        "suffix of another kind": ("b_L-CC.jpg", png, ""),
        "cut PNG": ("b_L-CC.png", png[:half], DAMAGED),
        "cut PNG by its end": ("b_L-CC.png", png[:-1], DAMAGED),
        "changed PNG": ("b_L-CC.png", changed(png, half, b"\xff\0\xff\0"), DAMAGED),
        "PNG with too few rows": ("b_L-CC.png", png_of(100, 100, b"\0" + bytes(100)), DAMAGED),
        "PNG signature alone": ("b_L-CC.png", png[:8], NO_IMAGE),
        "bomb of pixels": ("b_L-CC.png", png_of(30_000, 30_000, bytes(100)), "million pixels"),
        "bomb of text": ("b_L-CC.png", text_bomb(grey), NO_IMAGE),
        "cut JPEG": ("b_L-CC.jpg", jpeg[: len(jpeg) // 2], DAMAGED),
        "JPEG torn within": ("b_L-CC.jpg", changed(jpeg, len(jpeg) // 2, bytes(40)), DAMAGED),
        "CMYK": ("b_L-CC.jpg", pillow(grey.convert("CMYK"), "JPEG"), "of type CMYK"),
        "cut TIFF": ("b_L-CC.tif", tif[: len(tif) // 2], NO_IMAGE),
        "TIFF in planes": (
            "b_L-CC.tif",
            tiff_of(np.stack([breast] * 3), (262, 3, 1, 2), (277, 3, 1, 3), (284, 3, 1, 2)),
            "PlanarConfiguration 2",
        ),
        "TIFF of real numbers": ("b_L-CC.tif", tiff_of(breast.astype(np.float32), (339, 3, 1, 3)), "float32"),
        "TIFF with white as 0": ("b_L-CC.tif", tiff_of(breast, (262, 3, 1, 0)), "white as 0"),
        "two pages": ("b_L-CC.tif", pillow(grey, "TIFF", save_all=True, append_images=[grey]), "several pages"),
        "60,000 pages": ("b_L-CC.tif", many_pages(60_000), NO_IMAGE),
        "animation": (
            "b_L-CC.png",
            pillow(grey, "PNG", save_all=True, append_images=[grey.rotate(9)]),
            "several pages",
        ),
        "cut BMP": ("b_L-CC.bmp", bmp[: len(bmp) // 2], DAMAGED),
        "cut JPEG 2000": ("b_L-CC.jp2", jp2[: len(jp2) // 2], "cut short"),
        "cut PGM": ("b_L-CC.pgm", pgm[: len(pgm) // 2], DAMAGED),
        "transparent": ("b_L-CC.png", pillow(see_through, "PNG"), "transparent pixels"),
        "one grey": ("b_L-CC.png", pillow(Image.new("L", (72, 100), 9), "PNG"), "the same value"),
        "zip": ("b_L-CC.png", zipped(b"no image"), NOT_READ),
        "zip bomb": ("b.dcm", zipped(bytes(20 << 20)), "not a DICOM file"),
        "page of a server": ("b_L-CC.jpg", b"<html>not found</html>", NOT_READ),
        "noise": ("b_L-CC.png", np.random.default_rng(0).bytes(5000), NOT_READ),
        "GIF": ("b_L-CC.gif", pillow(grey, "GIF"), NOT_READ),
        "no DICOM": ("b.dcm", bytes(128) + b"DICM" + bytes(500), "header"),
    }


PICTURES = _pictures()


@pytest.mark.parametrize("case", PICTURES.values(), ids=PICTURES)
def test_pictures(survives: Survives, case: tuple[str, bytes, str]) -> None:
    name, content, reason = case
    survives(lambda folder: (folder / name).write_bytes(content), {name: reason} if reason else {}, more=not reason)


def test_a_mask_without_the_name_of_one(survives: Survives, breast: NDArray[np.uint8]) -> None:
    mask = pillow(Image.fromarray(np.where(breast > 180, 255, 0).astype(np.uint8)), "PNG")
    survives(lambda folder: (folder / "b_L-CC.png").write_bytes(mask), {}, {"b_L-CC.png": "looks like a mask"})


DICOM: dict[str, tuple[dict[str, Any], str, str]] = {  # elements, why it is lost, why it is left out
    "inverted": ({"PhotometricInterpretation": "MONOCHROME1"}, "", ""),
    "no side": ({"ImageLaterality": None, "PatientOrientation": None}, "not stated: laterality", ""),
    "no view": ({"ViewPosition": None}, "not stated: view", ""),
    "no rows": ({"Rows": None}, "no size of the picture", ""),
    "absurd size": ({"Rows": 65535, "Columns": 65535}, "million pixels", ""),
    "for processing": ({"PresentationIntentType": "FOR PROCESSING"}, "", "for processing"),
    "tomosynthesis": ({"SOPClassUID": uid.BreastTomosynthesisImageStorage}, "", "tomosynthesis"),
    "synthetic": ({"ImageType": ["DERIVED", "PRIMARY", "TOMO", "GENERATED_2D"]}, "", "synthetic 2D"),
    "several frames": ({"NumberOfFrames": 3}, "", "multi-frame"),
    "colour": ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, "", "colour"),
    "ultrasound": ({"Modality": "US", "SOPClassUID": uid.UltrasoundImageStorage}, "", "not mammography"),
    "report": ({"Modality": "SR", "SOPClassUID": uid.BasicTextSRStorage}, "", "DICOM without a picture"),
    "part": ({"PartialView": "YES"}, "", "partial view"),
    "phantom": ({"BodyPartExamined": "PHANTOM"}, "", "quality control"),
}


@pytest.mark.parametrize("case", DICOM.values(), ids=DICOM)
def test_dicom(survives: Survives, write_mammogram: Write, case: tuple[dict[str, Any], str, str]) -> None:
    elements, lost, passed = case

    def make(folder: Path) -> None:
        pixels = elements.get("PhotometricInterpretation") == "MONOCHROME1"
        path = write_mammogram(folder / "IM2", "L", "CC", tone=9, **(SPACING | elements))
        if pixels:
            data = path.read_bytes()
            size = 2 * 160 * 128
            stored = np.frombuffer(data[-size:], "<u2")
            path.write_bytes(data[:-size] + (4095 - stored).astype("<u2").tobytes())

    survives(make, {"IM2": lost} if lost else {}, {"IM2": passed} if passed else {}, more=not (lost or passed))


def test_cut_and_changed_dicom(survives: Survives, write_mammogram: Write) -> None:
    def make(folder: Path) -> None:
        whole = write_mammogram(folder / "IM2", "L", "CC", tone=9, **SPACING).read_bytes()
        (folder / "IM2").write_bytes(whole[:-1000])
        (folder / "IM3").write_bytes(whole[:300])
        (folder / "IM4").write_bytes(whole[:132])

    survives(make, {"IM2": "cut short", "IM3": "header", "IM4": "header"})


def test_a_deflated_bomb(survives: Survives, write_mammogram: Write) -> None:
    def make(folder: Path) -> None:
        path = write_mammogram(folder / "IM2", "L", "CC", tone=9, **SPACING)
        start = path.read_bytes()
        start = start[: start.index(b"\x08\0\x08\0CS")].replace(
            uid.ExplicitVRLittleEndian.encode() + b"\0", uid.DeflatedExplicitVRLittleEndian.encode()
        )
        path.write_bytes(start + zlib.compress(bytes(100 << 20), 1)[2:-4])

    survives(make, {"IM2": "header"})
