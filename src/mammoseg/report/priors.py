"""Which earlier exam of the same patient hangs beside an exam: the latest one before it, by the dates of the manifest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from mammoseg.data.manifest import ImageRow
from mammoseg.report.exams import Exam
from mammoseg.wording import counted


@dataclass(frozen=True)
class Prior:
    """An earlier exam of the same patient."""

    exam: Exam
    months: int
    """Whole months between the two; the page has no dates."""

    @property
    def words(self) -> str:
        """How it is labelled."""
        return f"prior, {counted(self.months, 'month') if self.months else 'less than a month'} before"


def prior_of(exam: Exam, others: Sequence[Exam], rows: Mapping[str, ImageRow]) -> Prior | None:
    """The latest of `others` that is of the same patient and of an earlier day; of several of one day that with the most images.

    None: there is none, or no day of the exam is known. `rows` are those of the manifest, by image_id. An exam whose images
    are of several days, or of none that is known, is before no other one.
    """
    own = _day(exam, rows)
    of_patient = [(_day(other, rows), other) for other in others if other.patient_id == exam.patient_id]
    earlier = [
        (day, len(other.members), other.exam_id, other) for day, other in of_patient if day and own and day < own
    ]
    if own is None or not earlier:
        return None
    day, _, _, latest = max(earlier, key=lambda found: found[:3])
    return Prior(latest, _months(day, own))


def _day(exam: Exam, rows: Mapping[str, ImageRow]) -> date | None:
    days = {rows[member.image_id].study_date for member in exam.members if member.image_id in rows}
    day = days.pop() if len(days) == 1 else None
    return date.fromisoformat(day) if day else None


def _months(first: date, second: date) -> int:
    return (second.year - first.year) * 12 + second.month - first.month - (second.day < first.day)
