"""What tests of inference share: a predictor, two exams, and their predictions."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from mammoseg.data.manifest import ImageRow, Manifest
    from mammoseg.inference.predictor import Predictor


@pytest.fixture(scope="session")
def predictor(trained_run: Path) -> "Predictor":
    from mammoseg.inference.predictor import open_predictor

    return open_predictor(trained_run, "cpu")


@pytest.fixture(scope="session")
def rows(phantom_study: "Manifest") -> "list[ImageRow]":
    """Two exams of four images."""
    return list(phantom_study.rows())[:8]


@pytest.fixture(scope="session")
def expected(predictor: "Predictor", rows: "list[ImageRow]", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rows predicted without a disturbance. Not to be changed."""
    from mammoseg.inference.batch import BatchResult, predict_images

    out = tmp_path_factory.mktemp("expected") / "predictions"
    assert predict_images(predictor, rows, out) == BatchResult(predicted=8, done_before=0, failed=0)
    return out


@pytest.fixture(scope="session")
def contents() -> Callable[[Path], dict[str, Any]]:
    """A function that says what the files of a folder hold (a compressed file holds the time it was made)."""

    def read(folder: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for path in folder.rglob("*"):
            name = str(path.relative_to(folder))
            if path.suffix == ".npz":
                with np.load(path) as maps:
                    found[name] = {part: maps[part].tobytes() for part in maps.files}
            elif path.is_file():
                found[name] = path.read_bytes()
        return found

    return read
