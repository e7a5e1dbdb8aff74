"""The ROC figure of an evaluation."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from mammoseg.evaluation.scores import FINAL, score_column
from mammoseg.io.atomic import atomic_path
from mammoseg.io.figures import FIGURE_KINDS, save_figure
from mammoseg.records.colours import looks


def roc_figure(breasts: pd.DataFrame, results: Mapping[str, Any]) -> Figure:
    """ROC curve of every class. `breasts`: table of `breast_table`; `results`: class -> source -> `ranking`.

    Colours and line styles are those of all figures. A class whose AUC is undefined has no curve, and the legend says why.
    """
    figure = Figure(figsize=(4.8, 4.8), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1, label="chance")
    for label, look in looks(results).items():
        result = results[label][FINAL]
        if result["reason"] is not None:
            axes.plot([], [], " ", label=f"{label}: undefined ({result['reason']})")
            continue
        known = breasts[breasts[label].notna()]
        false_rate, true_rate, _ = roc_curve(known[label], known[score_column(FINAL, label)])
        axes.plot(
            false_rate, true_rate, linestyle=look.line, color=look.on_light, label=f"{label}: {_auc_text(result)}"
        )
    axes.set(xlabel="1 - specificity", ylabel="sensitivity", title="ROC by breast", xlim=(0, 1), ylim=(0, 1))
    axes.set_aspect("equal")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), frameon=False, fontsize="x-small")
    return figure


def _auc_text(result: Mapping[str, Any]) -> str:
    auc = result["auc"]
    interval = " (no interval)" if np.isnan(auc["low"]) else f" (95 % {auc['low']:.3f} to {auc['high']:.3f})"
    caution = f"\n{result['caution']}" if result["caution"] else ""
    return f"AUC {auc['value']:.3f}{interval}, {result['positives']} of {result['n']} breasts positive{caution}"


def write_figure(folder: Path, name: str, figure: Figure) -> None:
    """Save as `name`.png, .pdf and .svg: one for the screen, two for papers."""
    for kind in FIGURE_KINDS:
        with atomic_path(folder / f"{name}.{kind}") as temporary:
            save_figure(figure, temporary, kind)
