"""Scores and labels in tables of any kind -> what `join` gives of predictions, for each column of scores.

A row is a case: an image, a breast or whatever the table is about. What a row lacks is never guessed: without a column of
breasts there is no level of breasts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mammoseg.bounded import sha256_of
from mammoseg.evaluation.cells import Cells, Labels, Scores, ScoreTableError, read_labels, read_scores, shown
from mammoseg.evaluation.join import Joined
from mammoseg.evaluation.scores import BREAST, FINAL, score_column
from mammoseg.io.text_table import TextTable
from mammoseg.records.image import side_of
from mammoseg.records.label import CLASSES
from mammoseg.wording import counted, listed

_OWN = {"patient": "patient_id", "exam": "exam_id", "breast": "laterality", "image": "image_id", "view": "view"}
"""What a column is for -> its name where nothing else is said, which is that of a manifest."""
_SIDES = {"lt": "L", "rt": "R", "left breast": "L", "right breast": "R"}


@dataclass(frozen=True)
class Columns:
    """Which columns of a table are what; None: the one with the name that a manifest gives it, if there is one."""

    scores: tuple[str, ...]
    """Each of a model, of the same cases."""
    label: str
    patient: str | None = None
    """The cluster of all intervals."""
    exam: str | None = None
    breast: str | None = None
    image: str | None = None
    view: str | None = None
    by: tuple[str, ...] = ()
    """Breakdowns: of a column each, or of two as NAME,NAME."""
    positive: tuple[str, ...] = ()
    """Values of `label` that mean 1; empty: 1 and true do."""
    negative: tuple[str, ...] = ()
    """Those that mean 0; empty: the others."""
    about: str = CLASSES[1]
    """The class that scores and labels are about."""


def read_score_table(
    tables: Sequence[TextTable],
    columns: Columns,
    labels: TextTable | None = None,
    keys: Sequence[str] = (),
    split: str | None = None,
) -> dict[str, Joined]:
    """Column of scores -> cases, as `join` gives them.

    `tables` are one, or parts of one (out-of-fold scores). With `labels`, a table with one row for each case of the parts, the
    `keys` say which columns the same cases have in common: NAME, or NAME=NAME of the labels. `split` leaves the rows whose
    column `split` says so. An empty score is a failed case: left out and counted. Raises ScoreTableError for whatever does not fit.
    """
    cells = Cells(tables)
    truth = Cells([labels]) if labels else cells
    to_label = _matched(cells, truth, keys) if labels else np.arange(len(cells))
    source = _Source(cells, truth, to_label)
    truth.require(columns.label, "--label")
    for name in columns.scores:
        cells.require(name, "--score")
    named = {kind: source.column(getattr(columns, kind), kind) for kind in _OWN}
    chosen = _chosen(source, split)
    found = read_labels(truth, columns.label, columns.positive, columns.negative)
    frame = _frame(source, named, columns)
    frame[columns.about] = found.values[to_label]
    _check_cases(cells, frame, named, chosen)
    joined = {}
    for name in dict.fromkeys(columns.scores):
        scores = read_scores(cells, name)
        table = frame.assign(**{score_column(FINAL, columns.about): scores.values})[chosen]
        joined[name] = _joined(table, named, columns, _about(tables, labels, name, columns, found, scores, named))
    return joined


class _Source:
    """Columns of the scores' table or, where it does not have them, of the labels'."""

    def __init__(self, cells: Cells, truth: Cells, to_label: np.ndarray) -> None:
        self.cells, self.truth, self.to_label = cells, truth, to_label

    def column(self, name: str | None, kind: str) -> str | None:
        """The name of the column that is `kind`, None if there is none. Raises ScoreTableError if a stated one is not there."""
        if name is None:
            own = _OWN[kind]
            return own if self.has(own) else None
        if not self.has(name):
            (self.cells if self.truth is self.cells else self.truth).require(name, f"--{kind}")
        return name

    def has(self, name: str) -> bool:
        """Whether one of the tables has the column."""
        return self.cells.find(name) is not None or self.truth.find(name) is not None

    def text(self, name: str) -> pd.Series:
        """(n,) cells of a column, as they stand there but for the space around them."""
        if self.cells.find(name) is not None:
            return self.cells.text(name)
        return self.truth.text(name).iloc[self.to_label].reset_index(drop=True)


def _matched(cells: Cells, truth: Cells, keys: Sequence[str]) -> np.ndarray:
    """The row of the labels (from 0 on) that each case of the scores belongs to."""
    if not keys:
        raise ScoreTableError(
            f"{truth.files}: labels in a table of their own, and it is not said what both tables have in common. Expected one or "
            "several columns whose values name a case. Name them: --key COLUMN, or --key COLUMN=COLUMN_OF_THE_LABELS."
        )
    pairs = [(left.strip(), (right or left).strip()) for left, _, right in (key.partition("=") for key in keys)]
    ours = [cells.text(cells.require(left, "--key")) for left, _ in pairs]
    theirs = [truth.text(truth.require(right, "--key")) for _, right in pairs]
    wanted, there = (pd.MultiIndex.from_arrays(parts) for parts in (ours, theirs))
    what = " and ".join(shown(right) for _, right in pairs)
    if (twice := there.duplicated(keep=False)).any():
        raise ScoreTableError(
            f"{truth.files}: the same {what} is in {truth.rows(twice)}. Expected one row for each case. Remove rows, or add the "
            "column that tells them apart with --key."
        )
    place = there.get_indexer(wanted)
    if (missing := place < 0).any():
        raise ScoreTableError(
            f"{cells.files}: {counted(int(missing.sum()), 'case')} of {len(cells)} ({cells.rows(missing)}) "
            f"{'is' if missing.sum() == 1 else 'are'} not in {truth.files}, by {what}. Expected a row of labels for each score. "
            "Complete the labels (an empty label is unknown), or correct --key."
        )
    return np.asarray(place)


def _chosen(source: _Source, split: str | None) -> np.ndarray:
    """(n,) whether a case is to be evaluated. Raises ScoreTableError if labels of the split have no row of scores."""
    cells, truth = source.cells, source.truth
    used = np.zeros(len(truth), bool)
    used[source.to_label] = True
    wanted = np.ones(len(truth), bool)
    chosen = np.ones(len(cells), bool)
    if split is not None:
        owner = cells if cells.find("split") is not None else truth
        owner.require("split", "a header `split`, or leave out --split")
        chosen = (source.text("split") == split).to_numpy(bool)
        if not chosen.any():
            there = listed([*map(shown, source.text("split").unique())])
            raise ScoreTableError(
                f"{owner.files}: column 'split' has no row {shown(split)}. Expected one of its values: {there}. Name one of these."
            )
        wanted = (truth.text("split") == split).to_numpy(bool) if truth.find("split") is not None else used
    if (lacking := wanted & ~used).any():
        raise ScoreTableError(
            f"{truth.files}: {counted(int(lacking.sum()), 'case')} of {int(wanted.sum())} ({truth.rows(lacking)}) "
            f"{'has' if lacking.sum() == 1 else 'have'} labels and no row in {cells.files}. Expected a score for each: an average "
            "over the rest would not be comparable. Add rows (an empty score is a failed case), or name the part with --split."
        )
    return chosen


def _frame(source: _Source, named: Mapping[str, str | None], columns: Columns) -> pd.DataFrame:
    """The ids of all cases and what they are broken down by; no labels and scores yet."""
    n = len(source.cells)
    if named["patient"] is None:
        raise ScoreTableError(
            f"{source.cells.files}: there is no column 'patient_id', and no other is named. Expected to know which cases are of "
            "one patient: intervals rest on it. Name the column with --patient; where each row is another patient, that of cases."
        )
    frame = pd.DataFrame(index=range(n))
    for kind, own in _OWN.items():
        name = named[kind]
        frame[own] = "" if name is None else source.text(name)
        if name and (empty := (frame[own] == "").to_numpy(bool)).any() and kind != "view":
            raise ScoreTableError(
                f"{source.cells.files}: column {shown(name)} is empty in {source.cells.rows(empty)}. Expected the {kind} of every "
                "case. Fill it in."
            )
    if breast := named["breast"]:
        frame["laterality"] = _sides(source, breast, frame["laterality"])
    if named["image"] is None:
        frame["image_id"] = [f"row {number}" for number in range(1, n + 1)]
    own_names = {*frame, columns.about, score_column(FINAL, columns.about)}
    for name in _kept(source, columns.by):
        if name in own_names and named.get(next((k for k, own in _OWN.items() if own == name), "")) != name:
            raise ScoreTableError(
                f"{source.cells.files}: column {shown(name)} has a name that results use for something else. Expected another. "
                "Rename it."
            )
        if source.column(name, "by") and name not in frame:
            frame[name] = source.text(name).replace("", None)
    if columns.about in frame or not columns.about.strip():
        raise ScoreTableError(
            f"{source.cells.files}: a class cannot be called {shown(columns.about)}: a column of results is. Expected a name such "
            "as malignant. Name it with --class."
        )
    return frame


def _kept(source: _Source, by: Sequence[str]) -> list[str]:
    """The columns that breakdowns are about."""
    parts = [[name] if source.has(name) else name.split(",") for name in by]
    return list(dict.fromkeys(part.strip() for several in parts for part in several))


def _sides(source: _Source, name: str, texts: pd.Series) -> pd.Series:
    distinct = {text: side_of(text) or _SIDES.get(text.lower()) for text in texts.unique()}
    sides = texts.map(distinct)
    if (bad := sides.isna().to_numpy(bool)).any():
        raise source.cells.wrong(name, bad, texts, "L or R, or left or right", "Correct them, or leave --breast out.")
    return sides


def _check_cases(cells: Cells, frame: pd.DataFrame, named: Mapping[str, str | None], chosen: np.ndarray) -> None:
    """No case twice: it would count double, and the same seed would not know."""
    if named["image"]:
        keys, what = [*BREAST, "image_id"], f"patient and column {shown(named['image'])}"
    elif named["breast"]:
        keys = [*BREAST, *(["view"] if named["view"] else [])]
        what = "patient, exam, breast and view" if named["view"] else "patient, exam and breast"
    else:
        keys, what = [], "all cells"
    compared = frame[keys] if keys else pd.concat([cells.text(name) for name in cells.tables[0].columns], axis=1)
    if (twice := compared.duplicated(keep=False).to_numpy(bool) & chosen).any():
        raise ScoreTableError(
            f"{cells.files}: the same case is there more than once, by {what}: {cells.rows(twice)}. Expected each case once. "
            "Remove the copies; where they are different images, name the column that tells them apart with --image or --view."
        )


def _joined(table: pd.DataFrame, named: Mapping[str, str | None], columns: Columns, about: dict[str, Any]) -> Joined:
    failed = table[score_column(FINAL, columns.about)].isna()
    return Joined(
        images=table[~failed].reset_index(drop=True),
        failed=table[failed].reset_index(drop=True),
        of_training=None,
        sources=(FINAL,),
        classes=(columns.about,),
        predicted=(columns.about,),
        levels=("image", "breast", "exam") if named["breast"] else ("image",),
        about=about,
    )


def _about(
    tables: Sequence[TextTable],
    labels: TextTable | None,
    name: str,
    columns: Columns,
    found: Labels,
    scores: Scores,
    named: Mapping[str, str | None],
) -> dict[str, Any]:
    notes = list(scores.notes)
    if named["breast"] is None:
        notes.append("no column of breasts: each row is a case, and there is no level of breasts and exams")
    elif named["exam"] is None:
        notes.append("no column of exams: each patient has one")
    return {
        "table": {
            "files": [{"file": table.path.name, "sha256": sha256_of(table.path)} for table in tables],
            "labels_file": {"file": labels.path.name, "sha256": sha256_of(labels.path)} if labels else None,
            "score": name,
            "label": columns.label,
            "columns": {kind: column for kind, column in named.items() if column},
            "label_values": {kind: dict(list(values.items())[:50]) for kind, values in found.meaning.items()},
            "probabilities": scores.probabilities,
            "notes": [
                *notes,
                "whether the model has learned from these patients cannot be known from a table",
            ],
        }
    }
