"""What the columns of a table of labels are: `--map`, and the names that are understood without it.

    COLUMN=FIELD                        the column is a FIELD: a key, or a label of 0 and 1
    COLUMN:VALUE=CLASS,VALUE=CLASS,...  labels follow from the values of the column

    CLASS                               malignant    benign
    malignant                           1            unknown
    benign                              0            1         malignant 1 if another row of that breast says so
    benign+malignant                    1            1
    none                                0            0
    not malignant, not benign           0, unknown   unknown, 0
    malignant+not benign                1            0
    unknown, or nothing                 unknown      unknown
    left, right                         the side, also with a class: left+malignant

So say the adapters of data sets with one diagnosis per breast: who finds a cancer need not write down what else is there.
Upper and lower case and spaces around do not matter. A value without text (`:=none`) is that of empty cells.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mammoseg.records.image import Laterality
from mammoseg.records.label import CLASSES

KEYS = ("image_id", "path", "sop_uid", "exam_id", "study_uid", "patient_id")
"""Fields that lead to images, the narrowest first. Beside them `laterality`, `view` and `study_date` choose among these."""
CHOOSING = ("laterality", "view", "study_date")
FIELDS = (*KEYS, *CHOOSING, *CLASSES, "split")

_USUAL = {
    "patient_id": ("patient", "patientid", "patientno", "patientnumber", "subject", "subjectid"),
    "exam_id": ("exam", "examid"),
    "image_id": ("imageid",),
    "path": ("path", "file", "filename", "filepath", "imagepath", "imagefile", "imagefilepath"),
    "sop_uid": ("sopuid", "sopinstanceuid"),
    "study_uid": ("studyuid", "studyinstanceuid"),
    "laterality": ("laterality", "side", "breastside", "imagelaterality", "leftright", "leftorrightbreast"),
    "view": ("view", "viewposition", "imageview"),
    "study_date": ("studydate", "examdate", "dateofexam"),
}
"""Names that can mean nothing else, written without case, spaces and signs."""
WORDS = tuple(word for name in CLASSES for word in (name, f"not {name}"))
_SIDES: Mapping[str, Laterality] = {
    **dict.fromkeys(("l", "lt", "left", "left breast"), "L"),
    **dict.fromkeys(("r", "rt", "right", "right breast"), "R"),
}
_NUMBERS = {
    **dict.fromkeys(("0", "0.0", "0,0", "false", "no"), 0),
    **dict.fromkeys(("1", "1.0", "1,0", "true", "yes"), 1),
}


class MapError(ValueError):
    """A `--map` that cannot be used with a table; the message says what to write instead."""


@dataclass(frozen=True)
class Says:
    """What a row says of a breast, class -> 0 or 1."""

    sure: Mapping[str, int] = field(default_factory=dict)
    unless: Mapping[str, int] = field(default_factory=dict)
    """Unless another row of the breast is sure of something else."""
    side: Laterality | None = None
    """If the value tells it."""
    contradictory: bool = False
    """Of several columns."""


@dataclass(frozen=True)
class ColumnMap:
    """Which columns are used, and for what."""

    fields: Mapping[str, str]
    """Field -> column."""
    values: Mapping[str, Mapping[str, Says]] = field(default_factory=dict)
    """Column -> value (see `folded`) -> what it says."""

    @property
    def meanings(self) -> dict[str, dict[str, Says]]:
        """The same of all columns that tell labels or sides, with the values that are understood without a map."""
        usual = {self.fields[name]: known for name, known in _USUAL_VALUES.items() if name in self.fields}
        return {column: {**usual.get(column, {}), **self.values.get(column, {})} for column in {**usual, **self.values}}

    @property
    def tells_labels(self) -> bool:
        return bool(self.label_columns) or any(name in self.fields for name in CLASSES)

    @property
    def label_columns(self) -> list[str]:
        """Mapped columns, but for those that tell sides alone."""
        told = {column: list(known.values()) for column, known in self.values.items()}
        return [c for c, all_ in told.items() if any(s.sure for s in all_) or not any(s.side for s in all_)]

    @property
    def tells_images(self) -> bool:
        return any(name in self.fields for name in KEYS)


_USUAL_VALUES: Mapping[str, Mapping[str, Says]] = {
    **{name: {text: Says({name: number}) for text, number in _NUMBERS.items()} for name in CLASSES},
    "laterality": {text: Says(side=side) for text, side in _SIDES.items()},
}


def folded(text: str) -> str:
    """A value as it is compared."""
    return " ".join(text.casefold().split())


def side_of(cell: str) -> Laterality | None:
    """L or R; None for anything else."""
    return _SIDES.get(folded(cell))


def map_columns(path: Path, columns: Sequence[str], maps: Sequence[str]) -> ColumnMap:
    """What the columns of the table `path` are, by `maps` first and else by their names.

    Raises MapError for a map that cannot be understood or names no column, and for two columns that are the same field.
    """
    fields: dict[str, str] = {}
    values: dict[str, dict[str, Says]] = {}
    for text in maps:
        column, sign, rest = _split(path, text, columns)
        if sign == ":":
            values.setdefault(column, {}).update(_values(text, rest))
            matching = "laterality" if any(says.side for says in values[column].values()) else None
        else:
            matching = next((name for name in FIELDS if _plain(name) == _plain(rest)), None)
            if matching is None:
                raise _error(text, f"there is no field {rest.strip()!r}")
        if matching and fields.setdefault(matching, column) != column:
            raise _error(text, f"{fields[matching]!r} is {matching} already")
    free = [column for column in columns if column not in fields.values() and column not in values]
    for name in (name for name in FIELDS if name not in fields):
        if usual := _usual_column(path, name, free):
            fields[name] = usual
    return ColumnMap(fields, values)


def _split(path: Path, text: str, columns: Sequence[str]) -> tuple[str, str, str]:
    """Column, sign and what follows. A column may hold signs itself: the longest that fits is meant."""
    for column in sorted(columns, key=len, reverse=True):
        name = r"\s+".join(map(re.escape, column.split()))
        if match := re.fullmatch(rf"\s*{name}\s*([=:])(.*)", text, re.IGNORECASE | re.DOTALL):
            return column, match[1], match[2]
    typed = re.split("[=:]", text)[0].strip()
    raise _error(text, f"{path} has no column {typed!r}; there are {', '.join(map(repr, columns)) or 'none'}")


def _values(text: str, rest: str) -> dict[str, Says]:
    """The values may hold commas and signs of equality, the classes do not."""
    found: dict[str, Says] = {}
    begun: list[str] = []
    for part in rest.split(","):
        begun.append(part)
        if "=" in part:
            value, _, words = ",".join(begun).rpartition("=")
            found[folded(value)] = _says(text, words)
            begun = []
    if begun:
        raise _error(text, f"{','.join(begun).strip()!r} has no class")
    return found


def _says(text: str, words: str) -> Says:
    said = {folded(word) for word in words.split("+")}
    sides = {word for word in said if word in ("left", "right")}
    said -= sides
    if len(sides) > 1:
        raise _error(text, f"{words.strip()!r} is no side")
    side = side_of(sides.pop()) if sides else None
    if said <= {"unknown", ""}:
        return Says(side=side)
    if said == {"none"}:
        return Says(dict.fromkeys(CLASSES, 0), side=side)
    if not said <= set(WORDS) or any({name, f"not {name}"} <= said for name in CLASSES):
        raise _error(text, f"{words.strip()!r} is no class")
    sure = {word.removeprefix("not "): int(not word.startswith("not ")) for word in said}
    return Says(sure, {"malignant": 0} if said == {"benign"} else {}, side)


def _usual_column(path: Path, name: str, columns: Sequence[str]) -> str | None:
    candidates = [column for column in columns if _plain(column) in (_plain(name), *_USUAL.get(name, ()))]
    if name in candidates:
        return name
    if len(candidates) > 1:
        raise MapError(
            f"{path}: the columns {', '.join(map(repr, candidates))} can each be {name}. Expected one. Say which: "
            f'--map "{candidates[0]}={name}".'
        )
    return candidates[0] if candidates else None


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _error(text: str, found: str) -> MapError:
    return MapError(
        f"--map {text!r}: {found}. Expected COLUMN=FIELD with one of {', '.join(FIELDS)}, or COLUMN:VALUE=CLASS,VALUE=CLASS "
        f"with {', '.join(WORDS)} (several with +), none or unknown. Write, for example, "
        '--map "Side=laterality" --map "Finding:cancer=malignant,cyst=benign,normal=none".'
    )
