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
from mammoseg.ingest.label_match import rows_of_images
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
    """Rows whose id or path is of an image only after a correction (ingest/label_match.py)."""
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

    `files` are those that rows are known to be about (`rows_of_files`).

    Raises LabelError for rows that contradict each other, a label of 1 that fits several breasts, a patient in two
    splits, and if no row is about an image.
    """
    found = rows_of_images(table, images, root, files or {})
    by_image: list[dict[str, int | str]] = [{} for _ in images]
    breasts = [(image.exam_id, image.seen.laterality) for image in images]
    by_breast: dict[object, int] = {}
    by_patient: dict[str, str] = {}
    wrong: dict[str, list[int]] = defaultdict(list)
    for number, (about, _) in found.items():
        said, split = table.says[number], table.rows[number].get("split", "").lower()
        if 1 in said.sure.values() and len({breasts[i] for i in about}) > 1:
            wrong["a label of 1 fits several breasts or exams"].append(number)
        for name, value in said.sure.items():
            if any(by_breast.setdefault((name, breasts[i]), value) != value for i in about):
                wrong["another row says the opposite of the same breast"].append(number)
        if split and any(by_patient.setdefault(images[i].patient_id, split) != split for i in about):
            wrong["another row puts the same patient into another split"].append(number)
        for i in about:
            by_image[i] |= {**said.sure, **({"split": split} if split else {})}
    for number, (about, _) in found.items():
        for name, value in table.says[number].unless.items():
            for i in about:
                by_image[i][name] = by_breast.get((name, breasts[i]), value)
    refuse(table.path, wrong, table.advice)
    unmatched = tuple(number for number, (about, _) in found.items() if not about)
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
    named = {i for about, _ in found.values() for i in about}
    return Labels(by_image, len(table.rows), unmatched, corrected, len(images) - len(named), table.columns)
