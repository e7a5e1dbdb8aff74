"""Patterns of file names: what stands where in the path of an image, such as `{patient}/{laterality}_{view}`.

    {patient} {exam}    one or more characters of a name
    {laterality}        L, R, left or right
    {view}              letters: CC, MLO, XCCL, ...
    {*}                 anything within a name, also nothing

Everything else stands for itself. A pattern without `/` is compared with the name of the file, in whatever folder it is;
one with `/` with the whole path below the folder that is searched. The suffix of the file may be left out.

Without a pattern the usual names are understood (`usual_name`): `EXAM_L-CC.png`, `EXAM right mlo.png`, `RMLO.png`,
`EXAM_CC_LEFT.png`. Names and folders of masks are known too (`looks_like_mask`), and names of views that no model is made
for (`special_view`).
"""

import re
from dataclasses import dataclass
from pathlib import PurePath

FIELDS = {
    "patient": r"[^/]+",
    "exam": r"[^/]+",
    "laterality": r"(?:left|right|[lr])",
    "view": r"[a-z]+",
}
"""Name of a field -> what it may be, upper or lower case."""
ANYTHING = "*"

_OPEN = ("patient", "exam", ANYTHING)
LONGEST = 300

VIEWS = ("CC", "MLO", "ML", "LM", "LMO", "XCC", "XCCL", "XCCM", "AT", "CV")
"""Those that names are believed."""

# AT and CV only behind a separator: LAT is lateral, not the axillary tail of a left breast. "left at" are words.
_VIEW = r"(?P<view>CC|MLO|ML|LM|LMO|XCC|XCCL|XCCM|(?<![a-z])(?<!left[_\-. ])(?<!right[_\-. ])(?:AT|CV))"
_SIDE = "(?P<side>LEFT|RIGHT|L|R)"
_USUAL = [
    re.compile(rf"(?:^|(?P<exam>.*?)[_\-. ]+){said}(?P<tail>[_\-. ].*)?$", re.IGNORECASE)
    for said in (rf"{_SIDE}[_\-. ]{{0,3}}{_VIEW}", rf"{_VIEW}[_\-. ]{{1,3}}{_SIDE}")
]
"""Side and view before view and side."""

_MASK = "masks?|seg(?:mentation)?s?|heat[_-]?maps?|annotations?|rois?|ground[_-]?truth"
_MASK_FOLDER = re.compile(_MASK, re.IGNORECASE)
_MASK_NAME = re.compile(rf"(?<![a-z])(?:{_MASK})(?![a-z])", re.IGNORECASE)
_MASK_TAIL = re.compile(rf"(?:{_MASK}|benign|malignant|lesions?|labels?)(?![a-z])", re.IGNORECASE)
"""Behind side and view, where classes of lesions stand too; before them and in folders they are those of images."""

_SPECIAL = {
    "spot": "spot|spotcomp(?:ression)?",
    "magnification": "mag|magn|magnif(?:ication|ied)?",
    "tomosynthesis": "tomo|tomosynthesis|dbt",
    "synthetic 2D": "synth|synthetic|s2d|c[_-]?view",
    "specimen": "specimen",
    "stereo": "stereo|stereotactic",
}
"""As DICOM headers call it -> words of names."""


class PatternError(ValueError):
    """A pattern that cannot be used; the message says where and what to write instead."""


def usual_name(stem: str) -> dict[str, str] | None:
    """What the name of a file without its suffix tells, such as `EXAM_L-CC`: laterality and view as `NamePattern.match` gives
    them, and the exam, what stands before them ("" if there is nothing). None if it has neither side nor view."""
    match = _usual(stem)
    if match is None:
        return None
    return {"exam": match["exam"] or "", "laterality": match["side"][0].upper(), "view": match["view"].upper()}


def special_view(stem: str, pattern: str = "") -> str | None:
    """The kind of view that a name tells and no model is made for, unless the pattern of names has the word itself."""
    for kind, words in _SPECIAL.items():
        word = re.compile(rf"(?<![a-z])(?:{words})(?![a-z])", re.IGNORECASE)
        if word.search(stem) and not word.search(pattern):
            return kind
    return None


def looks_like_mask(relative_path: PurePath) -> bool:
    """Whether a picture is named, or lies in a folder named, as masks, regions and heat maps of images are."""
    match = _usual(relative_path.stem)
    name, tail = (match["exam"] or "", match["tail"] or "") if match else (relative_path.stem, "")
    in_folder = any(_MASK_FOLDER.fullmatch(folder) for folder in relative_path.parts[:-1])
    return in_folder or bool(_MASK_NAME.search(name) or _MASK_TAIL.search(tail))


def _usual(stem: str) -> re.Match[str] | None:
    return next((match for match in (regex.match(stem) for regex in _USUAL) if match), None)


@dataclass(frozen=True)
class NamePattern:
    """A pattern ready to be compared with paths. Made by `compile_pattern`."""

    text: str
    fields: tuple[str, ...]
    """The named fields, in the order of the pattern."""
    regex: re.Pattern[str]

    def match(self, relative_path: PurePath) -> dict[str, str] | None:
        """The fields of a path, laterality as L or R and view in capitals; None if the path is not of this pattern."""
        whole = relative_path.as_posix() if "/" in self.text else relative_path.name
        found = self.regex.fullmatch(whole.removesuffix(relative_path.suffix)) or self.regex.fullmatch(whole)
        if found is None:
            return None
        fields = found.groupdict()
        if "laterality" in fields:
            fields["laterality"] = fields["laterality"][0].upper()
        if "view" in fields:
            fields["view"] = fields["view"].upper()
        return fields


def compile_pattern(pattern: str) -> NamePattern:
    """Raises PatternError for a pattern with unknown or repeated fields, braces that do not fit, or without a field."""
    if not pattern or len(pattern) > LONGEST or pattern.startswith("/") or ".." in PurePath(pattern).parts:
        raise _error(pattern, f"it is empty, longer than {LONGEST} characters, or leaves the folder that is searched")
    expression, fields, before = "", [], None
    for position, part in enumerate(re.split(r"(\{[^{}]*\})", pattern)):  # text, field, text, field, ..., text
        if position % 2 == 0:
            if "{" in part or "}" in part:
                raise _error(pattern, f"there is a single brace in {part!r}")
            expression, before = expression + re.escape(part), None if part else before
            continue
        name = part[1:-1]
        if name in fields:
            raise _error(pattern, f"{part} stands there twice")
        if name != ANYTHING and name not in FIELDS:
            raise _error(pattern, f"there is no field {part}")
        if name in _OPEN and before in _OPEN:
            raise _error(pattern, f"nothing separates {{{before}}} and {part}")
        before = name
        if name == ANYTHING:
            expression += "[^/]*"
        else:
            expression += rf"(?P<{name}>{FIELDS[name]})"
            fields.append(name)
    if not fields:
        raise _error(pattern, "it has no field")
    return NamePattern(pattern, tuple(fields), re.compile(expression, re.IGNORECASE))


def _error(pattern: str, found: str) -> PatternError:
    names = ", ".join(f"{{{name}}}" for name in (*FIELDS, ANYTHING))
    return PatternError(
        f"pattern {pattern[:LONGEST]!r}: {found}. Expected text and fields ({names}), each once, {{*}} as often as "
        "wanted, with text between those that can be anything. Write, for example, '{patient}_{laterality}_{view}'."
    )
