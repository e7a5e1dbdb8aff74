"""What every adapter says about its data set, as `ABOUT`: shown by `mammoseg adapt` before anybody trusts a label."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Totals:
    """What the whole data set has, by its publication; None: not told."""

    images: int
    source: str
    exams: int | None = None
    patients: int | None = None


@dataclass(frozen=True)
class About:
    """A data set in the words a user needs. Plain text, a sentence per entry."""

    title: str
    label_source: str
    """Where benign and malignant come from (biopsy, BI-RADS, registry ...) and by which rule."""
    licence: str
    """Under which terms the images may be used."""
    defects: tuple[str, ...]
    """What is known to be wrong or misleading in the data, and what the adapter does about it."""
    url: str
    """Where the data set is published."""
    holds: str
    """What its folder holds, as `adapt` expects it."""
    published: Totals | None = None
    """None where no total is known for certain: then only its tables and files tell what is missing."""
