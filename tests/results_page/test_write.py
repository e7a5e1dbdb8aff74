"""The page as text: what is in it, what is not, and what a folder must hold."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from mammoseg.evaluation.results import ResultsError
from mammoseg.results_page.pages import PAGES
from mammoseg.results_page.write import write_results_page


@pytest.fixture(scope="module")
def page(evaluated: SimpleNamespace) -> str:
    return write_results_page(evaluated.folder, [evaluated.predictions], evaluated.manifest).read_text(encoding="utf-8")


def test_numbers_of_the_file_are_in_the_page(evaluated: SimpleNamespace, page: str) -> None:
    auc = json.loads((evaluated.folder / "metrics.json").read_text())["scores"]["breast"]["malignant"]["final"]["auc"]
    assert f'<td class="n">{auc["value"]:.3f}</td><td class="n">{auc["low"]:.3f} to {auc["high"]:.3f}</td>' in page
    assert "24 (4 positive)" in page
    assert "caution: only 4 positive patients" in page
    assert "<bdi>By view</bdi></h2>" in page


def test_worst_cases_have_pictures_or_a_reason_without_a_path(evaluated: SimpleNamespace, page: str) -> None:
    cases = page.partition('<h2 id="cases">')[2].partition("</section>")[0]
    assert cases.index("p0_L-CC") < cases.index("p3_L-CC") < cases.index("p11_R-CC")
    assert cases.count("data:image/jpeg;base64,") >= 10
    assert 'class="gap"' in cases
    assert str(evaluated.predictions.parent) not in page


def test_without_predictions_worst_cases_have_no_pictures(evaluated: SimpleNamespace) -> None:
    text = write_results_page(evaluated.folder).read_text(encoding="utf-8")
    assert "data:image/jpeg" not in text
    assert "p0_L-CC" in text
    assert "since the predictions were not given, or could not be opened" in text


def test_a_folder_of_other_predictions_costs_the_pictures_alone(evaluated: SimpleNamespace, tmp_path: Path) -> None:
    text = write_results_page(evaluated.folder, [tmp_path], evaluated.manifest).read_text(encoding="utf-8")
    assert "data:image/jpeg" not in text


def test_metrics_alone_make_a_page(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text("{}")
    text = write_results_page(tmp_path).read_text(encoding="utf-8")
    assert "Evaluation of <bdi>a model</bdi>" in text
    assert 'id="summary"' not in text
    assert "No confidence intervals" not in text, "nothing was computed at all"


@pytest.mark.parametrize("content", [None, "{", "[]", "[" * 100_000], ids=["missing", "cut off", "a list", "too deep"])
def test_a_folder_without_an_evaluation_is_told(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "metrics.json").write_text(content)
    with pytest.raises(ResultsError, match=r"Expected .* Run mammoseg evaluate"):
        write_results_page(tmp_path)


def test_hostile_texts_stay_texts(hostile: Path) -> None:
    text = write_results_page(hostile).read_text(encoding="utf-8")
    assert "<script" not in text
    assert "<img src=x" not in text
    assert "{{ 7 * 7 }}" in text
    assert "\\ud800" in text
    assert text.count("data:image/svg+xml;base64,") == 1


def test_pictures_of_others_in_the_folder_stay_out(evaluated: SimpleNamespace) -> None:
    other = evaluated.folder / "patient.png"
    other.write_bytes(b"\x89PNG")
    try:
        assert "patient" not in re.findall(
            r'href="([^"]*)"', write_results_page(evaluated.folder).read_text(encoding="utf-8")
        )
        assert "patient.png" not in (evaluated.folder / "report.html").read_text(encoding="utf-8")
    finally:
        other.unlink()


def test_the_templates_need_no_script_and_name_no_address(page: str) -> None:
    assert "<script" not in page
    assert not re.search(r"\son\w+=|\sstyle=", page)
    assert not re.search(r'(src|href)="(?!data:|#|[\w.]+")', page)
    assert all(not PAGES.script(name) for name in PAGES.kinds)
