"""Tables with a row for each case (a breast, say), and a column for each reader and model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mammoseg.io.text_table import TextTable
from mammoseg.reader_study.cells import check_whole, is_unknown, scores, truths
from mammoseg.reader_study.errors import StudyError
from mammoseg.reader_study.study import ALONE, Case, ReaderStudy, Reading, complete_study
from mammoseg.wording import listed

USUAL = {
    "label": ("label", "truth", "malignant", "cancer", "target"),
    "case": ("case", "case_id", "caseid", "exam", "exam_id"),
    "patient": ("patient", "patient_id", "patientid"),
    "side": ("side", "laterality", "breast"),
    "reader": ("reader", "reader_id", "readerid"),
    "modality": ("modality", "modality_id", "modalityid", "treatment"),
    "score": ("score", "rating"),
}
"""What columns are usually called, in lower case."""


@dataclass(frozen=True)
class Columns:
    """The names of columns; None: whatever is called as usual, or none."""

    label: str | None = None
    case: str | None = None
    patient: str | None = None
    side: str | None = None
    reader: str | None = None
    modality: str | None = None
    score: str | None = None

    def find(self, table: TextTable, role: str) -> str | None:
        """The column of a role. Raises StudyError if the one that was named is not there, or if several may be meant."""
        named = getattr(self, role)
        if named is not None:
            if named not in table.columns:
                raise StudyError(
                    f"{table.path}: there is no column {named!r}. It has {listed(table.columns, 10)}. Name one (--{role})."
                )
            return str(named)
        found = [column for column in table.columns if column.strip().lower() in USUAL[role]]
        if len(found) > 1:
            raise StudyError(
                f"{table.path}: {', '.join(found)} may each be the {role}. Say which one is meant: --{role}."
            )
        return found[0] if found else None

    def need(self, table: TextTable, role: str) -> str:
        """The same; raises StudyError if there is none."""
        found = self.find(table, role)
        if found is None:
            raise StudyError(
                f"{table.path}: no column is called like the {role} ({', '.join(USUAL[role])}). It has "
                f"{listed(table.columns, 10)}. Name it: --{role}."
            )
        return found


def read_wide(table: TextTable, columns: Columns, readers: Sequence[str], models: Sequence[str]) -> ReaderStudy:
    """`readers` and `models` are patterns of names of columns, such as `Reader*_POM`.

    `aided=Reader*_AI` are columns of the modality `aided`, whose readers are called what `*` stands for. Raises StudyError.
    """
    check_whole(table)
    modalities, of_models = _columns_of(table, readers, "--readers"), _columns_of(table, models, "--models")
    _check_roles(
        table, columns, {column for _, names in (*modalities.values(), *of_models.values()) for column in names}
    )
    several = len(modalities) > 1
    readings: dict[Reading, list[float]] = {}
    for modality, (pattern, names) in modalities.items():
        for name in names:
            reader = _starred(pattern, name) if several else name
            if (modality, reader) in readings:
                raise StudyError(
                    f"{table.path}: two columns are the reader {reader} in {modality}. Give patterns with one * for the reader."
                )
            readings[modality, reader] = [*scores(table, name).values()]
    model_scores = {name: [*scores(table, name).values()] for _, names in of_models.values() for name in names}
    if both := {column for _, names in modalities.values() for column in names} & {*model_scores}:
        raise StudyError(
            f"{table.path}: {listed(sorted(both))} are readers and models. Expected each once. Correct --readers or --models."
        )
    label = columns.need(table, "label")
    cases, remarks = cases_of(table, columns)
    labels = [*truths(table, label).values()]
    return complete_study(cases, labels, readings, model_scores, str(table.path), remarks)


def cases_of(table: TextTable, columns: Columns) -> tuple[list[Case], list[str]]:
    """The case of each row, and what is to be said of it: the patient is its case where there is no column of patients."""
    side, case, patient = (columns.find(table, role) for role in ("side", "case", "patient"))
    found, remarks = [], []
    for number, row in table.rows.items():
        name = row[case] if case else str(number)
        if (case and is_unknown(name)) or (patient and is_unknown(row[patient])):
            raise StudyError(
                f"{table.path}: row {number} does not say of which case or patient it is. Fill it in, or remove the row."
            )
        whose = row[patient] if patient else name
        found.append(
            Case(
                whose,
                " ".join(part for part in (row[patient] if patient else "", name, row[side] if side else "") if part),
            )
        )
    if not case and not patient:
        remarks.append(
            "no column tells patients apart: every row is taken for a patient of its own, and intervals may be too narrow"
        )
    return found, remarks


def _check_roles(table: TextTable, columns: Columns, scored: set[str]) -> None:
    """Raises StudyError if a column of labels or ids was taken for one of scores, as a wide pattern does."""
    for role in ("label", "case", "patient", "side"):
        if (column := columns.find(table, role)) in scored:
            raise StudyError(
                f"{table.path}: the patterns fit {column!r}, too, which is the {role}. Expected columns of scores alone. Narrow "
                f"--readers or --models, or name another column with --{role}."
            )


def _columns_of(table: TextTable, patterns: Sequence[str], option: str) -> Mapping[str, tuple[str, list[str]]]:
    """Modality -> pattern and the columns that it fits."""
    found: dict[str, tuple[str, list[str]]] = {}
    for given in patterns:
        modality, pattern = ALONE, given
        if "=" in given and not any(fnmatchcase(column, given) for column in table.columns):
            modality, _, pattern = given.partition("=")
        fitting = [column for column in table.columns if fnmatchcase(column, pattern)]
        if not fitting:
            raise StudyError(
                f"{table.path}: no column fits {pattern!r} ({option}). It has {listed(table.columns, 10)}. Correct the pattern."
            )
        before = found.get(modality, (pattern, []))[1]
        if len(before) and len(patterns) > 1 and modality != ALONE:
            raise StudyError(f"{option}: the modality {modality} is there twice. Give each modality one pattern.")
        found[modality] = (pattern, [*before, *(column for column in fitting if column not in before)])
    return found


def _starred(pattern: str, column: str) -> str:
    """What the first `*` of the pattern stands for in the name; the whole name where that is not known."""
    if "*" not in pattern:
        return column
    before, _, after = pattern.partition("*")
    return (
        column[len(before) : len(column) - len(after)]
        if column.startswith(before) and column.endswith(after)
        else column
    )
