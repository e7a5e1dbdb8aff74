"""A table of labels as its user has made it: what its rows are about, and what they say of it, checked as far as that needs
no image.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mammoseg.data.columns import SPLITS, date_of
from mammoseg.ingest.label_advice import may_be_shown, propose, propose_side, propose_values
from mammoseg.ingest.label_map import KEYS, WORDS, ColumnMap, Says, folded, map_columns
from mammoseg.ingest.tables import TableError, read_table
from mammoseg.wording import counted, listed


class LabelError(ValueError):
    """A table of labels that cannot be used; the message names rows, never what is in cells about a person."""


@dataclass(frozen=True)
class LabelTable:
    """A table of labels as text."""

    path: Path
    rows: Mapping[int, Mapping[str, str]] = field(repr=False)
    """Cells by field, of every row that is not empty, numbered as in a spreadsheet."""
    says: Mapping[int, Says] = field(repr=False)
    columns: ColumnMap
    advice: str = ""
    """The map to try if the rows turn out to be ambiguous."""


def read_labels(path: Path, maps: Sequence[str] = ()) -> LabelTable:
    """The table, checked as far as that needs no image: so before all of them are looked at.

    `maps` say what its columns are (ingest/label_map.py). Raises LabelError for a table without key or label and for cells
    that cannot be understood, MapError for a wrong map; TableError or WorkbookError if the file is no table.
    """
    table = read_table(path)
    if table.misfits:
        raise TableError(
            f"{path}: {len(table.misfits)} of {len(table.rows) + len(table.misfits)} rows have another number of cells than the "
            f"header: rows {listed(table.misfits)}. Expected as many. Correct the rows, counted as in a spreadsheet; a text with "
            "a separator stands in quotes."
        )
    chosen = map_columns(path, table.columns, maps)
    wanted = {
        "benign or malignant": chosen.tells_labels,
        f"at least one of {', '.join(KEYS)}, which tells the images": chosen.tells_images,
    }
    if not all(wanted.values()):
        known = [f"{column!r} is {name}" for name, column in chosen.fields.items()]
        raise LabelError(
            f"{path}: the columns are {', '.join(table.columns) or 'none'}; {', '.join(known) or 'none'} understood. Expected "
            f"{' and '.join(text for text, there in wanted.items() if not there)}. Say what the columns are: "
            f"{propose(table, chosen)}."
        )
    wrong: dict[str, list[int]] = defaultdict(list)
    advice, all_meanings = [], chosen.meanings
    for column, meanings in all_meanings.items():
        lost = {n: folded(cells[column]) for n, cells in table.rows.items() if cells[column]}
        if lost := {n: value for n, value in lost.items() if value not in meanings}:
            wrong[f"column {column!r} has values without a class{_quoted(column, lost.values())}"] = list(lost)
            advice.append(propose_values(column, lost.values(), sides=column == chosen.fields.get("laterality")))
    says = {number: _said(cells, all_meanings) for number, cells in table.rows.items()}
    rows = {
        number: {name: cells[column] for name, column in chosen.fields.items()}
        | {"laterality": says[number].side or ""}
        for number, cells in table.rows.items()
    }
    for number, cells in rows.items():
        for text in {text for name, (read, text) in _READ.items() if cells.get(name) and read(cells[name]) is None}:
            wrong[text].append(number)
        if not any(cells.get(name) for name in KEYS):
            wrong[f"none of {', '.join(KEYS)} is filled in"].append(number)
        if says[number].contradictory:
            wrong["its columns contradict each other"].append(number)
    words = f" ({', '.join(WORDS)}, several with +, none, unknown, left or right)"
    refuse(path, wrong, " ".join(advice) + words if advice else "")
    return LabelTable(path, rows, says, chosen, propose_side(table, chosen))


def _quoted(column: str, values: Iterable[str]) -> str:
    counts: Counter[str] = Counter(values)
    if not may_be_shown(column, counts):
        return ""
    return ": " + ", ".join(f"{value!r} ({counted(count, 'row')})" for value, count in counts.most_common())


def _said(cells: Mapping[str, str], meanings: Mapping[str, Mapping[str, Says]]) -> Says:
    """What all columns of a row that tell labels or the side say together."""
    sure: dict[str, int] = {}
    unless: dict[str, int] = {}
    side, contradictory = None, False
    for column, known in meanings.items():
        part = known.get(folded(cells[column]), Says())
        contradictory |= any(sure.setdefault(name, value) != value for name, value in part.sure.items())
        unless, side = {**unless, **part.unless}, side or part.side
    return Says(sure, {name: value for name, value in unless.items() if name not in sure}, side, contradictory)


def refuse(path: Path, wrong: Mapping[str, Sequence[int]], advice: str) -> None:
    """Raise LabelError if anything is `wrong`: what, in which rows."""
    if wrong:
        lines = "".join(
            f"\n  {text}: row{'s' if len(numbers) > 1 else ''} {listed(numbers, mark='')}"
            for text, numbers in wrong.items()
        )
        raise LabelError(
            f"{path}: these labels are wrong or ambiguous.{lines}\nExpected rows that each name an image, or one breast of one "
            "exam (laterality, exam_id or study_uid). Correct the rows, counted as in a spreadsheet, and scan again"
            f"{f'; or say what the column is: {advice}' if advice else ''}."
        )


def _split(cell: str) -> str | None:
    return cell.lower() if cell.lower() in SPLITS else None


_READ: Mapping[str, tuple[Callable[[str], object], str]] = {
    "study_date": (date_of, "the study_date is no date such as 2024-01-31 or 20240131"),
    "split": (_split, f"the split is not {', '.join(SPLITS)} or empty"),
}
"""Fields with cells that can be wrong: the function that gives None for those, and what is said of them."""
