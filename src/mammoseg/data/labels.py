"""A table of labels joined to the images of a scan.

A row of the table says which images it is about by any of its key columns, all of which must fit; empty cells do not
count. What it says of no image, and images of which no row says anything, are counted. Unknown stays unknown.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mammoseg.data.columns import SPLITS
from mammoseg.data.exams import Row
from mammoseg.data.label_advice import may_be_shown, propose, propose_side, propose_values
from mammoseg.data.label_map import CHOOSING, KEYS, WORDS, ColumnMap, Says, folded, map_columns
from mammoseg.data.label_match import Matcher, date_of, side_of
from mammoseg.data.own_table import OwnTable, read_own_table
from mammoseg.records.label import CLASSES

_VALUES = {
    **dict.fromkeys(("0", "0.0", "0,0", "false", "no"), 0),
    **dict.fromkeys(("1", "1.0", "1,0", "true", "yes"), 1),
}
_SHOWN = 5


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


@dataclass(frozen=True)
class Labels:
    """What a table of labels gave."""

    by_image: Sequence[Mapping[str, int | str]]
    """For every row of the manifest its known labels, and its split if the table has one."""
    rows: int
    unmatched: tuple[int, ...]
    """Rows of the table that are about no image, numbered as in a spreadsheet."""
    corrected: tuple[int, ...]
    """Rows whose id or path is of an image only after a correction (see label_match)."""
    without_row: int
    """Images that no row is about."""
    columns: ColumnMap

    @property
    def unlabelled(self) -> int:
        """Images without any label."""
        return sum(not any(name in known for name in CLASSES) for known in self.by_image)


def read_labels(path: Path, maps: Sequence[str] = ()) -> LabelTable:
    """The table, checked as far as that needs no image: so before all of them are looked at.

    `maps` say what its columns are (data/label_map.py). Raises LabelError for a table without key or label and for cells
    that cannot be understood, MapError for a wrong map; TableError, WorkbookError or CsvError if the file is no table.
    """
    table = read_own_table(path)
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
    rows = {n: {name: cells[column] for name, column in chosen.fields.items()} for n, cells in table.rows.items()}
    wrong: dict[str, list[int]] = defaultdict(list)
    for number, cells in rows.items():
        for text in {text for name, (read, text) in _READ.items() if cells.get(name) and read(cells[name]) is None}:
            wrong[text].append(number)
        if not any(cells.get(name) for name in KEYS):
            wrong[f"none of {', '.join(KEYS)} is filled in"].append(number)
    labels = [name for name in CLASSES if name in chosen.fields]
    odd = [chosen.fields[n] for n in labels if any(r[n] and _label(r[n]) is None for r in rows.values())]
    advice = " ".join(propose_values(column, table.column(column)) for column in odd)
    says: dict[int, Says] = {}
    for number, cells in rows.items():
        if said := _said(cells, table.rows[number], chosen):
            says[number] = said
        else:
            wrong["its columns contradict each other"].append(number)
    _refuse(path, wrong, advice)
    return LabelTable(path, rows, says, chosen, " ".join(propose_side(table, chosen)))


def _check_values(path: Path, table: OwnTable, chosen: ColumnMap) -> None:
    """Every value of a mapped column has a class, and an empty cell is unknown."""
    for column, known in chosen.values.items():
        counts = Counter(folded(cell) for cell in table.column(column) if cell)
        if lost := Counter({value: count for value, count in counts.items() if value not in known}):
            shown = may_be_shown(column, lost)
            listed = ", ".join(f"{value!r} ({_rows(count)})" for value, count in lost.most_common()) if shown else ""
            raise LabelError(
                f"{path}: --map gives no class to {len(lost)} of the {len(counts)} values of column {column!r}"
                f"{': ' + listed if listed else ''}. Expected each to be one of {', '.join(WORDS)} (several with +), none or "
                f"unknown. Add them to --map, as in {propose_values(column, lost)}."
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


def join_labels(table: LabelTable, images: Sequence[Row], root: Path) -> Labels:
    """Labels of `images`, whose files are below `root`. Paths in the table are relative to it or to the table.

    Raises LabelError for rows that contradict each other, a label of 1 that fits several breasts, a patient in two
    splits, and if no row is about an image.
    """
    matcher = Matcher(table.rows.values(), images, root, table.path.absolute().parent)
    found = {number: matcher.find(cells) for number, cells in table.rows.items()}
    matches = {number: rows for number, (rows, _) in found.items()}
    wrong: dict[str, list[int]] = defaultdict(list)
    by_image: list[dict[str, int | str]] = [{} for _ in images]
    _join_classes(table, images, matches, by_image, wrong)
    _join_splits(table, images, matches, by_image, wrong)
    _refuse(table.path, wrong, table.advice)
    unmatched = tuple(number for number, rows in matches.items() if not rows)
    if images and unmatched and len(unmatched) == len(table.rows):
        compared = (
            f"{column} as {name}" for name, column in table.columns.fields.items() if name in (*KEYS, *CHOOSING)
        )
        raise LabelError(
            f"{table.path}: none of the {len(unmatched)} rows is about an image of this folder (compared: "
            f"{', '.join(compared)}). Expected the ids of the DICOM headers or file names. Look whether a spreadsheet has "
            "taken leading zeros away (0 for 000), whether ids or dates were replaced, and whether table and folder belong "
            "together."
        )
    corrected = tuple(number for number, (_, changed) in found.items() if changed)
    named = {i for rows in matches.values() for i in rows}
    return Labels(by_image, len(table.rows), unmatched, corrected, len(images) - len(named), table.columns)


def _join_classes(
    table: LabelTable,
    images: Sequence[Row],
    matches: Mapping[int, Sequence[int]],
    by_image: Sequence[dict[str, int | str]],
    wrong: dict[str, list[int]],
) -> None:
    """Fill in the labels: first what rows are sure of, then what they say unless another row contradicts."""
    breasts = [(image.exam_id, image.seen.laterality) for image in images]
    by_breast: dict[object, int] = {}
    for number, rows in matches.items():
        said = table.says[number]
        if 1 in said.sure.values() and len({breasts[i] for i in rows}) > 1:
            wrong["a label of 1 fits several breasts or exams"].append(number)
        for name, value in said.sure.items():
            for i in rows:
                by_image[i][name] = value
            if any(by_breast.setdefault((name, breasts[i]), value) != value for i in rows):
                wrong["another row says the opposite of the same breast"].append(number)
    for number, rows in matches.items():
        for name, value in table.says[number].unless.items():
            for i in rows:
                by_image[i][name] = by_breast.get((name, breasts[i]), value)


def _join_splits(
    table: LabelTable,
    images: Sequence[Row],
    matches: Mapping[int, Sequence[int]],
    by_image: Sequence[dict[str, int | str]],
    wrong: dict[str, list[int]],
) -> None:
    by_patient: dict[str, str] = {}
    for number, rows in matches.items():
        split = table.rows[number].get("split", "").lower()
        if split and any(by_patient.setdefault(images[i].patient_id, split) != split for i in rows):
            wrong["another row puts the same patient into another split"].append(number)
        for i in rows if split else ():
            by_image[i]["split"] = split


def _refuse(path: Path, wrong: Mapping[str, Sequence[int]], advice: str) -> None:
    if wrong:
        lines = "".join(f"\n  {text}: {_listed(numbers)}" for text, numbers in wrong.items())
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


def _rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"


def _listed(numbers: Sequence[int]) -> str:
    more = f" and {len(numbers) - _SHOWN} more" if len(numbers) > _SHOWN else ""
    return f"row{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers[:_SHOWN]))}{more}"
