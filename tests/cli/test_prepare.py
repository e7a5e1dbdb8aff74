"""`mammoseg prepare`: crops in a cache, a table, pictures; failed images are named and make the exit code 3."""

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from mammoseg.cli.app import app
from mammoseg.data.manifest import Manifest
from mammoseg.data.window_fit import WindowError

TINY = ["--set", "prep.window=[96, 64]", "--set", "network.patch_px=32", "--set", "augment.size_px=4"]
TINY += ["--set", "prep.opening_px=3", "--set", "prep.buffer_px=2", "--set", "prep.pixel_mm=2.24"]


@pytest.fixture
def study(phantom_study: Manifest, tmp_path: Path) -> Manifest:
    """The first exam."""
    manifest = Manifest(phantom_study.table.iloc[:4], tmp_path / "some images.csv")
    manifest.to_csv(manifest.path)
    return manifest


def invoke(manifest: Manifest, out: Path, *options: str) -> Result:
    required = ["prepare", "--recipe", "glam_small", "--manifest", str(manifest.path), "--out", str(out)]
    return CliRunner().invoke(app, [*required, *TINY, *options])


@pytest.mark.parametrize("workers", ["0", "2"])
def test_everything_that_is_announced_is_there(study: Manifest, tmp_path: Path, workers: str) -> None:
    out = tmp_path / "out"
    result = invoke(study, out, "--workers", workers)
    assert (result.exit_code, result.stdout) == (0, f"4 of 4 images prepared, 0 with remarks: {out / 'prepared.csv'}\n")
    assert len(pd.read_csv(out / "prepared.csv")) == 4
    assert {path.stem for path in (out / "previews").iterdir()} == set(study.table["image_id"])
    assert len(list((out / "cache").rglob("*.npz"))) == 4
    assert not (out / "errors.csv").exists()


def test_failed_images_are_named(study: Manifest, tmp_path: Path) -> None:
    paths = study.table["path"].tolist()
    table = study.table.assign(path=[*paths[:3], str(tmp_path / "missing.png")])
    manifest = Manifest(table, study.path)
    manifest.to_csv(manifest.path)
    result = invoke(manifest, tmp_path / "out", "--no-previews")
    assert result.exit_code == 3
    assert "3 of 4 images prepared" in result.stdout
    assert f"The failed images and why: {tmp_path / 'out' / 'errors.csv'}" in result.stdout
    [error] = pd.read_csv(tmp_path / "out" / "errors.csv").to_dict("records")
    assert (error["image_id"], error["step"]) == (table["image_id"].iloc[3], "prepare")
    assert not (tmp_path / "out" / "previews").exists()


def test_nothing_usable_is_a_failure(study: Manifest, tmp_path: Path) -> None:
    result = invoke(study, tmp_path / "out", "--set", "prep.opening_px=100")
    assert result.exit_code == 1
    assert "0 of 4 images prepared" in result.stdout


def test_a_window_that_misses_the_breast_is_a_failure_with_pictures(study: Manifest, tmp_path: Path) -> None:
    Manifest(study.table.assign(pixel_mm=float("nan")), study.path).to_csv(study.path)
    out = tmp_path / "out"
    result = invoke(study, out)
    assert isinstance(result.exception, WindowError)
    assert (pd.read_csv(out / "prepared.csv")["in_window"] < 0.8).all()
    assert len(list((out / "previews").iterdir())) == 4
    assert invoke(study, out, "--pixel-mm", "1.12").exit_code == 0
    assert (pd.read_csv(out / "prepared.csv")["in_window"] > 0.9).all()
