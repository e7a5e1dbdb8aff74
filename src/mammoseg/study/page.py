"""study.html: the table of a study as one page that can be sorted, with figures and what the papers print."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mammoseg.io.atomic import write_text
from mammoseg.report.pages import Kind, Pages
from mammoseg.results_page.figures import figures_in, links_to
from mammoseg.study.figures import FIGURES

NAME = "study.html"
_PAGES = Pages(
    ("mammoseg.study", "mammoseg.results_page", "mammoseg.report"),
    {"study.html": Kind(("sort.js",), ("paper.css", "study.css"))},
)
_ALT = (
    "Its numbers are in the table: means over seeds with 95 % intervals by patient; the dashed line is the reference."
)
_TITLES = {"auc": "AUC", "dice": "Dice", "pxap": "PxAP", "pointing": "peak in the lesion"}


def write_page(folder: Path, results: Mapping[str, Any]) -> None:
    """Beside study.json, whose content `results` is."""
    arms = results["arms"]
    known = dict.fromkeys(name for arm in arms.values() for name in arm["numbers"])
    numbers = [name for metric in _TITLES for name in sorted(known, reverse=True) if name.startswith(f"{metric}_")]
    values = {
        "title": results["title"],
        "about": results["about"],
        "results": results,
        "heads": [(name, _head(name)) for name in numbers],
        "rows": [_row(name, arm, numbers, results["reference"]) for name, arm in arms.items()],
        "settings": [_settings(arm) for arm in results["plan"]["arms"]],
        "figures": figures_in(folder, FIGURES, dict.fromkeys(FIGURES, _ALT)),
        "files": links_to(folder, ("study.json", "table.csv", "seeds.csv", "errors.csv")),
    }
    write_text(folder / NAME, _PAGES.render("study.html", values))


def _settings(arm: Mapping[str, Any]) -> dict[str, str]:
    """What an arm of the plan is: what it trains or shares, and the settings that are not those of the recipe."""
    rest = [f"{key}: {arm[key]}" for key in ("heatmaps", "stage", "map") if arm[key] not in (None, "saliency")]
    score = [] if arm["score"] == "final" else [f"score: {arm['score'] or 'none'}"]
    return {
        "name": arm["name"],
        "trains": arm["recipe"] or f"shares the training of {arm['run']}",
        "sets": ", ".join(arm["sets"]),
        "more": ", ".join([*(f"predicts with {each}" for each in arm["predict"]), *rest, *score]),
    }


def _head(name: str) -> str:
    metric, _, label = name.partition("_")
    return f"{_TITLES.get(metric, metric)}, {label}"


def _row(name: str, arm: Mapping[str, Any], numbers: list[str], reference: str) -> dict[str, Any]:
    costs = arm["costs"]
    peak = costs.get("peak_bytes")
    return {
        "title": arm["title"],
        "is_reference": name == reference,
        "seeds": len(arm["seeds"]),
        "cells": [_cell(arm["numbers"].get(number)) for number in numbers],
        "costs": [
            _plain(arm["training_minutes"], "{:.1f}"),
            _plain(costs.get("parameters"), "{:,}"),
            _plain(costs.get("macs_per_exam") and costs["macs_per_exam"] / 1e9, "{:.3g}"),
            _plain(costs.get("seconds_per_exam"), "{:.3g}"),
            _plain(peak and peak / 2**30, "{:.2f}"),
        ],
        "paper": [
            f"{row.partition('/')[2]} ({row.partition('/')[0].replace('_', ' ')}): "
            + ", ".join(f"{key.replace('_', ' ')} {value:g}" for key, value in values.items())
            for row, values in arm["paper"].items()
        ],
        "remarks": [
            text for text in (arm["differs"], costs.get("reason"), *arm["failed"].values(), *arm["cautions"]) if text
        ],
    }


def _cell(number: Mapping[str, Any] | None) -> dict[str, Any]:
    if number is None:
        return {"value": "", "text": "", "interval": "", "difference": "", "caution": False}
    difference = number.get("difference")
    return {
        "value": _sortable(number["value"]),
        "text": f"{number['value']:.3f}",
        "interval": _limits(number),
        "difference": f"{difference['value']:+.3f}{_limits(difference, '+')}" if difference else "",
        "caution": bool(number.get("caution")),
    }


def _limits(number: Mapping[str, Any], sign: str = "") -> str:
    if math.isnan(number["low"]):
        return " (no interval)"
    return f" ({number['low']:{sign}.3f} to {number['high']:{sign}.3f})"


def _plain(value: float | None, form: str) -> dict[str, str]:
    return {"value": "", "text": "-"} if value is None else {"value": _sortable(value), "text": form.format(value)}


def _sortable(value: float) -> str:
    return "" if math.isnan(value) else repr(float(value))
