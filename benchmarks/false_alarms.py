"""How often a comparison finds a difference at 5 % where there is none: two models of the same AUC, several cases of a patient.

    python benchmarks/false_alarms.py [--simulations 1000] [--replicates 400] [--seed 0]

Asked: 4 to 6 %. Naive tests take every case for independent.
"""

from collections import defaultdict

import numpy as np

from clustered_scores import Study, asked
from mammoseg.metrics import auc, average_precision
from mammoseg.statistics.comparison import by_bootstrap, by_delong, by_permutation
from mammoseg.statistics.mcnemar import clustered_mcnemar, mcnemar

STUDIES = (
    Study(15, 60, 4, False, 0.5, 0.90),
    Study(50, 150, 4, False, 0.6, 0.80),
    Study(60, 240, 2, True, 0.6, 0.85),
)


def p_values(study: Study, rng: np.random.Generator, replicates: int, seed: int) -> dict[str, float]:
    """Name of each test -> p of one simulated study."""
    labels, patients = study.cases()
    first, second = study.scores(rng, models=2)
    found = {
        "AUC, DeLong, naive": by_delong(labels, first, second).p,
        "AUC, DeLong by patient": by_delong(labels, first, second, patients).p,
    }
    for metric in (auc, average_precision):
        given = (metric.measure, labels, first, second, patients, replicates, seed)
        found[f"{metric.TITLE}, bootstrap by patient"] = by_bootstrap(*given).p
        found[f"{metric.TITLE}, permutation by patient"] = by_permutation(*given).p
    for name, side in (("Sensitivity", labels == 1), ("Specificity", labels == 0)):
        right = [(scores[side] >= study.threshold) == labels[side] for scores in (first, second)]
        found[f"{name}, McNemar mid-p, naive"] = mcnemar(*right).comparison.p
        found[f"{name}, McNemar by patient"] = clustered_mcnemar(*right, patients[side]).comparison.p
    return found


def main() -> None:
    arguments = asked(__doc__, 0.05)
    for study in STUDIES:
        rng, found = np.random.default_rng(arguments.seed), defaultdict(list)
        for number in range(arguments.simulations):
            for name, p in p_values(study, rng, arguments.replicates, number).items():
                found[name].append(p)
        print(f"\n{study}\n\n| test | false alarms | undefined |\n|---|---|---|")
        for name, values in found.items():
            p = np.array(values)
            print(
                f"| {name} | {100 * np.mean(p[~np.isnan(p)] < 0.05):.1f} % | {np.count_nonzero(np.isnan(p))} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
