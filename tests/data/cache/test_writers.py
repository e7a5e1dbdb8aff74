"""Preparing in several processes: none without work, any number at the same images, killed at any moment."""

import hashlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from mammoseg.data import cache as cache_module
from mammoseg.data.cache import CacheWriteError, CropCache, PreparationError, prepare_all
from mammoseg.data.cropfile import read_crop
from mammoseg.data.manifest import ImageRow
from mammoseg.io.failures import Failures
from mammoseg.io.read import read_pixels
from mammoseg.prep.breast import BreastCrop
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.pipeline import crop_breast
from mammoseg.records.label import CLASSES

PREP = PrepConfig(window=(64, 48), opening_px=3, buffer_px=2)


def series(folder: Path, count: int) -> list[ImageRow]:
    """Half discs of different brightness, named i0, i1, ...; each has heatmaps."""
    y, x = np.mgrid[:90, :70]
    disc = ((y - 45) ** 2 + x**2 < 40**2) * (200 + 3 * x)
    rows = []
    for number in range(count):
        path, heatmap = folder / f"i{number}.png", folder / f"i{number}_heatmap.png"
        cv2.imwrite(str(path), disc.astype(np.uint16) * (number + 1))
        cv2.imwrite(str(heatmap), disc.astype(np.uint16))
        row = ImageRow("p", "e", path.stem, "L", "CC", path, heatmaps=dict.fromkeys(CLASSES, heatmap))
        rows.append(row)
    return rows


def names(rows: list[ImageRow]) -> list[str]:
    return [row.image_id for row in rows]


def crop_files(folder: Path) -> list[Path]:
    """Without what a killed process has left unfinished."""
    return sorted(path for path in folder.rglob("*.npz") if not path.name.startswith("."))


def is_complete(folder: Path, rows: list[ImageRow]) -> bool:
    """Whether there is one good crop for each image; none is made here."""
    cache = CropCache(folder, PREP)
    if len(crop_files(folder)) != len(rows) or not all(map(cache.has, rows)):
        return False
    expected = [crop_breast(row.mammogram(read_pixels(row.path)), PREP) for row in rows]
    return all(np.array_equal(cache.get(row).pixels, crop.pixels) for row, crop in zip(rows, expected, strict=True))


def test_no_process_is_started_for_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = series(tmp_path, 3)
    cache, failures = (
        CropCache(tmp_path / "cache", PREP, heatmaps=("benign", "malignant")),
        Failures(tmp_path),
    )
    assert not any(map(cache.has, rows))
    monkeypatch.setattr(cache_module, "worker_pool", None)
    assert prepare_all(rows[:1], cache, 2, failures) == ["i0"]
    assert prepare_all(rows[1:], cache, 0, failures) == ["i1", "i2"]
    monkeypatch.setattr(cache_module, "read_pixels", None)
    monkeypatch.setattr(hashlib, "file_digest", None)
    again = CropCache(tmp_path / "cache", PREP, heatmaps=("benign", "malignant"))
    assert prepare_all(rows, again, 2, failures) == names(rows)
    assert all(map(again.has, rows))
    assert not any(CropCache(tmp_path / "cache", PREP).has(row) for row in rows), "crops without heatmaps are others"
    assert not again.has(replace(rows[0], path=tmp_path / "none.png"))
    assert not again.has(replace(rows[0], heatmaps={"malignant": rows[0].heatmaps["malignant"]}))


def test_only_what_is_missing_is_made(tmp_path: Path) -> None:
    rows = series(tmp_path, 5)
    rows[1].path.write_text("no image")
    cache, failures = CropCache(tmp_path / "cache", PREP), Failures(tmp_path)
    prepare_all(rows[2:4], cache, 0, failures)
    before = {path: path.stat().st_mtime_ns for path in crop_files(tmp_path / "cache")}
    seen: list[tuple[int, int]] = []
    usable = prepare_all(rows, cache, 2, failures, lambda done, total: seen.append((done, total)))
    assert usable == ["i0", "i2", "i3", "i4"]
    assert seen == [(n, 5) for n in range(1, 6)]
    assert Failures(tmp_path).read()["image_id"].tolist() == ["i1"]
    after = {path: path.stat().st_mtime_ns for path in crop_files(tmp_path / "cache")}
    assert len(after) == 4
    assert before.items() <= after.items()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "call"),
    [
        ("os.fsync", 1),  # the hash of the first image is written but has not its name yet
        ("mammoseg.data.cache.read_pixels", 2),  # the first image is done
        ("zipfile.ZipFile.close", 1),  # the archive has no end yet
        ("os.fsync", 2),  # the crop is written but has not its name yet
        ("pathlib.Path.replace", 2),
        ("zipfile.ZipFile.close", 3),
        ("pathlib.Path.replace", 6),  # the last crop
    ],
)
def test_what_a_killed_process_left(
    tmp_path: Path, target: str, call: int, dies: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    rows = series(tmp_path, 3)
    dies("prepare_run", (rows, PREP, tmp_path), target, call)
    cache = CropCache(tmp_path / "cache", PREP)
    assert not all(map(cache.has, rows))
    for file in crop_files(tmp_path / "cache"):
        read_crop(file, heatmaps=False)
    assert prepare_all(rows, cache, 0, Failures(tmp_path)) == names(rows)
    assert is_complete(tmp_path / "cache", rows)
    assert "damaged" not in caplog.text


def test_writers_of_the_same_crop_at_the_same_moment(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Threads, because they can be made to meet; to the files they are what processes are."""
    rows = series(tmp_path, 12)
    meeting = threading.Barrier(4)

    def write_all(cache: CropCache) -> list[BreastCrop]:
        return [cache.get(row) for row in rows if meeting.wait(20) >= 0]

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(write_all, [CropCache(tmp_path / "cache", PREP) for _ in range(4)]))
    assert {len(crops) for crops in results} == {12}
    assert is_complete(tmp_path / "cache", rows)
    assert len(list((tmp_path / "cache").rglob("*.npz"))) == 12, "nothing unfinished is left"
    assert "damaged" not in caplog.text


def test_several_writers_of_which_one_is_killed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = series(tmp_path, 24)
    cache, context = CropCache(tmp_path / "cache", PREP), multiprocessing.get_context("spawn")
    failures = [Failures(tmp_path / str(number)) for number in range(3)]
    writers = [context.Process(target=prepare_all, args=(rows, cache, 0, each)) for each in failures]
    for writer in writers:
        writer.start()
    while len(crop_files(tmp_path / "cache")) < 4 and any(writer.is_alive() for writer in writers):
        time.sleep(0.001)
    writers[0].kill()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers[1:]] == [0, 0]
    assert writers[0].exitcode in (0, -signal.SIGKILL)
    assert not any(each.image_ids() for each in failures)
    assert is_complete(tmp_path / "cache", rows)
    assert "damaged" not in caplog.text


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    rows = series(tmp_path, 2)
    for workers in (0, 2):
        with pytest.raises(CacheWriteError, match=r"Not a directory|File exists"):
            prepare_all(rows, CropCache(tmp_path / "cache", PREP), workers, Failures(tmp_path))


class KillsItsProcess(CropCache):
    def ensure(self, row: ImageRow) -> None:
        os._exit(9)


def test_killed_workers_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
    cache = KillsItsProcess(tmp_path / "cache", PREP)
    with pytest.raises(PreparationError, match=r"0 of 2 images are done.*fewer workers"):
        prepare_all(series(tmp_path, 2), cache, 2, Failures(tmp_path))
