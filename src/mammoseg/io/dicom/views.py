"""What a mammogram shows: projection and special techniques, from codes and from texts.

Source   DICOM PS3.16 CID 4014 "View for Mammography" and CID 4015 "View Modifier for Mammography". The abbreviations
         are those of the ACR Mammography Quality Control Manual that PS3.16 names beside the codes. SNM3 and 99SDM are
         older names of the coding scheme SRT with the same codes.
Order    View Code Sequence, View Position, descriptions. What comes first wins; a contradiction is a finding.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

_VIEWS = (  # view, SNOMED CT, SNOMED RT
    ("ML", "399260004", "R-10224"),  # medio-lateral
    ("MLO", "399368009", "R-10226"),  # medio-lateral oblique
    ("LM", "399352003", "R-10228"),  # latero-medial
    ("LMO", "399099002", "R-10230"),  # latero-medial oblique
    ("CC", "399162004", "R-10242"),  # cranio-caudal
    ("FB", "399196006", "R-10244"),  # caudo-cranial (from below)
    ("SIO", "399188001", "R-102D0"),  # superolateral to inferomedial oblique
    ("ISO", "441555000", "R-40AAA"),  # inferomedial to superolateral oblique
    ("XCCL", "399192008", "R-1024A"),  # cranio-caudal exaggerated laterally
    ("XCCM", "399101009", "R-1024B"),  # cranio-caudal exaggerated medially
    ("SPECIMEN", "127457009", "G-8310"),  # tissue specimen from breast
    ("XCC", "399265009", "R-102CF"),  # cranio-caudal exaggerated; in earlier editions
)
_RETIRED = {"Y-X1770": "XCCL", "Y-X1771": "XCCM"}  # in earlier editions
_MODIFIERS = (  # flag, SNOMED CT, SNOMED RT
    ("cleavage", "399161006", "R-102D2"),
    ("axillary_tail", "399011000", "R-102D1"),
    ("rolled", "399197002", "R-102D3"),  # lateral
    ("rolled", "399226006", "R-102D4"),  # medial
    ("rolled", "414493004", "R-102CA"),  # inferior
    ("rolled", "415670009", "R-102C9"),  # superior
    ("implant_displaced", "399209000", "R-102D5"),
    ("magnification", "399163009", "R-102D6"),
    ("spot", "399055006", "R-102D7"),
    ("tangential", "399110001", "R-102C2"),
    ("nipple_in_profile", "442581004", "R-40AB3"),
    ("anterior_compression", "441752004", "P2-00161"),
    ("inframammary_fold", "442593008", "R-40ABE"),
    ("axillary_tissue", "442580003", "R-40AB2"),
)
VIEW_OF_CODE = {code: view for view, *codes in _VIEWS for code in codes} | _RETIRED
FLAG_OF_CODE = {code: flag for flag, *codes in _MODIFIERS for code in codes}

_REPLACES = {"cleavage": "CV", "axillary_tail": "AT"}
"""Modifiers whose abbreviation stands instead of the one of the view, not beside it."""
_BROADER = {"CV": "CC", "AT": "MLO", "XCCL": "XCC", "XCCM": "XCC"}

_FLAG_OF_ABBREVIATION = {
    "ID": "implant_displaced",
    "MAG": "magnification",
    "M": "magnification",
    "SPOT": "spot",
    "S": "spot",
    "TAN": "tangential",
    "ROLL": "rolled",
    "RL": "rolled",
    "RM": "rolled",
    "RS": "rolled",
    "RI": "rolled",
    "NP": "nipple_in_profile",
    "AC": "anterior_compression",
    "IMF": "inframammary_fold",
    "AX": "axillary_tissue",
}
_SPELLED = tuple(
    (re.compile(pattern), short)
    for pattern, short in (
        (r"EXAGG\w*[ -](CC|CRANIO[ -]?CAUDAL) LAT\w*|(CC|CRANIO[ -]?CAUDAL) EXAGG\w* LAT\w*", " XCCL "),
        (r"EXAGG\w*[ -](CC|CRANIO[ -]?CAUDAL) MED\w*|(CC|CRANIO[ -]?CAUDAL) EXAGG\w* MED\w*", " XCCM "),
        (r"EXAGG\w*[ -](CC|CRANIO[ -]?CAUDAL)|(CC|CRANIO[ -]?CAUDAL) EXAGG\w*", " XCC "),
        (r"SUPERO[ -]?LATERAL[ -](TO )?INFERO[ -]?MEDIAL([ -]OBLIQUE)?", " SIO "),
        (r"INFERO[ -]?MEDIAL[ -](TO )?SUPERO[ -]?LATERAL([ -]OBLIQUE)?", " =ISO "),
        (r"MEDIO[ -]?LATERAL([ -](TO )?)?OBL\w*", " MLO "),
        (r"(LATERO|LATERAL)[ -]?MEDIAL([ -](TO )?)?OBL\w*", " LMO "),
        (r"(MEDIO|MEDIAL)[ -]?LATERAL", " ML "),
        (r"(LATERO|LATERAL)[ -]?MEDIAL", " LM "),
        (r"CAUDO[ -]?CRANIAL|FROM BELOW", " =FB "),
        (r"CRANIO[ -]?CAUDAL", " CC "),
        (r"\bOBL(IQUE)?\b", " MLO "),
        (r"AXILLARY TAIL", " =AT "),
        (r"CLEAVAGE", " =CV "),
        (r"IMPLANT[ -]DISPLACED", " =ID "),
        (r"MAGNIF\w*", " MAG "),
        (r"\bTANGENTIAL\w*", " TAN "),
        (r"\bROLLED( (LAT|MED|SUP|INF)\w*)?", " ROLL "),
        (r"\bLEFT\b", " L "),
        (r"\bRIGHT\b", " R "),
    )
)
_TOKEN = re.compile(
    r"(?P<side>[LR])?(?P<before>M|S|MS|SM)?(?P<view>XCC[LM]?|MLO|LMO|SIO|ISO|CC|ML|LM|FB|CV|AT)"
    r"(?P<after>(?:ID|MAG|SPOT|TAN|ROLL|RL|RM|RS|RI|NP|AC|IMF|AX|S(?=$))*)"
)
_AFTER = re.compile(r"ID|MAG|SPOT|TAN|ROLL|R[LMSI]|NP|AC|IMF|AX|S")
_LONGEST = 200  # characters of a text that are looked at; the standard allows 64
_RARE = ("AT", "CV", "FB", "ISO")  # words of other meaning in running text
_WORDS = ("MAG", "SPOT", "TAN", "ROLL")  # flags that stand alone in running text

Side = Literal["L", "R"]


@dataclass(frozen=True)
class ViewText:
    """What a text says."""

    view: str | None = None
    side: Side | None = None
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ViewInfo:
    """What codes and texts say together."""

    view: str | None
    """ML, MLO, LM, LMO, CC, FB, SIO, ISO, XCC, XCCL, XCCM, AT, CV or SPECIMEN."""
    side: Side | None
    """Breast named with the view, as in RMLO."""
    flags: frozenset[str]
    findings: tuple[str, ...]


def read_position(text: str) -> ViewText:
    """A text that holds a view and nothing else: "MLO", "LMLO", "R CC", "MLO-ID", "CCID", "M CC", "LEFT XCCL"."""
    spelled = _spelled(text)
    match = _TOKEN.fullmatch(re.sub(r"[^A-Z0-9]", "", spelled))
    if match and spelled.strip() != "LAT":  # "lateral", not a left axillary tail
        return _of_token(match)
    return read_description(text)


def read_description(text: str) -> ViewText:
    """Running text: the view if exactly one is named ("L MLO C-View", "Routine RCC"), the side if exactly one is."""
    tokens = re.findall(r"=?[A-Z0-9]+", _spelled(text))
    found: list[ViewText] = []
    sides = {token for token in tokens if token in ("L", "R")}
    flags = {_FLAG_OF_ABBREVIATION[token] for token in tokens if token in _WORDS}
    for number, token in enumerate(tokens):
        match = _TOKEN.fullmatch(token.removeprefix("="))
        if match and (token.startswith("=") or match["view"] not in _RARE):
            found.append(_of_token(match))
            if tokens[number + 1 : number + 2] == ["ID"]:
                flags.add("implant_displaced")
    if "=ID" in tokens:
        flags.add("implant_displaced")
    flags.update(*(part.flags for part in found))
    sides |= {part.side for part in found if part.side}
    views = {part.view for part in found}
    side: Side | None = None if len(sides) != 1 else "L" if sides == {"L"} else "R"
    return ViewText(views.pop() if len(views) == 1 else None, side, frozenset(flags))


def resolve(
    codes: Sequence[tuple[str, str]],
    modifiers: Iterable[tuple[str, str]],
    position: str,
    descriptions: Iterable[str],
) -> ViewInfo:
    """View and flags from (code, meaning) pairs of the two sequences, View Position and descriptions, best first."""
    findings: list[str] = []
    flags: set[str] = set()
    coded = _coded_view(codes, findings)
    for code, meaning in modifiers:
        flag = FLAG_OF_CODE.get(code.upper()) or _flag_of_meaning(meaning)
        if flag:
            flags.add(flag)
        else:
            findings.append("a view modifier is none of those of mammography (DICOM CID 4015)")
    place = read_position(position) if position else ViewText()
    if position and place.view is None:
        findings.append("View Position holds no view of a mammogram")
    running = [read_description(text) for text in descriptions if text]
    described = next((part for part in running if part.view), ViewText())
    flags.update(place.flags, *(part.flags for part in running))
    view = _agreed("View Code Sequence", coded, "View Position", place.view, findings)
    if view is None and described.view:
        findings.append("the view is taken from a description")
    view = _agreed("the header", view, "a description", described.view, findings)
    for flag, short in _REPLACES.items():
        if flag in flags and view in (None, _BROADER[short]):
            view = short
    side = place.side or described.side or next((part.side for part in running if part.side), None)
    return ViewInfo(view, side, frozenset(flags), tuple(dict.fromkeys(findings)))


def _coded_view(codes: Sequence[tuple[str, str]], findings: list[str]) -> str | None:
    if len(codes) > 1:
        findings.append(f"View Code Sequence has {len(codes)} items instead of 1: the first is used")
    for code, meaning in codes[:1]:
        view = VIEW_OF_CODE.get(code.upper()) or read_description(meaning).view
        if view is None:
            findings.append("the view code is none of those of mammography (DICOM CID 4014)")
        return view
    return None


def _flag_of_meaning(meaning: str) -> str | None:
    text = re.sub(r"[^a-z]+", "_", meaning.lower()).strip("_")
    flags = {flag for flag, *_ in _MODIFIERS}
    if text in flags:
        return text
    return next(iter(read_description(meaning).flags), None)


def _agreed(first: str, one: str | None, second: str, other: str | None, findings: list[str]) -> str | None:
    """The view that two places give: the first one's, or the narrower one of two that agree."""
    if one is None or other is None or one == other:
        return one or other
    if _BROADER.get(other) == one:
        return other
    if _BROADER.get(one) != other:
        findings.append(f"{first} says {one}, {second} says {other}: {one} is used")
    return one


def _spelled(text: str) -> str:
    upper = re.sub(r"[_\s]+", " ", text[:_LONGEST].upper())
    for pattern, short in _SPELLED:
        upper = pattern.sub(short, upper)
    return upper


def _of_token(match: re.Match[str]) -> ViewText:
    parts = [*(match["before"] or ""), *_AFTER.findall(match["after"])]
    side: Side | None = None if match["side"] is None else "L" if match["side"] == "L" else "R"
    return ViewText(match["view"], side, frozenset(_FLAG_OF_ABBREVIATION[part] for part in parts))
