"""`mammoseg predict`: images from files or a manifest, never both; the exit code says how it went."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mammoseg.cli.main import app
from mammoseg.data.manifest import ImageRow, Manifest
from mammoseg.inference.batch import BatchResult


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What the verb hands to `Predictor` and `predict_images`, and what the latter returns."""
    seen = SimpleNamespace(result=BatchResult(3, 2, 0))

    def predict_images(
        predictor: object, rows: Sequence[ImageRow], out: Path, workers: int, overwrite: bool, write: Any, progress: Any
    ) -> BatchResult:
        progress()
        seen.rows, seen.options = rows, (out, workers, overwrite, write is not None)
        return seen.result

    monkeypatch.setattr("mammoseg.inference.batch.predict_images", predict_images)
    monkeypatch.setattr("mammoseg.inference.predictor.Predictor", lambda *arguments: setattr(seen, "model", arguments))
    return seen


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["predict", "--checkpoint", "run", "--out", "out", *arguments])


def test_files(calls: SimpleNamespace) -> None:
    result = invoke("a_L-CC.png", "a_R-CC.png", "--pixel-mm", "0.1")
    assert (result.exit_code, result.stdout) == (0, "3 images predicted, 2 done before, 0 failed: out\n")
    assert [(row.image_id, row.pixel_mm) for row in calls.rows] == [("a_L-CC", 0.1), ("a_R-CC", 0.1)]
    assert calls.options == (Path("out"), 1, False, True)
    assert calls.model == (Path("run"), "auto", [])


def test_a_manifest_and_every_option(calls: SimpleNamespace, phantom_study: Manifest) -> None:
    result = invoke(
        *("--manifest", str(phantom_study.path), "--split", "test", "--no-overlays", "--overwrite"),
        *("--device", "cpu", "--workers", "2", "--set", "num_patches=3"),
    )
    assert result.exit_code == 0
    assert [row.image_id for row in calls.rows] == phantom_study.subset("test").table["image_id"].tolist()
    assert calls.options == (Path("out"), 2, True, False)
    assert calls.model == (Path("run"), "cpu", ["num_patches=3"])


def test_all_rows_without_split(calls: SimpleNamespace, phantom_study: Manifest) -> None:
    invoke("--manifest", str(phantom_study.path))
    assert len(calls.rows) == len(phantom_study)


@pytest.mark.parametrize(
    ("done", "code"),
    [((3, 0, 0), 0), ((0, 3, 0), 0), ((3, 0, 1), 3), ((0, 3, 1), 3), ((0, 0, 2), 1)],
)
def test_exit_code(calls: SimpleNamespace, done: tuple[int, int, int], code: int) -> None:
    calls.result = BatchResult(*done)
    result = invoke("a_L-CC.png")
    assert result.exit_code == code
    assert ("out/errors.csv" in result.stdout) is (done[2] > 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give image files or --manifest, one of the two"),
        (["a_L-CC.png", "--manifest", "m.csv"], "give image files or --manifest, one of the two"),
        (["a_L-CC.png", "--split", "test"], "only a manifest has splits"),
        (["--manifest", "m.csv", "--pixel-mm", "0.1"], "a manifest has a column pixel_mm"),
        (["a_L-CC.png", "--pixel-mm", "0"], "Invalid value for '--pixel-mm'"),
        (["a_L-CC.png", "--pixel-mm", "70"], "Invalid value for '--pixel-mm'"),
    ],
)
def test_wrong_usage(calls: SimpleNamespace, arguments: list[str], message: str) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert not hasattr(calls, "model"), "nothing is loaded"
