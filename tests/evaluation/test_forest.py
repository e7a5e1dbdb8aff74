from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mammoseg.evaluation.breakdowns import breakdowns
from mammoseg.evaluation.forest import MOST_ROWS, forest_figure
from mammoseg.evaluation.method import Method, load_metrics
from mammoseg.evaluation.scores import level_tables, score_tables
from mammoseg.io.figures import write_figure

METRICS = load_metrics()


def figure(sites: list[str], patients: int = 120) -> Any:
    rng = np.random.default_rng(0)
    who = np.arange(patients)
    truth = (who % 4 == 0).astype(float)
    table = pd.DataFrame({"patient_id": who.astype(str), "exam_id": "e", "laterality": "L", "malignant": truth})
    table = table.assign(
        site=[sites[(i // 4) % len(sites)] for i in who], score_final_malignant=truth + rng.normal(size=patients)
    )
    method = Method(METRICS, ("malignant",), 60)
    tables = level_tables(table, ["final"], method.classes)
    return forest_figure(breakdowns(table, tables, ["site"], method, {}), score_tables(tables, ["final"], method))


def texts(found: Any) -> list[str]:
    return [text.get_text() for text in found.axes[0].texts]


def test_every_group_has_its_number_counts_and_caution() -> None:
    found = texts(figure(["a", "b", "c", "c"]))
    assert "site: malignant, breasts" in found
    assert found[found.index("c") + 1 : found.index("c") + 4] == [found[found.index("c") + 1], "14 of 56", "14 + 42"]
    assert found[found.index("a") + 2 : found.index("a") + 4] == ["8 of 32", "8 + 24; caution: few"]
    assert "no test of a difference: 1 group to compare; needed: two" in found


def test_the_test_stands_in_the_head() -> None:
    found = texts(figure(["a", "b"]))
    assert any(text.startswith("difference: p = ") and "by Holm over 1" in text for text in found)


def test_more_rows_than_a_page_holds_are_counted() -> None:
    assert len(texts(figure([f"s{i:02d}" for i in range(50)], 400))) < 4 * MOST_ROWS
    table = {"level": "breast", "values": {}, "heterogeneity": {}}
    assert forest_figure({"site": table}, {}) is None
    assert forest_figure({}, {}) is None


def test_names_of_others_are_text(tmp_path: Path) -> None:
    found = figure(["$\\frac{", "<script>alert(1)</script>", "x" * 1000, "line\nline"])
    write_figure(tmp_path, "forest", found)
    assert "<script>" not in (tmp_path / "forest.svg").read_text()
    assert max(map(len, texts(found))) < 100
