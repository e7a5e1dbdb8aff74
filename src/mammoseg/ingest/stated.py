"""Side, view, patient and exam of an image, from all that tells them: its header, its name, the user's own table.

What comes first wins. A side or view that something later fills in is a finding, and a contradiction is.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal

from mammoseg.io.dicom.header import DicomHeader

FIELDS = ("laterality", "view", "patient", "exam")
Source = Literal["header", "file name", "table of labels"]
_CHECKED: Mapping[Source, tuple[str, ...]] = {
    "file name": ("laterality", "view"),
    "table of labels": ("laterality", "view", "patient"),
}
"""What is a finding if it differs: names of files and exams are made by other systems than headers."""


def settle(header: DicomHeader | None, names: Mapping[str, str], told: Mapping[str, str]) -> dict[str, Any]:
    """What header, name and table (each by `FIELDS`) say, as fields of `Seen`: these, findings, and what only the table told.

    A name alone is no finding, for pictures have nothing else.
    """
    sources: dict[Source, Mapping[str, str]] = {
        "header": _of_header(header),
        "file name": names,
        "table of labels": told,
    }
    values: dict[str, str] = {}
    first: dict[str, Source] = {}
    findings = list(header.findings) if header else []
    for source, known in sources.items():
        for name in (name for name in FIELDS if name in known):
            if name not in values:
                values[name], first[name] = known[name], source
            elif name in _CHECKED[source] and essence(values[name]) != essence(known[name]):
                findings.append(f"the {source} tells another {name} than the {first[name]}: the {first[name]} is used")
    for name in ("laterality", "view"):
        source = first.get(name, "header")
        if source == "table of labels" or (source == "file name" and header):
            findings = [text for text in findings if text != f"the {name} is not stated"]
            findings.append(f"the {name} is taken from the {source.removeprefix('file ')}")
    by_table = frozenset(name for name, source in first.items() if source == "table of labels")
    return {**{name: values.get(name) for name in FIELDS}, "findings": tuple(findings), "told": by_table}


def _of_header(header: DicomHeader | None) -> dict[str, str]:
    if header is None:
        return {}
    cells = {
        "laterality": header.laterality,
        "view": header.view,
        "patient": header.patient_id,
        "exam": header.study_uid,
    }
    return {name: cell for name, cell in cells.items() if cell}


def number(text: str) -> str:
    """`10006.0` -> 10006, also with a decimal comma."""
    return re.sub(r"(?<=^)(\d+)[.,]0+$", r"\1", text)


def essence(text: str) -> str:
    """What is left of an id whatever programs have done to it: lost zeros in front (12 for 0012), changed its case."""
    plain = number(text)
    return plain.lstrip("0") or "0" if plain.isdecimal() else plain.casefold()
