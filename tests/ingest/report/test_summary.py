"""The numbers of the report against a small folder counted by hand, and nobody in them."""

import json
from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from mammoseg.ingest.examine import NO_NAME, Seen
from mammoseg.ingest.exams import Row
from mammoseg.ingest.label_map import ColumnMap, Says
from mammoseg.ingest.labels import Labels
from mammoseg.ingest.quality import GREY
from mammoseg.ingest.report.summary import NO_GUESS, are_films, judge_windows, pixel_sizes, summarise
from mammoseg.prep.config import PrepConfig
from mammoseg.records.breast import BreastFacts

SECRET = "Geheim"


def row(exam: str, what: str, *findings: str, n: int = 1) -> Row:
    side, _, view = what.partition("-")
    seen = Seen(PurePosixPath(SECRET, f"{SECRET}.png"), "used", patient=SECRET, exam=SECRET, laterality=side, view=view)
    return Row(seen, f"{SECRET} {exam[0]}", exam, f"{exam}_{what}_{n}", findings)


FOUR = ("L-CC", "R-CC", "L-MLO", "R-MLO")
IMAGES = [
    *(row("a1", what) for what in FOUR),
    *(row("a2", what, "odd") for what in (*FOUR, "L-XCCL")),
    row("b1", "L-CC", "odd", GREY),
    row("b1", "L-CC", n=2),
    row("c1", "R-ML"),
]
OTHERS = [
    Seen(PurePosixPath(f"{SECRET}/{n}"), status, why, SECRET)
    for n, (status, why) in enumerate(
        [("left out", "for processing")] * 2 + [("unusable", "the file is empty"), ("no image", "another kind of file")]
    )
]
OTHERS.append(Seen(PurePosixPath(f"{SECRET}/torn"), "unusable", "torn", SECRET, mammogram=True))


def summary(**change: object) -> dict:
    settings = {"labels": None, "pixels": True, "hashed": False} | change
    return summarise(IMAGES, [*(image.seen for image in IMAGES), *OTHERS], **settings)


def test_counts() -> None:
    quality = summary()
    assert quality["counts"] == {"files": 17, "images": 12, "exams": 4, "patients": 3}
    assert quality["files"] == {
        "left out": {"for processing": 2},
        "unusable": {"the file is empty": 1, "torn": 1},
        "no image": {"another kind of file": 1},
    }
    assert quality["unusable_mammograms"] == {"torn": 1}
    assert quality["views"] == {
        "CC": {"L": 4, "R": 2},
        "MLO": {"L": 2, "R": 2},
        "ML": {"L": 0, "R": 1},
        "XCCL": {"L": 1, "R": 0},
    }
    assert list(quality["views"])[:2] == ["CC", "MLO"]


def test_exams() -> None:
    exams = summary()["exams"]
    odd = exams.pop("not_exactly_standard")
    assert exams == {
        "complete": 2,
        "incomplete": 2,
        "missing": {"L-MLO, R-CC, R-MLO": 1, "L-CC, L-MLO, R-CC, R-MLO": 1},
        "with_extra_views": 2,
        "with_repeated_views": 1,
    }
    assert odd[0] == {"rows": [6, 7, 8, 9, 10], "missing": [], "extra": ["L-XCCL"], "repeated": []}
    assert odd[1] == {"rows": [11, 12], "missing": ["L-MLO", "R-CC", "R-MLO"], "extra": [], "repeated": ["L-CC"]}


def test_findings_of_the_pixels_come_first() -> None:
    assert summary()["findings"] == [
        {"what": GREY, "images": 1, "rows": [11]},
        {"what": "odd", "images": 6, "rows": [6, 7, 8, 9, 10, 11]},
    ]


def test_labels() -> None:
    known = [{"malignant": 1}] * 2 + [{"malignant": 0}, {"malignant": 0, "benign": 0}] + [{}] * 8
    columns = ColumnMap({"patient_id": "Patient"}, {"Finding": {"x": Says()}})
    assert summary(labels=Labels(known, 9, (3, 7), (5,), 6, columns))["labels"] == {
        "rows": 9,
        "rows_without_image": 2,
        "unmatched_rows": [3, 7],
        "images_with_label": 4,
        "images_without_label": 8,
        "images_of_class": {"benign": 0, "malignant": 2, "neither": 1},
        "images_without_row": 6,
        "rows_corrected": 1,
        "corrected_rows": [5],
        "columns": {"patient_id": "Patient", "labels": "Finding"},
    }


def test_a_pattern_for_names_that_tell_nothing() -> None:
    assert summary()["pattern"] is None
    unnamed = [Seen(PurePosixPath(f"{side}_{SECRET}_cc.png"), "unusable", NO_NAME) for side in ("left", "right")]
    told = summarise([], unnamed, None, True, False)["pattern"]
    assert told["proposed"] == "{laterality}_{patient}_{view}"
    assert told["advice"].startswith("--pattern '{laterality}_{patient}_{view}' fits 2 of 2 pictures")
    nothing = summarise([], [Seen(PurePosixPath(f"{SECRET}.png"), "unusable", NO_NAME)], None, True, False)["pattern"]
    assert nothing == {"advice": NO_GUESS, "proposed": None}
    assert "--pattern" in NO_GUESS


def test_ids_only_if_hashed_and_never_a_patient_or_a_path() -> None:
    plain, hashed = (json.dumps(summary(hashed=hashed)) for hashed in (False, True))
    assert SECRET not in plain + hashed
    assert not any(word in plain for word in ("a1_L-CC_1", "image_id", "exam_id"))
    assert summary(hashed=True)["images"][1] == {"row": 3, "image_id": "a1_R-CC_1"}
    assert summary(hashed=True)["exams"]["not_exactly_standard"][0]["exam_id"] == "a2"


def test_thumbnails() -> None:
    """Only of images that have one; the pictures themselves are not in the numbers."""
    images = [
        replace(row, seen=replace(row.seen, thumbnail=b"jpeg" if n else None)) for n, row in enumerate(IMAGES[:3])
    ]
    quality = summarise(images, [row.seen for row in images], None, True, False)
    assert quality["thumbnails"] == [{"row": 3, "view": "R-CC"}, {"row": 4, "view": "L-MLO"}]
    assert summary()["thumbnails"] == []


def test_nothing_at_all() -> None:
    quality = summarise([], OTHERS, None, True, False)
    assert quality["counts"]["images"] == quality["exams"]["incomplete"] == 0


DIGITAL, FILM = PrepConfig(window=(96, 64)), PrepConfig(window=(80, 60), background="film")
WINDOWS = {"a, b": DIGITAL, "film": FILM}


def seen_through(in_window: float | None, fills: float = 0.4, pixel_mm: float | None = None, grey: bool = False) -> Row:
    facts = None if in_window is None else BreastFacts(in_window, fills, None, pixel_mm, (0.0,) * 5, 0.0)
    seen = Seen(PurePosixPath("a.png"), "used", told_pixel_mm=pixel_mm, windows=dict.fromkeys(WINDOWS, facts))
    return Row(seen, "p", "e", "i", (GREY,) if grey else ())


def test_the_median_decides_and_rows_below_are_named() -> None:
    first, film = judge_windows([seen_through(1.0), seen_through(0.9), seen_through(0.3), seen_through(None)], WINDOWS)
    assert (first["recipes"], first["window"], first["fits"]) == ("a, b", [96, 64], False)
    assert (first["in_window"], first["images_below"], first["rows_below"]) == (0.6, 2, [4, 5])
    assert film["in_window"] == 0.6
    assert judge_windows([seen_through(1.0), seen_through(0.9), seen_through(0.3)], WINDOWS)[0]["fits"]


def test_a_breast_lost_in_the_window_does_not_fit() -> None:
    assert not judge_windows([seen_through(1.0, fills=0.02)], WINDOWS)[0]["fits"]


@pytest.mark.parametrize("grey", [0, 3, 4, 10])
def test_films_need_a_recipe_for_films(grey: int) -> None:
    images = [seen_through(1.0, grey=n < grey) for n in range(10)]
    digital, film = judge_windows(images, WINDOWS)
    assert are_films(images) == (not digital["fits"]) == digital["film_wanted"] == (grey >= 4)
    assert film["fits"]
    assert not film["film_wanted"]


def test_pixel_sizes() -> None:
    assert pixel_sizes([seen_through(1.0), seen_through(1.0, pixel_mm=0.07), seen_through(1.0, pixel_mm=0.07)]) == {
        "0.07 mm": 2,
        "unknown": 1,
    }


def test_windows_that_were_not_looked_through() -> None:
    seen = Seen(PurePosixPath("a.png"), "used")
    assert judge_windows([Row(seen, "p", "e", "i", ())], WINDOWS) == []
