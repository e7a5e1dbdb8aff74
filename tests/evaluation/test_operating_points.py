import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from mammoseg.config import ConfigError
from mammoseg.evaluation.method import Method, load_metrics
from mammoseg.evaluation.operating_points import OperatingPointError, operating_points, points_of, read_points
from mammoseg.io.atomic import write_json

METRICS = load_metrics()
METHOD = Method(METRICS, ("malignant",), 100)


def cases(n: int = 60, seed: int = 0) -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    truth = (np.arange(n) % 3 == 0).astype(float)
    table = pd.DataFrame({"patient_id": np.arange(n).astype(str), "malignant": truth})
    return {"breast": table.assign(score_final_malignant=(rng.random(n) + 0.5 * truth).round(3))}


def points(tables: dict[str, pd.DataFrame], *texts: str, **more: Any) -> dict[str, Any]:
    return operating_points(tables, METHOD, read_points(texts), **({"before": {}} | more))["breast"]["malignant"]


def test_a_given_threshold_by_hand() -> None:
    tables = cases()
    point = points(tables, "threshold = 0.7")["threshold=0.7"]
    table = tables["breast"]
    called, positive = table["score_final_malignant"] >= 0.7, table["malignant"] == 1
    k, n = int((called & positive).sum()), int(positive.sum())
    assert (point["true_positives"], point["sensitivity"]["k"], point["sensitivity"]["of"]) == (k, k, n)
    assert point["sensitivity"]["value"] == k / n
    assert point["recall_rate"]["value"] == called.mean()
    assert point["ppv"]["value"] == positive[called].mean()
    assert point["specificity"]["value"] == (~called[~positive]).mean()
    assert point["npv"]["value"] == (~positive[~called]).mean()
    assert point["sensitivity"]["method"] == "wilson by patient"
    names = {"wald": "normal", "wilson": "wilson", "clopper-pearson": "beta"}
    for name, theirs in names.items():
        assert point["sensitivity"]["intervals"][name] == pytest.approx(proportion_confint(k, n, method=theirs))
    assert (point["threshold"], point["chosen_on"], point["n"], point["caution"]) == (0.7, None, 60, None)


def test_one_that_is_chosen_here_reaches_its_target_and_is_chosen_again_for_the_interval() -> None:
    point = points(cases(), "sensitivity=0.9")["sensitivity=0.9"]
    assert point["sensitivity"]["value"] >= 0.9
    assert point["chosen_on"] == "these cases"
    assert point["specificity"]["method"] == "bootstrap by patient"
    assert point["specificity"]["low"] < point["specificity"]["value"] < point["specificity"]["high"]
    rest = points(cases(), "specificity=0.8", "recall_rate=0.1")
    assert rest["specificity=0.8"]["specificity"]["value"] >= 0.8
    assert rest["recall_rate=0.1"]["recall_rate"]["value"] <= 0.1


def test_a_threshold_of_another_part_is_held_fixed(tmp_path: Path) -> None:
    chosen = operating_points(cases(seed=1), METHOD, read_points(["sensitivity=0.9"]), {})
    write_json(tmp_path / "metrics.json", {"split": "val", "operating_points": chosen})
    before = points_of(tmp_path / "metrics.json")
    found = points(cases(seed=2), "sensitivity=0.9", before=before)
    assert list(found) == ["sensitivity=0.9", "sensitivity=0.9 (fixed before)"]
    fixed = found["sensitivity=0.9 (fixed before)"]
    assert fixed["threshold"] == chosen["breast"]["malignant"]["sensitivity=0.9"]["threshold"]
    assert (fixed["chosen_on"]["file"], fixed["chosen_on"]["split"]) == ("metrics.json", "val")
    assert fixed["sensitivity"]["method"] == "wilson by patient"


def test_few_patients_and_one_class_are_told() -> None:
    few = points({"breast": cases()["breast"].iloc[:9]}, "threshold=0.5")["threshold=0.5"]
    assert few["caution"] == "caution: only 3 positive and 6 negative patients"
    table = cases()["breast"]
    none = points({"breast": table[table["malignant"] == 0]}, "sensitivity=0.9")["sensitivity=0.9"]
    assert none["reason"] == "no threshold: a class has no case"
    assert np.isnan([none["threshold"], none["sensitivity"]["value"]]).all()


def test_nothing_asked_for_is_nothing() -> None:
    assert operating_points(cases(), METHOD, [], {}) == {}


@pytest.mark.parametrize(
    "text", ["", "0.9", "sensitivity", "sensitivity=", "sensitivity=90", "specificity=-0.1", "recall=0.1", "threshold=high",
             "threshold=nan", "threshold=1e999", "sensitivity=0.9=1"]
)  # fmt: skip
def test_what_is_no_point(text: str) -> None:
    with pytest.raises(ConfigError, match=r"expected sensitivity=.*Write, for example, sensitivity=0.9"):
        read_points([text])


@pytest.mark.parametrize(
    "content",
    [
        "", "[]", "null", "{}", '{"operating_points": {}}', '{"operating_points": []}', '{"operating_points": {"breast": 3}}',
        '{"operating_points": {"breast": {"malignant": {"a": {}}}}}',
        '{"operating_points": {"breast": {"malignant": {"a": null}}}}',
        '{"operating_points": {"breast": {"malignant": {"a": {"threshold": "high"}}}}}', "[" * 10_000,
        '{"operating_points": {"breast": {"malignant": {"a": {"threshold": null}}}}}',
        '{"operating_points": {"breast": {"malignant": {"a": {"threshold": [1]}}}}}', json.dumps("x"),
    ],
)  # fmt: skip
def test_files_without_thresholds(tmp_path: Path, content: str) -> None:
    path = tmp_path / "metrics.json"
    path.write_text(content)
    with pytest.raises(
        OperatingPointError, match=r"metrics\.json: .*Expected metrics\.json of an evaluation with --at"
    ):
        points_of(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OperatingPointError, match=r"cannot be read \(No such file"):
        points_of(tmp_path / "metrics.json")
