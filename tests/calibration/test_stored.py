"""What is stored is what is applied, and nothing else can be stored."""

from typing import Any

import numpy as np
import pytest
from scipy.special import expit, logit

from mammoseg.calibration.alignment import align, reference_of
from mammoseg.calibration.fits import fit
from mammoseg.calibration.points import choose
from mammoseg.calibration.stored import Calibration, Fit, OfClass, Points
from mammoseg.config import ConfigError, parse

PATIENTS = np.repeat(np.arange(500), 2)


@pytest.fixture
def calibration(many: Any) -> Calibration:
    of_class = OfClass(
        fit=fit("isotonic", *many, PATIENTS, 0.006),
        point=choose(*many, PATIENTS, "sensitivity", 0.9, 0.006, replicates=0),
        reference=reference_of(many.probabilities, PATIENTS),
    )
    about = {"mammoseg": "0", "checkpoint_sha256": "c", "scores_sha256": "a" * 64, "manifest_sha256": "b" * 64}
    return Calibration(**about, split="val", of_training=0, classes={"malignant": of_class})


def test_is_the_same_after_it_was_written_down(calibration: Calibration, many: Any) -> None:
    again = parse(Calibration, calibration.model_dump(mode="json"), "file")
    assert again.sha256 == calibration.sha256
    for apply in ("probabilities", "recalled"):
        values = [getattr(each, apply)("malignant", many.probabilities) for each in (calibration, again)]
        assert values[0].tolist() == values[1].tolist()
    assert again.model_copy(update={"split": None}).sha256 != again.sha256


def test_steps_come_in_order(calibration: Calibration, many: Any) -> None:
    """Of another machine whose scores are half of ours: aligned first, then as before."""
    of_class = calibration.classes["malignant"]
    moved = align(many.probabilities / 2, PATIENTS, of_class.reference)
    other = calibration.model_copy(update={"classes": {"malignant": of_class.model_copy(update={"alignment": moved})}})
    halves = many.probabilities / 2
    assert other.aligned("malignant", halves) == pytest.approx(many.probabilities, abs=0.06)
    assert other.probabilities("malignant", halves) == pytest.approx(
        of_class.fit(other.aligned("malignant", halves)), abs=1e-12
    )
    recalls = [
        float(each.recalled("malignant", x).mean()) for each, x in ((calibration, many.probabilities), (other, halves))
    ]  # type: ignore[union-attr]
    assert recalls[0] == pytest.approx(recalls[1], abs=0.01)
    assert other.sha256 != calibration.sha256


def test_what_is_unknown_stays_unknown(calibration: Calibration) -> None:
    scores = np.array([0.99, np.nan, 0.0])
    assert np.isnan(calibration.probabilities("malignant", scores)).tolist() == [False, True, False]
    recalled = calibration.recalled("malignant", scores)
    assert recalled is not None
    assert (recalled[0], recalled[2]) == (1, 0)
    assert np.isnan(recalled[1])


def test_a_line_of_log_odds() -> None:
    line = Fit(method="platt", slope=2, intercept=-1, breasts=10, positives=5, patients_with=5, patients_without=5)
    assert line(np.array([0.3])) == pytest.approx(expit(2 * logit(0.3) - 1))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("format",), 2),
        (("level",), "image"),
        (("scores_sha256",), "x"),
        (("classes",), {}),
        (("of_training",), -1),
        (("extra",), 1),
        (("classes", "malignant", "fit", "points", "y", 0), float("nan")),
        (("classes", "malignant", "fit", "points", "y", 0), 0.999),
        (("classes", "malignant", "fit", "points", "x", 1), 0.0),
        (("classes", "malignant", "fit", "points"), None),
        (("classes", "malignant", "fit", "positives"), 0),
        (("classes", "malignant", "fit", "method"), "platt"),
        (("classes", "malignant", "fit", "target_prevalence"), 1.0),
        (("classes", "malignant", "point", "threshold"), float("inf")),
        (("classes", "malignant", "reference", "quantiles", 0), 1.0),
    ],
    ids=str,
)
def test_refuses_what_no_calibration_says(calibration: Calibration, place: tuple[Any, ...], value: Any) -> None:
    said = calibration.model_dump(mode="json")
    inner: Any = said
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    with pytest.raises(ConfigError):
        parse(Calibration, said, "file")


def test_points_rise() -> None:
    assert Points(x=(0.2, 0.4), y=(0.1, 0.1))(np.array([0.0, 0.3, 1.0])).tolist() == [0.1, 0.1, 0.1]
    for x, y in (((0.2, 0.2), (0.1, 0.2)), ((0.2, 0.4), (0.2, 0.1)), ((0.2,), (0.1, 0.2)), ((), ())):
        with pytest.raises(ValueError, match=r"do not rise|at least 1"):
            Points(x=x, y=y)
