"""`mammoseg check-images`: a line per image, a summary, and an exit code that says how many cannot be used."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from mammoseg.cli.app import app
from mammoseg.data.manifest import Manifest


def check(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["check-images", *map(str, arguments)])


@pytest.fixture
def folder(phantom_study: Manifest, tmp_path: Path) -> Path:
    """Two images of which the names tell side and view, without pixel size."""
    for row in list(phantom_study.rows())[:2]:
        path = tmp_path / "images" / f"7_{row.laterality}-{row.view}.png"
        path.parent.mkdir(exist_ok=True)
        shutil.copy(row.path, path)
    return tmp_path / "images"


def test_a_manifest_and_a_checkpoint(phantom_study: Manifest, trained_run: Path) -> None:
    done = check("--manifest", phantom_study.path, "--split", "train", "--checkpoint", trained_run)
    assert done.exit_code == 0, done.stdout
    assert done.stdout.count("PASS  p0") == 28
    assert done.stdout.endswith("28 images: 28 PASS, 0 WARN, 0 FAIL\n")


def test_a_folder_with_one_bad_file(folder: Path, trained_run: Path, tmp_path: Path) -> None:
    (folder / "8_L-CC.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    (folder / "notes.txt").write_text("no image")
    done = check(folder, "--checkpoint", trained_run, "--pixel-mm", 1.12, "--out", tmp_path / "checks.csv")
    assert done.exit_code == 3, done.stdout
    assert "FAIL  8_L-CC  " in done.stdout
    assert ". Remedy: " in done.stdout
    assert "Left out: 1 file: " in done.stdout
    assert "3 images: 2 PASS, 0 WARN, 1 FAIL" in done.stdout
    table = pd.read_csv(tmp_path / "checks.csv").set_index("image_id")
    assert table["result"].to_dict() == {"8_L-CC": "FAIL"} | {path.stem: "PASS" for path in folder.glob("7_*.png")}


def test_nothing_can_be_used(folder: Path, trained_run: Path) -> None:
    """Without their pixel size the window shows a corner of these breasts."""
    done = check(folder, "--checkpoint", trained_run)
    assert done.exit_code == 1, done.stdout
    assert done.stdout.count("of the breast is inside the model window") == 3, "two images and the summary"
    assert "2 of 2 images are unlike the training data: pixel size unknown, training 1.12 mm (2)" in done.stdout


def test_other_images_are_a_warning(folder: Path, trained_run: Path) -> None:
    done = check(folder, "--checkpoint", trained_run, "--pixel-mm", 0.9)
    assert done.exit_code == 0, done.stdout
    assert "WARN  7_" in done.stdout
    assert "2 of 2 images are unlike the training data: pixel size 0.9 mm, training 1.12 mm (2)" in done.stdout


def test_a_recipe_before_training(phantom_study: Manifest) -> None:
    done = check("--manifest", phantom_study.path, "--recipe", "glam_small")
    assert done.exit_code == 0, done.stdout
    assert "training data" not in done.stdout


def test_imported_weights_know_no_training_images(phantom_study: Manifest, tiny_gmic: Callable[..., Path]) -> None:
    done = check("--manifest", phantom_study.path, "--split", "test", "--checkpoint", tiny_gmic(0))
    assert done.exit_code == 0, done.stdout
    assert "does not tell what images it was trained on" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--recipe", "glam_small"], "give image files or folders, or --manifest"),
        (["x.png"], "give one of --checkpoint and --recipe"),
        (["x.png", "--recipe", "a", "--checkpoint", "b"], "give one of --checkpoint and --recipe"),
        (["x.png", "--recipe", "glam_small", "--split", "test"], "only a manifest has splits"),
        (["x.png", "--recipe", "glam_small", "--out", "checks.txt"], "no name of a CSV file"),
    ],
)
def test_wrong_usage(arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = check(*arguments)
    assert done.exit_code == 2
    assert message in done.output
    assert not list(tmp_path.iterdir())
