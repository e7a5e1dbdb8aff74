"""What every format of annotations (`ingest/annotations/`) gives: what somebody drew on which image, before it becomes pixels.

A format is a file that defines:

    TITLE            one line
    IMAGES           how it tells which image it means: NAMED or UID
    Options          a Config with what can be set, perhaps nothing
    reads(path)      whether a file of a folder is one of this format, by its name or its first bytes
    read(path, options) -> list of Annotation, without decoding pixels where that takes long

`read` raises AnnotationError, ImageReadError or OSError, and so does `draw`. Files are not trusted: whatever a library raises on a
damaged one goes through `damage`.
"""

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mammoseg.io.errors import ImageReadError
from mammoseg.records.finding import Box

NAMED: Literal["names"] = "names"
UID: Literal["uids"] = "uids"
"""SOP Instance UID of a DICOM file."""

Size = tuple[int, int]
"""Rows, columns."""
MOST_ANNOTATIONS = 1_000_000
"""Most of one file."""


class AnnotationError(ValueError):
    """An annotation that cannot be used, with the reason. The message names no person and not the file."""


class MissingLibraryError(ValueError):
    """A library that not every installation has. It ends the command, since no file of the format can be read."""


class Patch(NamedTuple):
    """Pixels of an image, and those of them that are in a region."""

    top: int
    left: int
    pixels: NDArray[np.bool_]
    """(h, w), wholly inside the image."""

    def paste(self, canvas: NDArray[np.bool_]) -> None:
        """Add the region to `canvas`, (rows, columns) of the image."""
        height, width = self.pixels.shape
        canvas[self.top : self.top + height, self.left : self.left + width] |= self.pixels


@dataclass(frozen=True)
class Annotation:
    """One thing that was drawn on one image."""

    item: str
    """Which of its file, in words: `segment 2`."""
    images: tuple[str, ...]
    """What the image is called, the surest first: UIDs, or names or paths, which are compared and never opened."""
    label: str
    """What it is, in the words of who drew it."""
    draw: Callable[[Size], Patch] | None
    """The region, for an image of this size; None: it is the box, or, as of a point, there is none."""
    names: tuple[str, ...] = ()
    """Further words and codes for what it is."""
    box: Callable[[Size], Box] | None = None
    """The box that was drawn or stated, for an image of this size: top, left, bottom, right, pixel i covers [i, i + 1)."""
    size: Size | None = None
    """Of the image that it was drawn on, if that is told."""
    said: Mapping[str, str] = field(default_factory=dict)
    """What else is said of it: measurement or code -> value."""


@contextmanager
def damage(what: str) -> Iterator[None]:
    """Gives what libraries raise on damaged files one kind; `what` says what cannot be read."""
    try:
        yield
    except (AnnotationError, ImageReadError, OSError):
        raise
    except Exception as error:  # what a damaged file leads to in a library is not documented
        raise AnnotationError(
            f"{what} cannot be read ({type(error).__name__}). Expected a whole file of this format. Export it again."
        ) from None


def check_size(found: Size, expected: Size) -> None:
    """Raises AnnotationError unless the annotation was drawn on an image of this size."""
    if found != expected:
        turned = " Rows and columns are exchanged." if found == expected[::-1] else ""
        raise AnnotationError(
            f"it is drawn on {found[0]} rows x {found[1]} columns. Expected {expected[0]} x {expected[1]}, as the image file "
            f"has.{turned} Draw on the image itself, or scale the annotation to it."
        )


def checked_count(count: int) -> None:
    """Raises AnnotationError for more annotations than a file of people's work has."""
    if count > MOST_ANNOTATIONS:
        raise AnnotationError(f"it has {count} annotations. Expected at most {MOST_ANNOTATIONS}. Divide the file.")


def library(module: str, package: str) -> Any:
    """A module of the optional packages for annotations. Raises MissingLibraryError."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingLibraryError(
            f"{package} cannot be imported ({error}). Expected it for this format. Install it: pip install 'mammoseg[annotations]'"
        ) from None
