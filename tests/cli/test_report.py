"""`mammoseg report`: exit codes, what it prints, pseudonyms, and that it starts no torch."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mammoseg.data.manifest import Manifest


@pytest.fixture(scope="module")
def predicted(
    phantom_study: Manifest,
    tiny_gmic: Callable[..., Path],
    mammoseg: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """study/, and predictions/ of two of its exams with the plain ids, hashed/ with pseudonyms by salt.txt. Not to be changed."""
    folder = tmp_path_factory.mktemp("reported")
    shutil.copytree(phantom_study.path.parent, folder / "study")
    (folder / "salt.txt").write_text("a salt of more than sixteen characters\n")
    common = (
        "--checkpoint",
        tiny_gmic(1),
        "--manifest",
        folder / "study" / "manifest.csv",
        "--split",
        "val",
        "--no-overlays",
    )
    for name, more in (("predictions", ()), ("hashed", ("--hash-ids", folder / "salt.txt"))):
        done = mammoseg("predict", *common, "--out", folder / name, *more)
        assert done.code == 0, done.err
    return folder


@pytest.fixture
def mine(predicted: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(predicted, tmp_path / "mine"))


def test_made_from_the_folder_alone_and_continued(mine: Path, command: Callable[..., Any]) -> None:
    call = ("report", "--predictions", mine / "predictions", "--out", mine / "report")
    done = command(*call)
    assert done.code == 0, done.err
    done.says("2 exams, 0 up to date, 0 images failed", str(mine / "report" / "index.html"))
    assert len(list((mine / "report" / "exams").glob("*.html"))) == 2
    command(*call).says("2 exams, 2 up to date")
    assert not (mine / "report" / "errors.csv").exists()
    assert not (mine / "report" / ".lock").exists()


def test_exit_codes(mine: Path, command: Callable[..., Any]) -> None:
    call = ("report", "--predictions", mine / "predictions", "--out", mine / "report")
    files = sorted((mine / "study" / "images").glob("*.png"))
    predicted = [path for path in files if (mine / "predictions" / "records" / f"{path.stem}.json").exists()]
    moved = ("--manifest", mine / "study" / "manifest.csv")
    predicted[0].unlink()
    done = command(*call, *moved)
    assert done.code == 3
    done.says("1 image failed", "errors.csv")
    for path in predicted[1:]:
        path.unlink()
    assert command(*call, *moved, "--out", mine / "other").code == 1, "nothing worked"
    assert (mine / "other" / "index.html").is_file()
    assert command("report", "--predictions", mine / "predictions", "--out", mine / "predictions").code == 2
    assert command("report", "--predictions", mine / "study", "--out", mine / "third").code == 1
    assert not (mine / "third").exists()


def test_pseudonyms_stay_pseudonyms(mine: Path, command: Callable[..., Any]) -> None:
    manifest = ("--manifest", mine / "study" / "manifest.csv", "--hash-ids", mine / "salt.txt")
    done = command("report", "--predictions", mine / "hashed", "--out", mine / "report", *manifest)
    assert done.code == 0, done.err
    texts = [path.read_text(encoding="utf-8") for path in (mine / "report").rglob("*") if path.is_file()]
    texts.append(done.out + done.err)
    plain = {path.stem for path in (mine / "study" / "images").iterdir()}
    named = {name for name in plain | {name[:6] for name in plain} if any(name in text for text in texts)}
    assert not named
    assert not any(str(mine / "study") in text for text in texts)
    assert all(re.fullmatch(r"e[0-9a-f]{12}\.html", path.name) for path in (mine / "report" / "exams").iterdir())
    alone = command("report", "--predictions", mine / "hashed", "--out", mine / "alone")
    assert alone.code == 1
    alone.says("Give the table of images with --manifest")
