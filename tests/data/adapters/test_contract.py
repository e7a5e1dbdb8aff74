"""What every adapter with a folder of its own promises: it says what it is about, and makes a manifest of two folders."""

import dataclasses
import inspect
from pathlib import Path

import pytest

from mammoseg import plugins
from mammoseg.data.about import About
from mammoseg.data.adapted import Adapted

FOLDER = "mammoseg.data.adapters"
NAMES = [name for name in plugins.names(FOLDER) if hasattr(plugins.load(FOLDER, name, needs=()), "ABOUT")]


def test_the_data_sets_are_found() -> None:
    assert {"cbis_ddsm", "inbreast", "mini_mias", "vindr_mammo", "folder"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_is_about(name: str) -> None:
    about = plugins.load(FOLDER, name, needs=("ABOUT",)).ABOUT
    assert isinstance(about, About)
    texts = [about.title, about.label_source, about.licence, about.url, about.holds, *about.defects]
    assert all(isinstance(text, str) and text.strip() == text and text for text in texts)
    assert about.defects
    assert [f.name for f in dataclasses.fields(about)] == [
        "title",
        "label_source",
        "licence",
        "defects",
        "url",
        "holds",
        "published",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_two_folders_are_enough(name: str) -> None:
    make = inspect.signature(plugins.load(FOLDER, name, needs=("make_manifest",)).make_manifest)
    needed = [p.name for p in make.parameters.values() if p.default is inspect.Parameter.empty]
    assert needed == ["root", "masks"]
    assert make.return_annotation is Adapted


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_folder_is_refused_and_stays_empty(name: str, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    with pytest.raises(ValueError, match=r"(?s)root.*Expected .*\. [A-Z]"):
        plugins.load(FOLDER, name, needs=()).make_manifest(tmp_path / "root", tmp_path / "masks")
    assert not list((tmp_path / "root").iterdir())
    assert not (tmp_path / "masks").exists()
