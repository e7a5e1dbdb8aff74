"""A table of labels as its user has made it: what its rows are about, and what they say of it, checked as far as that needs
no image.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mammoseg.data.columns import SPLITS, date_of
from mammoseg.ingest.label_advice import may_be_shown, propose, propose_side, propose_values
from mammoseg.ingest.label_map import KEYS, WORDS, ColumnMap, Says, folded, map_columns, side_of
from mammoseg.ingest.tables import Table, TableError, read_table
from mammoseg.records.label import CLASSES
from mammoseg.wording import counted, listed

_VALUES = {
    **dict.fromkeys(("0", "0.0", "0,0", "false", "no"), 0),
    **dict.fromkeys(("1", "1.0", "1,0", "true", "yes"), 1),
}


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
    _check_values(path, table, chosen)
    rows = {number: _by_field(cells, chosen) for number, cells in table.rows.items()}
    wrong: dict[str, list[int]] = defaultdict(list)
    for number, cells in rows.items():
        for text in {text for name, (read, text) in _READ.items() if cells.get(name) and read(cells[name]) is None}:
            wrong[text].append(number)
        if not any(cells.get(name) for name in KEYS):
            wrong[f"none of {', '.join(KEYS)} is filled in"].append(number)
    labels = [name for name in CLASSES if name in chosen.fields]
    odd = [chosen.fields[n] for n in labels if any(r[n] and _label(r[n]) is None for r in rows.values())]
    maps = [propose_values(column, table.column(column)) for column in odd]
    if any(row.get("laterality") and side_of(row["laterality"]) is None for row in rows.values()):
        maps.append(propose_values(chosen.fields["laterality"], table.column(chosen.fields["laterality"]), sides=True))
    says: dict[int, Says] = {}
    for number, cells in rows.items():
        if said := _said(cells, table.rows[number], chosen):
            says[number] = said
        else:
            wrong["its columns contradict each other"].append(number)
    refuse(path, wrong, " ".join(maps))
    return LabelTable(path, rows, says, chosen, propose_side(table, chosen))


def _by_field(cells: Mapping[str, str], chosen: ColumnMap) -> dict[str, str]:
    row = {name: cells[column] for name, column in chosen.fields.items()}
    if known := chosen.values.get(chosen.fields.get("laterality", "")):
        row["laterality"] = known.get(folded(row["laterality"]), Says()).side or ""
    return row


def _check_values(path: Path, table: Table, chosen: ColumnMap) -> None:
    """Every value of a mapped column has a class, and an empty cell is unknown."""
    for column, known in chosen.values.items():
        counts = Counter(folded(cell) for cell in table.column(column) if cell)
        if lost := Counter({value: count for value, count in counts.items() if value not in known}):
            values = [f"{value!r} ({counted(count, 'row')})" for value, count in lost.most_common()]
            quoted = f": {', '.join(values)}" if may_be_shown(column, lost) else ""
            raise LabelError(
                f"{path}: --map gives no class to {len(lost)} of the {len(counts)} values of column {column!r}{quoted}. "
                f"Expected each to be one of {', '.join(WORDS)} (several with +), none, "
                f"unknown, left or right. Add them to --map, as in {propose_values(column, lost)}."
            )


def _said(cells: Mapping[str, str], row: Mapping[str, str], chosen: ColumnMap) -> Says | None:
    """What all label columns of a row say together; None if they contradict each other."""
    parts = [known.get(folded(row[column]), Says()) for column, known in chosen.values.items()]
    stated = {name: _label(cells[name]) for name in CLASSES if cells.get(name)}
    parts.append(Says({name: value for name, value in stated.items() if value is not None}))
    sure: dict[str, int] = {}
    for part in parts:
        if any(sure.setdefault(name, value) != value for name, value in part.sure.items()):
            return None
    return Says(sure, {name: value for part in parts for name, value in part.unless.items() if name not in sure})


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


def _label(cell: str) -> int | None:
    return _VALUES.get(cell.lower())


def _split(cell: str) -> str | None:
    return cell.lower() if cell.lower() in SPLITS else None


_READ: Mapping[str, tuple[Callable[[str], object], str]] = {
    **dict.fromkeys(CLASSES, (_label, "a label is not 0, 1 or empty")),
    "laterality": (side_of, "the laterality is not L, R, left, right or empty"),
    "study_date": (date_of, "the study_date is no date such as 2024-01-31 or 20240131"),
    "split": (_split, f"the split is not {', '.join(SPLITS)} or empty"),
}
"""Fields with cells that can be wrong: the function that gives None for those, and what is said of them."""
