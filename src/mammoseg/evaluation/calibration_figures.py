"""The files about calibration: reliability and decision curve, each a table and the figure that is drawn from it.

Source   How a reliability curve is drawn: Bröcker and Smith 2007 (intervals); Van Calster et al. 2019.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mammoseg.calibration.stored import Calibration
from mammoseg.evaluation.calibration_cases import CALIBRATED
from mammoseg.evaluation.calibration_curves import ALL, NONE, decision_table, reliability_table
from mammoseg.evaluation.figures import shown
from mammoseg.evaluation.method import Method
from mammoseg.evaluation.scores import FINAL
from mammoseg.io.cells import write_csv
from mammoseg.io.figures import FIGURE_KINDS, write_figure
from mammoseg.records.colours import looks

FIGURES = ("reliability", "decision_curve")
CALIBRATIONS = tuple(f"{name}.{kind}" for name in FIGURES for kind in ("csv", *FIGURE_KINDS))
"""What `write_calibration` writes."""

_SIZE = 4.2
_NAMES = {FINAL: "score as it is", CALIBRATED: "calibrated"}


def write_calibration(
    out: Path, table: pd.DataFrame, method: Method, calibration: Calibration | None, numbers: Mapping[str, Any]
) -> None:
    """Write both into `out`: of the cases of `table` (a level of `level_tables`), `numbers` of `calibration_numbers`."""
    reliability = reliability_table(table, method.classes, calibration)
    decision = decision_table(table, method.classes, method, calibration)
    figures = (reliability_figure(reliability, numbers), decision_figure(decision, numbers))
    for name, rows, figure in zip(FIGURES, (reliability, decision), figures, strict=True):
        write_csv(out / f"{name}.csv", rows)
        write_figure(out, name, figure)


def reliability_figure(table: pd.DataFrame, numbers: Mapping[str, Any]) -> Figure:
    """Share of positives against mean probability, in bins of as many cases each; a panel for each class.

    `table` of `reliability_table`, `numbers` of `calibration_numbers`. The score as it is is grey, the calibrated one has the
    colour of its class.
    """
    figure, panels = _panels(list(numbers))
    for (name, look), axes in zip(looks(numbers).items(), panels, strict=True):
        of_class = table[table["class"] == name]
        most = float(np.nanmax([0.02, *of_class["predicted"], *of_class["observed"]]))
        most = 1.0 if most > 0.5 else 1.15 * most
        axes.plot([0, most], [0, most], color="0.6", linewidth=1, label="perfect")
        calibrated = (of_class["source"] == CALIBRATED).any()
        for source, bins in of_class.groupby("source", sort=False):
            main = source == CALIBRATED or not calibrated
            colour = look.on_light if main else "0.45"
            error = np.clip([bins["observed"] - bins["low"], bins["high"] - bins["observed"]], 0, None)
            axes.errorbar(
                *(bins["predicted"], bins["observed"], error),
                color=colour,
                marker="o" if main else "s",
                markersize=4,
                linestyle=look.line if main else "dotted",
                linewidth=1.2,
                elinewidth=0.8,
                label=f"{_NAMES[str(source)]}: {_said(numbers[name][source])}",
            )
        _finish(axes, name, numbers[name], "mean probability in the bin", "share of positives")
        axes.set(xlim=(0, most), ylim=(0, most))
        axes.set_aspect("equal")
    return figure


def decision_figure(table: pd.DataFrame, numbers: Mapping[str, Any]) -> Figure:
    """Net benefit against the probability from which is recalled; a panel for each class. `table` of `decision_table`."""
    figure, panels = _panels(list(numbers))
    for (name, look), axes in zip(looks(numbers).items(), panels, strict=True):
        of_class = table[table["class"] == name]
        calibrated = (of_class["source"] == CALIBRATED).any()
        top = float(np.nanmax([0.0, *of_class["net_benefit"], *of_class["high"]])) or 1.0
        for source, curve in of_class.groupby("source", sort=False):
            if source in (ALL, NONE):
                style = "dashdot" if source == ALL else "solid"
                axes.plot(
                    curve["threshold"], curve["net_benefit"], color="0.6", linewidth=1, linestyle=style, label=source
                )
                continue
            main = source == CALIBRATED or not calibrated
            colour, line = (look.on_light, look.line) if main else ("0.45", "dotted")
            axes.plot(curve["threshold"], curve["net_benefit"], color=colour, linestyle=line, label=_NAMES[str(source)])
            axes.fill_between(curve["threshold"], curve["low"], curve["high"], color=colour, alpha=0.15, linewidth=0)
        _finish(axes, name, numbers[name], "recalled from this probability", "net benefit")
        last = float(of_class["threshold"].max()) if len(of_class) else 1.0
        axes.set(ylim=(-0.2 * top, 1.05 * top), xlim=(0, last))
    return figure


def _panels(classes: list[str]) -> tuple[Figure, list[Axes]]:
    count = max(1, len(classes))
    figure = Figure(figsize=(_SIZE * count, _SIZE * 1.25), dpi=150, layout="constrained")
    return figure, list(np.atleast_1d(figure.subplots(1, count)))[: len(classes)]


def _finish(axes: Axes, name: str, sources: Mapping[str, Any], across: str, upwards: str) -> None:
    """Title, axes and legend; texts of others are written as they are."""
    title = shown(name)
    counts = next(iter(sources.values()), None)
    if counts:
        title += f", {counts['positives']} of {counts['n']} {counts['level']}s positive"
        title += f",\nweighted to {counts['weighted_to']:.2%}" if counts["weighted_to"] else ""
        for why in (counts["reason"], counts["caution"]):
            title += f"\n{why}" if why else ""
    axes.set_title(title, fontsize="medium", parse_math=False)
    axes.set(xlabel=across, ylabel=upwards)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), frameon=False, fontsize="x-small")


def _said(numbers: Mapping[str, Any]) -> str:
    short = {"brier": "Brier", "slope": "slope", "intercept": "intercept"}
    known = {name: numbers[name]["value"] for name in short if name in numbers}
    return ", ".join(f"{short[name]} {value:.3f}" for name, value in known.items() if not np.isnan(value))
