"""Pixels of DICOM images of every kind, against a second computation in float64 that shares nothing with the first."""

import itertools
import math
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mammoseg.io.dicom.errors import DicomReadError
from mammoseg.io.dicom.pixels import PixelMode, read_dicom_pixels
from mammoseg.io.read import read_pixels

SYNTAXES = ("implicit", "explicit", "big endian", "deflated", "RLE", "JPEG-LS", "JPEG 2000")
IN_A_PROCESS = ("JPEG lossless", "JPEG lossless SV1")
PHOTOMETRIC = ("MONOCHROME1", "MONOCHROME2")
BITS = (8, 10, 12, 16)
VOIS = ("none", "LINEAR", "LINEAR_EXACT", "SIGMOID", "VOI LUT", "rescaled window", "modality LUT", "falling LUT")
MODES: tuple[PixelMode, ...] = ("nyu", "presentation")
ROWS, COLUMNS = 40, 32


def image(bits: int, signed: bool = False, seed: int = 0) -> NDArray[np.int64]:
    """Noise over the whole range, with a border at its lowest value."""
    rng = np.random.default_rng(seed)
    low = -(2 ** (bits - 1)) if signed else 0
    pixels = rng.integers(low, low + 2**bits, (ROWS, COLUMNS))
    pixels[:, -8:] = low
    pixels[0, 0] = low + 2**bits - 1
    return pixels


def curve(bits: int, falling: bool) -> list[int]:
    """A table over 60 % of all inputs, with entries of 14 bits."""
    entries = [round(16383 * (place / (0.6 * 2**bits)) ** 0.7) for place in range(int(0.6 * 2**bits))]
    return entries[::-1] if falling else entries


def elements(voi: str, bits: int, signed: bool) -> dict[str, Any]:
    low = -(2 ** (bits - 1)) if signed else 0
    center, width = low + 2**bits * 0.4, 2**bits * 0.7
    window = {"WindowCenter": [center, 1], "WindowWidth": [width, 2]}
    if voi == "none":
        return {}
    if voi == "LINEAR":
        return window
    if voi in ("LINEAR_EXACT", "SIGMOID"):
        return window | {"VOILUTFunction": voi}
    if voi == "rescaled window":
        return {"RescaleSlope": 2.5, "RescaleIntercept": -300, "WindowCenter": 2.5 * center, "WindowWidth": 2 * width}
    first = low + 2**bits // 5
    table = [{"LUTDescriptor": [int(0.6 * 2**bits), first & 0xFFFF, 14], "LUTData": curve(bits, voi == "falling LUT")}]
    if voi == "modality LUT":
        return {"ModalityLUTSequence": table, "WindowCenter": 8000, "WindowWidth": 9000}
    return {"VOILUTSequence": table} | window  # the window is not to be used


def expected(
    stored: NDArray[np.int64], bits: int, signed: bool, photometric: str, voi: str, mode: PixelMode
) -> NDArray[np.float64]:
    """By the formulas of the standard, one pixel after the other."""
    low = -(2 ** (bits - 1)) if signed else 0
    high = low + 2**bits - 1
    dark_is_high = photometric == "MONOCHROME1"
    if mode == "nyu":
        if dark_is_high != (voi == "falling LUT"):
            return (stored.max() - stored).astype(float)
        return (stored - min(0, stored.min())).astype(float)
    center, width = low + 2**bits * 0.4, 2**bits * 0.7
    table = curve(bits, voi == "falling LUT")

    def shown(value: int) -> float:
        x: float = value
        entry = table[min(max(value - low - 2**bits // 5, 0), len(table) - 1)]
        if voi == "none":
            return (x - low) / (high - low)
        if voi == "LINEAR_EXACT":
            return min(max((x - center) / width + 0.5, 0), 1)
        if voi == "SIGMOID":
            return 1 / (1 + math.exp(-4 * (x - center) / width))
        if voi in ("VOI LUT", "falling LUT"):
            return entry / 16383
        c, w = {"rescaled window": (2.5 * center, 2 * width), "modality LUT": (8000, 9000)}.get(voi, (center, width))
        x = {"rescaled window": 2.5 * x - 300, "modality LUT": entry}.get(voi, x)
        return min(max((x - (c - 0.5)) / (w - 1) + 0.5, 0), 1)

    fractions = np.array([shown(value) for value in stored.ravel().tolist()]).reshape(stored.shape)
    levels = 65535 * (1 - fractions if dark_is_high else fractions)
    return levels - levels.min()


def agrees(read: NDArray[Any], wanted: NDArray[np.float64], mode: PixelMode, bits: int) -> bool:
    assert read.dtype == (np.uint8 if mode == "nyu" and bits == 8 else np.uint16)
    return bool(np.abs(read - wanted).max() <= (0 if mode == "nyu" else 1))  # two roundings of half a level


def pairwise(*factors: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Combinations in which every pair of values of two factors occurs."""
    pairs = {
        (i, a, j, b) for (i, one), (j, two) in itertools.combinations(enumerate(factors), 2) for a in one for b in two
    }
    rng, chosen = random.Random(0), []
    while pairs:
        tries = [tuple(rng.choice(factor) for factor in factors) for _ in range(60)]
        best = max(tries, key=lambda case: len(pairs & pairs_of(case)))
        if pairs & pairs_of(best):
            chosen.append(best)
            pairs -= pairs_of(best)
    return chosen


def pairs_of(case: tuple[Any, ...]) -> set[tuple[Any, ...]]:
    return {(i, a, j, b) for (i, a), (j, b) in itertools.combinations(enumerate(case), 2)}


def check(make_dicom: Any, case: tuple[Any, ...]) -> None:
    syntax, photometric, bits, signed, voi, mode = case
    stored = image(bits, signed)
    settings = elements(voi, bits, signed) | {"PhotometricInterpretation": photometric}
    read = read_dicom_pixels(make_dicom(stored, syntax, bits=bits, signed=signed, **settings), mode).pixels
    assert agrees(read, expected(stored, bits, signed, photometric, voi, mode), mode, bits), case


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_every_transformation(make_dicom: Any, bits: int, signed: bool) -> None:
    for photometric, voi, mode in itertools.product(PHOTOMETRIC, VOIS, MODES):
        check(make_dicom, ("explicit", photometric, bits, signed, voi, mode))


@pytest.mark.parametrize("syntax", [*SYNTAXES, *IN_A_PROCESS])
def test_every_transfer_syntax(make_dicom: Any, syntax: str) -> None:
    """Every pair of photometric interpretation, bits, sign, transformation and mode, in each transfer syntax."""
    cases = pairwise(PHOTOMETRIC, BITS, (False, True), VOIS, MODES)
    for case in cases[::4] if syntax in IN_A_PROCESS else cases:
        check(make_dicom, (syntax, *case))


def smooth(bits: int) -> NDArray[np.int64]:
    rows, columns = np.mgrid[:ROWS, :COLUMNS]
    return np.rint((np.sin(rows / 9) * np.cos(columns / 7) + 1) / 2 * (2**bits - 1)).astype(np.int64)


@pytest.mark.parametrize(
    ("syntax", "bits", "error"),
    [
        ("JPEG baseline", 8, 2),
        ("JPEG extended", 8, 2),
        ("JPEG extended", 12, 2),
        ("JPEG-LS near", 8, 3),
        ("JPEG-LS near", 12, 3),
        ("JPEG-LS near", 16, 3),
        ("JPEG 2000 lossy", 8, 2),
        ("JPEG 2000 lossy", 12, 3),
        ("JPEG 2000 lossy", 16, 16),
    ],
)
@pytest.mark.parametrize("photometric", PHOTOMETRIC)
def test_lossy(make_dicom: Any, syntax: str, bits: int, error: int, photometric: str) -> None:
    """Within the error of the coding. No value leaves its range to come back at the other end."""
    stored = smooth(bits)
    read = read_dicom_pixels(make_dicom(stored, syntax, bits=bits, PhotometricInterpretation=photometric)).pixels
    wanted = stored.max() - stored if photometric == "MONOCHROME1" else stored
    assert np.abs(read.astype(int) - wanted).max() <= error * (1 + (photometric == "MONOCHROME1"))


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_lossy_values_beyond_the_stored_bits_are_limited(make_dicom: Any, signed: bool) -> None:
    """A stream of more bits than are stored can overshoot, and 4097 is not 1."""
    stored = np.where(smooth(12) > 2048, 4095, 0) - (2048 if signed else 0)
    path = make_dicom(stored, "JPEG 2000 lossy", bits=12, signed=signed, stream_bits=16)
    read = read_dicom_pixels(path).pixels.astype(int)
    assert np.abs(read - (stored - stored.min())).max() < 300


@pytest.mark.parametrize("syntax", ["JPEG baseline", "JPEG-LS near"])
def test_signed_pixels_with_losses_are_refused(make_dicom: Any, syntax: str) -> None:
    with pytest.raises(DicomReadError, match="signed pixels are compressed with losses"):
        read_dicom_pixels(make_dicom(smooth(8) - 128, syntax, bits=8, signed=True))


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("syntax", ["explicit", "JPEG 2000"])
def test_the_same_image_as_png(make_dicom: Any, tmp_path: Path, bits: int, syntax: str) -> None:
    stored = image(bits).astype(np.uint8 if bits == 8 else np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), stored)
    png = read_pixels(tmp_path / "a.png")
    for path in (
        make_dicom(stored, syntax, bits=bits, WindowCenter=100, WindowWidth=10),
        make_dicom(2**bits - 1 - stored.astype(int), syntax, bits=bits, PhotometricInterpretation="MONOCHROME1"),
    ):
        read = read_dicom_pixels(path).pixels
        assert read.dtype == png.dtype
        np.testing.assert_array_equal(read, png)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("photometric", PHOTOMETRIC)
@pytest.mark.parametrize(
    ("signed", "value", "limit"), [(False, 4095, None), (False, 4000, 4095), (True, -2000, None), (True, -2000, -2048)]
)
def test_padding(
    make_dicom: Any, mode: PixelMode, photometric: str, signed: bool, value: int, limit: int | None
) -> None:
    """Padding is 0, and everything else is as it is in the same file without the tag."""
    stored = np.clip(image(12, signed), *((-1500, 1500) if signed else (100, 3000)))
    padded = stored.copy()
    padded[:10] = value if limit is None else np.array([value, (value + limit) // 2, limit])[np.arange(10) % 3, None]
    settings: dict[str, Any] = {"PhotometricInterpretation": photometric, "bits": 12, "signed": signed}
    path = make_dicom(
        padded, **settings, PixelPaddingValue=value, **({"PixelPaddingRangeLimit": limit} if limit else {})
    )
    read = read_dicom_pixels(path, mode)
    without = read_dicom_pixels(make_dicom(padded, **settings), mode).pixels
    assert not read.pixels[:10].any()
    np.testing.assert_array_equal(read.pixels[10:], without[10:])
    assert any("padding" in step for step in read.steps)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("voi", ["none", "LINEAR", "SIGMOID", "falling"])
def test_padding_around_the_breast_is_its_background(make_dicom: Any, mode: PixelMode, voi: str) -> None:
    """Without it the thinnest tissue would be the darkest pixel, and become background itself."""
    shown = np.clip(image(12), 800, 3000)
    shown[:, -8:] = 0
    settings: dict[str, Any] = {"RescaleSlope": -1, "RescaleIntercept": 4095} if voi == "falling" else {}
    if voi in ("LINEAR", "SIGMOID"):
        settings |= {"WindowCenter": 2048, "WindowWidth": 4096, "VOILUTFunction": voi}
    for photometric in PHOTOMETRIC:
        inverted = (photometric == "MONOCHROME1") != (voi == "falling")
        stored, padding = (4095 - shown, 4095) if inverted else (shown, 0)
        settings["PhotometricInterpretation"] = photometric
        plain = read_dicom_pixels(make_dicom(stored, **settings), mode).pixels
        read = read_dicom_pixels(make_dicom(stored, **settings, PixelPaddingValue=padding), mode).pixels
        np.testing.assert_array_equal(read, plain)
        assert not read[:, -8:].any()
        assert read[:, :-8].min() > 0
        if mode == "nyu":
            np.testing.assert_array_equal(read, shown)


def test_padding_that_does_not_occur_changes_nothing(make_dicom: Any) -> None:
    for photometric, mode in itertools.product(PHOTOMETRIC, MODES):
        settings = {"PhotometricInterpretation": photometric}
        stored = np.clip(image(12), 100, 3000)
        plain = read_dicom_pixels(make_dicom(stored, **settings), mode).pixels
        for value in (0, 4095):
            read = read_dicom_pixels(make_dicom(stored, **settings, PixelPaddingValue=value), mode).pixels
            np.testing.assert_array_equal(read, plain)


def test_padding_of_words_without_regard_to_the_stored_bits(make_dicom: Any) -> None:
    """-2000 in 16 bits, where 12 are stored without sign, is not the grey 2096."""
    stored = image(12)
    stored[:5] = 2096
    path = make_dicom(stored, high_bit=11)
    data = bytearray(path.read_bytes())
    start = len(data) - 2 * ROWS * COLUMNS
    data[start : start + 10 * COLUMNS] = np.full(5 * COLUMNS, -2000, "<i2").tobytes()
    path.write_bytes(data)
    assert read_dicom_pixels(path).pixels[0, 0] == 2096
    padding = make_dicom(stored, PixelPaddingValue=63536).read_bytes()
    path.write_bytes(padding[: -2 * ROWS * COLUMNS] + data[start:])
    np.testing.assert_array_equal(read_dicom_pixels(path).pixels, np.where(np.arange(ROWS)[:, None] < 5, 0, stored))


def test_padding_of_words_is_no_grey_level(make_dicom: Any) -> None:
    words = np.clip(image(12), 0, 1500)
    words[:5] = 63536
    settings = {"BitsStored": 12, "HighBit": 11, "PhotometricInterpretation": "MONOCHROME1", "PixelPaddingValue": 63536}
    read = read_dicom_pixels(make_dicom(words, bits=16, **settings)).pixels
    np.testing.assert_array_equal(read, np.where(np.arange(ROWS)[:, None] < 5, 0, 1500 - words))


@pytest.mark.parametrize("syntax", ["explicit", "big endian", "RLE", "JPEG 2000", "JPEG lossless SV1"])
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("high_bit", [11, 13, 15])
def test_bits_beside_the_stored_ones(make_dicom: Any, syntax: str, signed: bool, high_bit: int) -> None:
    """Overlays in unused bits, and stored bits that do not begin at the lowest."""
    stored = image(12, signed)
    shift = high_bit - 11
    rubbish = np.random.default_rng(1).integers(0, 2**16, stored.shape) & ~(0xFFF << shift) & 0xFFFF
    words = (stored & 0xFFF) << shift | rubbish
    path = make_dicom(words, syntax, bits=16, signed=False)
    whole = path.read_bytes()
    explicit = ">" if syntax == "big endian" else "<"
    for element, value in ((0x0101, 12), (0x0102, high_bit), (0x0103, int(signed))):
        at = whole.index(np.array([0x28, element], f"{explicit}u2").tobytes() + b"US") + 8
        whole = whole[:at] + np.array(value, f"{explicit}u2").tobytes() + whole[at + 2 :]
    path.write_bytes(whole)
    read = read_dicom_pixels(path)
    np.testing.assert_array_equal(read.pixels, stored - stored.min())
    assert "bits beside the stored ones cut off" in read.steps


def test_unused_bits_that_repeat_the_sign_are_nothing_to_tell(make_dicom: Any) -> None:
    stored = image(12, signed=True)
    path = make_dicom(stored, bits=16, signed=True)
    for element, value in ((0x0101, 12), (0x0102, 11)):
        old = np.array([0x28, element], "<u2").tobytes() + b"US\x02\0"
        at = path.read_bytes().index(old) + 8
        path.write_bytes(path.read_bytes()[:at] + bytes([value]) + path.read_bytes()[at + 1 :])
    read = read_dicom_pixels(path)
    np.testing.assert_array_equal(read.pixels, stored + 2048)
    assert not any("cut off" in step for step in read.steps)


@pytest.mark.parametrize("syntax", ["explicit", "big endian", "RLE", "JPEG-LS", "JPEG 2000"])
@pytest.mark.parametrize("bits", [8, 16])
def test_colour(make_dicom: Any, syntax: str, bits: int) -> None:
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 2**bits, (ROWS, COLUMNS, 3))
    photometric = {"PhotometricInterpretation": "RGB"}
    read = read_dicom_pixels(make_dicom(colours, syntax, bits=bits, **photometric)).pixels
    wanted = np.rint(colours @ [0.299, 0.587, 0.114])
    assert np.abs(read - wanted).max() <= 0
    grey = colours[..., :1].repeat(3, axis=2)
    read = read_dicom_pixels(make_dicom(grey, syntax, bits=bits, **photometric)).pixels
    np.testing.assert_array_equal(read, grey[..., 0])


def test_colour_by_planes_and_shown(make_dicom: Any) -> None:
    grey = image(8)
    planes = np.stack([grey] * 3).reshape(ROWS, COLUMNS, 3)  # the order in the file
    path = make_dicom(planes, bits=8, PlanarConfiguration=1)
    np.testing.assert_array_equal(read_dicom_pixels(path).pixels, grey)
    np.testing.assert_array_equal(read_dicom_pixels(path, "presentation").pixels, 257 * grey)


def test_colour_as_brightness_and_chroma(make_dicom: Any) -> None:
    luma = np.dstack([image(8), np.full((ROWS, COLUMNS), 90), np.full((ROWS, COLUMNS), 200)])
    path = make_dicom(luma, bits=8, PhotometricInterpretation="YBR_FULL")
    np.testing.assert_array_equal(read_dicom_pixels(path).pixels, luma[..., 0])


@pytest.mark.parametrize("mode", MODES)
def test_presentation_lut_shape_says_the_same_as_the_photometric_interpretation(
    make_dicom: Any, mode: PixelMode
) -> None:
    stored = image(12)
    for photometric, shape in (("MONOCHROME1", "INVERSE"), ("MONOCHROME2", "IDENTITY")):
        settings = {"PhotometricInterpretation": photometric}
        plain = read_dicom_pixels(make_dicom(stored, **settings), mode).pixels
        read = read_dicom_pixels(make_dicom(stored, **settings, PresentationLUTShape=shape), mode).pixels
        np.testing.assert_array_equal(read, plain)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("photometric", "shape"), [("MONOCHROME1", "IDENTITY"), ("MONOCHROME2", "INVERSE")])
def test_photometric_interpretation_decides_a_contradiction_on_what_is_bright(
    make_dicom: Any, mode: PixelMode, photometric: str, shape: str
) -> None:
    """It is told where the presentation is asked for; the stored values have none."""
    settings = {"PhotometricInterpretation": photometric}
    plain = read_dicom_pixels(make_dicom(image(12), **settings), mode).pixels
    read = read_dicom_pixels(make_dicom(image(12), **settings, PresentationLUTShape=shape), mode)
    np.testing.assert_array_equal(read.pixels, plain)
    told = f"Presentation LUT Shape {shape} contradicts {photometric} and is not used" in read.steps
    assert told == (mode == "presentation")


def test_a_negative_slope_is_a_falling_table(make_dicom: Any) -> None:
    path = make_dicom(image(12), RescaleSlope=-1, RescaleIntercept=4095)
    read = read_dicom_pixels(path)
    np.testing.assert_array_equal(read.pixels, 4095 - image(12))
    assert "inverted (its modality or VOI LUT falls): 4095 became 0" in read.steps


def test_unusable_windows_matter_only_where_they_are_used(make_dicom: Any) -> None:
    path = make_dicom(image(12), WindowCenter=5, WindowWidth=0)
    read = read_dicom_pixels(path)
    np.testing.assert_array_equal(read.pixels, image(12))
    assert "LUTs and windows of the file cannot be used, and are not needed" in read.steps
    with pytest.raises(DicomReadError, match=r"a\.dcm: the LINEAR window has center 5 and width 0"):
        read_dicom_pixels(path, "presentation")


def test_steps(make_dicom: Any) -> None:
    settings = {"PhotometricInterpretation": "MONOCHROME1", "PixelPaddingValue": 4095, "WindowCenter": [2048, 1]}
    path = make_dicom(np.clip(image(12), 0, 4000), "JPEG 2000", **settings, WindowWidth=[4096, 1])
    told = "JPEG 2000 lossless, 12 bits stored, MONOCHROME1", "padding 4095 made background"
    assert read_dicom_pixels(path).steps == (*told, "inverted (MONOCHROME1): 4000 became 0", "mode nyu")
    darkest = round(65535 * 95 / 4095)
    assert read_dicom_pixels(path, "presentation").steps == (
        *told,
        "VOI LINEAR window 2048/4096 (the first of 2)",
        "inverted (MONOCHROME1)",
        f"{darkest} became 0 (the darkest pixel)",
        "mode presentation",
    )


def test_an_image_of_nothing_but_padding_is_black(make_dicom: Any) -> None:
    for photometric, mode in itertools.product(PHOTOMETRIC, MODES):
        path = make_dicom(np.full((9, 9), 7), PixelPaddingValue=7, PhotometricInterpretation=photometric)
        assert not read_dicom_pixels(path, mode).pixels.any()


def damaged(data: bytes, rng: random.Random) -> Iterator[bytes]:
    for _ in range(12):
        changed = bytearray(data)
        for _ in range(rng.choice([1, 3, 30])):
            changed[rng.randrange(132, len(changed))] = rng.randrange(256)
        yield bytes(changed)


@pytest.mark.parametrize("syntax", [*SYNTAXES, "JPEG lossless SV1", "JPEG baseline", "JPEG extended"])
def test_damaged_files(make_dicom: Any, syntax: str) -> None:
    """Cut short anywhere: refused. Bytes changed: refused or read, in a time that can be waited for, and no crash."""
    bits = 8 if syntax.startswith(("JPEG baseline", "JPEG extended")) else 12
    path = make_dicom(smooth(bits), syntax, bits=bits)
    data = path.read_bytes()
    rng = random.Random(0)
    last = {"implicit": -1, "explicit": -1, "big endian": -1, "deflated": -2}.get(syntax, -12)  # before any padding
    for cut in [0, 1, 131, 132, 200, len(data) + last, *(rng.randrange(132, len(data) + last) for _ in range(10))]:
        path.write_bytes(data[:cut])
        with pytest.raises(DicomReadError, match=r"a\.dcm: .*\. Expected .*\. .*\."):
            read_dicom_pixels(path)
    for changed in damaged(data, rng):
        path.write_bytes(changed)
        with suppress(DicomReadError):
            assert read_dicom_pixels(path).pixels.ndim == 2
