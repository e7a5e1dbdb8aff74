"""The forest plot of breakdowns: the AUC of every group with its interval and counts, and whether groups differ."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mammoseg.evaluation.figures import shown
from mammoseg.evaluation.scores import FINAL
from mammoseg.records.colours import looks

MOST_ROWS = 80
"""More do not fit on a page; the rest is in metrics.csv."""
_ROW, _WIDTH = 0.22, 9.0  # inches
_PLOT = (0.24, 0.27)
"""Left side and width of the plot, in widths of the figure."""
_TEXTS = (1.03, 1.58, 2.03)
"""Where the columns of text begin, in widths of the plot."""
_HEADS = ("AUC (95 % interval)", "positive of all", "patients with + without")


def forest_figure(by: Mapping[str, Any], scores: Mapping[str, Any]) -> Figure | None:
    """`by` and `scores` as in metrics.json, with NaN where undefined; None without any breakdown.

    A group on few patients is drawn hollow and says so. The line across is the AUC of all cases at the same level.
    """
    rows = [row for name, each in by.items() for row in _rows(name, each, scores)]
    if not rows:
        return None
    more, rows = len(rows) - MOST_ROWS, rows[:MOST_ROWS]
    figure = Figure(figsize=(_WIDTH, 1.2 + _ROW * (len(rows) + (more > 0))), dpi=150)
    height = figure.get_figheight()
    axes = figure.add_axes((_PLOT[0], 0.55 / height, _PLOT[1], 1 - 0.7 / height))
    for x, head in zip(_TEXTS, _HEADS, strict=True):
        _text(axes, x, 1, head, style="italic")
    for place, row in enumerate(rows):
        _draw(axes, -place, row)
    if more > 0:
        _text(axes, -0.03, -len(rows), f"and {more} more rows in metrics.csv", ha="right")
    lows = [row["result"]["auc"][key] for row in rows if "result" in row for key in ("value", "low")]
    least = np.nanmin([0.5, *lows])
    axes.set(
        xlim=(max(0, np.floor(least * 20) / 20 - 0.02), 1.01), ylim=(-len(rows) + (0.5 if more <= 0 else -0.5), 1.4)
    )
    axes.set(yticks=[])
    axes.set_xlabel("AUC, 95 % interval by patient; hollow: few patients; line: all cases", fontsize=7)
    axes.tick_params(labelsize=7)
    axes.spines[["left", "right", "top"]].set_visible(False)
    return figure


def _rows(name: str, each: Mapping[str, Any], scores: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for label in each["heterogeneity"]:
        groups = {group: classes[label] for group, classes in each["values"].items()}
        look = looks(each["heterogeneity"])[label].on_light
        whole = scores[each["level"]][label][FINAL]["auc"]["value"]
        against = "; against all negatives" if each["against_all_negatives"][label] else ""
        test = _test(each["heterogeneity"][label]) + against
        found.append({"head": f"{name}: {label}, {each['level']}s", "test": test})
        found += [{"name": group, "result": result, "look": look, "whole": whole} for group, result in groups.items()]
    return found


def _test(test: Mapping[str, Any]) -> str:
    if test["reason"] is not None:
        return f"no test of a difference: {test['reason']}"
    return f"difference: p = {test['p']:.3g}, {test['p_holm']:.3g} by Holm over {test['tests']}"


def _draw(axes: Axes, place: int, row: Mapping[str, Any]) -> None:
    if "head" in row:
        _text(axes, -0.03, place, shown(row["head"]), ha="right", weight="bold")
        _text(axes, _TEXTS[0], place, row["test"])
        return
    result = row["result"]
    auc = result["auc"]
    _text(axes, -0.03, place, shown(row["name"]), ha="right")
    if not np.isnan(auc["value"]):
        hollow = result["caution"] is not None
        axes.plot([row["whole"]] * 2, [place - 0.5, place + 0.5], color="0.75", linewidth=0.8, zorder=0)
        axes.plot([auc["low"], auc["high"]], [place, place], color=row["look"], linewidth=1.2)
        fill = "white" if hollow else row["look"]
        axes.plot([auc["value"]], [place], "s", color=row["look"], markerfacecolor=fill, markersize=5)
    _text(axes, _TEXTS[0], place, _value(result))
    patients = f"{result['positive_patients']} + {result['negative_patients']}"
    remark = "; caution: few" if result["caution"] else ""
    _text(axes, _TEXTS[1], place, f"{result['positives']} of {result['n']}")
    _text(axes, _TEXTS[2], place, f"{patients}{remark}")


def _value(result: Mapping[str, Any]) -> str:
    auc = result["auc"]
    if np.isnan(auc["value"]):
        return "undefined"
    interval = "no interval" if np.isnan(auc["low"]) else f"{auc['low']:.3f} to {auc['high']:.3f}"
    return f"{auc['value']:.3f} ({interval})"


def _text(axes: Axes, x: float, place: float, words: str, **style: Any) -> None:
    axes.text(x, place, words, transform=axes.get_yaxis_transform(), va="center", fontsize=7, parse_math=False, **style)
