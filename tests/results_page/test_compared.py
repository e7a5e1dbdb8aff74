"""The page of a comparison."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from mammoseg.comparison.compare import compare
from mammoseg.comparison.differences import Settings
from mammoseg.evaluation.results import ResultsError
from mammoseg.results_page.compared import write_comparison_page

HOSTILE = "\"><script>window.hit=1</script><img src=x onerror='window.hit=2'>" + "x" * 1000


@pytest.fixture
def compared(evaluated: SimpleNamespace, tmp_path: Path) -> Path:
    other = tmp_path / "other"
    shutil.copytree(evaluated.folder, other)
    table = other / "per_image.csv"
    table.write_text(table.read_text().replace("p3_L-CC,L,CC", "p3_L-CC,L,CC"))
    compare(evaluated.folder, other, tmp_path / "out", Settings(replicates=50, margin=0.1))
    return tmp_path / "out"


def test_all_numbers_are_in_the_page(compared: Path) -> None:
    text = write_comparison_page(compared).read_text(encoding="utf-8")
    for said in ("Comparison of", "Scores by breast", "Maps", "24 images of 12 patients", "Holm", "DeLong"):
        assert said in text
    assert "caution: only 4 positive patients" in text
    assert text.count("data:image/svg+xml") >= 2
    assert "A margin" not in text
    assert "margin that has to be set before" in text
    assert "<script" not in text


def test_hostile_texts_stay_texts(compared: Path) -> None:
    path = compared / "compare.json"
    results = json.loads(path.read_text())
    results["a"] |= {"name": HOSTILE, "model": HOSTILE, "split": HOSTILE}
    results["left_out"] = [HOSTILE] * 300
    results["titles"] = dict.fromkeys(results["titles"], HOSTILE)
    results["scores"] = {HOSTILE: {HOSTILE: next(iter(results["scores"].values()))["malignant"]}}
    path.write_text(json.dumps(results))
    text = write_comparison_page(compared).read_text(encoding="utf-8")
    assert "<script" not in text
    assert "<img src=x" not in text
    assert "and 100 more" in text


@pytest.mark.parametrize("content", [None, "[]", "{}", '{"titles": 3, "a": {}, "b": {}}'])
def test_a_folder_without_a_comparison_is_told(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "compare.json").write_text(content)
    with pytest.raises(ResultsError, match="Run mammoseg compare again"):
        write_comparison_page(tmp_path)
