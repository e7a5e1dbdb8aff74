"""The results of a study, against scikit-learn, by hand, and against the published numbers of the public reader study."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from mammoseg.ingest.tables import read_table
from mammoseg.reader_study.analyse import analyse
from mammoseg.reader_study.mrmc.orh import BOTH, CASES
from mammoseg.reader_study.performance import Measuring, measured
from mammoseg.reader_study.settings import Settings
from mammoseg.reader_study.study import Case, ReaderStudy
from mammoseg.reader_study.wide import Columns, read_wide

QUICK = Settings(recall_at=0.3, sensitivities=(0.8,), bootstrap=50)


def test_readers_models_and_their_means(small_study: ReaderStudy) -> None:
    found = analyse(small_study, QUICK)
    assert (found["n"], found["positives"], found["patients"], found["caution"]) == (120, 30, 60, None)
    readers = found["modalities"]["alone"]["readers"]
    aucs = [roc_auc_score(small_study.labels, scores) for scores in small_study.of("alone")]
    assert [readers[name]["auc"]["value"] for name in "ABC"] == pytest.approx(aucs)
    precisions = [average_precision_score(small_study.labels, scores) for scores in small_study.models.values()]
    assert [each["average_precision"]["value"] for each in found["models"].values()] == pytest.approx(precisions)
    mean = found["modalities"]["alone"]["mean"]
    assert mean["auc"]["value"] == pytest.approx(np.mean(aucs))
    assert mean["auc"]["std"] == pytest.approx(np.std(aucs))
    assert mean["auc"]["low"] < np.mean(aucs) < mean["auc"]["high"]
    recalled = small_study.of("alone") >= 0.3
    assert mean["sensitivity"]["value"] == pytest.approx(recalled[:, small_study.labels == 1].mean())
    assert mean["specificity"]["value"] == pytest.approx(1 - recalled[:, small_study.labels == 0].mean())


def test_models_are_compared_together(small_study: ReaderStudy) -> None:
    found = analyse(small_study, QUICK)["modalities"]["alone"]["against_models"]
    p = sorted(each[BOTH]["p"] for each in found.values())
    adjusted = sorted(each[BOTH]["p_holm"] for each in found.values())
    assert adjusted == pytest.approx([min(1, 2 * p[0]), min(1, max(2 * p[0], p[1]))])


def test_majority_and_models_at_its_sensitivity(small_study: ReaderStudy) -> None:
    found = analyse(small_study, QUICK)["modalities"]["alone"]["consensus"]
    votes = (small_study.of("alone") >= 0.3).sum(axis=0) >= 2
    sensitivity = votes[small_study.labels == 1].mean()
    assert found["sensitivity"]["value"] == pytest.approx(sensitivity)
    assert found["specificity"]["value"] == pytest.approx(1 - votes[small_study.labels == 0].mean())
    net = small_study.models["net"]
    threshold = np.sort(net[small_study.labels == 1])[::-1][round(sensitivity * 30) - 1]
    assert found["models"]["net"]["value"] == pytest.approx((net[small_study.labels == 0] < threshold).mean())


def test_hybrids_and_their_gain(small_study: ReaderStudy) -> None:
    found = analyse(small_study, QUICK)["modalities"]["alone"]["hybrids"]["net"]
    halves = [(scores + small_study.models["net"]) / 2 for scores in small_study.of("alone")]
    aucs = [roc_auc_score(small_study.labels, scores) for scores in halves]
    assert [found["readers"][name]["auc"]["value"] for name in "ABC"] == pytest.approx(aucs)
    alone = [roc_auc_score(small_study.labels, scores) for scores in small_study.of("alone")]
    assert found["gain"][BOTH]["value"] == pytest.approx(np.mean(aucs) - np.mean(alone))
    weighing = found["weighing"]["auc"]
    assert weighing["curve"]["value"][0] == pytest.approx(roc_auc_score(small_study.labels, small_study.models["net"]))
    assert weighing["curve"]["value"][50] == pytest.approx(np.mean(aucs))
    assert weighing["curve"]["value"][100] == pytest.approx(np.mean(alone))
    assert weighing["value"] >= max(weighing["curve"]["value"])
    assert "too good" in weighing["caution"]


def test_ensembles(small_study: ReaderStudy) -> None:
    found = analyse(small_study, QUICK)["ensembles"]["auc"]
    both = sum(small_study.models.values()) / 2
    assert found["equal"]["value"] == pytest.approx(roc_auc_score(small_study.labels, both))
    assert found["best"]["combinations"] == 101
    assert sum(found["best"]["weights"].values()) == pytest.approx(1)
    assert found["best"]["value"] >= found["equal"]["value"]


def test_scores_that_are_no_probabilities_have_no_hybrids_but_the_rest(small_study: ReaderStudy) -> None:
    percent = replace(small_study, scores_TRN=100 * small_study.scores_TRN)
    found = analyse(percent, replace(QUICK, recall_at=30))["modalities"]["alone"]
    assert "--reader-scale 100" in found["hybrids"]["reason"]
    assert BOTH in found["against_models"]["net"]
    scaled = analyse(percent, replace(QUICK, recall_at=30, reader_scale=100))["modalities"]["alone"]
    expected = analyse(small_study, QUICK)["modalities"]["alone"]
    assert scaled["hybrids"]["net"]["mean"] == expected["hybrids"]["net"]["mean"]


def test_modalities_are_compared(van_dyke: SimpleNamespace) -> None:
    cases = tuple(Case(patient, patient) for patient in van_dyke.patients)
    study = ReaderStudy(cases, van_dyke.labels, ("se", "cine"), tuple("12345"), van_dyke.scores_TRN, {})
    found = analyse(study, Settings(recall_at=3, bootstrap=0))["between"]
    assert found["auc"]["analyses"][BOTH]["test"]["p"] == pytest.approx(0.0517, abs=5e-5)
    assert found["auc"]["dbm"]["analyses"][CASES]["test"]["p"] == pytest.approx(0.0210, abs=5e-5)
    assert found["sensitivity"]["analyses"][BOTH]["test"]["p"] == pytest.approx(0.02008822, abs=5e-9)
    assert found["auc"]["by_reader"]["5"]["se - cine"]["p"] == pytest.approx(0.02300099, abs=5e-9)


@pytest.mark.parametrize("covariance", ["delong", "bootstrap"])
def test_other_covariances_say_much_the_same(small_study: ReaderStudy, covariance: Any) -> None:
    standard_errors = [
        analyse(small_study, replace(QUICK, covariance=way, bootstrap=300))["modalities"]["alone"]["against_models"][
            "net"
        ][BOTH]["se"]
        for way in ("jackknife", covariance)
    ]
    assert standard_errors[1] == pytest.approx(standard_errors[0], rel=0.15)


def test_one_reader_and_few_patients(small_study: ReaderStudy) -> None:
    few = np.r_[0:4, 30:50]
    study = replace(
        small_study,
        cases=tuple(small_study.cases[i] for i in few),
        labels=small_study.labels[few],
        readers=("A",),
        scores_TRN=small_study.scores_TRN[:, :1, few],
        models={"net": small_study.models["net"][few]},
    )
    found = analyse(study, replace(QUICK, sensitivities=()))
    assert found["caution"] == "caution: only 2 positive patients"
    alone = found["modalities"]["alone"]
    assert alone["mean"]["auc"]["no_interval"] == "one reader does not stand for all"
    assert set(alone["against_models"]["net"]) == {CASES}
    assert found["ensembles"] == {}


def test_a_single_patient_with_positives_has_values_and_reasons(small_study: ReaderStudy) -> None:
    few = np.r_[0:2, 30:50]
    study = replace(
        small_study,
        cases=tuple(small_study.cases[i] for i in few),
        labels=small_study.labels[few],
        scores_TRN=small_study.scores_TRN[:, :, few],
        models={name: scores[few] for name, scores in small_study.models.items()},
    )
    alone = analyse(study, QUICK)["modalities"]["alone"]
    assert 0 <= alone["mean"]["auc"]["value"] <= 1
    assert "two patients with a positive" in alone["against_models"]["reason"]
    assert "replicates" in alone["readers"]["A"]["auc"]["no_interval"]


@pytest.mark.shared
def test_the_public_reader_study(shared: Path) -> None:
    """NYU's 14 readers and 7 models on 1,440 breasts: all figures recomputed from the file, to four decimals."""
    table = read_table(shared / "data" / "reader_study" / "results.csv")
    study = read_wide(table, Columns(), ["Reader*_POM"], ["AI_*_POM"])
    paired = {name: study.models[name] for name in ("AI_GMIC_top5_POM", "AI_GLAM_POM", "AI_DMVCNN_POM")}
    settings = Settings(sensitivities=(0.621, 0.768), bootstrap=0)
    found = analyse(replace(study, models=paired), settings)
    how = Measuring(settings.sensitivities, 0)
    models = {name: measured(study.labels, scores, study.patients, how) for name, scores in study.models.items()}
    alone = found["modalities"]["alone"]
    expected = pd.read_csv(shared / "spec" / "tables" / "reader_study_recomputed.csv").set_index("column_or_group")
    columns = {
        "auc": "auc",
        "average_precision": "average_precision",
        "specificity_at_0.621": "spec_at_sens_0.621",
        "specificity_at_0.768": "spec_at_sens_0.768",
    }
    checked = 0
    for name, numbers in {**models, **alone["readers"]}.items():
        for metric, column in columns.items():
            assert round(numbers[metric]["value"], 4) == expected.loc[name, column], (name, metric)
            checked += 1
        assert round(numbers["specificity_at_0.621"]["sensitivity"], 4) == expected.loc[name, "achieved_sens"]
    assert checked == 84
    stds = {"auc": "auc_std_ddof0", "average_precision": "ap_std", "specificity_at_0.621": "spec_std"}
    groups = {"mean over 14 readers": alone["mean"]} | {
        f"hybrid lambda=0.5 {name}": alone["hybrids"][name]["mean"] for name in paired
    }
    for group, numbers in groups.items():
        for metric, column in columns.items():
            assert round(numbers[metric]["value"], 4) == expected.loc[group, column], (group, metric)
        for metric, column in stds.items():
            assert round(numbers[metric]["std"], 4) == expected.loc[group, column], (group, metric)


@pytest.mark.shared
def test_decisions_of_the_public_readers_are_those_of_the_paper(shared: Path) -> None:
    """Recall from 3 % on: sensitivity 62.1 % +- 9, specificity 85.2 % +- 5.5 in the paper, of 62 positives; the file has 61."""
    table = read_table(shared / "data" / "reader_study" / "results.csv")
    study = read_wide(table, Columns(), ["Reader*_POM"], [])
    mean = analyse(study, Settings(recall_at=0.03, bootstrap=0))["modalities"]["alone"]["mean"]
    paper = pd.read_csv(shared / "spec" / "tables" / "gmic_table3_reader_study.csv").set_index("who").loc["readers"]
    assert mean["sensitivity"]["value"] == pytest.approx(0.621, abs=0.001)
    assert mean["specificity"]["value"] == pytest.approx(paper["specificity_at_sens_62_1"], abs=0.001)
    assert mean["specificity"]["std"] == pytest.approx(paper["specificity_std"], abs=0.001)
    assert mean["auc"]["value"] == pytest.approx(paper["auc_mean"], abs=0.001)
