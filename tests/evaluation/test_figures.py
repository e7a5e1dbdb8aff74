from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from mammoseg.evaluation.curves import draw_curves
from mammoseg.evaluation.figures import pr_figure, roc_figure
from mammoseg.evaluation.method import Method, load_metrics
from mammoseg.evaluation.scores import ranking
from mammoseg.io.figures import write_figure

METRICS = load_metrics()


def method(bootstrap: int) -> Method:
    return Method(METRICS, bootstrap=bootstrap)


def breasts() -> pd.DataFrame:
    """Twenty-two breasts, one patient each; benign is never positive, so that its AUC is undefined."""
    rng = np.random.default_rng(0)
    malignant = np.arange(22) % 2
    table = pd.DataFrame({"patient_id": [str(i) for i in range(22)], "malignant": malignant.astype(float)})
    table.loc[0, "malignant"] = np.nan
    return table.assign(benign=0.0, score_final_malignant=malignant * 0.3 + rng.random(22), score_final_benign=0.5)


def figure_of(table: pd.DataFrame, bootstrap: int = 0, kind: str = "roc") -> Figure:
    results = {label: {"final": ranking(table, label, "final", method(bootstrap))} for label in ("benign", "malignant")}
    curves = draw_curves(table, results, method(bootstrap))
    return roc_figure(curves["roc"], results) if kind == "roc" else pr_figure(curves["pr"], results, "image")


def test_curve_and_legend_say_what_the_numbers_say() -> None:
    table = breasts()
    results = {label: {"final": ranking(table, label, "final", method(100))} for label in ("benign", "malignant")}
    axes = figure_of(table, 100).axes[0]
    chance, benign, malignant = axes.get_lines()
    assert list(chance.get_xdata()) == list(chance.get_ydata()) == [0, 1]
    assert len(benign.get_xdata()) == 0
    area = np.trapezoid(malignant.get_ydata(), malignant.get_xdata())
    auc = results["malignant"]["final"]["auc"]
    assert np.isclose(area, auc["value"])
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts[1] == "benign: undefined (no case with a positive label)"
    interval = f"{auc['low']:.3f} to {auc['high']:.3f}"
    assert texts[2] == f"malignant: AUC {auc['value']:.3f} (95 % {interval}), 11 of 21 breasts positive"


def test_few_patients_are_told_in_the_legend() -> None:
    table = breasts().iloc[:8]
    text = figure_of(table).axes[0].get_legend().get_texts()[2].get_text()
    assert text.endswith("(no interval), 4 of 7 breasts positive\ncaution: only 4 positive and 3 negative patients")


def test_a_class_nobody_predicted_has_no_curve_and_the_legend_says_so() -> None:
    table = breasts().assign(score_final_benign=np.nan)
    axes = figure_of(table).axes[0]
    assert [len(line.get_xdata()) > 0 for line in axes.get_lines()] == [True, False, True]
    legend = axes.get_legend().get_texts()
    assert legend[1].get_text() == "benign: undefined (the model does not predict this class)"


def test_the_same_numbers_give_the_same_files_with_text_as_text(tmp_path: Path) -> None:
    table = breasts()
    for folder in ("a", "b"):
        write_figure(tmp_path / folder, "roc", figure_of(table, 50))
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == ["roc.pdf", "roc.png", "roc.svg"]
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    assert "ROC by breast</text>" in (tmp_path / "a" / "roc.svg").read_text()
    assert b"/Type /Font" in (tmp_path / "a" / "roc.pdf").read_bytes()
    assert (tmp_path / "a" / "roc.png").read_bytes().startswith(b"\x89PNG")


def test_classes_differ_in_colour_and_in_line(tmp_path: Path) -> None:
    table = breasts().assign(benign=lambda t: 1 - t["malignant"])
    _, *curves = figure_of(table).axes[0].get_lines()
    assert [(line.get_color(), line.get_linestyle()) for line in curves] == [("#0072B2", "--"), ("#D55E00", "-")]


def test_precision_and_recall_stand_over_the_level_of_chance() -> None:
    table = breasts()
    axes = figure_of(table, 50, "pr").axes[0]
    chance, _, malignant = axes.get_lines()
    assert chance.get_ydata()[0] == pytest.approx(11 / 21)
    assert malignant.get_drawstyle() == "steps-pre"
    assert malignant.get_ydata()[-1] == pytest.approx(11 / 21)
    result = ranking(table, "malignant", "final", method(50))
    x, y = (np.asarray(values) for values in (malignant.get_xdata(), malignant.get_ydata()))
    assert float((np.diff(x) * y[1:]).sum()) == pytest.approx(result["average_precision"]["value"])
    assert len(axes.collections) == 1  # the band
    assert axes.get_legend().get_texts()[1].get_text().endswith("11 of 21 images positive")


def test_names_of_others_are_text_in_figures(tmp_path: Path) -> None:
    hostile = "$\\frac{" + "<script>\n" * 20
    table = breasts().rename(columns={"malignant": hostile, "score_final_malignant": f"score_final_{hostile}"})
    how = Method(METRICS, (hostile,), 0)
    results = {hostile: {"final": ranking(table, hostile, "final", how)}}
    write_figure(tmp_path, "roc", roc_figure(draw_curves(table, results, how)["roc"], results))
    assert "<script>" not in (tmp_path / "roc.svg").read_text()
