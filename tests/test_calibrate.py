"""From predictions and labels to a calibration, and from scores of another site to an aligned one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mammoseg.calibrate import align_to, calibrate, place_in, recalled_before_and_after
from mammoseg.calibration.fits import platt
from mammoseg.calibration.stored import Calibration, CalibrationError
from mammoseg.data.manifest import Manifest
from mammoseg.evaluation.join import JoinError
from mammoseg.io.calibration import scores_hash
from mammoseg.io.runs import read_run
from mammoseg.io.scores_table import checked_scores
from mammoseg.nn.checkpoint import CheckpointError, open_checkpoint


def predictions(manifest: Manifest) -> Path:
    return manifest.path.parent / "predictions"


@pytest.fixture(scope="module")
def whole(scored_study: Manifest) -> Calibration:
    return calibrate(predictions(scored_study), scored_study, at="specificity=0.9").calibration


def test_is_fitted_on_breasts_of_the_part_whose_label_is_known(scored_study: Manifest) -> None:
    made = calibrate(predictions(scored_study), scored_study, split="val")
    found, table = made.calibration, checked_scores(predictions(scored_study)).table
    breasts = table[(table["level"] == "breast") & (table["patient_id"] < "p055")]
    labels = scored_study.table.groupby(["patient_id", "laterality"])["malignant"].first()
    truth = np.array([labels[row.patient_id, row.laterality] for row in breasts.itertuples()], float)
    intercept, slope = platt(truth, breasts["malignant"].to_numpy(float))
    of_class = found.classes["malignant"]
    assert (of_class.fit.intercept, of_class.fit.slope) == pytest.approx((intercept, slope))
    assert (of_class.fit.breasts, of_class.reference.breasts, of_class.reference.patients) == (110, 110, 55)
    assert of_class.point is None
    assert (found.split, found.of_training) == ("val", 0)
    assert found.scores_sha256 == scores_hash(read_run(predictions(scored_study)))
    assert made.left_out.keys() == {"benign"}
    assert "3 patients with a positive breast and 3 with a negative one" in made.left_out["benign"]


def test_probabilities_are_nearer_to_the_truth_on_other_patients(scored_study: Manifest) -> None:
    found = calibrate(predictions(scored_study), scored_study, split="val").calibration
    table = checked_scores(predictions(scored_study)).table
    breasts = table[(table["level"] == "breast") & (table["patient_id"] >= "p055")]
    labels = scored_study.table.groupby(["patient_id", "laterality"])["malignant"].first()
    truth = np.array([labels[row.patient_id, row.laterality] for row in breasts.itertuples()], float)
    scores = breasts["malignant"].to_numpy(float)
    brier = [np.mean((p - truth) ** 2) for p in (found.probabilities("malignant", scores), scores)]
    assert brier[0] < brier[1] - 0.02


def test_point_and_prevalence_are_stored(scored_study: Manifest) -> None:
    found = calibrate(predictions(scored_study), scored_study, prevalence=0.01, at="sensitivity=0.9").calibration
    of_class = found.classes["malignant"]
    assert of_class.point is not None
    assert (of_class.point.rule, of_class.point.target, of_class.point.prevalence) == ("sensitivity", 0.9, 0.01)
    assert of_class.fit.target_prevalence == 0.01
    assert of_class.point.found["sensitivity"].value >= 0.9  # type: ignore[operator]


def test_refuses_when_no_class_has_enough_patients(scored_study: Manifest) -> None:
    with pytest.raises(CalibrationError, match=r"(?s)cannot be calibrated.*benign: .*malignant: .* isotonic needs 100"):
        calibrate(predictions(scored_study), scored_study, split="val", method="isotonic")


def test_refuses_patients_that_the_model_has_learned_from(
    write_scored_study: Callable[..., Manifest], tmp_path: Path
) -> None:
    manifest = write_scored_study(tmp_path, patients=90, learned=2)
    with pytest.raises(JoinError, match="learned from the patients"):
        calibrate(predictions(manifest), manifest)
    assert calibrate(predictions(manifest), manifest, training=True).calibration.of_training == 6


def test_warns_of_the_test_part(scored_study: Manifest, caplog: pytest.LogCaptureFixture) -> None:
    calibrate(predictions(scored_study), scored_study, split="test")
    assert "is no test any more" in caplog.text


def test_another_site_is_aligned_without_labels(
    whole: Calibration, scored_study: Manifest, write_scored_study: Callable[..., Manifest], tmp_path: Path
) -> None:
    """Its machine adds 1.5 to the log odds."""
    site = predictions(write_scored_study(tmp_path, seed=1, shift=1.5))
    aligned = align_to(site, whole)
    before, after = recalled_before_and_after(site, aligned)["malignant"]
    here = recalled_before_and_after(predictions(scored_study), whole)["malignant"][0]
    assert before > here + 0.15
    assert after == pytest.approx(here, abs=0.02)
    assert aligned.classes["malignant"].fit == whole.classes["malignant"].fit
    again = align_to(site, aligned)
    assert again == aligned


def test_is_not_aligned_to_few_breasts_or_to_another_model(
    whole: Calibration, scored_study: Manifest, write_scored_study: Callable[..., Manifest], tmp_path: Path
) -> None:
    few = write_scored_study(tmp_path / "few", patients=20)
    with pytest.raises(CalibrationError, match="40 breasts of the site"):
        align_to(predictions(few), whole)
    part = calibrate(predictions(scored_study), scored_study, split="val").calibration
    with pytest.raises(CalibrationError, match="110 breasts of the part that the calibration was made from"):
        align_to(predictions(scored_study), part)
    with pytest.raises(CalibrationError, match="another checkpoint or of other settings"):
        align_to(predictions(scored_study), whole.model_copy(update={"scores_sha256": "0" * 64}))
    unknown = whole.model_copy(update={"classes": {"cyst": whole.classes["malignant"]}})
    with pytest.raises(CalibrationError, match="has no scores of cyst"):
        align_to(predictions(scored_study), unknown)


def test_lies_beside_the_weights_that_it_is_about(whole: Calibration, tiny_gmic: Callable[..., Path]) -> None:
    folder, other = tiny_gmic(0), tiny_gmic(1)
    of_this: Any = whole.model_copy(update={"checkpoint_sha256": open_checkpoint(folder).sha256})
    assert place_in(folder, of_this) == folder / "calibration.json"
    with pytest.raises(CalibrationError, match="of another checkpoint"):
        place_in(other, of_this)
    with pytest.raises(CalibrationError, match="comes with mammoseg"):
        place_in(Path("glam_phantom"), of_this)
    with pytest.raises(CheckpointError):
        place_in(folder.parent / "nothing", of_this)


def test_pseudonyms_make_no_other_scores(scored_study: Manifest) -> None:
    run = read_run(predictions(scored_study))
    assert scores_hash({**run, "pseudonyms": ["x"], "mammoseg": "9", "precision": "bf16-mixed"}) == scores_hash(run)
    assert scores_hash({**run, "num_tta": 10}) != scores_hash(run)


def test_a_class_that_the_manifest_does_not_know_of_is_left_out(scored_study: Manifest) -> None:
    table = scored_study.table.assign(benign=np.nan)
    made = calibrate(predictions(scored_study), replace(scored_study, table=table))
    assert "0 patients with a positive breast" in made.left_out["benign"]
