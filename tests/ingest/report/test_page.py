"""The page: whole, self-contained, escaped, and of a bearable length."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from mammoseg.ingest.report.page import write_page

QUALITY: dict[str, Any] = {
    "pixels_checked": True,
    "counts": {"files": 3, "images": 1, "exams": 1, "patients": 1},
    "files": {"left out": {"for processing": 1}, "unusable": {}, "no image": {"another kind of file": 1}},
    "views": {"CC": {"L": 1, "R": 0}},
    "exams": {
        "complete": 0,
        "incomplete": 1,
        "missing": {"L-MLO, R-CC, R-MLO": 1},
        "with_extra_views": 0,
        "with_repeated_views": 0,
        "not_exactly_standard": [{"rows": [2], "missing": ["L-MLO"], "extra": [], "repeated": []}],
    },
    "flags": {"implant": 1},
    "findings": [{"what": "odd", "images": 1, "rows": [2]}],
    "devices": [{"manufacturer": "<script>alert('x')</script>", "model": "A & B", "images": 1}],
    "photometric": {"MONOCHROME2": 1},
    "bits_stored": {"12": 1},
    "transfer_syntax": {"Explicit VR Little Endian": 1},
    "pixel_sizes": {"0.07 mm": 1},
    "windows": [
        {
            "recipes": "glam_small, gmic_small",
            "window": [368, 240],
            "in_window": 0.084,
            "fills_window": 0.9,
            "images_below": 1,
            "rows_below": [2],
            "fits": False,
            "film_wanted": False,
        }
    ],
    "labels": None,
    "unusable_mammograms": {},
    "thumbnails": [],
    "pattern": None,
}


class Checker(HTMLParser):
    """Open elements, all texts and all links."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [f"{name}={value}" for name, value in attrs if name in ("src", "href", "onload")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "


def page(tmp_path: Path, **change: Any) -> str:
    text, links = page_and_links(tmp_path, **change)
    assert links == []
    return text


def page_and_links(tmp_path: Path, **change: Any) -> tuple[str, list[str]]:
    write_page(tmp_path / "q.html", QUALITY | change, "m.csv", "m_left_out.csv", "m & pictures")
    source = (tmp_path / "q.html").read_text(encoding="utf-8")
    checker = Checker()
    checker.feed(source)
    assert checker.open == []
    assert "<script" not in source
    return re.sub(r"\s+", " ", checker.text), checker.links


def test_everything_is_told(tmp_path: Path) -> None:
    text = page(tmp_path)
    for expected in (
        "For research use only",
        "1 image of 1 exam of 1 patient can be used, out of 3 files.",
        "odd 1 2 ",
        "0 with all four standard views, 1 without",
        "Left out on purpose: 1",
        "for processing 1",
        "Could not be used: 0",
        "<script>alert('x')</script> A & B 1",
        "implant 1",
        "m_left_out.csv",
    ):
        assert expected in text
    assert "Labels" not in text
    assert "not checked" not in text


def test_labels_and_unchecked_pixels(tmp_path: Path) -> None:
    labels = {
        "rows": 5,
        "rows_without_image": 2,
        "unmatched_rows": [3, 4],
        "images_with_label": 1,
        "images_without_label": 3,
        "images_of_class": {"benign": 0, "malignant": 1, "neither": 0},
        "images_without_row": 2,
        "rows_corrected": 1,
        "corrected_rows": [5],
        "columns": {"patient_id": "<Patient>"},
    }
    advice = {"advice": "--pattern '{patient}' fits <3>", "proposed": "{patient}"}
    text = page(tmp_path, labels=labels, pattern=advice, pixels_checked=False, findings=[])
    assert "Names: --pattern '{patient}' fits <3>." in text
    assert (
        "1 image with a label (0 benign, 1 malignant, 0 neither), 3 without, 2 of them in no row of the table." in text
    )
    assert "2 of 5 rows of the table are about no image (rows 3, 4). 1 fit only when zeros" in text
    assert "are ignored (rows 5)" in text
    assert "<Patient> patient_id" in text
    assert "The pixels were not checked" in text
    assert "Nothing was found about the 1 image that can be used." in text


def test_unusable_files_are_spoken_of(tmp_path: Path) -> None:
    """200 of them are not "nothing was found", and only some of them are known to be mammograms."""
    unusable = {"the name tells no side and view": 150, "the image is damaged or cut short": 50}
    files = QUALITY["files"] | {"unusable": unusable}
    known = {"the image is damaged or cut short": 20}
    text = page(tmp_path, files=files, unusable_mammograms=known, findings=[])
    assert "Findings 200 files could not be used: see below. Nothing was found about the 1 image" in text
    assert "Could not be used: 200 Files that should be images" in text
    assert "Of 20 of them header or name say that they are mammograms." in text
    assert "the name tells no side and view 150 0 the image is damaged or cut short 50 20" in text
    counts = dict.fromkeys(QUALITY["counts"], 0)
    text = page(tmp_path, files=files, unusable_mammograms=known, findings=[], counts=counts)
    assert "There is no image that can be used." in text
    assert "Nothing was found" not in text


def test_pictures(tmp_path: Path) -> None:
    """They lie beside the page, are loaded late, and a row of a finding leads to its picture."""
    thumbnails = [{"row": 2, "view": "L-CC"}, {"row": 3, "view": "R-<b>"}]
    findings = [{"what": "odd", "images": 2, "rows": [2, 7]}, {"what": "of all", "images": 4, "rows": [2, 3, 4, 7]}]
    counts = QUALITY["counts"] | {"images": 4}
    text, links = page_and_links(tmp_path, thumbnails=thumbnails, findings=findings, counts=counts)
    assert links == [
        "href=#r2",
        "href=#r2",
        "href=#r3",
        "src=m%20%26%20pictures/00002.jpg",
        "src=m%20%26%20pictures/00003.jpg",
    ]
    assert "These show breasts of patients" in text
    assert "m & pictures" in text
    assert "row 2: L-CC row 3: R-<b>" in text
    source = (tmp_path / "q.html").read_text(encoding="utf-8")
    assert source.count("loading='lazy'") == 2
    assert "<figure id='r2' class='found' title='odd'>" in source
    assert "<figure id='r3'>" in source


def test_long_lists_are_cut(tmp_path: Path) -> None:
    many = list(range(2, 5002))
    exams = QUALITY["exams"] | {"not_exactly_standard": QUALITY["exams"]["not_exactly_standard"] * 1000}
    text = page(tmp_path, findings=[{"what": "odd", "images": 5000, "rows": many}], exams=exams)
    assert "40, 41 ... and 4960 more" in text
    assert "... and 960 more: see the JSON file" in text
    assert len(text) < 10_000
