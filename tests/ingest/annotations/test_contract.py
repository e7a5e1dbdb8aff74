"""What every format promises: it says what it is, and refuses every other file with a reason."""

import inspect
import os
from pathlib import Path
from typing import Any

import pytest

from mammoseg import plugins
from mammoseg.config import Config
from mammoseg.ingest.annotation import NAMED, UID, AnnotationError
from mammoseg.io.errors import ImageReadError

PLUGINS = Path(__file__).parents[2] / "plugins"
TOY = "my_lab.annotations.toy"
NAMES = [*plugins.names(plugins.ANNOTATIONS), TOY]


@pytest.fixture(autouse=True)
def lab(monkeypatch: pytest.MonkeyPatch) -> None:
    """The working directory holds the plug-ins of others."""
    monkeypatch.chdir(PLUGINS)


@pytest.fixture(params=NAMES)
def plugin(request: pytest.FixtureRequest) -> Any:
    return plugins.load(plugins.ANNOTATIONS, request.param)


def test_the_formats_are_found() -> None:
    assert {"coco", "dicom_seg", "dicom_sr", "labelme", "nifti", "nrrd", "yolo"} <= set(NAMES)


def test_it_says_what_it_is(plugin: Any) -> None:
    assert plugin.TITLE
    assert "\n" not in plugin.TITLE
    assert plugin.IMAGES in (NAMED, UID)
    assert isinstance(plugin.Options(), Config)
    assert list(inspect.signature(plugin.read).parameters) == ["path", "options"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 1000,
        b"{",
        b"[[[[",
        b"\xff\xfe\x00",
        b"NRRD0004\n\n",
        b"\x1f\x8b\x08\0" + b"\0" * 100,
        bytes(128) + b"DICM",
    ],
)
def test_another_file_is_refused(plugin: Any, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    try:
        found = plugin.read(path, plugin.Options())
    except (AnnotationError, ImageReadError):
        return
    assert found == []


def test_a_pipe_and_a_file_that_is_not_there_are_refused(plugin: Any, tmp_path: Path) -> None:
    if plugin.__name__ == TOY:
        pytest.skip("reads what it is given")
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path / "nothing"):
        with pytest.raises((AnnotationError, ImageReadError, OSError)):
            plugin.read(path, plugin.Options())


def test_the_toy_draws_circles(bring: Any, study: Any, mask_of: Any) -> None:
    (study.folder / "circles.csv").write_text("picture,what,x,y,radius\nleft.png,benign,64,80,10\n")
    assert mask_of(bring(TOY, study.folder), "left", "benign").sum() == 316
