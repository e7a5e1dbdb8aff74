"""compare.json as tables: every number as a row (compare.csv), and the same as text."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from mammoseg.wording import p_value

Row = dict[str, Any]
SCORES, POINTS, MAPS = "scores", "operating points", "maps"
_COUNTS = ("a_alone", "b_alone", "higher", "lower")


def all_rows(results: Mapping[str, Any]) -> list[Row]:
    """One row for each difference: table, level, class, of, metric, a, b, value, low, high, p, p_holm, test, n, ..."""
    return [*_score_rows(results), *_point_rows(results), *_map_rows(results)]


def text_rows(results: Mapping[str, Any], brief: bool = False) -> dict[str, list[dict[str, str]]]:
    """Kind and level -> rows as text: class, metric, A, B, B - A with its interval, p, p by Holm, cases, remarks.

    `brief`: scores and points of breasts, where there are breasts, and only the remarks without which no number stands.
    """
    tables: dict[str, list[dict[str, str]]] = {}
    main = "breast" if "breast" in results["scores"] else "image"
    for row in all_rows(results):
        if not brief or row["table"] == MAPS or row["level"] == main:
            title = f"{row['table'].capitalize()} by {row['level']}" if row["table"] != MAPS else "Maps"
            tables.setdefault(title, []).append(_text(row, results["titles"], brief))
    return tables


def _score_rows(results: Mapping[str, Any]) -> Iterator[Row]:
    for level, classes in results["scores"].items():
        for label, numbers in classes.items():
            for metric, number in numbers.items():
                yield _flat({"table": SCORES, "level": level, "class": label, "of": "final", "metric": metric}, number)


def _point_rows(results: Mapping[str, Any]) -> Iterator[Row]:
    for level, classes in results["operating_points"].items():
        for label, points in classes.items():
            for name, point in points.items():
                thresholds = {key: value for key, value in point.items() if not isinstance(value, Mapping)}
                for metric in ("sensitivity", "specificity"):
                    about = {"table": POINTS, "level": level, "class": label, "of": name, "metric": metric}
                    yield _flat(about | thresholds, point[metric])


def _map_rows(results: Mapping[str, Any]) -> Iterator[Row]:
    for label, numbers in results["maps"].items():
        for metric, number in numbers.items():
            yield _flat({"table": MAPS, "level": "image", "class": label, "of": "saliency", "metric": metric}, number)


def _flat(about: Row, number: Mapping[str, Any]) -> Row:
    """What lies one level deeper has a column of its own: `bootstrap_low`."""
    row = dict(about)
    for key, value in number.items():
        row |= {f"{key}_{name}": each for name, each in value.items()} if isinstance(value, Mapping) else {key: value}
    return row


def _text(row: Row, titles: Mapping[str, str], brief: bool) -> dict[str, str]:
    at = {"at": row["of"]} if row["table"] == POINTS else {}
    interval = ""
    if not pd.isna(row["low"]):
        interval = f" ({row['low']:+.3f} to {row['high']:+.3f})"
    several = f" of {row['holm_of']}" if row["holm_of"] > 1 else ""
    return {
        "class": row["class"],
        **at,
        "metric": titles.get(row["metric"], row["metric"]),
        "A": _number(row["a"]),
        "B": _number(row["b"]),
        "B - A": "undefined" if pd.isna(row["value"]) else f"{row['value']:+.3f}{interval}",
        "p": p_value(row["p"]),
        "p, Holm": f"{p_value(row['p_holm'])}{several}",
        "n": f"{row['n']} ({row['positives']} positive)" if "positives" in row else str(row["n"]),
        "remark": "; ".join([*_needed(row), *(() if brief else _more(row))]),
    }


def _needed(row: Row) -> Iterator[str]:
    if row.get("caution"):
        yield row["caution"]
    if row.get("chosen_on_these_cases"):
        yield "thresholds chosen on these cases and held fixed: the interval is too short"
    if "non_inferiority_margin" in row:
        shown = "shown" if row["non_inferiority_shown"] else "not shown"
        tested = not pd.isna(row["non_inferiority_p"])
        p = f" (one-sided p {p_value(row['non_inferiority_p'])})" if tested else ""
        yield f"non-inferiority with margin {row['non_inferiority_margin']:g} {shown}{p}"


def _more(row: Row) -> Iterator[str]:
    if row.get("reason"):
        yield f"no interval: {row['reason']}"
    if row["table"] == POINTS:
        yield f"right in A alone {row['a_alone']}, in B alone {row['b_alone']}"
    if row["table"] == MAPS:
        yield f"higher in {row['higher']}, lower in {row['lower']} images"
    if not pd.isna(row.get("bootstrap_low", float("nan"))) and row["metric"] == "auc":
        yield f"bootstrap {row['bootstrap_low']:+.3f} to {row['bootstrap_high']:+.3f}"
    if not pd.isna(row.get("permutation_p", float("nan"))):
        yield f"permutation p {p_value(row['permutation_p'])}"


def _number(value: float) -> str:
    return "undefined" if pd.isna(value) else f"{value:.3f}"
