"""The metric of a map of A against that of B, a point for each image.

Source   The layout of Liu et al. 2021 (GLAM), Figure 8: a model with one patch against the same with three.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mammoseg.comparison.pairs import A, B
from mammoseg.records.colours import looks

_MARKS = {"solid": "o", "dashed": "x", "dotted": "s"}


def scatter(values: pd.DataFrame, title: str, names: Mapping[str, str], classes: tuple[str, ...]) -> Figure:
    """`values`: rows of `Pairs.maps` of one metric; above the line B is higher. `names`: A and B -> what they are called."""
    figure = Figure(figsize=(4.8, 5.0), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    low, high = min(0.0, float(values[[A, B]].min().min())), max(1.0, float(values[[A, B]].max().max()))
    axes.plot([low, high], [low, high], color="0.6", linewidth=1)
    for label, look in looks(classes).items():
        of = values[values["class"] == label]
        if len(of):
            above, below = int(np.count_nonzero(of[B] > of[A])), int(np.count_nonzero(of[B] < of[A]))
            text = f"{label}: B higher in {above}, lower in {below} of {len(of)} images"
            mark = _MARKS[look.line]
            axes.plot(of[A], of[B], mark, color=look.on_light, fillstyle="none", markersize=5, label=text)
    axes.set_xlabel(f"A: {names[A]}", parse_math=False)
    axes.set_ylabel(f"B: {names[B]}", parse_math=False)
    axes.set_title(f"{title} of each image", parse_math=False)
    axes.set_aspect("equal")
    legend = axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), frameon=False, fontsize="x-small")
    for words in legend.get_texts():
        words.set_parse_math(False)
    return figure
