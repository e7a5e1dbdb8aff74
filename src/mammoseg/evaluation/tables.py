"""metrics.json as tables: every number as a row (`metrics.csv`), and the few that people look at first.

Both take the dictionary as `evaluate` returns it or as it is read back from metrics.json (undefined: NaN or None).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from mammoseg.evaluation.localisation import localisation_rows
from mammoseg.evaluation.maps import RANDOM, SALIENCY
from mammoseg.evaluation.scores import FINAL
from mammoseg.wording import listed

Row = dict[str, Any]


def all_rows(metrics: Mapping[str, Any]) -> list[Row]:
    """One row for each number: table, level, class, of (score or map), metric, value, low, high, std, n, ...

    Cells that a number does not have are missing from its row.
    """
    breakdowns = [row for column in metrics["by"] for row in _breakdown_rows(metrics, column)]
    places = [*_map_rows(metrics), *localisation_rows(metrics)]
    return [*_score_rows(metrics), *_point_rows(metrics), *_calibration_rows(metrics), *places, *breakdowns]


def summary_table(metrics: Mapping[str, Any]) -> list[dict[str, str]]:
    """The rows to show: the final scores, every map, marks of the final one, patches. As metric, of, class, value, interval, n,
    remark; all text."""
    titles = metrics["titles"]
    rows = [row for row in all_rows(metrics) if row["metric"] in titles]
    return [
        _text_row(row, titles)
        for row in rows
        if row["table"] in ("maps", "patches") or (row["table"], row["of"]) in (("scores", FINAL), ("marks", SALIENCY))
    ]


def point_table(metrics: Mapping[str, Any], level: str) -> list[dict[str, str]]:
    """The operating points at a level, as rows of text: at, class, threshold, the five measures with intervals, remark."""
    rows = []
    for label, points in metrics["operating_points"].get(level, {}).items():
        for name, point in points.items():
            measures = {
                key: _with_interval(value)
                for key, value in point.items()
                if isinstance(value, Mapping) and "of" in value
            }
            threshold = "undefined" if pd.isna(point["threshold"]) else f"{point['threshold']:.4g}"
            remark = "; ".join(point[key] for key in ("caution", "reason") if point[key])
            rows.append({"at": name, "class": label, "threshold": threshold, **measures, "remark": remark})
    return rows


def heterogeneity_lines(metrics: Mapping[str, Any], column: str) -> list[str]:
    """Whether the AUC differs between the groups of a breakdown: a sentence for each class."""
    lines = []
    for label, test in metrics["by"][column]["heterogeneity"].items():
        left_out = f"; without {listed([*test['left_out']])}" if test["left_out"] else ""
        if test["reason"] is not None:
            lines.append(f"{label}: no test of a difference: {test['reason']}{left_out}.")
            continue
        holm = f", {test['p_holm']:.3g} by Holm over {test['tests']} tests" if test["tests"] > 1 else ""
        groups = f"do the AUCs of {len(test['groups'])} groups differ"
        lines.append(f"{label}: {groups}? p = {test['p']:.3g}{holm} (Cochran's Q {test['q']:.2f}{left_out}).")
    return lines


def breakdown_table(metrics: Mapping[str, Any], column: str) -> list[dict[str, str]]:
    """The AUC within each value of a column of `by`, as rows of text like those of `summary_table`."""
    rows = [row for row in _breakdown_rows(metrics, column) if row["metric"] == "auc"]
    return [
        {column: str(row["of"]), **{k: v for k, v in _text_row(row, metrics["titles"]).items() if k != "of"}}
        for row in rows
    ]


def _score_rows(metrics: Mapping[str, Any]) -> Iterator[Row]:
    for level, classes in metrics["scores"].items():
        for label, sources in classes.items():
            for source, result in sources.items():
                yield from _ranking_rows({"table": "scores", "level": level, "class": label, "of": source}, result)


def _breakdown_rows(metrics: Mapping[str, Any], column: str) -> Iterator[Row]:
    table = metrics["by"][column]
    for value, classes in table["values"].items():
        for label, result in classes.items():
            about = {"table": f"by {column}", "level": table["level"], "class": label, "of": value}
            yield from _ranking_rows(about, result)

    for label, test in table.get("heterogeneity", {}).items():
        about = {"table": f"by {column}", "level": table["level"], "class": label, "of": "heterogeneity"}
        if test.get("difference"):
            yield {**about, "metric": "auc_difference", **test["difference"], "of": test["difference"]["of"]}
        yield {
            **about,
            "metric": "q",
            "value": test.get("q"),
            **{k: test.get(k) for k in ("df", "p", "p_holm", "reason")},
        }


def _point_rows(metrics: Mapping[str, Any]) -> Iterator[Row]:
    for level, classes in metrics.get("operating_points", {}).items():
        for label, points in classes.items():
            for name, point in points.items():
                about = {"table": "operating points", "level": level, "class": label, "of": name}
                counts = {key: value for key, value in point.items() if not isinstance(value, Mapping)}
                for metric, found in point.items():
                    if isinstance(found, Mapping) and "of" in found:
                        number = {key: found[key] for key in ("value", "low", "high", "k", "method", "no_interval")}
                        yield {**about, "metric": metric, **counts, **number, "n": found["of"]}


def _calibration_rows(metrics: Mapping[str, Any]) -> Iterator[Row]:
    for label, sources in metrics.get("calibration", {}).items():
        for source, result in sources.items():
            yield from _ranking_rows({"table": "calibration", "class": label, "of": source}, result)


def _ranking_rows(about: Row, result: Mapping[str, Any]) -> Iterator[Row]:
    counts = {key: value for key, value in result.items() if not isinstance(value, Mapping)}
    for metric, estimate in result.items():
        if isinstance(estimate, Mapping):
            yield {**about, "metric": metric, **estimate, **counts}


def _map_rows(metrics: Mapping[str, Any]) -> Iterator[Row]:
    for label, tables in metrics["maps"].items():
        groups = {("maps", name): values for name, values in tables["maps"].items()}
        groups |= {("ratio to random", name): values for name, values in tables["ratio_to_random"].items()}
        if tables["saliency_minus_global"]:
            groups["difference", "saliency - global"] = tables["saliency_minus_global"]
        for (table, name), values in groups.items():
            for metric, estimate in values.items():
                yield {"table": table, "level": "image", "class": label, "of": name, "metric": metric, **estimate}


def _with_interval(number: Mapping[str, Any]) -> str:
    if pd.isna(number["value"]):
        return "undefined"
    interval = "" if pd.isna(number["low"]) else f" ({number['low']:.3f} to {number['high']:.3f})"
    return f"{number['value']:.3f}{interval}"


def _text_row(row: Row, titles: Mapping[str, str]) -> dict[str, str]:
    kinds = {"scores": f"{row['of']}, by {row['level']}", "maps": f"{row['of']} map", "marks": f"marks of {row['of']}"}
    of = kinds.get(row["table"], str(row["of"]))
    n = f"{row['n']} ({row['positives']} positive)" if "positives" in row else str(row["n"])
    remarks = [row[key] for key in ("caution", "reason") if row.get(key)]
    if row.get("no_interval"):
        remarks.append(f"no interval ({row['no_interval']})")
    remarks += [f"{row[key]} {key}" for key in ("unknown", "undrawn", "unscored", "undefined") if row.get(key)]
    if row["of"] == RANDOM and row["table"] == "maps":
        remarks.append("the floor")
    return {
        "metric": titles[row["metric"]],
        "of": of,
        "class": row["class"],
        "value": "undefined" if pd.isna(row["value"]) else f"{row['value']:.3f}",
        "interval": "" if pd.isna(row["low"]) else f"{row['low']:.3f} to {row['high']:.3f}",
        "n": n,
        "remark": "; ".join(remarks),
    }
