"""The numbers of an evaluation as tables of text: a row for each number, with its interval, its cases and its cautions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from mammoseg.evaluation.maps import SALIENCY
from mammoseg.evaluation.operating_points import HERE
from mammoseg.evaluation.scores import FINAL
from mammoseg.wording import p_value

Row = Mapping[str, str]
HEADS = ("value", "95 % interval", "cases", "remarks")
"""Columns that every table of numbers ends with."""
_PLACES = ("of", "class", "metric")
_OF = {"scores": "score", "calibration": "score", "operating points": "point", "maps": "map", "ratio to random": "map"}
"""What the column `of` of a table in metrics.csv is about."""
_MAIN = {"maps": "map", "marks": "marks of the map", "patches": "patches"}
_HOLM = "p_holm"
_NAMES = {"ppv": "PPV", "npv": "NPV", "q": "Cochran's Q", "auc_difference": "difference of AUC"}
"""Numbers that are in no summary."""
_COUNTED = ("unknown", "unscored", "undefined")
_WHY = ("caution", "reason", "no_interval")


@dataclass(frozen=True)
class Cells:
    """A row of a table."""

    heads: tuple[str, ...]
    """What the number is, for the columns before those of HEADS."""
    value: str
    interval: str
    cases: str
    remarks: tuple[str, ...]
    caution: bool
    """Whether one of the remarks is a caution."""


@dataclass(frozen=True)
class Table:
    """Numbers under one caption."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[Cells, ...]


@dataclass(frozen=True)
class Section:
    """Tables of one kind, under one heading."""

    key: str
    """Name of the kind in metrics.csv."""
    title: str
    tables: tuple[Table, ...]


def sections(numbers: pd.DataFrame, titles: Mapping[str, str], names: Mapping[str, str]) -> list[Section]:
    """A section for each kind of number in metrics.csv, in its order; a table for each level.

    `titles`: name of a number -> what people call it, `names`: kind -> heading; other kinds are called by their key.
    """
    if "table" not in numbers or "metric" not in numbers:
        return []
    found = []
    for kind, rows in numbers.groupby("table", sort=False):
        key = str(kind)
        title = names.get(key, f"{key[:1].upper()}{key[1:]}")
        tables = [
            table(f"{title}, by {level}" if level else title, _rows(group), _OF.get(key, ""), titles)
            for level, group in _by_level(rows)
        ]
        found.append(Section(key, title, tuple(tables)))
    return found


def summary(numbers: pd.DataFrame, titles: Mapping[str, str]) -> Table | None:
    """The numbers that people look at first: of the final score, by breast where there are breasts, of the final map
    and its marks, and of patches."""
    if not {"table", "level", "of", "metric"} <= set(numbers):
        return None
    scores = numbers[(numbers["table"] == "scores") & (numbers["of"] == FINAL) & numbers["metric"].isin(titles)]
    levels = set(scores["level"])
    level = next((name for name in ("breast", "exam", "image") if name in levels), "")
    places = numbers["table"].isin(["maps", "marks"]) & (numbers["of"] == SALIENCY) | (numbers["table"] == "patches")
    rows = pd.concat([scores[scores["level"] == level], numbers[places & numbers["metric"].isin(titles)]])
    if rows.empty:
        return None
    named = [{**row, "of": _MAIN.get(row["table"], f"score by {level}")} for row in _rows(rows)]
    return table("The main results", named, "of", titles)


def table(caption: str, rows: Sequence[Row], of: str, titles: Mapping[str, str]) -> Table:
    """Rows of metrics.csv as a table; what is the same everywhere and empty has no column."""
    shown = [name for name in _PLACES if name == "metric" or any(row.get(name) for row in rows)]
    heads = tuple(of or "of" if name == "of" else name for name in shown)
    return Table(caption, heads, tuple(_cells(row, shown, titles) for row in rows))


def spoken(shown: Table | None, metric: str) -> str:
    """The numbers of a metric in a table as a sentence, for those who do not see its figure."""
    rows = [row for row in shown.rows if row.heads[-1] == metric] if shown else []
    said = [f"{', '.join(row.heads)} {row.value}{f' ({row.interval})' if row.interval else ''}" for row in rows]
    return f"{'; '.join(said)}." if said else "Its numbers are in the tables of this page."


def number(text: str) -> str:
    """A number as it is shown: three decimals, four digits where it is large, "undefined" where there is none."""
    try:
        value = float(text)
    except ValueError:
        return "not a number" if text else "undefined"
    if value != value:
        return "undefined"
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.0f}"


def _rows(table: pd.DataFrame) -> list[Row]:
    return [{str(name): str(cell) for name, cell in row.items()} for row in table.to_dict("records")]


def _by_level(rows: pd.DataFrame) -> Iterable[tuple[str, pd.DataFrame]]:
    if "level" not in rows:
        return [("", rows)]
    return [(str(level), group) for level, group in rows.groupby("level", sort=False)]


def _cells(row: Row, shown: Sequence[str], titles: Mapping[str, str]) -> Cells:
    heads = tuple(_called(row[name], titles) if name == "metric" else row.get(name, "") for name in shown)
    low, high = row.get("low", ""), row.get("high", "")
    return Cells(
        heads,
        number(row.get("value", "")),
        f"{number(low)} to {number(high)}" if low and high else "",
        _cases(row),
        tuple(_remarks(row)),
        bool(row.get("caution")),
    )


def _called(metric: str, titles: Mapping[str, str]) -> str:
    return titles.get(metric) or _NAMES.get(metric) or metric.replace("_", " ")


def _cases(row: Row) -> str:
    n, positives, k = (_whole(row.get(name, "")) for name in ("n", "positives", "k"))
    if n and k:
        return f"{k} of {n}"
    return f"{n} ({positives} positive)" if n and positives else n


def _remarks(row: Row) -> Iterable[str]:
    for name in _WHY:
        if why := row.get(name):
            yield f"no interval ({why})" if name == "no_interval" else why
    for name in _COUNTED:
        if (count := _whole(row.get(name, ""))).strip("0"):
            yield f"{count} {name}"
    if threshold := row.get("threshold"):
        yield f"threshold {number(threshold)}{', chosen on these cases' if row.get('chosen_on') == HERE else ''}"
    if p := row.get("p"):
        adjusted = f", {p_value(float(row[_HOLM]))} by Holm" if row.get(_HOLM) else ""
        said = p_value(float(p))
        yield f"p {said if said.startswith('<') else f'= {said}'}{adjusted}"
    if row.get("of") == "random" and row.get("table") == "maps":
        yield "the floor: a map of noise"


def _whole(text: str) -> str:
    """A count without its decimals, which columns with gaps have; empty where there is none."""
    count = text.removesuffix(".0")
    return count if count.isdecimal() else ""
