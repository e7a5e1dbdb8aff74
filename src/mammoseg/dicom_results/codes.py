"""Coded terms for what models of mammograms say.

Source   DICOM PS3.16: CID 4014 "View for Mammography", CID 6022 "Side"; SNOMED CT; the codes of DCM. What has no code there, such
         as the score of a class, has one of our own (99MAMMOSEG).
"""

import hashlib

from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

OWN = "99MAMMOSEG"
BREAST = {"L": codes.CID6022.LeftBreast, "R": codes.CID6022.RightBreast}
PROCEDURE = codes.CID100.ImagingProcedure
NO_UNITS = Code("1", "UCUM", "no units")
_CLASSES = {"benign": codes.SCT.Benign, "malignant": codes.SCT.Malignant}
_VIEWS = {
    "CC": codes.CID4014.CranioCaudal,
    "MLO": codes.CID4014.MedioLateralObliqueProjection,
    "ML": codes.CID4014.MedioLateralProjection,
    "LM": codes.CID4014.LateroMedial,
    "LMO": codes.CID4014.LateroMedialOblique,
    "XCCL": codes.CID4014.CranioCaudalExaggeratedLaterally,
    "XCCM": codes.CID4014.CranioCaudalExaggeratedMedially,
    "FB": codes.CID4014.CaudoCranial,
    "SIO": codes.CID4014.SuperolateralToInferomedialOblique,
    "ISO": codes.CID4014.InferomedialToSuperolateralOblique,
}
_LONGEST_VALUE, _LONGEST_TEXT = 16, 64
_DIGITS = 10


def class_code(name: str) -> Code:
    """What a finding of a class is."""
    return _CLASSES.get(name) or Code(_value("class", name), OWN, short(name))


def score_code(name: str) -> Code:
    """The measurement: what a model says of a class, from 0 to 1. Not calibrated, and so no probability of cancer."""
    return Code(_value("score", name), OWN, short(f"Score of class {name}, 0 to 1"))


def _value(kind: str, name: str) -> str:
    """Of a code: another one for every class."""
    plain = f"{kind}-{name}"
    return plain if len(plain) <= _LONGEST_VALUE else f"{kind}-{_hash(name)}"


def short(text: str) -> str:
    """With at most 64 characters; of longer texts that differ, others."""
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - _DIGITS - 1]}~{_hash(text)}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


def view_code(view: str) -> Code | None:
    """None for a view that CID 4014 does not have."""
    return _VIEWS.get(view)


def coded(code: Code) -> Dataset:
    """As an item of a sequence."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code.value, code.scheme_designator, code.meaning
    return item
