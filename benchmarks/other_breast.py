"""Does the other breast help: the score of a breast less a share of that of the patient's other breast, as readers compare sides.

    python benchmarks/other_breast.py OUT --mias MINI_MIAS

    s' = logit(s) - w logit(s of the other breast)

MINI_MIAS as `mammoseg adapt mini_mias` takes it; scores of `cam_cbis` (malignant), which has seen none of these films; abnormal
against normal. Nothing is learned here: w = 1/2 was written down before any result was seen, the others stand beside it to show how
much depends on it. 95 % intervals over patients, differences to w = 0 over the same resampled patients.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from by_breast import SCORE, with_interval
from card_cbis import WEIGHTS, of_mias
from mammoseg.inference.predictor import open_predictor
from mammoseg.metrics.auc import measure as auc

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--mias", type=Path, required=True)
    given = parser.parse_args()
    [breasts] = [
        table for name, table in of_mias(open_predictor(WEIGHTS, "cpu"), given.mias, given.out) if "abnormal" in name
    ]
    scores = logit(breasts[SCORE].clip(1e-4, 1 - 1e-4))
    by_patient = scores.groupby(breasts["patient_id"])
    other = (by_patient.transform("sum") - scores)[by_patient.transform("count") == 2]
    both = breasts.loc[other.index]
    labels, patients = both["malignant"].to_numpy(float), both["patient_id"].tolist()
    own, other = scores[other.index].to_numpy(), other.to_numpy()
    print(f"{len(both)} breasts with another one, {int(labels.sum())} abnormal")
    for share in SHARES:
        less = own - share * other

        def gain(weights: NDArray[np.float64], less: NDArray[np.float64] = less) -> NDArray[np.float64]:
            return auc(labels, less, weights) - auc(labels, own, weights)

        of_it = with_interval(lambda weights, less=less: auc(labels, less, weights), patients)
        print(f"| {share} | {of_it} | {with_interval(gain, patients)} |")


if __name__ == "__main__":
    main()
