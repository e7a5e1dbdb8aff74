"""Columns of text that somebody else has made -> scores and labels. How a column is written is decided for all of it.

What is no number, and no label, is told with its row, never guessed.
"""

import difflib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mammoseg.io.cells import unescape
from mammoseg.io.text_table import UNKNOWN, TextTable
from mammoseg.wording import counted, listed

_TRUTHS = {"0": 0.0, "1": 1.0, "false": 0.0, "true": 1.0}
_POINT = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_COMMA = r"[+-]?(?:[0-9]*,[0-9]+)(?:[eE][+-]?[0-9]+)?"
_NUMBER = re.compile(f"{_POINT}|{_COMMA}")
_LONGEST = 60  # characters of a name or value in a message


class ScoreTableError(ValueError):
    """A table of scores or labels that cannot be evaluated; the message names file, column and row."""


def shown(text: str) -> str:
    """A name or a value as it stands in a message: quoted, and not longer than a line."""
    return repr(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...")


class Cells:
    """All rows of one table, or of several with the same columns one after another."""

    def __init__(self, tables: Sequence[TextTable]) -> None:
        """Raises ScoreTableError for a table without rows, or with rows that are longer or shorter than the header."""
        self.tables = tables
        for table in tables:
            if table.misfits:
                raise ScoreTableError(
                    f"{table.path}: row {listed(table.misfits)} is not as long as the header. Expected a cell in every column. "
                    "Correct these rows, or quote cells that hold the separator."
                )
            if not table.rows:
                raise ScoreTableError(
                    f"{table.path}: the table has no rows below its header ({listed([*map(shown, table.columns)])}). Expected a "
                    "row for each case. Look whether this is the right file."
                )
        self._starts = np.cumsum([0, *(len(table.rows) for table in tables)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    @property
    def files(self) -> str:
        """The file, or all of them."""
        return listed([table.path for table in self.tables])

    def find(self, name: str) -> str | None:
        """The column of this name, or the only one that has it but for case and spaces; None if there is none in a table."""
        found = []
        for table in self.tables:
            alike = [column for column in table.columns if _folded(column) == _folded(name)]
            found.append(name if name in table.columns else alike[0] if len(alike) == 1 else None)
        return name if all(found) else None

    def require(self, name: str, option: str) -> str:
        """Like `find`. Raises ScoreTableError naming the columns that there are, and the option that said so."""
        if self.find(name) is not None:
            return name
        lacking = next(table for table in self.tables if Cells([table]).find(name) is None)
        near = difflib.get_close_matches(name, lacking.columns, n=1)
        meant = f" Did you mean {listed([*map(shown, near)])}?" if near else ""
        raise ScoreTableError(
            f"{lacking.path}: there is no column {shown(name)}.{meant} Expected one of "
            f"{listed([*map(shown, lacking.columns)], 20)}. Name it with {option}."
        )

    def text(self, name: str) -> pd.Series:
        """The cells of a column that is there, (n,) text, without the apostrophe of `io.cells.escape`."""
        parts: list[str] = []
        for table in self.tables:
            exact = name if name in table.columns else next(c for c in table.columns if _folded(c) == _folded(name))
            parts += [row[exact] for row in table.rows.values()]
        texts = pd.Series(parts, dtype=object)
        marked = texts.str.startswith("'")
        return texts.where(~marked, texts[marked].map(unescape)) if marked.any() else texts

    def rows(self, places: NDArray[np.bool_] | Sequence[int], most: int = 5) -> str:
        """`row 5, 7` of these cases; with several tables each row with its file."""
        at = np.flatnonzero(places) if np.asarray(places).dtype == bool else np.asarray(places)
        return f"row {listed([self._row(int(place)) for place in at[:most]], mark='')}" + (
            f" and {len(at) - most} more" if len(at) > most else ""
        )

    def _row(self, place: int) -> str:
        part = int(np.searchsorted(self._starts, place, side="right")) - 1
        number = list(self.tables[part].rows)[place - self._starts[part]]
        return f"{number} of {self.tables[part].path.name}" if len(self.tables) > 1 else str(number)

    def wrong(self, name: str, bad: NDArray[np.bool_], texts: pd.Series, expected: str, remedy: str) -> ScoreTableError:
        """What to raise for cells of a column: their rows, the first of them, what was expected and what to do."""
        first = shown(texts[int(np.flatnonzero(bad)[0])])
        return ScoreTableError(
            f"{self.files}: column {shown(name)} holds {first} in {self.rows(bad)}. Expected {expected}. {remedy}"
        )


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


def is_unknown(texts: pd.Series) -> NDArray[np.bool_]:
    """(n,) whether a cell is empty, or one of the usual words for it."""
    return texts.str.strip().str.lower().isin(UNKNOWN).to_numpy(bool)


@dataclass(frozen=True, eq=False)
class Scores:
    """A column of scores."""

    values: NDArray[np.float64]
    """(n,), NaN where the cell is empty or a word for it."""
    notes: tuple[str, ...]
    """How they were read, where that is not plain, and what they are not good for."""

    @property
    def probabilities(self) -> bool:
        """Whether all lie in [0, 1]; a ranking needs their order alone."""
        return not bool(((self.values < 0) | (self.values > 1)).any())


def read_scores(cells: Cells, name: str) -> Scores:
    """Numbers with a decimal point or, in all of the column, a comma; or all of them percentages, which are divided by 100.

    Raises ScoreTableError for texts, infinite numbers, columns written in two ways, and those without any number.
    """
    texts = cells.text(name).str.strip()
    known = ~is_unknown(texts)
    percent = texts.str.endswith("%").to_numpy(bool)
    plain = texts.str.rstrip("%").str.rstrip() if percent.any() else texts
    number = plain.str.fullmatch(_NUMBER).to_numpy(bool)
    expected = "numbers in all of the column, such as 0.35"
    if (bad := known & ~number).any():
        raise cells.wrong(
            name, bad, texts, f"finite {expected}", "Correct them, or empty cells of cases without a score."
        )
    if not known.any():
        raise ScoreTableError(f"{cells.files}: column {shown(name)} holds no number. Expected {expected}. Fill it in.")
    if percent.any() and (mixed := known & ~percent).any():
        raise cells.wrong(
            name,
            mixed,
            texts,
            f"percentages in all of the column, as in {cells.rows(percent, 1)}",
            "Write all the same way.",
        )
    comma = plain.str.contains(",", regex=False).to_numpy(bool) & known
    if comma.any() and (mixed := known & plain.str.contains(".", regex=False).to_numpy(bool)).any():
        raise cells.wrong(
            name,
            mixed,
            texts,
            f"decimal commas in all of the column, as in {cells.rows(comma, 1)}",
            "Write all the same way.",
        )
    values: NDArray[np.float64] = (
        plain.str.replace(",", ".", regex=False).where(known, "nan").to_numpy().astype(np.float64)
    )
    if (infinite := np.isinf(values)).any():
        raise cells.wrong(name, infinite, texts, f"finite {expected}", "Correct them.")
    notes = ["decimal commas"] if comma.any() else []
    if percent.any():
        values, notes = values / 100, [*notes, "percentages, divided by 100"]
    scores = Scores(values, tuple(notes))
    if scores.probabilities:
        return scores
    beyond = "not in [0, 1]: good for rankings (AUC), which need their order alone; calibration needs probabilities"
    return Scores(values, (*notes, beyond))


@dataclass(frozen=True, eq=False)
class Labels:
    """A column of labels."""

    values: NDArray[np.float64]
    """(n,) 0 or 1, NaN where unknown."""
    meaning: Mapping[str, Mapping[str, int]]
    """positive, negative, unknown -> value as it stands in the table -> how often."""


def read_labels(cells: Cells, name: str, positive: Sequence[str] = (), negative: Sequence[str] = ()) -> Labels:
    """Labels 0 and 1 (or false and true); any others need `positive`, the values that mean 1.

    With one other value, that means 0; if there are more, `negative` says which do, and the rest is unknown, like empty
    cells. Raises ScoreTableError for other values, with their rows, and for stated ones that are not there.
    """
    texts = cells.text(name)
    folded = _values(texts)
    codes, distinct = pd.factorize(folded)
    unknown = is_unknown(pd.Series(distinct, dtype=object))
    first = {value: texts[int(place)] for value, place in zip(distinct, _firsts(codes, len(distinct)), strict=True)}
    ones, zeros = (
        [str(_values(pd.Series([value], dtype=object))[0]) for value in given] for given in (positive, negative)
    )
    _check_stated(cells, name, first, ones, zeros)
    others = [value for value, word in zip(distinct, unknown, strict=True) if value not in (*ones, *zeros) and not word]
    if not ones:
        means = dict(_TRUTHS)
        if bad := [value for value in others if value not in means]:
            raise cells.wrong(
                name,
                folded.isin(bad).to_numpy(bool),
                texts,
                f"labels 0 and 1 (there are {listed([shown(first[value]) for value in (*others,)], 8)})",
                "Say which values are positive: --positive VALUE; and which are negative, if there are others: --negative VALUE.",
            )
    else:
        if len(others) > 1 and not zeros:
            raise ScoreTableError(
                f"{cells.files}: column {shown(name)} holds {len(others)} values beside the positive ones: "
                f"{listed([shown(first[value]) for value in others], 8)}, in {cells.rows(folded.isin(others).to_numpy(bool))}. "
                "Expected one, or to know which of them are negative. Say it, the rest is unknown then: --negative VALUE."
            )
        means = dict.fromkeys(ones, 1.0) | dict.fromkeys(zeros or others, 0.0)
    of_value = np.array([means.get(value, np.nan) for value in distinct] or [np.nan])
    counts = Counter({value: int(n) for value, n in zip(distinct, np.bincount(codes), strict=True)})
    meaning: dict[str, dict[str, int]] = {"positive": {}, "negative": {}, "unknown": {}}
    for value, truth in zip(distinct, of_value, strict=True):
        kind = "unknown" if np.isnan(truth) else "positive" if truth else "negative"
        meaning[kind][first[value]] = counts[value]
    return Labels(of_value[codes], meaning)


def _values(texts: pd.Series) -> pd.Series:
    """Values as they are compared: 1, 1.0 and 1,0 are one, and so are Yes and yes."""
    folded = texts.str.strip().str.casefold()
    distinct = {value: _value(value) for value in folded.unique()}
    return folded.map(distinct)


def _value(text: str) -> str:
    return f"{float(text.replace(',', '.')):.12g}" if _NUMBER.fullmatch(text) else " ".join(text.split())


def _firsts(codes: NDArray[np.integer], distinct: int) -> NDArray[np.integer]:
    firsts = np.zeros(distinct, np.int64)
    firsts[codes[::-1]] = np.arange(len(codes))[::-1]
    return firsts


def _check_stated(cells: Cells, name: str, first: Mapping[str, str], ones: Sequence[str], zeros: Sequence[str]) -> None:
    for option, values in (("--positive", ones), ("--negative", zeros)):
        if missing := [value for value in values if value not in first]:
            raise ScoreTableError(
                f"{cells.files}: column {shown(name)} holds no {shown(missing[0])}, as {option} says. Expected one of its "
                f"{counted(len(first), 'value')}: {listed([*map(shown, first.values())], 8)}. Name one of these."
            )
    if both := set(ones) & set(zeros):
        raise ScoreTableError(
            f"{cells.files}: column {shown(name)}: {shown(both.pop())} is said to be positive and negative. Expected one of both. "
            "Correct --positive or --negative."
        )
    if zeros and not ones:
        raise ScoreTableError(
            f"{cells.files}: column {shown(name)}: it is said what is negative, not what is positive. Expected both. Add "
            "--positive VALUE."
        )
