"""Figures of matplotlib as files."""

from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from mammoseg.io.figures import FIGURE_KINDS, save_figure


@pytest.mark.parametrize("kind", FIGURE_KINDS)
def test_the_kind_decides_and_not_the_name_nor_the_day(tmp_path: Path, kind: Any, monkeypatch: Any) -> None:
    files = []
    for epoch in ("0", "1000000000"):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
        figure = Figure(figsize=(2, 1))
        figure.text(0.1, 0.5, "some words")
        save_figure(figure, tmp_path / "figure.x", kind)
        files.append((tmp_path / "figure.x").read_bytes())
    assert files[0] == files[1]
    assert files[0].startswith({"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}[kind])
