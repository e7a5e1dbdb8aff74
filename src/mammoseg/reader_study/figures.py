"""The figures of a reader study, like figures 4, 5, 6 and 12 of the GMIC paper (Shen et al. 2021), and the tables behind them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mammoseg.reader_study.curves import curve_rows
from mammoseg.statistics.ranking import Floats

_GREY, _BLACK = "#9a9a9a", "#000000"
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#B8A800", "#56B4E9")
_LINES = ("-", "--", ":", "-.")
_AXES = {"roc": ("1 - specificity", "sensitivity"), "pr": ("recall", "precision")}
_LEGEND = 8
"""Models that have a line of their own; of more nobody could tell the lines apart."""


def curves_figure(
    labels: Floats, readers: Mapping[str, Floats], models: Mapping[str, Floats], title: str, average: str
) -> tuple[Figure, pd.DataFrame]:
    """ROC and precision-recall curves of readers (grey), their average (black) and models; the points as a table."""
    table = pd.DataFrame(curve_rows(labels, readers, models, average))
    figure = Figure(figsize=(9, 4.9), dpi=150, layout="constrained")
    for axes, (curve, names) in zip(figure.subplots(1, 2), _AXES.items(), strict=True):
        drawn = table[table["curve"] == curve]
        for name, points in drawn[drawn["kind"] == "reader"].groupby("of", sort=False):
            label = "each reader" if name == next(iter(readers)) else None
            _line(axes, curve, points, color=_GREY, linewidth=0.6, label=label)
        shown = list(models)[:_LEGEND]
        for number, name in enumerate(shown):
            look = {"color": _COLOURS[number % len(_COLOURS)], "linestyle": _LINES[number // len(_COLOURS)]}
            _line(axes, curve, drawn[(drawn["kind"] == "model") & (drawn["of"] == name)], label=_short(name), **look)
        _line(axes, curve, drawn[drawn["kind"] == "average"], color=_BLACK, linewidth=1.8, label=average)
        axes.set(xlabel=names[0], ylabel=names[1], xlim=(0, 1), ylim=(0, 1))
        axes.set_aspect("equal")
    figure.suptitle(_plain(title), fontsize="medium")
    handles, texts = axes.get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside lower center", ncols=3, frameon=False, fontsize="x-small")
    return figure, table


def weighing_figure(found: Mapping[str, Mapping[str, Any]], titles: Mapping[str, str]) -> tuple[Figure, pd.DataFrame]:
    """Model -> metric -> `curve` over lambda: means over readers and a band of one standard deviation; the points as a table."""
    metrics = list(next(iter(found.values())))
    figure = Figure(figsize=(9, 4.6), dpi=150, layout="constrained")
    rows: list[dict[str, Any]] = []
    for axes, metric in zip(figure.subplots(1, len(metrics)), metrics, strict=True):
        for number, (model, weighing) in enumerate(found.items()):
            curve = {key: np.array(values) for key, values in weighing[metric]["curve"].items()}
            rows += _weighing_rows(model, metric, curve)
            if number >= _LEGEND:
                continue
            look = {"color": _COLOURS[number % len(_COLOURS)], "linestyle": _LINES[number // len(_COLOURS)]}
            axes.plot(curve["lambda"], curve["value"], label=_short(model), **look)
            low, high = curve["value"] - curve["std"], curve["value"] + curve["std"]
            axes.fill_between(curve["lambda"], low, high, color=look["color"], alpha=0.12, linewidth=0)
        axes.set(xlabel="lambda: 0 is the model alone, 1 the reader alone", ylabel=titles[metric], xlim=(0, 1))
    handles, texts = axes.get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside lower center", ncols=3, frameon=False, fontsize="x-small")
    return figure, pd.DataFrame(rows)


def _line(axes: Axes, curve: str, points: pd.DataFrame, **look: Any) -> None:
    """A precision-recall curve is drawn as the steps that average precision counts."""
    axes.plot(points["x"], points["y"], drawstyle="steps-pre" if curve == "pr" else "default", **look)


def _weighing_rows(model: str, metric: str, curve: Mapping[str, Floats]) -> Sequence[dict[str, Any]]:
    points = zip(*(values.tolist() for values in curve.values()), strict=True)
    return [{"model": model, "metric": metric, **dict(zip(curve, point, strict=True))} for point in points]


def _short(name: str) -> str:
    return _plain(name if len(name) <= 30 else f"{name[:29]}…")


def _plain(text: str) -> str:
    """Names of others are no mathematics, and a legend shows no name that begins with _."""
    return f" {text}".replace("$", r"\$") if text.startswith("_") else text.replace("$", r"\$")
