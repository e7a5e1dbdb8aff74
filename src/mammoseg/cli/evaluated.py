"""What `mammoseg evaluate` prints."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mammoseg.cli.tables import print_table


def told(found: Mapping[Path, Mapping[str, Any]], spread: Sequence[Any], by: Sequence[str]) -> None:
    """The numbers of each evaluation by its folder, their spread if there are several, and every caution."""
    from mammoseg.evaluation.spread import spread_table

    if len(found) > 1:
        print_table(spread_table(spread, next(iter(found.values()))["titles"]))
    if len({metrics["n_images"] for metrics in found.values()}) > 1:
        print("Caution: the models were evaluated on different images, since some have failed or are missing.")
    for place, metrics in found.items():
        _one(metrics, by, alone=len(found) == 1)
        print(f"All numbers: {place / 'metrics.json'}, as a page: {place / 'report.html'}")


def _one(metrics: Mapping[str, Any], by: Sequence[str], alone: bool) -> None:
    from mammoseg.evaluation.calibration import calibration_table, stored_point_table
    from mammoseg.evaluation.tables import breakdown_table, heterogeneity_lines, point_table, summary_table

    if table := metrics.get("table"):
        values = ", ".join(f"{kind} {_values(said)}" for kind, said in table["label_values"].items() if said)
        print(f"Scores: {table['score']} ({'; '.join(table['notes'])}). Labels: {table['label']} ({values}).")
    if alone:
        print_table(summary_table(metrics))
    if metrics.get("operating_points"):
        level = metrics["curves"]["level"]
        print(f"\nOperating points by {level}; those chosen on these cases look better than they will be:")
        print_table(point_table(metrics, level))
    if rows := calibration_table(metrics.get("calibration", {})):
        print("\nAs probabilities (right: slope 1, intercept 0, observed / expected 1):")
        print_table(rows)
    if rows := stored_point_table(metrics.get("calibration", {})):
        print("\nAt the operating point that is stored with the calibration:")
        print_table(rows)
    for column in by:
        print(f"\nBy {column}, a row for each value and class; cases are {metrics['by'][column]['level']}s:")
        print_table(breakdown_table(metrics, column))
        for line in heterogeneity_lines(metrics, column):
            print(line)
    if by:
        print("Groups were not compared in advance of looking: of 20 equal ones, one differs by chance at p < 0.05.")
    _cautions(metrics)


def _values(said: Mapping[str, int]) -> str:
    shown = ", ".join(f"{value or 'empty'} {count} times" for value, count in list(said.items())[:5])
    return f"{shown} and {len(said) - 5} more" if len(said) > 5 else shown


def _cautions(metrics: Mapping[str, Any]) -> None:
    if learned := metrics["n_of_training"]:
        print(f"Caution: from patients of {learned} of {metrics['n_images']} images the model has learned.")
    window = metrics["window"]
    if window and (below := window["images_below"]):
        print(f"Caution: on {below} of {metrics['n_images']} images the model saw too little of the breast.")
    if one := metrics.get("n_breasts_one_view"):
        print(f"Of {one} of {metrics['n_breasts']} breasts one view alone has a score.")
    if (failed := metrics["n_failed"]) and metrics.get("table"):
        print(f"Caution: {failed} cases have no score and are left out: the numbers are those of the others.")
