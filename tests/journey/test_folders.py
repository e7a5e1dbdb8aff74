"""The folder a command writes to: one command at a time, and the same folder until the end."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mammoseg.data.manifest import Manifest
from mammoseg.io.outputs import writing_to
from mammoseg.io.runs import save_prediction

Command = Callable[..., Any]


def test_a_folder_in_use_is_refused(here: Path, phantom_study: Manifest, trained_run: Path, command: Command) -> None:
    predict = ("predict", "--checkpoint", trained_run, "--manifest", phantom_study.path, "--split", "test")
    assert command(*predict, "--out", "predictions", "--no-overlays").code == 0
    with writing_to(here / "out"):
        for verb in (
            ("demo",),
            ("phantom", "--exams", 1),
            ("prepare", "--recipe", "glam_small", "--manifest", phantom_study.path),
            ("train", "--recipe", "glam_small", "--manifest", phantom_study.path, "--overwrite"),
            predict,
            ("evaluate", "--predictions", "predictions", "--manifest", phantom_study.path, "--split", "test"),
            ("import-weights", "published.p"),
        ):
            done = command(*verb, "--out", "out")
            assert (done.code, done.out) == (1, ""), verb
            done.says("mammoseg: out: another mammoseg command is writing to this folder", "Wait until it has ended")
        assert [path.name for path in (here / "out").iterdir()] == [".lock"]
    assert not (here / "out" / ".lock").exists()


def test_phantoms_that_are_being_written_are_not_deleted(here: Path, command: Command) -> None:
    make = ("phantom", "--exams", 1, "--out", "study", "--workers", 1, "--set", "rows=208", "--set", "columns=160")
    assert command(*make).code == 0
    with writing_to(here / "study"):
        assert command(*make, "--overwrite").code == 1
    assert (here / "study" / "manifest.csv").is_file()


def test_a_folder_that_is_removed_meanwhile_is_a_failure(
    here: Path, phantom_study: Manifest, trained_run: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(folder: Path, prediction: Any) -> None:
        shutil.rmtree(folder)
        save_prediction(folder, prediction)

    monkeypatch.setattr("mammoseg.inference.pipeline.save_prediction", save)
    arguments = ("--checkpoint", trained_run, "--manifest", phantom_study.path, "--no-overlays", "--out", "out")
    done = command("predict", *arguments)
    assert (done.code, done.out) == (1, "")
    done.says("mammoseg: out: was removed, moved or replaced while this command wrote to it", "again")
