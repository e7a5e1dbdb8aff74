"""Patterns of file names: what they find, in which form, and what is no pattern."""

from pathlib import PurePosixPath, PureWindowsPath

import pytest

from mammoseg.ingest.patterns import PatternError, compile_pattern, looks_like_mask, special_view, usual_name

PLAIN = "{patient}_{laterality}_{view}"


def named(exam: str, laterality: str, view: str) -> dict[str, str]:
    return {"exam": exam, "laterality": laterality, "view": view}


@pytest.mark.parametrize(
    ("pattern", "path", "found"),
    [
        (PLAIN, "007_L_CC.png", {"patient": "007", "laterality": "L", "view": "CC"}),
        (PLAIN, "a/b/007_L_CC.png", {"patient": "007", "laterality": "L", "view": "CC"}),
        (PLAIN, "007_L_CC", {"patient": "007", "laterality": "L", "view": "CC"}),
        (PLAIN, "a_b_right_mlo.dcm", {"patient": "a_b", "laterality": "R", "view": "MLO"}),
        (PLAIN, "L_R_L_CC.png", {"patient": "L_R", "laterality": "L", "view": "CC"}),
        (PLAIN, "p.1_l_xccl.tiff", {"patient": "p.1", "laterality": "L", "view": "XCCL"}),
        (PLAIN + ".png", "7_L_CC.png", {"patient": "7", "laterality": "L", "view": "CC"}),
        (PLAIN + ".png", "7_L_CC.PNG", {"patient": "7", "laterality": "L", "view": "CC"}),
        ("{laterality}{view}_{patient}", "LMLO_7.png", {"laterality": "L", "view": "MLO", "patient": "7"}),
        ("{laterality}{view}", "leftCC.png", {"laterality": "L", "view": "CC"}),
        ("{laterality}{view}", "LML.png", {"laterality": "L", "view": "ML"}),
        ("{view}{laterality}", "MLOr.png", {"view": "MLO", "laterality": "R"}),
        (
            "{patient}/{exam}/{laterality}-{view}",
            "7/e 1/L-CC.png",
            {"patient": "7", "exam": "e 1", "laterality": "L", "view": "CC"},
        ),
        ("{*}/{patient}/{view}{*}", "site/7/CC.1.2.3.dcm", {"patient": "7", "view": "CC"}),
        ("x{*}_{patient}", "x_7.png", {"patient": "7"}),
        ("{view}_{patient}", "CC_7.png", {"view": "CC", "patient": "7"}),
        ("case (1)+{patient}", "case (1)+7.png", {"patient": "7"}),
    ],
)
def test_found(pattern: str, path: str, found: dict[str, str]) -> None:
    assert compile_pattern(pattern).match(PurePosixPath(path)) == found


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        (PLAIN, "007_X_CC.png"),
        (PLAIN, "007_L_CC2.png"),
        (PLAIN, "_L_CC.png"),
        (PLAIN, "007_LEFTISH_CC.png"),
        (PLAIN, "prefix/007-L-CC.png"),
        (PLAIN + ".png", "7_L_CC.tif"),
        ("{patient}/{laterality}_{view}", "7/8/L_CC.png"),
        ("{patient}/{laterality}_{view}", "L_CC.png"),
        ("{*}/{patient}", "a/b/7.png"),
        ("case (1)+{patient}", "case 11+7.png"),
    ],
)
def test_not_found(pattern: str, path: str) -> None:
    assert compile_pattern(pattern).match(PurePosixPath(path)) is None


def test_paths_of_windows() -> None:
    found = compile_pattern("{patient}/{laterality}_{view}").match(PureWindowsPath("7\\L_CC.png"))
    assert found == {"patient": "7", "laterality": "L", "view": "CC"}


def test_fields_are_told_in_order() -> None:
    compiled = compile_pattern("{view}/{*}/{patient}")
    assert (compiled.fields, compiled.text) == (("view", "patient"), "{view}/{*}/{patient}")


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("", "it is empty"),
        ("x" * 301 + "{patient}", "longer than 300"),
        ("/data/{patient}", "leaves the folder"),
        ("../{patient}", "leaves the folder"),
        ("a/b", "it has no field"),
        ("{*}", "it has no field"),
        ("{patient", "a single brace in '{patient'"),
        ("patient}_{view}", "a single brace in 'patient}_'"),
        ("{{patient}}", "a single brace in '{'"),
        ("{Patient}", r"there is no field \{Patient\}"),
        ("{side}_{patient}", r"there is no field \{side\}.*Expected text and fields \(\{patient\}, \{exam\}"),
        ("{}_{patient}", r"there is no field \{\}"),
        ("{patient}_{patient}", r"\{patient\} stands there twice"),
        ("{patient}{exam}", r"nothing separates \{patient\} and \{exam\}"),
        ("{patient}{*}", r"nothing separates \{patient\} and \{\*\}"),
        ("{*}{*}_{patient}", "nothing separates"),
    ],
)
def test_refused(pattern: str, message: str) -> None:
    with pytest.raises(PatternError, match=message):
        compile_pattern(pattern)


@pytest.mark.parametrize(
    ("stem", "said"),
    [
        ("0012_L-CC", named("0012", "L", "CC")),
        ("case_L_r_mlo_2", named("case_L", "R", "MLO")),
        ("RMLO", named("", "R", "MLO")),
        ("0001_L_LMO", named("0001", "L", "LMO")),
        ("0001_R_XCCM", named("0001", "R", "XCCM")),
        ("1-RXCC", named("1", "R", "XCC")),
        ("1_l_at", named("1", "L", "AT")),
        ("R-CV", named("", "R", "CV")),
        ("4711_CC_L", named("4711", "L", "CC")),
        ("mlo-r_2", named("", "R", "MLO")),
        ("4711_CC_L_MLO", named("4711_CC", "L", "MLO")),
        ("P_00001_RIGHT_MLO", named("P_00001", "R", "MLO")),
        ("Mass-Training_P_00001_LEFT_CC_1", named("Mass-Training_P_00001", "L", "CC")),
        ("P002 left mlo", named("P002", "L", "MLO")),
        ("left-cc", named("", "L", "CC")),
        ("0012 - Left - CC", named("0012", "L", "CC")),
        ("RIGHTMLO", named("", "R", "MLO")),
        ("0012_mlo_right", named("0012", "R", "MLO")),
        ("0012_left_xccl", named("0012", "L", "XCCL")),
        ("marker left at the nipple", None),
        ("cleft_cc", None),
        ("0012_leftish_cc", None),
        ("upright_mlo", None),
        ("0012_left_ccd", None),
        ("leftover", None),
        ("4711_R_LAT", None),
        ("4711_CCL", None),
        ("LLCC", None),
        ("scan1", None),
    ],
)
def test_usual_names(stem: str, said: dict[str, str] | None) -> None:
    assert usual_name(stem) == said


@pytest.mark.parametrize(
    ("path", "mask"),
    [
        ("0_R-CC_benign.png", True),
        ("0_R-CC_Malignant.png", True),
        ("0002_L_CC_mask.png", True),
        ("0002_L_CC_mask2.png", True),
        ("0002_L_CC-lesionMask.png", True),
        ("0002_CC_L_seg_1.png", True),
        ("mask_L_CC.png", True),
        ("0002_roi.png", True),
        ("masks/0012_L_CC.png", True),
        ("a/Segmentations/b/0012_L_CC.png", True),
        ("heatmaps/0012_L_CC.png", True),
        ("0002_L_CC.png", False),
        ("0002_L_CC_2.png", False),
        ("0002_L_CC_masked.png", False),
        ("benign_17_L_CC.png", False),
        ("malignant/0012_L_CC.png", False),
        ("without_masks/0012_L_CC.png", False),
        ("Segovia_7_L_CC.png", False),
        ("Leroi_7_L_CC.png", False),
        ("icon.png", False),
    ],
)
def test_masks(path: str, mask: bool) -> None:
    assert looks_like_mask(PurePosixPath(path)) == mask


@pytest.mark.parametrize(
    ("stem", "kind"),
    [
        ("0012_L_CC_SPOT", "spot"),
        ("0012_L_CC_MAG2", "magnification"),
        ("0012 left cc magnification", "magnification"),
        ("0012_L_CC_tomo", "tomosynthesis"),
        ("DBT_0012_L_CC", "tomosynthesis"),
        ("0012_L_CC_c-view", "synthetic 2D"),
        ("Specimen_L_CC", "specimen"),
        ("0012_L_CC", None),
        ("Magnus_7_L_CC", None),
        ("Tomorrow_L_CC", None),
        ("spotless_L_CC", None),
    ],
)
def test_special_views(stem: str, kind: str | None) -> None:
    assert special_view(stem) == kind


def test_a_pattern_that_holds_the_word_wants_these_views() -> None:
    assert special_view("0012_L_CC_SPOT", "{patient}_{laterality}_{view}_spot") is None
    assert special_view("0012_L_CC_SPOT", "{patient}_{laterality}_{view}{*}") == "spot"
