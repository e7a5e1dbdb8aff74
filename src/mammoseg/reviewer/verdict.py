"""What a reader posts: a verdict on each breast of an exam, checked before anything of it is kept."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from mammoseg.reviewer.errors import VerdictError

_Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]
_LONGEST_NAME = 80


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Ellipse(_Form):
    """A lesion on one view, in pixels of its file."""

    image_id: str = Field(max_length=128)
    row: _Number
    column: _Number
    semi_rows: _Number
    semi_columns: _Number


class BreastVerdict(_Form):
    """A row of docs/reference/verdicts.md, without exam and reader."""

    laterality: Literal["R", "L"]
    birads: int | None = Field(ge=0, le=6)
    score: int | None = Field(ge=0, le=100)
    ellipses: tuple[Ellipse, ...] = Field(max_length=100)
    seconds: float = Field(allow_inf_nan=False, ge=0, le=1e7)
    comment: str = Field(max_length=4000)
    truth_seen: bool


class Posted(_Form):
    """What the page of an exam posts."""

    reader: str = Field(max_length=_LONGEST_NAME)
    """The name that the page shows."""
    page: str = Field(pattern="^([0-9a-f]{64})?$")
    """The hash of what the page was made of (report/stamp.py); empty: an image of it could not be read."""
    verdicts: tuple[BreastVerdict, ...] = Field(min_length=1, max_length=2)


class Named(_Form):
    """What the list posts, once."""

    reader: str = Field(max_length=1000)


class Token(_Form):
    """What the login page posts."""

    token: str = Field(max_length=1000)


def check(posted: Posted, sides: Mapping[str, str]) -> None:
    """Raises VerdictError unless it is about the exam whose images have these sides, and says something of each breast."""
    if sorted(each.laterality for each in posted.verdicts) != sorted({*sides.values()}):
        raise VerdictError("The verdict is not about the breasts of this exam. Load the page again.")
    for each in posted.verdicts:
        if each.birads is None and each.score is None:
            raise VerdictError("Give each breast a BI-RADS category or a number from 0 to 100.")
        if "\0" in each.comment:
            raise VerdictError("The comment holds zero bytes. Type it again.")
        if any(sides.get(ellipse.image_id) != each.laterality for ellipse in each.ellipses):
            raise VerdictError("A lesion lies on an image that is not of this breast. Load the page again.")


def reader_name(text: str) -> str | None:
    """A name as it is kept: without spaces around it; None for one that cannot be used."""
    name = re.sub(r"\s+", " ", text).strip()
    return name if 0 < len(name) <= _LONGEST_NAME and name.isprintable() else None
