"""A table of labels joined to the images of a scan.

A row of the table says which images it is about by any of its key columns, all of which must fit; empty cells do not
count. What it says of no image, and images of which no row says anything, are counted. Unknown stays unknown.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mammoseg.ingest.exams import Row
from mammoseg.ingest.label_map import CHOOSING, KEYS, ColumnMap
from mammoseg.ingest.label_match import Matcher
from mammoseg.ingest.label_table import LabelError, LabelTable, refuse
from mammoseg.records.label import CLASSES


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


def join_labels(
    table: LabelTable, images: Sequence[Row], root: Path, files: Mapping[int, PurePosixPath] | None = None
) -> Labels:
    """Labels of `images`, whose files are below `root`. Paths in the table are relative to it or to the table.

    `files` are those that rows are known to be about (ingest/file_rows.py).

    Raises LabelError for rows that contradict each other, a label of 1 that fits several breasts, a patient in two
    splits, and if no row is about an image.
    """
    matcher = Matcher(table.rows.values(), images, root, table.path.absolute().parent)
    found = {number: matcher.find(cells, (files or {}).get(number)) for number, cells in table.rows.items()}
    matches = {number: rows for number, (rows, _) in found.items()}
    wrong: dict[str, list[int]] = defaultdict(list)
    by_image: list[dict[str, int | str]] = [{} for _ in images]
    _join_classes(table, images, matches, by_image, wrong)
    _join_splits(table, images, matches, by_image, wrong)
    refuse(table.path, wrong, table.advice)
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
