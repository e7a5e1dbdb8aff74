"""Figures of an evaluation in its page: each once, under the longest name that fits, and not without end."""

import logging
from pathlib import Path

import pytest

from mammoseg.results_page.figures import MOST_FIGURES, figures_in

SVG = "<svg xmlns='http://www.w3.org/2000/svg'/>"


def test_a_figure_is_under_the_longest_title_that_fits(tmp_path: Path) -> None:
    for name in ("scatter_dice", "scatter_dice_best_benign", "other"):
        (tmp_path / f"{name}.svg").write_text(SVG)
    titles = {"scatter_dice": "Dice", "scatter_dice_best": "Best Dice"}
    found = figures_in(tmp_path, titles, {})
    assert [figure.title for figure in found] == ["Dice", "Best Dice benign"]
    assert all(figure.data.startswith("data:image/svg+xml;base64,") for figure in found)


def test_more_figures_than_a_page_holds_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(MOST_FIGURES + 2):
        (tmp_path / f"roc_{number:03}.svg").write_text(SVG)
    with caplog.at_level(logging.WARNING):
        assert len(figures_in(tmp_path, {"roc": "ROC"}, {})) == MOST_FIGURES
    assert f"{MOST_FIGURES} figures of {MOST_FIGURES + 2} are in the page" in caplog.text
