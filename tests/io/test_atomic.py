"""Files are replaced whole or not at all."""

import json
from pathlib import Path

import numpy as np
import pytest

from mammoseg.io.atomic import atomic_path, write_json, write_text


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_replaces_the_file_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.csv"
    with atomic_path(path) as temporary:
        assert temporary.parent == path.parent
        assert temporary.suffix == ".csv"
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert names(path.parent) == ["a.csv"]


def test_keeps_the_old_file_on_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail() -> None:
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_block_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "a.txt"):
        pass
    assert names(tmp_path) == []


def test_text_has_unix_line_ends_and_utf8(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "ä\nb")
    assert (tmp_path / "a.txt").read_bytes() == "ä\nb".encode()


def test_json_without_nan(tmp_path: Path) -> None:
    value = {"a": float("nan"), "b": [1, np.float32(0.5), np.int64(3), np.array([1.0, np.inf])], "c": (None, "ä", True)}
    write_json(tmp_path / "a.json", value)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"a": None, "b": [1, 0.5, 3, [1.0, None]], "c": [None, "ä", True]}
    assert text.startswith('{\n  "a": null')


def test_json_refuses_what_has_no_form(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_json(tmp_path / "a.json", {"a": Path("b")})
    assert names(tmp_path) == []
