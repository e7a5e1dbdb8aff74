"""A pattern for names that are not understood, guessed from these names.

Every name is cut into words. The first that is a side and the first that is a view, or one that is both (`RMLO`), become
fields, one run of others the patient, and all else `{*}`, so that a pattern quotes nothing of a name. Of all these patterns of
all names the one is taken that fits most names and best tells them apart.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from mammoseg.ingest.examine import NO_FIELDS, NO_MATCH, NO_NAME, Seen
from mammoseg.ingest.patterns import LONGEST, VIEWS, compile_pattern

_LOOKED_AT = 200  # names that patterns are made of
_TRIED = 20  # patterns that are compared with all names
_SIDE, _VIEW = "(?:left|right|[lr])", f"(?:{'|'.join(VIEWS)})"
_BETWEEN = re.compile(r"(/|[-_ .,+()#]+)")
"""Between words, and quoted in a pattern."""
_PATIENT, _SIDE_FIELD, _VIEW_FIELD, _ANYTHING = "{patient}", "{laterality}", "{view}", "{*}"


Found = list[tuple[str, str, str]]
"""Patient, side and view of the names that a pattern fits."""


def pattern_to_try(found: Sequence[Seen]) -> tuple[str, str] | None:
    """A pattern that fits more pictures than could be used, and what it would tell; None if all names tell side and view."""
    unnamed = [seen.place for seen in found if seen.why in (NO_NAME, NO_MATCH, NO_FIELDS)]
    named = [seen.place for seen in found if seen.status == "used" and seen.header is None]
    pattern, fields = guess_pattern([*unnamed, *named]) if unnamed else ("", [])
    if len(fields) <= len(named):
        return None
    left, patients = sum(side == "L" for _, side, _ in fields), len({patient for patient, _, _ in fields})
    return pattern, (
        f"--pattern '{pattern}' fits {len(fields)} of {len(unnamed) + len(named)} pictures ({left} left, "
        f"{len(fields) - left} right, {patients} patients)"
    )


def guess_pattern(names: Sequence[PurePosixPath]) -> tuple[str, Found]:
    """The pattern that fits most of `names`, which are relative to the folder; "" if none fits half of them.

    Of those that fit as many, the one that has both sides, tells most images apart with the fewest patients, and leaves
    least open.
    """
    step = max(1, len(names) // _LOOKED_AT)
    made = Counter(pattern for name in names[::step] for pattern in set(_patterns(name)) if len(pattern) <= LONGEST)
    fitting = {pattern: _fitted(pattern, names) for pattern, _ in made.most_common(_TRIED)}

    def quality(pattern: str) -> tuple[int, ...]:
        found = fitting[pattern]
        patients, sides = {patient for patient, _, _ in found}, {side for _, side, _ in found}
        return len(found), len(sides), len({*found}), -len(patients), -pattern.count(_ANYTHING)

    best = max(fitting, key=quality, default="")
    return (best, fitting[best]) if best and 2 * len(fitting[best]) >= len(names) else ("", [])


def _fitted(pattern: str, names: Sequence[PurePosixPath]) -> Found:
    compiled = compile_pattern(pattern)
    fields = [match for name in names if (match := compiled.match(name)) and match["view"] in VIEWS]
    return [(f["patient"], f["laterality"], f["view"]) for f in fields]


def _patterns(name: PurePosixPath) -> Iterator[str]:
    """The patterns that this name can be of, one for each run of words that may be the patient."""
    words = _BETWEEN.split(name.with_suffix("").as_posix())  # and what is between them, in turn
    side, view, both = (_first(words, kind) for kind in (_SIDE, _VIEW, _SIDE + _VIEW))
    if side is not None and view is not None:
        fields = {side: _SIDE_FIELD, view: _VIEW_FIELD}
    elif both is not None:
        fields = {both: _SIDE_FIELD + _VIEW_FIELD}
    else:
        return
    pieces: list[str] = []
    for at, word in enumerate(words):
        if at in fields:
            pieces.append(fields[at])
        elif word == "/" or (at % 2 and (at - 1 in fields or at + 1 in fields)):
            pieces.append(word)
        elif word and pieces[-1:] != [_ANYTHING]:
            pieces.append(_ANYTHING)
    for at in (at for at, piece in enumerate(pieces) if piece == _ANYTHING):
        pattern = "".join([*pieces[:at], _PATIENT, *pieces[at + 1 :]])
        file = pattern.rpartition("/")[2]
        yield file if all(field in file for field in (_PATIENT, _SIDE_FIELD, _VIEW_FIELD)) else pattern


def _first(words: Sequence[str], kind: str) -> int | None:
    return next((at for at, word in enumerate(words) if re.fullmatch(kind, word, re.IGNORECASE)), None)
