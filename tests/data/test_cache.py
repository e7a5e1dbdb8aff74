"""Prepared crops on disk: the same as made anew, found again, rebuilt when damaged, and errors kept per image."""

import errno
import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from mammoseg.data import cache as cache_module
from mammoseg.data.cache import CacheWriteError, CropCache, prepare_all
from mammoseg.data.load import with_heatmaps
from mammoseg.data.manifest import ImageRow
from mammoseg.io.failures import Failures
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
    for one, other in ((a.pixels, b.pixels), (a.heatmaps, b.heatmaps)):
        if (one is None) != (other is None):
            return False
        if one is not None and other is not None and not (np.array_equal(one, other) and one.dtype == other.dtype):
            return False
    plain = [replace(crop, pixels=np.zeros(0), heatmaps=None) for crop in (a, b)]
    return repr(plain[0]) == repr(plain[1])


def crop_files(folder: Path) -> list[Path]:
    """Without what a killed process has left unfinished."""
    return sorted(path for path in folder.rglob("*.npz") if not path.name.startswith("."))


@pytest.fixture
def no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on no image is decoded, nor read for its hash."""

    def refuse(file: object, *_: object, **__: object) -> None:
        raise AssertionError(f"{file} was read again")

    monkeypatch.setattr(cache_module, "read_pixels", refuse)
    monkeypatch.setattr(hashlib, "file_digest", refuse)


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
    copy = replace(row, image_id="copy", path=tmp_path / "copy.png", labels={"malignant": 1})
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


def test_a_changed_file_is_read_again_even_with_its_old_date(tmp_path: Path) -> None:
    row = replace(image_row(tmp_path), path=tmp_path / "a.pgm")
    pixels = read_pixels(tmp_path / "a.png")
    cv2.imwrite(str(row.path), pixels)
    date = row.path.stat().st_mtime_ns
    first = CropCache(tmp_path / "cache", PREP).get(row)
    changed = row.path.stat().st_ctime_ns
    cv2.imwrite(str(row.path), pixels // 2)  # as many bytes
    while row.path.stat().st_ctime_ns == changed:  # until the file system's clock has made its next step
        os.utime(row.path, ns=(date, date))
    os.utime(row.path, ns=(date, date))
    assert CropCache(tmp_path / "cache", PREP).get(row).pixels.max() < first.pixels.max()


def test_a_file_that_changes_while_it_is_read_is_not_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = image_row(tmp_path)
    original, other = row.path.read_bytes(), cv2.imencode(".png", read_pixels(row.path) // 2)[1].tobytes()

    def read_too_late(path: Path, *how: Any, **named: Any) -> object:
        path.write_bytes(other)
        return read_pixels(path, *how, **named)

    with monkeypatch.context() as patch:
        patch.setattr(cache_module, "read_pixels", read_too_late)
        changed = CropCache(tmp_path / "cache", PREP).get(row)
    row.path.write_bytes(original)
    assert CropCache(tmp_path / "cache", PREP).get(row).pixels.max() > changed.pixels.max()


def test_a_changed_program_makes_its_own_crops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for pattern in cache_module._SOURCES:
        assert list(cache_module._PACKAGE.glob(pattern)), f"{pattern} is no source file"
    source = tmp_path / "package" / "prep" / "breast.py"
    source.parent.mkdir(parents=True)
    monkeypatch.setattr(cache_module, "_PACKAGE", tmp_path / "package")
    row = image_row(tmp_path)
    for text, crops in (("a = 1", 1), ("a = 2", 2), ("a = 1", 2)):
        source.write_text(text)
        CropCache(tmp_path / "cache", PREP).get(row)
        assert len(crop_files(tmp_path / "cache")) == crops


def with_files(row: ImageRow, folder: Path) -> ImageRow:
    """The row with heatmaps: random probabilities of 16 and of 8 bits."""
    pixels, rng = read_pixels(row.path), np.random.default_rng(0)
    for name, dtype in (("benign", np.uint16), ("malignant", np.uint8)):
        values = rng.integers(0, np.iinfo(dtype).max, pixels.shape, dtype, endpoint=True)
        cv2.imwrite(str(folder / f"{row.image_id}_{name}.png"), values)
    return replace(row, heatmaps={name: folder / f"{row.image_id}_{name}.png" for name in ("benign", "malignant")})


@pytest.mark.parametrize("prep", [PREP, PREP.model_copy(update={"pixel_mm": 0.2})])
def test_heatmaps_are_kept_with_the_crop(tmp_path: Path, prep: PrepConfig, request: pytest.FixtureRequest) -> None:
    row = with_files(image_row(tmp_path), tmp_path)
    expected = crop_breast(with_heatmaps(row.mammogram(read_pixels(row.path)), row, ("benign", "malignant")), prep)
    assert expected.heatmaps is not None
    assert same(CropCache(tmp_path / "cache", prep, heatmaps=("benign", "malignant")).get(row), expected)
    request.getfixturevalue("no_reading")
    assert same(CropCache(tmp_path / "cache", prep, heatmaps=("benign", "malignant")).get(row), expected)


def test_crops_with_and_without_heatmaps_are_kept_apart(tmp_path: Path) -> None:
    row = with_files(image_row(tmp_path), tmp_path)
    plain, rich = (
        CropCache(tmp_path / "cache", PREP),
        CropCache(tmp_path / "cache", PREP, heatmaps=("benign", "malignant")),
    )
    for _ in range(2):
        assert plain.get(row).heatmaps is None
        assert rich.get(row).heatmaps is not None
    assert len(crop_files(tmp_path / "cache")) == 2
    first = rich.get(row).heatmaps
    cv2.imwrite(str(row.heatmaps["benign"]), read_pixels(row.heatmaps["benign"]) // 2)
    os.utime(row.heatmaps["benign"], ns=(time.time_ns(), time.time_ns() + 10**9))
    second = rich.get(row).heatmaps
    assert np.array_equal(second[0], first[0] // 2), "a changed heatmap is read again"
    assert np.array_equal(second[1], first[1])
    assert not same(replace(plain.get(row), heatmaps=second), plain.get(row))


def test_heatmaps_that_cannot_be_had_are_errors_of_the_image(tmp_path: Path) -> None:
    rows = [with_files(image_row(tmp_path, name), tmp_path) for name in ("a", "b", "c", "d")]
    rows[1] = replace(rows[1], heatmaps={"benign": rows[1].heatmaps["benign"]})
    rows[2].heatmaps["benign"].unlink()
    cv2.imwrite(str(rows[3].heatmaps["benign"]), np.zeros((9, 7), np.uint8))
    failures = Failures(tmp_path)
    assert prepare_all(rows, CropCache(tmp_path / "cache", PREP, heatmaps=("benign", "malignant")), 0, failures) == [
        "a"
    ]
    errors = Failures(tmp_path).read().set_index("image_id")["error"].to_dict()
    assert errors == {"b": "HeatmapError", "c": "ImageReadError", "d": "ImageReadError"}
    assert prepare_all(rows, CropCache(tmp_path / "cache", PREP), 0, failures) == ["a", "b", "c", "d"]


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
    failures = Failures(tmp_path)
    failures.add("a", rows[0].path, "prepare", ValueError("an earlier run"))
    failures.add("b", rows[-1].path, "predict", ValueError("another step"))
    seen: list[tuple[int, int]] = []
    assert prepare_all(rows, cache, workers, failures, lambda done, total: seen.append((done, total))) == ["a", "b"]
    assert seen == [(n, 6) for n in range(1, 7)]
    errors = Failures(tmp_path).read().set_index("image_id")
    assert errors["error"].to_dict() == {
        "b": "ValueError",
        "cut": "ImageReadError",
        "empty": "PrepError",
        "text": "ImageReadError",
        "missing": "ImageReadError",
    }
    assert "No such file" in errors.loc["missing", "message"]
    assert len(crop_files(tmp_path / "cache")) == 2


def test_a_reason_that_many_images_share_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [image_row(tmp_path, f"empty{number}", empty=True) for number in range(5)]
    assert prepare_all(rows, CropCache(tmp_path / "cache", PREP), 0, Failures(tmp_path)) == []
    first, counted = caplog.messages
    assert first.startswith("not prepared: image empty0: no breast found in ")
    assert counted == first.replace("image empty0", "5 images (empty0, empty1, empty2, ...)")


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
    failures = Failures(tmp_path)
    assert prepare_all([image_row(tmp_path)], CropCache(tmp_path / "cache", PREP), 0, failures) == []
    assert Failures(tmp_path).read()["message"].tolist() == ["MemoryError: too large"]


def test_a_full_disk_stops_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [image_row(tmp_path, "a"), image_row(tmp_path, "b")]
    rows[1].path.write_bytes(cv2.imencode(".png", read_pixels(rows[1].path) // 2)[1].tobytes())
    cache, failures = CropCache(tmp_path / "cache", PREP), Failures(tmp_path)
    prepare_all(rows[:1], cache, 0, failures)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CacheWriteError, match=r"cannot be written \(No space left on device\).* Free space") as caught:
        prepare_all(rows, cache, 0, failures)
    assert caught.value.errno == errno.ENOSPC
    assert not failures.image_ids()
    monkeypatch.setattr(cache_module, "write_json", lambda *_: None)  # the first thing written is the hash
    with pytest.raises(CacheWriteError):
        prepare_all(rows, cache, 0, failures)
    assert len([p for p in (tmp_path / "cache").rglob("*") if p.is_file()]) == 2  # one crop, one hash
