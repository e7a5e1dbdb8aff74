"""A figure of a study: a number of every arm with its interval, and that of the reference as a line."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from mammoseg.evaluation.figures import shown as shown_name

FIGURES = {"auc_malignant": "AUC of malignant findings", "dice_malignant": "Dice of malignant lesions"}
"""Numbers that have a figure, where an arm has them."""
_COLOUR, _LINE = "#0072B2", "0.6"


def forest(arms: Mapping[str, Any], number: str, title: str, reference: str) -> Figure | None:
    """Dots are the means over seeds, small circles single seeds, bars 95 % intervals by patient. None: no arm has this number."""
    shown = [(arm["title"], arm["numbers"][number], name) for name, arm in arms.items() if number in arm["numbers"]]
    if not shown:
        return None
    figure = Figure(figsize=(7.5, 1.2 + 0.32 * len(shown)), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    for place, (_, found, name) in enumerate(shown):
        if name == reference:
            axes.axvline(found["value"], color=_LINE, linewidth=0.8, linestyle="--")
        if not np.isnan(found["low"]):
            axes.plot([found["low"], found["high"]], [place, place], color=_COLOUR, linewidth=1.4)
        axes.plot(
            found["of_seeds"], [place] * len(found["of_seeds"]), "o", color=_COLOUR, markersize=3, fillstyle="none"
        )
        axes.plot([found["value"]], [place], "s", color=_COLOUR, markersize=5)
    axes.set_yticks(range(len(shown)), [shown_name(title).replace("$", r"\$") for title, _, _ in shown], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel(title)
    return figure
