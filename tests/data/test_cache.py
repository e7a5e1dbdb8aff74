"""Prepared crops on disk: the same as made anew, found again, rebuilt when damaged, and errors kept per image."""

import errno
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from mammoseg.data import cache as cache_module
from mammoseg.data.cache import CacheWriteError, CropCache, PreparationError, prepare_all
from mammoseg.data.manifest import ImageRow
from mammoseg.io.ledger import Ledger, read_errors
from mammoseg.io.read import ImageReadError, read_pixels
from mammoseg.prep.breast import BreastCrop, PrepError
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.pipeline import crop_breast

PREP = PrepConfig(window=(64, 48), opening_px=3, buffer_px=2)


def image_row(folder: Path, name: str = "a", empty: bool = False, dtype: type = np.uint16) -> ImageRow:
    """A half disc on a black background, as a 16-bit PNG."""
    y, x = np.mgrid[:90, :70]
    disc = ((y - 45) ** 2 + x**2 < 40**2) & (not empty)
    pixels = (disc * (200 + 3 * x)).clip(0, 255 if dtype is np.uint8 else 65535).astype(dtype)
    path = folder / f"{name}.png"
    path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    return ImageRow("p", "e", name, "L", "CC", path, pixel_mm=0.1)


def same(a: BreastCrop, b: BreastCrop) -> bool:
    equal = np.array_equal(a.pixels, b.pixels) and a.pixels.dtype == b.pixels.dtype
    return equal and replace(a, pixels=np.zeros(0)).__repr__() == replace(b, pixels=np.zeros(0)).__repr__()


def crop_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.npz"))


@pytest.fixture
def no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise AssertionError(f"{path} was read again")

    monkeypatch.setattr(cache_module, "read_pixels", refuse)


@pytest.mark.parametrize("prep", [PREP, PREP.model_copy(update={"pixel_mm": 0.2})])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_cached_is_the_same_as_made_anew(
    tmp_path: Path, prep: PrepConfig, dtype: type, request: pytest.FixtureRequest
) -> None:
    row = image_row(tmp_path, dtype=dtype)
    expected = crop_breast(row.mammogram(read_pixels(row.path)), prep)
    assert same(CropCache(tmp_path / "cache", prep).get(row), expected)
    request.getfixturevalue("no_reading")
    again = CropCache(tmp_path / "cache", prep).get(row)
    assert same(again, expected)
    again.pixels[:] = 0  # belongs to the caller
    assert same(CropCache(tmp_path / "cache", prep).get(row), expected)


def test_what_an_image_is_found_by(tmp_path: Path) -> None:
    row = image_row(tmp_path)
    cache = CropCache(tmp_path / "cache", PREP)
    cache.get(row)
    for change in ({"view": "MLO"}, {"laterality": "R"}, {"pixel_mm": 0.2}, {"horizontal_flip": True}):
        cache.get(replace(row, **change))
    CropCache(tmp_path / "cache", PREP.model_copy(update={"buffer_px": 5})).get(row)
    assert len(crop_files(tmp_path / "cache")) == 6
    copy = replace(row, image_id="copy", path=tmp_path / "copy.png", malignant=1)
    copy.path.write_bytes(row.path.read_bytes())
    assert cache.get(copy).image_id == "copy"
    assert len(crop_files(tmp_path / "cache")) == 6


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    row = image_row(tmp_path)
    first = CropCache(tmp_path / "cache", PREP).get(row)
    pixels = read_pixels(row.path) // 2
    row.path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    os.utime(row.path, ns=(time.time_ns(), time.time_ns() + 10**9))
    second = CropCache(tmp_path / "cache", PREP).get(row)
    assert second.pixels.max() < first.pixels.max()


def truncated(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :]


@pytest.mark.parametrize("damage", [truncated, flipped, lambda _: b"", lambda _: b"no archive"])
def test_damaged_files_are_made_again(
    tmp_path: Path, damage: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    row = image_row(tmp_path)
    expected = CropCache(tmp_path / "cache", PREP).get(row)
    (file,) = crop_files(tmp_path / "cache")
    good = file.read_bytes()
    file.write_bytes(damage(good))
    for note in (tmp_path / "cache" / "hashes").iterdir():
        note.write_bytes(damage(note.read_bytes()))
    assert same(CropCache(tmp_path / "cache", PREP).get(row), expected)
    assert "damaged crop of image a" in caplog.text
    assert len(file.read_bytes()) == len(good)


def test_other_content_in_the_file(tmp_path: Path) -> None:
    row = image_row(tmp_path)
    expected = CropCache(tmp_path / "cache", PREP).get(row)
    (file,) = crop_files(tmp_path / "cache")
    np.savez(file, pixels=expected.pixels, about=np.array('{"view": "CC"}'))
    assert same(CropCache(tmp_path / "cache", PREP).get(row), expected)
    np.savez(file, something=1)
    assert same(CropCache(tmp_path / "cache", PREP).get(row), expected)


def broken_study(folder: Path) -> list[ImageRow]:
    """Five images, of which two can be prepared."""
    cut = image_row(folder, "cut")
    cut.path.write_bytes(truncated(cut.path.read_bytes()))
    text = replace(cut, image_id="text", path=folder / "text.png")
    text.path.write_text("no image")
    missing = replace(cut, image_id="missing", path=folder / "none.png")
    return [
        image_row(folder, "a"),
        cut,
        image_row(folder, "empty", empty=True),
        text,
        missing,
        image_row(folder, "b", dtype=np.uint8),
    ]


@pytest.mark.parametrize("workers", [0, 2])
def test_errors_are_kept_per_image(tmp_path: Path, workers: int) -> None:
    rows = broken_study(tmp_path)
    cache = CropCache(tmp_path / "cache", PREP)
    ledger = Ledger(tmp_path / "errors.csv")
    ledger.add("a", rows[0].path, "prepare", ValueError("an earlier run"))
    ledger.add("b", rows[-1].path, "predict", ValueError("another step"))
    seen: list[tuple[int, int]] = []
    assert prepare_all(rows, cache, workers, ledger, lambda done, total: seen.append((done, total))) == ["a", "b"]
    assert seen == [(n, 6) for n in range(1, 7)]
    errors = read_errors(tmp_path).set_index("image_id")
    assert errors["error"].to_dict() == {
        "b": "ValueError",
        "cut": "ImageReadError",
        "empty": "PrepError",
        "text": "ImageReadError",
        "missing": "ImageReadError",
    }
    assert "No such file" in errors.loc["missing", "message"]
    assert len(crop_files(tmp_path / "cache")) == 2


def test_single_images_raise(tmp_path: Path) -> None:
    cache = CropCache(tmp_path / "cache", PREP)
    _, cut, empty, _, missing, _ = broken_study(tmp_path)
    for row, error in ((cut, ImageReadError), (empty, PrepError), (missing, ImageReadError)):
        with pytest.raises(error):
            cache.get(row)


def test_a_defect_of_one_image_does_not_end_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError("too large")

    monkeypatch.setattr(cache_module, "crop_breast", fail)
    ledger = Ledger(tmp_path / "errors.csv")
    assert prepare_all([image_row(tmp_path)], CropCache(tmp_path / "cache", PREP), 0, ledger) == []
    assert read_errors(tmp_path)["message"].tolist() == ["MemoryError: too large"]


def test_a_full_disk_stops_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [image_row(tmp_path, "a"), image_row(tmp_path, "b")]
    rows[1].path.write_bytes(cv2.imencode(".png", read_pixels(rows[1].path) // 2)[1].tobytes())
    cache, ledger = CropCache(tmp_path / "cache", PREP), Ledger(tmp_path / "errors.csv")
    prepare_all(rows[:1], cache, 0, ledger)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CacheWriteError, match=r"cannot be written \(No space left on device\).* Free space") as caught:
        prepare_all(rows, cache, 0, ledger)
    assert caught.value.errno == errno.ENOSPC
    assert len(ledger) == 0
    monkeypatch.setattr(cache_module, "write_json", lambda *_: None)  # the first thing written is the hash
    with pytest.raises(CacheWriteError):
        prepare_all(rows, cache, 0, ledger)
    assert len([p for p in (tmp_path / "cache").rglob("*") if p.is_file()]) == 2  # one crop, one hash


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    rows = [image_row(tmp_path)]
    for workers in (0, 2):
        with pytest.raises(CacheWriteError, match=r"Not a directory|File exists"):
            prepare_all(rows, CropCache(tmp_path / "cache", PREP), workers, Ledger(tmp_path / "errors.csv"))


class KillsItsProcess(CropCache):
    def ensure(self, row: ImageRow) -> None:
        os._exit(9)


def test_killed_workers_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
    cache = KillsItsProcess(tmp_path / "cache", PREP)
    with pytest.raises(PreparationError, match=r"0 of 1 images are done.*fewer workers"):
        prepare_all([image_row(tmp_path)], cache, 2, Ledger(tmp_path / "errors.csv"))
