"""The ROC and precision-recall figures of an evaluation."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mammoseg.evaluation.curves import Drawn
from mammoseg.evaluation.scores import FINAL
from mammoseg.records.colours import looks

_LONGEST = 40  # characters of a name


def roc_figure(curves: Mapping[str, Drawn], results: Mapping[str, Any], level: str = "breast") -> Figure:
    """ROC curve of every class, with its band. `results`: class -> source -> `ranking`.

    Colours and line styles are those of all figures. A class whose AUC is undefined has no curve, and the legend says why.
    """
    figure, axes = _square(f"ROC by {level}", "1 - specificity", "sensitivity")
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1, label="chance")
    _draw(axes, curves, results, level, "auc", "AUC", "default")
    return _with_legend(figure, axes)


def pr_figure(curves: Mapping[str, Drawn], results: Mapping[str, Any], level: str = "breast") -> Figure:
    """Precision-recall curve of every class, as `roc_figure`; the level of chance is the share of positives."""
    figure, axes = _square(f"Precision and recall by {level}", "recall (sensitivity)", "precision (PPV)")
    for label, look in looks(results).items():
        if label in curves:
            axes.axhline(curves[label].prevalence, color=look.on_light, linewidth=0.6, alpha=0.6)
    _draw(axes, curves, results, level, "average_precision", "AP", "steps-pre")
    return _with_legend(figure, axes)


def shown(name: str) -> str:
    """A name of somebody else in a figure: on one line, and not longer than it."""
    text = " ".join(name.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _square(title: str, across: str, upwards: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(4.8, 4.8), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlabel=across, ylabel=upwards, title=title, xlim=(0, 1), ylim=(0, 1))
    axes.set_aspect("equal")
    return figure, axes


def _draw(
    axes: Axes,
    curves: Mapping[str, Drawn],
    results: Mapping[str, Any],
    level: str,
    metric: str,
    title: str,
    style: Any,
) -> None:
    for label, look in looks(results).items():
        result = results[label][FINAL]
        if label not in curves:
            axes.plot([], [], " ", label=f"{shown(label)}: undefined ({result['reason']})")
            continue
        drawn = curves[label]
        legend = f"{shown(label)}: {_value_text(result, metric, title, level)}"
        x, y = np.append(0, drawn.curve.x), np.append(drawn.curve.y[0], drawn.curve.y)
        axes.plot(x, y, linestyle=look.line, color=look.on_light, drawstyle=style, label=legend)
        if drawn.band is not None and not np.isnan(drawn.band.low).any():
            step: Any = None if style == "default" else "pre"
            axes.fill_between(
                drawn.band.x, drawn.band.low, drawn.band.high, color=look.on_light, alpha=0.15, linewidth=0, step=step
            )


def _value_text(result: Mapping[str, Any], metric: str, title: str, level: str) -> str:
    number = result[metric]
    interval = " (no interval)" if np.isnan(number["low"]) else f" (95 % {number['low']:.3f} to {number['high']:.3f})"
    caution = f"\n{result['caution']}" if result["caution"] else ""
    return f"{title} {number['value']:.3f}{interval}, {result['positives']} of {result['n']} {level}s positive{caution}"


def _with_legend(figure: Figure, axes: Axes) -> Figure:
    legend = axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), frameon=False, fontsize="x-small")
    for text in legend.get_texts():
        text.set_parse_math(False)
    return figure
