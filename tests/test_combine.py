"""Weighted means of systems: what is computed, how weights are chosen, and what is refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from mammoseg.combine import best_weights, combine, equal_weights, given_weights
from mammoseg.config import ConfigError
from mammoseg.data.manifest import Manifest
from mammoseg.evaluation.join import JoinError
from mammoseg.io.failures import Failures
from mammoseg.io.runs import record_path
from mammoseg.io.scores_table import write_predictions_csv


@pytest.fixture
def two(tmp_path: Path, write_scored_study: Callable[..., Manifest]) -> SimpleNamespace:
    """A system, and one whose scores are noise, of the same images."""
    manifest = write_scored_study(tmp_path, patients=60)
    good, noise = tmp_path / "predictions", tmp_path / "noise"
    shutil.copytree(good, noise)
    rng = np.random.default_rng(1)
    for path in sorted((noise / "records").glob("*.json")):
        record = json.loads(path.read_text())
        score = float(rng.random())
        record["scores"] = {"benign": 1 - score, "malignant": score}
        path.write_text(json.dumps(record))
    write_predictions_csv(noise)
    return SimpleNamespace(systems={"good": good, "noise": noise}, manifest=manifest, noise=noise, out=tmp_path / "out")


def test_the_mean_is_evaluated_beside_its_systems(two: SimpleNamespace) -> None:
    results = combine(two.systems, two.manifest, two.out, "test", given_weights([3, 1]), bootstrap=50)
    scores = pd.read_csv(two.out / "per_image.csv")
    expected = 0.75 * scores["score_good_malignant"] + 0.25 * scores["score_noise_malignant"]
    np.testing.assert_allclose(scores["score_final_malignant"], expected, atol=1e-12)
    found = results["scores"]["image"]["malignant"]
    assert {*found} == {"final", "good", "noise"}
    assert found["final"]["auc"]["value"] == pytest.approx(roc_auc_score(scores["malignant"], expected))
    assert found["good"]["auc"]["value"] > found["noise"]["auc"]["value"]
    weights = {"weights": {"good": 0.75, "noise": 0.25}, "chosen": "given"}
    assert json.loads((two.out / "weights.json").read_text()) == results["combined"] == weights


def test_weights_are_chosen_on_the_other_part(two: SimpleNamespace) -> None:
    chosen = best_weights(two.systems, two.manifest, "val", "malignant", training=False)
    assert chosen.weights[0] > 0.8
    assert sum(chosen.weights) == pytest.approx(1)
    assert (chosen.how["on"], chosen.how["breasts"]) == ("val", 60)
    same = best_weights({"a": two.systems["good"], "b": two.systems["good"]}, two.manifest, "val", "malignant", False)
    assert same.weights == (0.5, 0.5), "the most even ones of those that are as good"
    assert equal_weights(4).weights == (0.25,) * 4


def test_an_image_that_failed_in_one_is_left_out_of_all(two: SimpleNamespace) -> None:
    [image_id, *_] = two.manifest.subset("test").table["image_id"]
    record_path(two.noise, image_id).unlink()
    Failures(two.noise).add(image_id, "", "predict", ValueError("too dark"))
    write_predictions_csv(two.noise)
    results = combine(two.systems, two.manifest, two.out, "test", equal_weights(2), bootstrap=0)
    assert results["failed"] == [image_id]
    images = pd.read_csv(two.out / "per_image.csv").set_index("image_id")
    assert (images.loc[image_id, "failed"], images["failed"].sum()) == (1, 1)


@pytest.mark.parametrize("weights", [[-1, 2], [0, 0], [float("nan"), 1]])
def test_weights_that_are_none(weights: list[float]) -> None:
    with pytest.raises(ConfigError, match="expected numbers from 0 on"):
        given_weights(weights)


def test_what_cannot_be_combined(two: SimpleNamespace) -> None:
    with pytest.raises(ConfigError, match="3 weights for 2 systems"):
        combine(two.systems, two.manifest, two.out, "test", given_weights([1, 1, 1]))
    with pytest.raises(ConfigError, match="cannot be called final"):
        combine({"final": two.noise, "b": two.noise}, two.manifest, two.out, "test", equal_weights(2))
    with pytest.raises(ConfigError, match="expected 2 to 20"):
        combine({"one": two.noise}, two.manifest, two.out, "test", equal_weights(1))
    with pytest.raises(ConfigError, match="not all systems have scores of it"):
        best_weights(two.systems, two.manifest, "val", "other", False)
    (two.noise / "predictions.csv").unlink()
    with pytest.raises((JoinError, ValueError), match="missing"):
        combine(two.systems, two.manifest, two.out, "test", equal_weights(2))


def test_from_the_command_line(two: SimpleNamespace, command: Callable[..., Any]) -> None:
    folders = [*two.systems.values()]
    shared = ("--manifest", two.manifest.path, "--out", two.out, "--bootstrap", 50)
    done = command("combine", *folders, *shared, "--split", "test", "--choose-on", "val")
    assert done.code == 0, done.err
    assert "Weights: " in done.out
    page = " ".join((two.out / "report.html").read_text().split())
    assert "The weighted mean of the scores of" in page
    assert "highest AUC of malignant by breast on the part val (60 breasts" in page
    assert "each of its own images" not in page
    for wrong, said in (
        (("--split", "test", "--choose-on", "test"), "judged on"),
        (("--choose-on", "val"), "judged on"),
        (("--split", "test", "--choose-on", "val", "--weights", "1,1"), "given, or chosen"),
        (("--split", "test", "--weights", "a,1"), "expected numbers"),
    ):
        done = command("combine", *folders, *shared, *wrong)
        assert done.code == 2
        assert said in " ".join(done.err.split())
