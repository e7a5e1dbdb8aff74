"""Tables with a row for each score. The label stands on every row, or in rows of the reader `truth` (iMRMC)."""

import math
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from mammoseg.io.text_table import TextTable
from mammoseg.reader_study.cells import check_whole, is_unknown, scores, truths
from mammoseg.reader_study.errors import StudyError
from mammoseg.reader_study.study import ALONE, Case, ReaderStudy, Reading, complete_study
from mammoseg.reader_study.wide import Columns, cases_of
from mammoseg.wording import listed

TRUTH = ("truth", "-1")
"""Readers of iMRMC whose score is the label."""


def read_long(table: TextTable, columns: Columns, models: Sequence[str]) -> ReaderStudy:
    """`models` are patterns of the names of readers that are models. Raises StudyError."""
    check_whole(table)
    reader, score = columns.need(table, "reader"), columns.need(table, "score")
    modality = columns.find(table, "modality")
    columns.need(table, "case")
    if nameless := [number for number, row in table.rows.items() if is_unknown(row[reader])]:
        raise StudyError(
            f"{table.path}: row {listed(nameless)} does not say who has read. Fill it in, or remove the row."
        )
    found, remarks = cases_of(table, columns)
    case_of = dict(zip(table.rows, found, strict=True))
    numbers = scores(table, score)
    truth_rows = {number for number, row in table.rows.items() if row[reader].lower() in TRUTH}
    cases = list({case.name: case for case in found}.values())
    place = {case.name: index for index, case in enumerate(cases)}
    labels = _labels(table, columns, case_of, truth_rows, numbers)
    of: dict[Reading, list[float]] = {}
    of_model: dict[str, list[float]] = {}
    rows: dict[tuple[str, str, str], int] = {}
    for number, row in table.rows.items():
        if number in truth_rows:
            continue
        name = case_of[number].name
        is_model = any(fnmatchcase(row[reader], pattern) for pattern in models)
        where = "" if is_model else row[modality] if modality else ALONE
        key = (where, row[reader], name)
        if key in rows:
            raise StudyError(
                f"{table.path}: rows {rows[key]} and {number} are about the same reader, modality and case. Expected one score for "
                "each. Remove one, or name the columns that tell cases apart (--case, --side)."
            )
        rows[key] = number
        unread = [math.nan] * len(cases)
        values = of_model.setdefault(row[reader], unread) if is_model else of.setdefault((where, row[reader]), unread)
        values[place[name]] = numbers[number]
    return complete_study(cases, [labels[case.name] for case in cases], of, of_model, str(table.path), remarks)


def _labels(
    table: TextTable, columns: Columns, case_of: Mapping[int, Case], truth_rows: set[int], numbers: Mapping[int, float]
) -> dict[str, float]:
    """The label of every case; NaN where none is given."""
    given = {number: numbers[number] for number in truth_rows}
    if not truth_rows:
        given = truths(table, columns.need(table, "label"))
    labels = {case.name: math.nan for case in case_of.values()}
    for number, label in given.items():
        name = case_of[number].name
        if not math.isnan(label):
            if label not in (0, 1) or (not math.isnan(labels[name]) and labels[name] != label):
                wrong = listed([n for n in given if case_of[n].name == name])
                raise StudyError(
                    f"{table.path}: the labels of a case, in row {wrong}, are not all 1 or all 0. Expected one label. Correct them."
                )
            labels[name] = label
    return labels
