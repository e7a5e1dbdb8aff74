"""What a terminal shows of a study."""

from collections.abc import Mapping
from typing import Any

_SHOWN = {"auc": "AUC", "dice": "Dice", "pointing": "peak in the lesion"}


def summary(results: Mapping[str, Any]) -> list[dict[str, str]]:
    """A row for each arm that has been tested: AUC, Dice and pointing of all classes, the AUC with its interval."""
    labels = dict.fromkeys(name.partition("_")[2] for arm in results["arms"].values() for name in arm["numbers"])
    return [_row(arm, [*labels]) for arm in results["arms"].values() if arm["seeds"]]


def _row(arm: Mapping[str, Any], labels: list[str]) -> dict[str, str]:
    row = {"system": arm["title"], "seeds": str(len(arm["seeds"]))}
    for metric, title in _SHOWN.items():
        for label in labels:
            number = arm["numbers"].get(f"{metric}_{label}")
            interval = number is not None and metric == "auc" and number["low"] == number["low"]
            limits = f" ({number['low']:.3f} to {number['high']:.3f})" if number and interval else ""
            row[f"{title}, {label}"] = f"{number['value']:.3f}{limits}" if number else "-"
    minutes = arm["training_minutes"]
    row["minutes"] = "-" if minutes is None else f"{minutes:.1f}"
    return row
