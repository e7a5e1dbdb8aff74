"""The scatter figure of two models."""

import io

import pandas as pd

from mammoseg.comparison.figures import scatter

NAMES = {"A": "K = 1, $x_$", "B": "K = 3 <b>"}


def test_points_and_counts() -> None:
    values = pd.DataFrame(
        {"class": ["benign"] * 3 + ["malignant"], "A": [0.1, 0.2, 0.5, 0.3], "B": [0.2, 0.1, 0.5, 0.9]}
    )
    figure = scatter(values, "Dice", NAMES, ("benign", "malignant"))
    [axes] = figure.axes
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts == [
        "benign: B higher in 1, lower in 1 of 3 images",
        "malignant: B higher in 1, lower in 0 of 1 images",
    ]
    points = [line.get_xydata().tolist() for line in axes.lines]
    assert points[1] == [[0.1, 0.2], [0.2, 0.1], [0.5, 0.5]]
    assert points[0] == [[0, 0], [1, 1]]
    assert axes.get_xlabel() == "A: K = 1, $x_$"
    saved = io.BytesIO()
    figure.savefig(saved, format="svg")
    assert saved.getvalue()


def test_values_beyond_one_are_in_the_figure() -> None:
    values = pd.DataFrame({"class": ["malignant"] * 2, "A": [0.1, 7.0], "B": [-1.0, 0.5]})
    [axes] = scatter(values, "Distance", NAMES, ("malignant",)).axes
    assert axes.lines[0].get_xydata().tolist() == [[-1, -1], [7, 7]]
    assert axes.get_xlim()[1] > 7
