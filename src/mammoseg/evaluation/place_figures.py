"""Figures about places: FROC curves, and the Dice of every image by one map against another."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mammoseg.evaluation.figures import shown
from mammoseg.evaluation.maps import GLOBAL, LOCAL, SALIENCY
from mammoseg.metrics.froc import RATES
from mammoseg.records.colours import Look, looks

_DICE = "dice_soft"
_LINES = ("solid", "dashed", "dotted", "dashdot")


def froc_figure(points: pd.DataFrame, results: Mapping[str, Any]) -> Figure:
    """A panel for each class, a curve for each source of marks. `points`: of `froc_points`; `results`: class -> source -> table.

    Non-lesion localisations per image are on a logarithmic axis from 1/8 to 8; bars are the intervals of the final map there.
    Without a class the figure says so.
    """
    figure, panels = _panels(list(results))
    for label, look in looks(results).items():
        axes = panels[label]
        for number, (name, table) in enumerate(results[label].items()):
            curve = points[(points["class"] == label) & (points["of"] == name)]
            line = _LINES[number % len(_LINES)]
            _curve(axes, curve, name, table, look.on_light if number == 0 else "0.35", line, number == 0)
        _bars(axes, results[label].get(SALIENCY, {}), look)
        axes.set(xscale="log", xlim=(RATES[0] / 1.1, RATES[-1] * 1.1), ylim=(-0.02, 1.02))
        axes.set_title(shown(label), parse_math=False)
        axes.set(xlabel="non-lesion localisations per image", ylabel="share of lesions found")
        axes.set_xticks(RATES, ["1/8", "1/4", "1/2", "1", "2", "4", "8"])
        axes.minorticks_off()
        _legend(axes)
    return figure


def global_against_local(rows: pd.DataFrame) -> Figure | None:
    """Liu et al. 2021 (arXiv:2106.07049), Fig. 4: the soft Dice of each image by the global map, and by the local one or, where a
    model has none, the final one. `rows` as of `Localised`; None: no image has both."""
    other = LOCAL if (rows["map"] == LOCAL).any() else SALIENCY
    pairs = {}
    for label, of_class in rows.groupby("class", sort=False):
        first, second = (of_class[of_class["map"] == name].set_index("image_id") for name in (GLOBAL, other))
        if _DICE in rows and len(first) and len(second):
            pairs[str(label)] = pd.DataFrame({"x": first[_DICE], "y": second[_DICE]}).dropna()
    pairs = {label: pair for label, pair in pairs.items() if len(pair)}
    return dice_scatter(pairs, "Dice of the global map", f"Dice of the {_NAMES[other]} map") if pairs else None


def dice_scatter(pairs: Mapping[str, pd.DataFrame], across: str, upwards: str) -> Figure:
    """A panel for each class, a point (x, y) for each image; above the line the second is better."""
    figure, panels = _panels(list(pairs))
    for label, look in looks(pairs).items():
        axes, pair = panels[label], pairs[label]
        axes.plot([0, 1], [0, 1], color="0.6", linewidth=1)
        axes.scatter(pair["x"], pair["y"], s=12, color=look.on_light, alpha=0.6, linewidths=0)
        above = int((pair["y"] > pair["x"]).sum())
        axes.set(xlim=(0, 1), ylim=(0, 1), title=f"{shown(label)}: above the line {above} of {len(pair)} images")
        axes.set_xlabel(across, parse_math=False)
        axes.set_ylabel(upwards, parse_math=False)
        axes.set_aspect("equal")
        axes.title.set_parse_math(False)
    return figure


_NAMES = {LOCAL: "local", SALIENCY: "final"}


def _panels(labels: Sequence[str]) -> tuple[Figure, dict[str, Axes]]:
    figure = Figure(figsize=(4.4 * max(len(labels), 1), 4.8), dpi=150, layout="constrained")
    if not labels:
        figure.text(0.5, 0.5, "no lesion is drawn", ha="center")
    return figure, {label: figure.add_subplot(1, len(labels), i) for i, label in enumerate(labels, start=1)}


def _curve(
    axes: Axes, curve: pd.DataFrame, name: str, table: Mapping[str, Any], colour: str, line: str, first: bool
) -> None:
    if not table["lesions"]:
        axes.plot([], [], " ", label=f"{shown(name)}: undefined (no image with a drawn lesion)")
        return
    x = np.array([1e-9, *curve["false_per_image"], 2 * RATES[-1]])
    y = np.array([0.0, *curve["found"], curve["found"].max()])
    cpm = table.get("froc_cpm")
    text = f": mean {cpm['value']:.3f}, {table['lesions']} lesions in {table['n']} images" if cpm else ""
    text += f"\n{table['caution']}" if first and table["caution"] else ""
    axes.plot(x, y, drawstyle="steps-post", color=colour, linestyle=line, linewidth=1.2, label=f"{shown(name)}{text}")


def _bars(axes: Axes, table: Mapping[str, Any], look: Look) -> None:
    for rate in RATES:
        number = table.get(f"froc_at_{rate:g}")
        if number and not np.isnan(number["low"]):
            axes.plot([rate, rate], [number["low"], number["high"]], color=look.on_light, alpha=0.5)


def _legend(axes: Axes) -> None:
    legend = axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), frameon=False, fontsize="x-small")
    for text in legend.get_texts():
        text.set_parse_math(False)
