"""Views and techniques of a mammogram: the code tables against pydicom's, the spellings of vendors, contradictions."""

import time

import pytest
from pydicom.sr._cid_dict import cid_concepts
from pydicom.sr._concepts_dict import concepts
from pydicom.sr._snomed_dict import mapping

from mammoseg.io.dicom.views import FLAG_OF_CODE, VIEW_OF_CODE, read_description, read_position, resolve

CC, MLO, XCCL = ("399162004", "cranio-caudal"), ("R-10226", "medio-lateral oblique"), ("R-1024A", "")


def codes_of(cid: int) -> dict[str, str]:
    """Code -> name of a context group, SNOMED CT and RT, as pydicom has them."""
    names = {code: name for name in cid_concepts[cid]["SCT"] for code in concepts["SCT"][name]}
    return names | {mapping["SCT"][code]: name for code, name in names.items()}


@pytest.mark.parametrize(("cid", "table"), [(4014, VIEW_OF_CODE), (4015, FLAG_OF_CODE)])
def test_every_code_of_the_standard_is_known_and_no_other(cid: int, table: dict[str, str]) -> None:
    earlier = {"Y-X1770", "Y-X1771", "399265009", "R-102CF"}
    assert set(table) - earlier == set(codes_of(cid))


def test_codes_mean_what_the_standard_says() -> None:
    views = {
        "MedioLateralProjection": "ML",
        "MedioLateralObliqueProjection": "MLO",
        "LateroMedial": "LM",
        "LateroMedialOblique": "LMO",
        "CranioCaudal": "CC",
        "CaudoCranial": "FB",
        "SuperolateralToInferomedialOblique": "SIO",
        "InferomedialToSuperolateralOblique": "ISO",
        "CranioCaudalExaggeratedLaterally": "XCCL",
        "CranioCaudalExaggeratedMedially": "XCCM",
        "TissueSpecimenFromBreast": "SPECIMEN",
    }
    assert {code: VIEW_OF_CODE[code] for code in codes_of(4014)} == {c: views[n] for c, n in codes_of(4014).items()}
    assert mapping["SCT"]["399265009"] == "R-102CF"
    assert "399265009" in concepts["SCT"]["ExaggeratedCranioCaudalProjection"]
    for code, name in codes_of(4015).items():
        flag = FLAG_OF_CODE[code].replace("_", "").replace("spot", "spotcompression")
        assert name.lower().startswith(flag), (code, name)


@pytest.mark.parametrize(
    ("text", "view", "side", "flags"),
    [
        ("CC", "CC", None, ""),
        ("MLO", "MLO", None, ""),
        ("mlo ", "MLO", None, ""),
        ("LMLO", "MLO", "L", ""),
        ("RMLO", "MLO", "R", ""),
        ("R CC", "CC", "R", ""),
        ("LEFT XCCL", "XCCL", "L", ""),
        ("XCCL", "XCCL", None, ""),
        ("LXCCM", "XCCM", "L", ""),
        ("XCC", "XCC", None, ""),
        ("ML", "ML", None, ""),
        ("LML", "ML", "L", ""),
        ("LM", "LM", None, ""),
        ("RLM", "LM", "R", ""),
        ("LMO", "LMO", None, ""),
        ("LLMO", "LMO", "L", ""),
        ("FB", "FB", None, ""),
        ("SIO", "SIO", None, ""),
        ("ISO", "ISO", None, ""),
        ("AT", "AT", None, ""),
        ("CV", "CV", None, ""),
        ("RCV", "CV", "R", ""),
        ("MLO-ID", "MLO", None, "implant_displaced"),
        ("CCID", "CC", None, "implant_displaced"),
        ("RMLOID", "MLO", "R", "implant_displaced"),
        ("M_CC", "CC", None, "magnification"),
        ("LMCC", "CC", "L", "magnification"),
        ("SMLO", "MLO", None, "spot"),
        ("CC SPOT MAG", "CC", None, "magnification spot"),
        ("CCRL", "CC", None, "rolled"),
        ("CC ROLLED LATERAL", "CC", None, "rolled"),
        ("MLO TAN", "MLO", None, "tangential"),
        ("CRANIO-CAUDAL", "CC", None, ""),
        ("medio-lateral oblique", "MLO", None, ""),
        ("Right Medio Lateral", "ML", "R", ""),
        ("Lateral-Medial", "LM", None, ""),
        ("OBLIQUE", "MLO", None, ""),
        ("LAT", None, None, ""),
        ("AP", None, None, ""),
        ("LLO", None, None, ""),
        ("CC/MLO", None, None, ""),
        ("", None, None, ""),
    ],
)
def test_position(text: str, view: str | None, side: str | None, flags: str) -> None:
    read = read_position(text)
    assert (read.view, read.side, read.flags) == (view, side, frozenset(flags.split()))


@pytest.mark.parametrize(
    ("text", "view", "side", "flags"),
    [
        ("L MLO C-View", "MLO", "L", ""),
        ("R CC Tomosynthesis Reconstruction", "CC", "R", ""),
        ("MAMMOGRAPHY, R-MLO", "MLO", "R", ""),
        ("Routine RCC", "CC", "R", ""),
        ("LEFT CC IMPLANT DISPLACED", "CC", "L", "implant_displaced"),
        ("L MLO ID", "MLO", "L", "implant_displaced"),
        ("R_XCCL_MAG", "XCCL", "R", "magnification"),
        ("Magnified spot compression", None, None, "magnification spot"),
        ("cranio-caudal exaggerated laterally", "XCCL", None, ""),
        ("superolateral to inferomedial oblique", "SIO", None, ""),
        ("inferomedial to superolateral oblique", "ISO", None, ""),
        ("caudo-cranial (from below)", "FB", None, ""),
        ("Axillary Tail left", "AT", "L", ""),
        ("Mammogram CC and MLO", None, None, ""),
        ("Look at the id, tan as in ISO 9000", None, None, "tangential"),
        ("L and R MLO", "MLO", None, ""),
    ],
)
def test_description(text: str, view: str | None, side: str | None, flags: str) -> None:
    read = read_description(text)
    assert (read.view, read.side, read.flags) == (view, side, frozenset(flags.split()))


@pytest.mark.parametrize("code", ["399162004", "R-10242", "r-10242"])
def test_code_wins(code: str) -> None:
    info = resolve([(code, "")], [], "CC", ["L CC"])
    assert (info.view, info.side, info.findings) == ("CC", "L", ())


def test_contradiction_is_a_finding() -> None:
    info = resolve([CC], [], "MLO", [])
    assert info.view == "CC"
    assert info.findings == ("View Code Sequence says CC, View Position says MLO: CC is used",)
    info = resolve([], [], "CC", ["R MLO"])
    assert info.view == "CC"
    assert len(info.findings) == 1


@pytest.mark.parametrize(
    ("modifier", "code", "view", "flag"),
    [
        ("399011000", MLO, "AT", "axillary_tail"),
        ("R-102D2", CC, "CV", "cleavage"),
        ("399209000", CC, "CC", "implant_displaced"),
        ("399209000", XCCL, "XCCL", "implant_displaced"),
        ("R-102D7", MLO, "MLO", "spot"),
        ("414493004", CC, "CC", "rolled"),
    ],
)
def test_modifiers(modifier: str, code: tuple[str, str], view: str, flag: str) -> None:
    info = resolve([code], [(modifier, "")], "", [])
    assert (info.view, info.flags, info.findings) == (view, {flag}, ())


def test_narrower_of_two_that_agree() -> None:
    assert resolve([MLO], [], "AT", []).view == "AT"
    assert resolve([("R-102CF", "")], [], "XCCM", []).view == "XCCM"
    assert resolve([XCCL], [], "XCC", []).findings == ()


def test_meaning_where_the_code_is_private() -> None:
    info = resolve([("99-1", "Medio-lateral oblique")], [("99-2", "Spot Compression"), ("99-3", "Cleavage")], "", [])
    assert (info.view, info.flags) == ("MLO", {"spot", "cleavage"})


def test_description_is_the_last_resort_and_said_so() -> None:
    info = resolve([], [], "", ["", "Screening", "R XCCL"])
    assert (info.view, info.side) == ("XCCL", "R")
    assert info.findings == ("the view is taken from a description",)
    assert resolve([], [], "", []) == resolve([], [], "", ["Screening"])


def test_findings_quote_no_text() -> None:
    info = resolve([("SECRET1", "SECRET2"), CC], [("SECRET3", "SECRET4")], "SECRET5", ["SECRET6"])
    assert len(info.findings) == 4
    assert "SECRET" not in repr(info)


def test_long_texts_cost_no_time() -> None:
    start = time.process_time()
    for text in ("EXAGG" * 20_000, "CC " * 30_000, "MEDIO-" * 20_000, "MAGNIF" * 20_000):
        read_position(text)
    assert time.process_time() - start < 0.5
