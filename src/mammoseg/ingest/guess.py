"""A pattern for names that are not understood, guessed from these names.

Every name is cut into words. One that is a side and one that is a view, or one that is both (`RMLO`), become fields, one run
of others the patient, and all else `{*}`, so that a pattern quotes nothing of a name. Of all these patterns of all names the
one is taken that fits most names and best tells them apart.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import PurePosixPath

from mammoseg.ingest.examine import NO_FIELDS, NO_MATCH, NO_NAME, Seen
from mammoseg.ingest.patterns import LONGEST, VIEWS, compile_pattern

_LOOKED_AT = 200  # names that patterns are made of
_TRIED = 20  # patterns that are compared with all names
_SIDE = re.compile("left|right|[lr]", re.IGNORECASE)
_VIEW = re.compile("|".join(VIEWS), re.IGNORECASE)
_BOTH = re.compile(f"(?P<side>{_SIDE.pattern})(?P<view>{_VIEW.pattern})", re.IGNORECASE)
_BETWEEN = re.compile(r"([-_ .,+()#]+)")
"""Between words, and quoted in a pattern."""
_PATIENT, _SIDE_FIELD, _VIEW_FIELD, _ANYTHING = "{patient}", "{laterality}", "{view}", "{*}"
_FIELDS = (_SIDE_FIELD, _VIEW_FIELD, _SIDE_FIELD + _VIEW_FIELD)


@dataclass(frozen=True)
class Guess:
    """A pattern that really fits, and what it would tell."""

    pattern: str
    fits: int
    names: int
    """Compared with this many."""
    patients: int
    left: int
    different: int
    """Of patient, side and view."""

    def __str__(self) -> str:
        return (
            f"--pattern '{self.pattern}' fits {self.fits} of {self.names} pictures ({self.left} left, {self.fits - self.left} "
            f"right, {self.patients} patients)"
        )


def pattern_to_try(found: Sequence[Seen]) -> Guess | None:
    """A pattern that fits more pictures than could be used, of a scan with names that tell no side and view."""
    unnamed = [seen.place for seen in found if seen.why in (NO_NAME, NO_MATCH, NO_FIELDS)]
    named = [seen.place for seen in found if seen.status == "used" and seen.header is None]
    guess = guess_pattern([*unnamed, *named]) if unnamed else None
    return guess if guess and guess.fits > len(named) else None


def guess_pattern(names: Sequence[PurePosixPath]) -> Guess | None:
    """The pattern that fits most of `names`, which are relative to the folder; None if none fits half of them."""
    step = max(1, len(names) // _LOOKED_AT)
    made = Counter(pattern for name in names[::step] for pattern in set(_patterns(name)) if len(pattern) <= LONGEST)
    guesses = [_compared(pattern, names) for pattern, _ in made.most_common(_TRIED)]
    best = max(guesses, key=_quality, default=None)
    return best if best and 2 * best.fits >= len(names) else None


def _quality(guess: Guess) -> tuple[int, bool, int, int, int]:
    """Fits most names, has both sides, tells most images apart with the fewest patients, and leaves least open."""
    both = 0 < guess.left < guess.fits
    return guess.fits, both, guess.different, -guess.patients, -guess.pattern.count(_ANYTHING)


def _compared(pattern: str, names: Sequence[PurePosixPath]) -> Guess:
    compiled = compile_pattern(pattern)
    found = [fields for name in names if (fields := compiled.match(name)) and fields["view"] in VIEWS]
    sides = [fields["laterality"] for fields in found]
    images = {(fields["patient"], fields["laterality"], fields["view"]) for fields in found}
    return Guess(pattern, len(found), len(names), len({image[0] for image in images}), sides.count("L"), len(images))


def _patterns(name: PurePosixPath) -> Iterator[str]:
    """The patterns that this name can be of: words and what is between them, in turn, of every folder and the file."""
    parts = [_BETWEEN.split(part) for part in (*name.parts[:-1], name.stem)]
    words = [(level, at) for level, part in enumerate(parts) for at in range(0, len(part), 2)]
    sides = [place for place in words if _SIDE.fullmatch(_word(parts, place))]
    views = [place for place in words if _VIEW.fullmatch(_word(parts, place))]
    both = [place for place in words if _BOTH.fullmatch(_word(parts, place))]
    choices = [{side: _SIDE_FIELD, view: _VIEW_FIELD} for side, view in product(sides, views)]
    for fields in [*choices, *({place: _SIDE_FIELD + _VIEW_FIELD} for place in both)]:
        yield from _with_patient(
            [
                _pieces(part, {at: f for (own, at), f in fields.items() if own == level})
                for level, part in enumerate(parts)
            ]
        )


def _word(parts: Sequence[Sequence[str]], place: tuple[int, int]) -> str:
    return parts[place[0]][place[1]]


def _pieces(words: Sequence[str], fields: dict[int, str]) -> list[str]:
    """A part of a path with its fields; runs of other words are {*}, with the separators between these and the fields."""
    pieces: list[str] = []
    for at, word in enumerate(words):
        if at in fields:
            pieces.append(fields[at])
        elif at % 2 and (at - 1 in fields or at + 1 in fields):
            pieces.append(word)
        elif word and (not pieces or pieces[-1] != _ANYTHING):
            pieces.append(_ANYTHING)
    return pieces


def _with_patient(levels: Sequence[Sequence[str]]) -> Iterator[str]:
    """A pattern for each run that may be the patient; without the folders if all fields are in the name."""
    for level, pieces in enumerate(levels):
        for at in (at for at, piece in enumerate(pieces) if piece == _ANYTHING):
            named = [*levels[:level], [*pieces[:at], _PATIENT, *pieces[at + 1 :]], *levels[level + 1 :]]
            in_folders = any(piece in (_PATIENT, *_FIELDS) for pieces in named[:-1] for piece in pieces)
            yield "/".join("".join(pieces) for pieces in (named if in_folders else named[-1:]))
