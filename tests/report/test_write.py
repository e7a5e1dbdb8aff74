"""A report is made from predictions and images alone, continues, and goes on after what is broken."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mammoseg.calibration.stored import Calibration, Fit, OfClass, Point, Reference
from mammoseg.io.calibration import FILE, scores_hash, write_calibration
from mammoseg.io.runs import read_run
from mammoseg.report.write import Written, write_report

HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'{{7*7}}\u202e"


def data_of(page: str) -> dict[str, Any]:
    [text] = re.findall(r'<script type="application/json" id="exam">(.*?)</script>', page, re.DOTALL)
    return dict(json.loads(text))


def test_a_page_for_each_exam_and_one_for_all(study: Any, write: Callable[..., Path]) -> None:
    out = write(study)
    assert sorted(path.name for path in out.rglob("*.html")) == ["e1.html", "e2.html", "index.html"]
    page = (out / "exams" / "e1.html").read_text()
    images = data_of(page)["images"]
    assert [(each["name"], each["row"], each["column"]) for each in images] == [
        ("Right CC", 0, 0),
        ("Left CC", 0, 1),
        ("Right MLO", 1, 0),
        ("Left MLO", 1, 1),
    ]
    assert not any(each["mirrored"] for each in images)
    assert [each["points_right"] for each in images] == [False, True, False, True]
    assert all(
        each["pixel_mm"] == [0.5, 0.5] and each["packed"] == {"shape": [160, 120], "factor": 1} for each in images
    )
    assert "Research use only" in page
    assert "ab" * 32 in page
    index = (out / "index.html").read_text()
    assert 'href="exams/e1.html"' in index
    assert index.count("data:image/jpeg") == 2


def test_findings_are_ranked_over_the_exam(study: Any, write: Callable[..., Path]) -> None:
    images = data_of((write(study) / "exams" / "e1.html").read_text())["images"]
    findings = sorted((f for image in images for f in image["findings"]), key=lambda finding: finding["rank"])
    assert [finding["rank"] for finding in findings] == list(range(1, len(findings) + 1))
    assert findings[0]["score"] == max(finding["score"] for finding in findings) == pytest.approx(0.9, abs=0.05)
    assert findings[0]["where"].startswith("Left")


def test_truth_only_with_a_manifest(study: Any, write: Callable[..., Path]) -> None:
    for truth in (False, True):
        page = (write(study, truth) / "exams" / "e1.html").read_text()
        assert (">Truth<" in page) is truth
        left = data_of(page)["images"][1]
        assert bool(left["outlines"]) is bool(left["labels"]) is truth
    assert 'data-key="truth" checked' not in page, "off by default"


def test_what_a_calibration_gives_stands_beside_the_scores(study: Any, write: Callable[..., Path]) -> None:
    plain = (write(study) / "exams" / "e1.html").read_text()
    assert "recalled" not in plain
    fit = Fit(method="platt", slope=2, intercept=-1, breasts=90, positives=30, patients_with=30, patients_without=60)
    of_class = OfClass(
        fit=fit,
        point=Point(rule="threshold", target=0.5, threshold=0.5, found={}),
        reference=Reference(breasts=90, patients=90, levels=(0.5,), quantiles=(0.2,)),
    )
    about = {"mammoseg": "0", "checkpoint_sha256": "c", "manifest_sha256": "b" * 64, "split": "val", "of_training": 0}
    scores = scores_hash(read_run(study.folder))
    write_calibration(study.folder / FILE, Calibration(**about, scores_sha256=scores, classes={"malignant": of_class}))
    page = (write(study) / "exams" / "e1.html").read_text()
    assert "p 0.968, recalled" in page  # of 0.9: expit(-1 + 2 logit(0.9))
    assert "p 0.00452, not recalled" in page  # of 0.1
    assert page.count("p is the probability") == 1


def test_an_image_that_points_the_wrong_way_is_shown_mirrored_and_says_so(
    new_study: Any, write: Callable[..., Path]
) -> None:
    new_study.add("x", "R", "CC", points_right=True)
    page = (write(new_study) / "exams" / "e1.html").read_text()
    [image] = data_of(page)["images"]
    assert image["mirrored"] is True
    assert "shown mirrored" in page
    assert page.count(">no image<") == 3


def test_the_same_again_is_kept_and_what_has_changed_is_made_anew(study: Any, tmp_path: Path) -> None:
    out = tmp_path / "report"

    def again(truth: bool = False) -> Written:
        return write_report(study.predictions(out, truth), out)

    assert again() == (2, 0)
    before = (out / "exams" / "e1.html").read_bytes(), (out / "index.html").read_bytes()
    assert again() == (2, 2)
    assert ((out / "exams" / "e1.html").read_bytes(), (out / "index.html").read_bytes()) == before
    study.add("a_L-CC", "L", "CC", malignant=0.5)
    study.rows.pop()
    assert again() == (2, 1)
    assert again(truth=True) == (2, 0)
    assert again(truth=True) == (2, 2)
    (study.root / "masks" / "b_L-CC.png").write_bytes((study.root / "masks" / "a_L-CC.png").read_bytes())
    study.rows[3]["malignant_mask"] = "masks/b_L-CC.png"
    assert again(truth=True) == (2, 1)
    (out / "exams" / "e2.html").write_text("cut short")
    assert again(truth=True) == (2, 1)


def test_pages_of_exams_that_are_gone_go_and_files_of_others_stay(study: Any, write: Callable[..., Path]) -> None:
    out = write(study)
    (out / "exams" / "mine.html").write_text("notes")
    for record in (study.folder / "records").glob("b_*"):
        record.unlink()
    write(study)
    assert sorted(path.name for path in (out / "exams").iterdir()) == ["e1.html", "mine.html"]


@pytest.mark.parametrize("what", ["missing", "changed", "cut short"])
def test_a_broken_image_is_a_gap_with_the_reason(study: Any, tmp_path: Path, what: str) -> None:
    out = tmp_path / "report"
    file, other = (study.root / "images" / f"{name}.png" for name in ("a_L-CC", "a_R-CC"))
    whole = file.read_bytes()
    if what == "missing":
        file.unlink()
    else:
        file.write_bytes(other.read_bytes() if what == "changed" else whole[:300])
    predictions = study.predictions(out)
    write_report(predictions, out)
    assert set(predictions.failed) == {"a_L-CC"}
    [entry] = csv.DictReader((out / "errors.csv").open())
    assert (entry["image_id"], entry["step"]) == ("a_L-CC", "report")
    page = (out / "exams" / "e1.html").read_text()
    assert len(data_of(page)["images"]) == 3
    [reason] = re.findall(r'class="reason">([^<]*)<', page)
    assert len(reason) > 10
    for text in (page, (out / "index.html").read_text()):
        assert str(tmp_path) not in text
        assert "a_L-CC.png" not in text
    file.write_bytes(whole)
    assert write_report(study.predictions(out), out) == (2, 1), "the other page was up to date"
    assert len(data_of((out / "exams" / "e1.html").read_text())["images"]) == 4
    assert not (out / "errors.csv").exists()


def test_a_broken_mask_costs_its_outline(study: Any, write: Callable[..., Path]) -> None:
    (study.root / "masks" / "a_L-CC.png").write_bytes(b"no picture")
    out = write(study, truth=True)
    page = (out / "exams" / "e1.html").read_text()
    assert not data_of(page)["images"][1]["outlines"]
    assert "true lesion not shown: malignant" in page
    assert not (out / "errors.csv").exists()
    assert str(study.root) not in page


def test_hostile_texts_are_text(new_study: Any, write: Callable[..., Path]) -> None:
    new_study.add("x", "L", HOSTILE, HOSTILE, HOSTILE, notes=(HOSTILE,), patches_of=HOSTILE, reading=("</script>",))
    new_study.add("y", "L", "CC", "x" * 1000, "\u202e" * 50)
    out = write(new_study)
    names = sorted(path.name for path in (out / "exams").iterdir())
    assert len(names) == 2
    for path in (*(out / "exams" / name for name in names), out / "index.html"):
        page = path.read_text()
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "{{7*7}}" in page or path.stem.startswith("x")
        assert page.count("<script") == page.count("</script>")
    [hostile] = [name for name in names if not name.startswith("x")]
    assert data_of((out / "exams" / hostile).read_text())["exam_id"] == HOSTILE


def test_nothing_tells_where_files_were(study: Any, write: Callable[..., Path], tmp_path: Path) -> None:
    out = write(study, truth=True)
    for path in out.rglob("*"):
        if path.is_file():
            assert str(tmp_path).encode() not in path.read_bytes()
            assert b".png" not in path.read_bytes()


def test_all_images_share_the_budget(study: Any, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mammoseg.report.exam_page.BUDGET", 40_000)
    page = (write(study) / "exams" / "e1.html").read_text()
    packed = re.findall(r"<script type=\"text/plain\" data-pixels=\"[^\"]*\">([^<]*)<", page)
    assert len(packed) == 4
    assert sum(len(text) for text in packed) <= 40_000 * 4 / 3 + 16
    assert "pixels 2 x 2 of the file" in page


def test_further_images_of_a_view_are_numbered(new_study: Any, write: Callable[..., Path]) -> None:
    for name in ("x", "y"):
        new_study.add(name, "L", "CC")
    images = data_of((write(new_study) / "exams" / "e1.html").read_text())["images"]
    assert [(each["id"], each["name"], each["row"]) for each in images] == [("x", "Left CC", 0), ("y", "Left CC 2", 2)]
