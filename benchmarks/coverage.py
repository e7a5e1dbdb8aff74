"""How often 95 % intervals hold the true value: ours, by patient, and the naive ones, which take every case for independent.

    python benchmarks/coverage.py [--simulations 1000] [--replicates 400] [--seed 0]

Asked: 93 to 97 %. Naive is the percentile bootstrap over cases; for a sensitivity or specificity at a threshold fixed
beforehand it is Wilson's interval of k of n. A simulation without an interval (an AUC of 1) counts in neither and is counted.
"""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from clustered_scores import SENSITIVITY, Floats, Limits, Study, asked, coverage_row
from mammoseg.metrics import auc, average_precision, partial_auc
from mammoseg.statistics.bootstrap import interval_of_scores, patient_weights
from mammoseg.statistics.operating import measures_at, operating_point
from mammoseg.statistics.proportion import clustered_proportion, proportion

STUDIES = (
    Study(15, 85, 1, False, 0.0, 0.95),
    Study(15, 60, 2, True, 0.5, 0.95),
    Study(15, 100, 4, True, 0.5, 0.95),
    Study(15, 60, 4, False, 0.5, 0.95),
    Study(50, 150, 4, False, 0.6, 0.80),
    Study(60, 240, 2, True, 0.6, 0.85),
)
METRICS = (auc, average_precision, partial_auc)


def of_metrics(
    labels: Floats, scores: Floats, patients: NDArray[np.intp], replicates: int, seed: int
) -> dict[str, tuple[Limits, Limits]]:
    """Name -> naive and our limits."""
    found = {}
    by_case = list(patient_weights(np.arange(labels.size), replicates, seed))
    for metric in METRICS:
        drawn = np.concatenate([metric.measure(labels, scores, weights) for weights in by_case])
        naive = np.nanpercentile(drawn, [2.5, 97.5])
        scale = getattr(metric, "SCALE", "percentile")
        ours = interval_of_scores(metric.measure, labels, scores, patients, replicates, seed, scale)
        found[metric.__name__.rpartition(".")[2]] = ((naive[0], naive[1]), (ours.low, ours.high))
    drawn = np.concatenate([measures_at(labels, scores, w, "sensitivity", SENSITIVITY)["specificity"] for w in by_case])
    naive = np.nanpercentile(drawn, [2.5, 97.5])
    point = operating_point(labels, scores, patients, "sensitivity", SENSITIVITY, "bootstrap", replicates, seed)
    ours = point.measures["specificity"]
    found["specificity at a sensitivity of 0.9"] = ((naive[0], naive[1]), (ours.low, ours.high))
    return found


def at_threshold(
    labels: Floats, scores: Floats, patients: NDArray[np.intp], threshold: float
) -> dict[str, tuple[Limits, Limits]]:
    """Name -> naive and our limits of Wilson's interval."""
    right, found = (scores >= threshold) == (labels == 1), {}
    for name, side in (("sensitivity", labels == 1), ("specificity", labels == 0)):
        naive = proportion(int(right[side].sum()), int(side.sum()))
        ours = clustered_proportion(right[side], patients[side])
        found[name] = ((naive.low, naive.high), (ours.low, ours.high))
    return found


def simulate(study: Study, simulations: int, replicates: int, seed: int) -> None:
    """Print a row of the table for each measure."""
    truth, (labels, patients) = study.truth(), study.cases()
    rng = np.random.default_rng(seed)
    limits = defaultdict(list)
    for number in range(simulations):
        scores = np.round(study.scores(rng)[0], 6)
        found = of_metrics(labels, scores, patients, replicates, number)
        for name, pair in (found | at_threshold(labels, scores, patients, study.threshold)).items():
            limits[name].append(pair)
    print(f"\n{study}\n")
    print("| measure | true value | naive | ours | too low | too high | none | mean length |")
    print("|---|---|---|---|---|---|---|---|")
    for name, pairs in limits.items():
        print(coverage_row(name, truth[name], pairs), flush=True)


def main() -> None:
    arguments = asked(__doc__, 0.95)
    for study in STUDIES:
        simulate(study, arguments.simulations, arguments.replicates, arguments.seed)


if __name__ == "__main__":
    main()
