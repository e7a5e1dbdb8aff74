"""How often the intervals of calibration hold the true value: simulated breasts, two of each patient, whose scores are too flat.

    python benchmarks/calibration_coverage.py

A minute on one core. The truth is that of a million patients; every fifth to sixth breast is positive.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from mammoseg.calibration.recalibration import recalibration
from mammoseg.evaluation.calibration import calibration_numbers
from mammoseg.evaluation.method import Method

STUDIES = 250


def study(rng: np.random.Generator, patients: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Labels and scores of the breasts."""
    shared = np.repeat(0.5 * rng.normal(size=patients), 2)
    truth = shared + 1.3 * rng.normal(size=2 * patients) - 2
    labels = (rng.random(2 * patients) < expit(truth)).astype(np.float64)
    return labels, expit(0.7 * truth + 0.3)


def main() -> None:
    rng = np.random.default_rng(0)
    labels, scores = study(rng, 1_000_000)
    true = {name: value[0] for name, value in recalibration(labels, scores, np.ones((1, labels.size))).items()}
    true["brier"] = np.mean((labels - scores) ** 2)
    for patients in (100, 400):
        held = dict.fromkeys(true, 0)
        for _ in range(STUDIES):
            labels, scores = study(rng, patients)
            who = np.repeat(np.arange(patients), 2).astype(str)
            table = pd.DataFrame({"patient_id": who, "malignant": labels, "score_final_malignant": scores})
            numbers = calibration_numbers(table, Method({}, ("malignant",), bootstrap=300), None)["malignant"]["final"]
            for name, value in true.items():
                held[name] += numbers[name]["low"] <= value <= numbers[name]["high"]
        print(f"{patients} patients:", ", ".join(f"{name} {count / STUDIES:.1%}" for name, count in held.items()))


if __name__ == "__main__":
    main()
