"""Figures hold what they are given."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from mammoseg.evaluation.place_figures import froc_figure, global_against_local

NAN = float("nan")


def rows_of(**maps: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"image_id": f"i{number}", "class": "malignant", "map": name, "dice_soft": value}
            for name, values in maps.items()
            for number, value in enumerate(values)
        ]
    )


def dots(axes: Axes) -> list[list[float]]:
    return np.asarray(axes.collections[0].get_offsets()).tolist()


def test_the_local_map_where_there_is_one_else_the_final_one() -> None:
    three = rows_of(saliency=[0.3, 0.4], **{"global": [0.1, NAN]}, local=[0.9, 0.8])
    figure = global_against_local(three)
    assert figure is not None
    assert dots(figure.axes[0]) == [[0.1, 0.9]]
    assert figure.axes[0].get_ylabel() == "Dice of the local map"
    two = global_against_local(three[three["map"] != "local"])
    assert two is not None
    assert dots(two.axes[0]) == [[0.1, 0.3]]
    assert global_against_local(rows_of(saliency=[0.3])) is None
    assert global_against_local(rows_of(**{"global": [NAN], "local": [0.1]})) is None
    assert global_against_local(pd.DataFrame(columns=["image_id", "class", "map"])) is None


@pytest.mark.parametrize("label", ["malignant", "a class $with$ <signs>"])
def test_froc_curves_and_what_is_undefined(label: str) -> None:
    points = pd.DataFrame(
        {"class": label, "of": "saliency", "threshold": [0.9, 0.5], "found": [0.5, 1.0], "false_per_image": [0.0, 0.7]}
    )
    number = {"value": 0.8, "low": 0.6, "high": 0.9}
    table = {"lesions": 2, "n": 5, "caution": "caution: few", "froc_cpm": number, "froc_at_1": number}
    silent = {"lesions": 0, "n": 5, "caution": None}
    figure = froc_figure(points, {label: {"saliency": table, "findings": silent}})
    [axes] = figure.axes
    line = axes.lines[0]
    assert np.asarray(line.get_xdata())[1:3].tolist() == [0, 0.7]
    assert np.asarray(line.get_ydata()).tolist() == [0, 0.5, 1, 1]
    legend = axes.get_legend()
    assert legend is not None
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts[0] == "saliency: mean 0.800, 2 lesions in 5 images\ncaution: few"
    assert texts[1].startswith("findings: undefined")
    figure.canvas.draw()


def test_without_a_class_the_figure_says_so() -> None:
    figure = froc_figure(pd.DataFrame(), {})
    assert not figure.axes
    assert figure.texts[0].get_text() == "no lesion is drawn"
