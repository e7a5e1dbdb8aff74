"""Cells of a table that somebody else has made, as numbers: what is no number is told by its row, never guessed."""

import math
import re
from collections.abc import Callable, Mapping

from mammoseg.io.text_table import UNKNOWN, TextTable
from mammoseg.reader_study.errors import StudyError
from mammoseg.wording import listed

_TRUTHS = {"0": 0.0, "0.0": 0.0, "false": 0.0, "no": 0.0, "1": 1.0, "1.0": 1.0, "true": 1.0, "yes": 1.0}
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


def check_whole(table: TextTable) -> None:
    """Raises StudyError if rows would be missing from the study without a word."""
    if table.misfits or not table.rows:
        problem = f"row {listed(table.misfits)} is not as long as the header" if table.misfits else "there are no rows"
        raise StudyError(f"{table.path}: {problem}. Expected a table with a cell in every column. Correct the rows.")


def is_unknown(cell: str) -> bool:
    """Nothing, or one of the usual words for it."""
    return cell.strip().lower() in UNKNOWN


def scores(table: TextTable, column: str) -> dict[int, float]:
    """Row -> score; NaN where it is unknown. `45 %` is 0.45, and `0,45` is 0.45 in a column without any point.

    Raises StudyError for texts, infinities, and a column in which only some cells are percentages.
    """
    texts = {number: row[column].strip() for number, row in table.rows.items()}
    known = {number: text for number, text in texts.items() if not is_unknown(text)}
    percent = [number for number, text in known.items() if text.endswith("%")]
    if percent and len(percent) < len(known):
        others = [number for number in known if number not in set(percent)]
        raise StudyError(
            f"{table.path}: in the column {column}, {len(percent)} of {len(known)} scores are percentages, not in row "
            f"{listed(others)}. Expected one unit in a column. Correct them."
        )
    commas = not any("." in text for text in known.values())
    return dict.fromkeys(texts, math.nan) | _converted(
        *(table, column, known), lambda text: _score(text, commas), "Expected numbers, or nothing where it is unknown"
    )


def truths(table: TextTable, column: str) -> dict[int, float]:
    """Row -> 1, 0, or NaN where it is unknown. Raises StudyError for anything else than 0 and 1, yes and no, true and false."""
    texts = {number: row[column].strip().lower() for number, row in table.rows.items()}
    known = {number: text for number, text in texts.items() if not is_unknown(text)}
    return dict.fromkeys(texts, math.nan) | _converted(
        *(table, column, known),
        _TRUTHS.__getitem__,
        "Expected 1 for a positive, 0 for a negative, nothing where it is unknown",
    )


def _score(text: str, commas: bool) -> float:
    plain = text.removesuffix("%").strip()
    if commas and _DECIMAL_COMMA.fullmatch(plain):
        plain = plain.replace(",", ".")
    value = float(plain)
    if not math.isfinite(value):
        raise ValueError
    return value / 100 if text.endswith("%") else value


def _converted(
    table: TextTable, column: str, texts: Mapping[int, str], convert: Callable[[str], float], expected: str
) -> dict[int, float]:
    found, wrong = {}, []
    for number, text in texts.items():
        try:
            found[number] = convert(text)
        except (ValueError, KeyError):
            wrong.append(number)
    if wrong:
        raise StudyError(
            f"{table.path}: the column {column} holds something else in row {listed(wrong)}. {expected}. Correct the cells, or "
            "name another column."
        )
    return found
