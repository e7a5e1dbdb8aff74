"""The `--map` to type for a table of labels that is not understood, from its columns and the few values of its findings.

Values are quoted of columns that hold findings, by their name or by all their values, and never of those about a person.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from mammoseg.ingest.label_map import ColumnMap, folded, side_of
from mammoseg.ingest.tables import Table

_PERSON = re.compile(
    r"pat|name|birth|dob|(^|[\W_])(id|nr|no)($|[\W_])|mrn|date|age|sex|address|phone|physician|comment|note"
)
_FINDING = re.compile(
    r"finding|diagnos|label|class|patholog|histolog|result|cancer|malign|benign|lesion|outcome|biopsy"
)
_KEY = re.compile(r"pat|subject|person|case|mrn|id($|[\W_])|film|image|file|exam|accession|name")
_FILE = re.compile(r"\.(dcm|dicom|png|pgm|tiff?|jpe?g|bmp|jp2)$", re.IGNORECASE)
_MALIGNANT = re.compile(r"cancer|carcinom|malign|\b(dcis|idc|ilc)\b")
_BENIGN = re.compile(r"benign|fibroadenom|\bcysts?\b")
_NOTHING = re.compile(r"normal|none|negative|healthy|no (finding|abnormalit|lesion)\w*")
_UNSURE = re.compile(r"\b(no|non|not|without|suspic\w*|suspected|possibl[ey]|probabl[ey]|negative)\b|\?")
_MOST_VALUES = 12
_LONGEST_VALUE = 40
_SIDES = {"L": "left", "R": "right", None: "?"}


def propose_values(column: str, values: Iterable[str], sides: bool = False) -> str:
    """A map for a column of findings, or of sides; `?` where a value says too little."""
    counts = Counter(map(folded, values))
    if not sides and set(counts) - {""} <= {"0", "1"}:
        return f'--map "{column}={"benign" if "benign" in folded(column) else "malignant"}"'
    read = (lambda value: _SIDES[side_of(value)]) if sides else _class_of
    pairs = [f"{value}={read(value)}" for value in counts if value]
    shown = may_be_shown(column, counts)
    return f'--map "{column}:{",".join(pairs) if shown else "VALUE=left,..." if sides else "VALUE=CLASS,..."}"'


def propose(table: Table, chosen: ColumnMap) -> str:
    """Maps for what a table lacks: labels, a key, a side."""
    free = _unused(table, chosen)
    maps = []
    if not chosen.tells_images and (key := next((name for name in free if _KEY.search(folded(name))), None)):
        field = "path" if any(_FILE.search(cell) for cell in table.column(key)) else "patient_id"
        maps.append(f'--map "{key}={field}"')
        free.remove(key)
    found = next((name for name in free if _holds_findings(name, table.column(name))), None)
    if not chosen.tells_labels and found:
        maps.append(propose_values(found, table.column(found)))
    maps.append(propose_side(table, chosen))
    return " ".join(filter(None, maps)) or '--map "COLUMN=patient_id" --map "COLUMN:VALUE=malignant,..."'


def propose_side(table: Table, chosen: ColumnMap) -> str:
    """A map for a column of sides that is not used, if there is none that is; else ""."""
    cells = {name: [cell for cell in table.column(name) if cell] for name in _unused(table, chosen)}
    sides = [name for name, texts in cells.items() if texts and all(map(side_of, texts))]
    return f'--map "{sides[0]}=laterality"' if sides and "laterality" not in chosen.fields else ""


def _unused(table: Table, chosen: ColumnMap) -> list[str]:
    return [name for name in table.columns if name not in chosen.fields.values() and name not in chosen.values]


def may_be_shown(column: str, counts: Counter[str]) -> bool:
    """Whether the values of a column are few and not about a person."""
    few = len(counts) <= _MOST_VALUES and max(map(len, counts), default=0) <= _LONGEST_VALUE
    return few and not _PERSON.search(folded(column))


def _holds_findings(column: str, values: Sequence[str]) -> bool:
    counts = Counter(map(folded, values))
    named = bool(_FINDING.search(folded(column)))
    return may_be_shown(column, counts) and (named or all(_class_of(value) != "?" for value in counts if value))


def _class_of(value: str) -> str:
    if _NOTHING.fullmatch(value):
        return "none"
    classes = [name for name, words in (("benign", _BENIGN), ("malignant", _MALIGNANT)) if words.search(value)]
    return "?" if _UNSURE.search(value) else "+".join(classes) or "?"
