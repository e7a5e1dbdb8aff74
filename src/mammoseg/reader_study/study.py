"""A reader study as arrays: readers, and models beside them, on the same cases.

Results compare readers on the same cases, so a case without one of the scores is left out for all of them, and counted.

Shapes   T modalities | R readers | n cases
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mammoseg.reader_study.errors import StudyError
from mammoseg.statistics.ranking import Floats
from mammoseg.wording import counted, listed

ALONE = "alone"
"""Name of the modality of a study that has one: the readers as they are."""

Reading = tuple[str, str]
"""Modality and reader."""


@dataclass(frozen=True)
class Case:
    """What is read: a breast, or whatever has a row."""

    patient: str
    """Cases of the same patient are not independent."""
    name: str
    """Tells it from the other cases of all patients."""


@dataclass(frozen=True, eq=False)
class ReaderStudy:
    """Complete: every score is known."""

    cases: tuple[Case, ...]
    labels: Floats
    """(n,) 0 or 1."""
    modalities: tuple[str, ...]
    readers: tuple[str, ...]
    scores_TRN: Floats
    models: Mapping[str, Floats]
    """Name -> (n,)."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Why -> how many cases."""
    remarks: tuple[str, ...] = ()
    """What is to be known of the data beside that."""

    @property
    def patients(self) -> list[str]:
        return [case.patient for case in self.cases]

    def of(self, modality: str) -> Floats:
        """The scores of its readers, (R, n)."""
        return self.scores_TRN[self.modalities.index(modality)]


def complete_study(
    cases: Sequence[Case],
    labels: Sequence[float],
    readings: Mapping[Reading, Sequence[float]],
    models: Mapping[str, Sequence[float]],
    where: str,
    remarks: Sequence[str] = (),
) -> ReaderStudy:
    """Those cases of which label and scores are known (not NaN).

    Raises StudyError if readers have not read in the same modalities, for a case that is there twice, and if no case, no positive
    or no negative is left. `where` is what messages begin with.
    """
    names, twice = [case.name for case in cases], set()
    if len(set(names)) < len(names):
        twice = {name for name in names if names.count(name) > 1}
        raise StudyError(
            f"{where}: {counted(len(twice), 'case')} of {len(set(names))} are there more than once. Expected a row for each. "
            "Remove the others, or name the columns that tell cases apart (--case, --side)."
        )
    modalities, readers = (tuple(dict.fromkeys(key[i] for key in readings)) for i in (0, 1))
    if missing := [f"{r} in {t}" for t in modalities for r in readers if (t, r) not in readings]:
        raise StudyError(
            f"{where}: there are no scores of {listed(missing, 1)}. Expected "
            "every reader in every modality: others cannot be compared. Leave the reader or the modality out."
        )
    if not readers:
        raise StudyError(f"{where}: no reader was found. Expected at least one. Name their columns with --readers.")
    label_N = np.array(labels, dtype=np.float64)
    read_KN = np.array([readings[t, r] for t in modalities for r in readers], dtype=np.float64)
    model_MN = np.array(list(models.values()), dtype=np.float64).reshape(len(models), label_N.size)
    unlabelled = np.isnan(label_N)
    unread = ~unlabelled & np.isnan(read_KN).any(axis=0)
    unscored = ~unlabelled & ~unread & np.isnan(model_MN).any(axis=0)
    kept = ~(unlabelled | unread | unscored)
    left_out = {"no label": unlabelled, "not scored by every reader": unread, "not scored by every model": unscored}
    counts = {why: int(those.sum()) for why, those in left_out.items() if those.any()}
    _check_classes(label_N[kept], counts, where)
    hint = _hint([*(" ".join(key) for key in readings), *models], np.vstack([read_KN, model_MN])[:, ~unlabelled])
    return ReaderStudy(
        tuple(case for case, keep in zip(cases, kept, strict=True) if keep),
        label_N[kept],
        modalities,
        readers,
        read_KN[:, kept].reshape(len(modalities), len(readers), -1),
        dict(zip(models, model_MN[:, kept], strict=True)),
        counts,
        (*remarks, *hint),
    )


def _check_classes(label_N: Floats, left_out: Mapping[str, int], where: str) -> None:
    for value, name in ((1, "positive"), (0, "negative")):
        if not (label_N == value).any():
            why = ", ".join(
                f"{count} have {reason}" if reason == "no label" else f"{count} are {reason}"
                for reason, count in left_out.items()
            )
            raise StudyError(
                f"{where}: no {name} case with all scores{f' ({why})' if why else ''}. Expected positives and negatives. Look at "
                "the labels, or leave out the reader or model whose scores are missing."
            )


def _hint(names: Sequence[str], scores_KN: Floats) -> list[str]:
    """Who lacks most of the scores, if without them many more cases were complete."""
    missing_KN = np.isnan(scores_KN)
    incomplete = missing_KN.any(axis=0).sum()
    if not incomplete:
        return []
    worst = int(missing_KN.sum(axis=1).argmax())
    rest = np.delete(missing_KN, worst, axis=0).any(axis=0).sum()
    return [f"without {names[worst]}, {incomplete - rest} more cases would be complete"] if rest < incomplete else []
