"""A folder with two good images and something hostile, through `scan` and `predict` as a user starts them."""

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

GOOD = 2
SECONDS = 60
"""After which a command hangs. They take less than one."""


@pytest.fixture(scope="session")
def breast() -> NDArray[np.uint8]:
    """(100, 72) a left breast on a background of 0, small enough for the window of the checkpoint."""
    rows, columns = np.mgrid[:100, :72]
    texture = np.random.default_rng(0).integers(0, 40, rows.shape)
    return np.where(((rows - 50) / 42) ** 2 + (columns / 54) ** 2 <= 1, 100 + rows // 2 + texture, 0).astype(np.uint8)


@pytest.fixture(scope="session")
def encoded(breast: NDArray[np.uint8]) -> Callable[..., bytes]:
    """`encoded(".png", tone=3)`: a picture file of the breast, which differs from those of other tones."""

    def encode(suffix: str = ".png", tone: int = 0) -> bytes:
        pixels = np.where(breast > 0, breast + np.uint8(tone), 0).astype(np.uint8)
        return bytes(cv2.imencode(suffix, pixels)[1].tobytes())

    return encode


@pytest.fixture(scope="session")
def checkpoint(tiny_gmic: Callable[..., Path]) -> Path:
    return tiny_gmic(0)


@pytest.fixture(autouse=True)
def ends() -> Iterator[None]:
    """Nothing hangs."""

    def late(number: int, frame: object) -> None:
        raise TimeoutError(f"not done after {SECONDS} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def listed(folder: Path) -> dict[Path, Any]:
    """Every path below a folder with its size, or where it leads to."""
    found: dict[Path, Any] = {}
    for place, folders, files in os.walk(folder):
        for path in (Path(place) / name for name in (*folders, *files)):
            found[path] = path.readlink() if path.is_symlink() else path.lstat().st_size
    return found


Survives = Callable[..., None]


@pytest.fixture
def survives(
    tmp_path: Path,
    command: Callable[..., Any],
    checkpoint: Path,
    encoded: Callable[..., bytes],
    write_mammogram: Callable[..., Path],
) -> Survives:
    """`survives(make, lost, passed, more)`: `make(folder)` puts something hostile beside two good images.

    `lost` and `passed` say which paths are unusable or left out, as tables show them, and a part of the reason; `more`
    images are good besides. Scan and predict must agree, name each file, keep the good images, and change nothing else.
    """

    def run(
        make: Callable[[Path], object], lost: Mapping[str, str], passed: Mapping[str, str] | None = None, more: int = 0
    ) -> None:
        folder, out, expected = tmp_path / "in", tmp_path / "out", 3 if lost else 0
        folder.mkdir()
        (folder / "0012_L-CC.png").write_bytes(encoded())
        write_mammogram(folder / "IM1", "R", "MLO", tone=1, ImagerPixelSpacing=[1.4, 1.4])
        make(folder)
        before = listed(tmp_path)
        scanned = command("scan", folder, "--out", out / "m.csv", "--workers", 0)
        assert scanned.code == expected, scanned
        assert len(pd.read_csv(out / "m.csv")) == GOOD + more
        left_out = pd.read_csv(out / "m_left_out.csv", dtype=str, keep_default_na=False).set_index("path")
        for reasons, kinds in ((lost, ["unusable"]), (passed or {}, ["left out", "no image"])):
            for path, reason in reasons.items():
                row = left_out.loc[path]
                assert row["status"] in kinds, path
                assert reason in f"{row['why']} {row['detail']}", path
        assert set(left_out.index[left_out["status"] == "unusable"]) == set(lost)
        options = ("--checkpoint", checkpoint, "--out", out / "p", "--no-overlays", "--device", "cpu", "--workers", 0)
        done = command("predict", folder, *options)
        assert done.code == expected, done
        assert f"{GOOD + more} images predicted, 0 done before, {len(lost)} failed" in done.out
        predicted = pd.read_csv(out / "p" / "predictions.csv").query("level == 'image'")["image_id"]
        assert predicted.str.lower().nunique() == GOOD + more
        if lost:
            errors = pd.read_csv(out / "p" / "errors.csv", dtype=str, keep_default_na=False)
            for path, reason in lost.items():
                messages = [text for text in errors["message"] if text.startswith(f"{folder}/{path}: ")]
                assert [reason in text for text in messages] == [True], (path, errors["message"].tolist())
        texts = scanned.out + scanned.err + done.out + done.err
        assert "Traceback" not in texts
        assert not any(not (letter.isprintable() or letter == "\n") for letter in texts), "control characters"
        assert {path: size for path, size in listed(tmp_path).items() if not path.is_relative_to(out)} == before

    return run
