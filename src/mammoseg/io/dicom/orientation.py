"""Which breast a picture shows, and which way it points in the file.

Patient Orientation (DICOM PS3.3 C.7.6.1.1.1) names the direction along a row, from left to right, and down a column: A
front, P back, L and R the patient's left and right, H head, F foot; further letters are lesser components. Usual are

    left CC  A\\R      right CC  P\\L      left MLO  A\\FR      right MLO  P\\FL

so that the left breast points right. A mirrored file keeps the second value and has the other first one:

    first value              left breast                        right breast
    A, the breast points     right: horizontal_flip False       right: horizontal_flip True
    P, the breast points     left: horizontal_flip True         left: horizontal_flip False

The second value says which breast it is, too: lateral is above medial in every picture that is not upside down. If it is
the other breast than laterality says, one of the two is wrong and horizontal_flip stays None: the pixels decide then.
"""

from collections.abc import Iterable

from mammoseg.records.image import Laterality, side_of

_OTHER = {"L": "R", "R": "L"}
_NO_SIDE = ("B", "U", "BOTH", "BILATERAL", "UNPAIRED")
_FROM_ABOVE = ("CC", "XCC", "XCCL", "XCCM", "CV", None)
_OBLIQUE = ("MLO", "LMO", "AT", None)


def read_laterality(
    stated: Iterable[tuple[str, tuple[str, ...]]], side: Laterality | None
) -> tuple[Laterality | None, tuple[str, ...]]:
    """The breast that the first place states, of (name, values) pairs; else the `side` named with the view.

    Places that contradict it are findings, as are values that name no side. "B" (both) and empty are None.
    """
    findings: list[str] = []
    found: list[tuple[str, Laterality]] = []
    for name, values in stated:
        sides = {value.upper() for value in values if value}
        known = {one for value in sides if (one := side_of(value))}
        if len(known) == 1:
            found.append((name, known.pop()))
        elif known:
            findings.append(f"{name} names both L and R")
        elif sides - set(_NO_SIDE):
            findings.append(f"{name} names no side (expected L, R, B or U)")
    if side and not found:
        findings.append("the laterality is taken from a text that names the view")
    if side:
        found.append(("the text that names the view", side))
    for name, other in found[1:]:
        if other != found[0][1]:
            findings.append(f"{found[0][0]} says {found[0][1]}, {name} says {other}: {found[0][1]} is used")
    return (found[0][1] if found else None), tuple(dict.fromkeys(findings))


def read_horizontal_flip(
    orientation: tuple[str, ...], laterality: Laterality | None, view: str | None
) -> tuple[bool | None, tuple[str, ...]]:
    """`Mammogram.horizontal_flip` from Patient Orientation, and findings."""
    if not any(orientation):
        return None, ()
    row, column = (*(value.upper() for value in orientation), "", "")[:2]
    if not row or set(row + column) - set("APLRHF"):
        return None, ("Patient Orientation is unreadable",)
    if row[0] not in "AP":
        return None, ("the rows do not run from back to front (Patient Orientation): the picture may be turned",)
    if laterality is None:
        return None, ()
    findings = []
    named = _breast_of(row, column, view)
    if named not in (None, laterality):
        return None, (f"Patient Orientation is the one of a {named} breast, laterality says {laterality}: check both",)
    if _upside_down(row, column, view, laterality):
        findings.append("the picture is upside down (Patient Orientation)")
    return (row[0] == "A") != (laterality == "L"), tuple(findings)


def _breast_of(row: str, column: str, view: str | None) -> str | None:
    """The breast that the direction of the columns belongs to; None if it fits both.

    Of a view from above only the usual pairs (A\\R, P\\L) tell: others can be either breast, upside down or mirrored.
    """
    across = next((letter for letter in column if letter in "LR"), None)
    if across is None:
        return None
    if column[0] in "FH":
        if view not in _OBLIQUE:
            return None
        return _OTHER[across] if column[0] == "F" else across
    if view not in _FROM_ABOVE:
        return None
    return {"AR": "L", "PL": "R"}.get(row[0] + across)


def _upside_down(row: str, column: str, view: str | None, laterality: Laterality) -> bool:
    if column.startswith("H"):
        return True
    return view in _FROM_ABOVE and column[:1] == laterality
