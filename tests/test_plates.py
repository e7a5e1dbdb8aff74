"""`mammoseg figure`: from predictions folders to a file."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def figure(dicom_exams: Path, command: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """`figure("name.pdf", ...)` of two images of a plain exam, into a folder of its own."""

    def run(name: str, *arguments: object, folder: Path = dicom_exams / "predictions") -> Any:
        images = ("--image", "exam0_R-CC", "--image", "exam0_L-MLO")
        return command("figure", "--predictions", folder, *images, "--out", tmp_path / name, *arguments)

    return run


@pytest.mark.parametrize(("kind", "start"), [("pdf", b"%PDF"), ("svg", b"<?xml"), ("png", b"\x89PNG")])
def test_kinds_of_files(figure: Callable[..., Any], tmp_path: Path, kind: str, start: bytes) -> None:
    done = figure(f"new/a.{kind}", "--width-mm", "80")
    assert done.code == 0, done.err
    assert (tmp_path / "new" / f"a.{kind}").read_bytes().startswith(start)
    if kind == "pdf":
        assert b"/FontFile2" in (tmp_path / "new" / "a.pdf").read_bytes()  # embedded
    if kind == "svg":
        assert "exam0_R-CC" in (tmp_path / "new" / "a.svg").read_text()


def test_several_models_stand_side_by_side_under_their_names(
    figure: Callable[..., Any], dicom_exams: Path, tmp_path: Path
) -> None:
    other = shutil.copytree(dicom_exams / "predictions", tmp_path / "other")
    done = figure("a.svg", "--predictions", other, "--name", "GLAM", "--name", "GMIC", "--width-mm", "120")
    assert done.code == 0, done.err
    drawn = (tmp_path / "a.svg").read_text()
    assert drawn.count("GLAM") == drawn.count("GMIC") > 0
    assert figure("b.svg", "--predictions", other, "--name", "GLAM").code == 1
    assert figure("b.svg", "--predictions", other, "--width-mm", "120").code == 0
    assert "spots 2" in (tmp_path / "b.svg").read_text()


def test_what_is_wrong_is_told_and_nothing_is_written(figure: Callable[..., Any], tmp_path: Path) -> None:
    for name, more, words in (
        ("a.gif", (), "no kind of figure"),
        ("a.pdf", ("--image", "no_such"), "has no prediction"),
        ("a.pdf", ("--width-mm", "25"), "too narrow"),
    ):
        done = figure(name, *more)
        assert done.code == 1
        done.says(words)
    assert not list(tmp_path.iterdir())
