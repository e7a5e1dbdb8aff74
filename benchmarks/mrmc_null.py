"""How often reader studies find a difference where there is none: simulated studies of two equal modalities.

    python benchmarks/mrmc_null.py [--studies 250] [--seed 0] [--out DIR]

The model of Roe and Metz 1997, Academic Radiology 4:298: the rating of case k by reader j in modality i is

    X_ijkt = mu_t + R_jt + C_kt + (tau R)_ijt + (tau C)_ikt + (R C)_jkt + E_ijkt      t = 0, 1 the truth, mu_0 = 0

with independent normal terms, of their published variances: cases that correlate much or little (first letter of the structure:
H, L), readers who differ much or little (second letter), an easy, a middling and a hard task (mu_1 2.5, 1.5, 0.75: AUC 0.96,
0.86, 0.70).

Each analysis is asked about studies in which its null hypothesis is true: for all readers and cases as above; for these readers
without tau R, for these cases without tau C. What the last two say where both vary, for which they are not meant, is shown beside.
"""

import argparse
import time
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from mammoseg.io.cells import write_csv
from mammoseg.reader_study.mrmc import dbm, orh
from mammoseg.reader_study.mrmc.covariance import delong, jackknife
from mammoseg.reader_study.mrmc.merit import AUC
from mammoseg.statistics.ranking import Floats

CASE_VARIANCES = {"H": (0.3, 0.3, 0.2, 0.2), "L": (0.1, 0.1, 0.2, 0.6)}
"""Of C, tau C, R C and E."""
READER_VARIANCES = {"L": {0.75: 0.0055, 1.5: 0.0055, 2.5: 0.0055}, "H": {0.75: 0.011, 1.5: 0.030, 2.5: 0.056}}
"""Of R, and of tau R, by mu."""
DESIGNS = ((3, 25, 25), (5, 50, 50), (10, 100, 25))
"""Readers, negatives, positives."""
LEVEL = 0.05


BOTH, CASES, READERS = orh.BOTH, orh.CASES, orh.READERS


def draw(structure: str, mu: float, readers: int, labels: Floats, null: str, rng: np.random.Generator) -> Floats:
    """Ratings (2, R, n) of a study without a difference, for what is random in `null`."""
    n, truth = labels.size, labels.astype(int)
    case, modality_case, reader_case, error = (np.sqrt(v) for v in CASE_VARIANCES[structure[0]])
    reader = np.sqrt(READER_VARIANCES[structure[1]][mu])
    modality_reader = 0.0 if null == CASES else reader
    modality_case = 0.0 if null == READERS else modality_case
    of_reader = reader * rng.normal(size=(1, readers, 2)) + modality_reader * rng.normal(size=(2, readers, 2))
    of_case = case * rng.normal(size=(1, 1, n)) + modality_case * rng.normal(size=(2, 1, n))
    rest = reader_case * rng.normal(size=(1, readers, n)) + error * rng.normal(size=(2, readers, n))
    return mu * labels + of_reader[:, :, truth] + of_case + rest


def p_values(labels: Floats, scores_TRN: Floats) -> dict[tuple[str, str], float]:
    """By method and what is random."""
    patients = [str(i) for i in range(labels.size)]
    scores_KN = scores_TRN.reshape(-1, labels.size)
    found = {
        "DBM": dbm.analyse(dbm.pseudovalues(AUC, labels, scores_TRN, patients)[1]).analyses,
        "ORH, jackknife": orh.analyse(jackknife(AUC, labels, scores_KN, patients), 2).analyses,
        "ORH, DeLong": orh.analyse(delong(labels, scores_KN, patients), 2).analyses,
    }
    return {(method, r): each.test.p for method, views in found.items() for r, each in views.items() if each.test}


def simulate(studies: int, seed: int) -> pd.DataFrame:
    """A row for each kind of study, method and analysis: the share of studies with p below the level."""
    rng, rows = np.random.default_rng(seed), []
    kinds = product((BOTH, CASES, READERS), DESIGNS, ("HL", "LL", "HH", "LH"), (0.75, 1.5, 2.5))
    for null, (readers, negatives, positives), structure, mu in kinds:
        labels = np.repeat([0.0, 1.0], [negatives, positives])
        found = [p_values(labels, draw(structure, mu, readers, labels, null, rng)) for _ in range(studies)]
        about = {"null": null, "readers": readers, "cases": labels.size, "structure": structure, "mu": mu}
        for (method, analysis), rate in (pd.DataFrame(found) < LEVEL).mean().items():
            if null in (analysis, BOTH):
                rows.append({**about, "method": method, "analysis": analysis, "rate": rate, "studies": studies})
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--studies", type=int, default=250, help="simulated studies of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="folder for mrmc_null.csv")
    options = parser.parse_args()
    start = time.process_time()
    table = simulate(options.studies, options.seed)
    meant = table[table["null"] == table["analysis"]]
    for by in ("all", "readers", "structure", "mu"):
        columns = ["analysis"] if by == "all" else ["analysis", by]
        shown = 100 * meant.pivot_table(index="method", columns=columns, values="rate")
        print(f"\nPercent of studies with p < 0.05, where it is meant, by {by}:\n{shown.round(1).to_string()}")
    other = 100 * table[table["null"] == BOTH].pivot_table(index="method", columns="analysis", values="rate")
    print(f"\nWhere readers and cases vary:\n{other.round(1).to_string()}")
    kinds = len(meant) / meant["method"].nunique() / meant["analysis"].nunique()
    error = 100 * np.sqrt(LEVEL * (1 - LEVEL) / (options.studies * kinds))
    print(
        f"\n{time.process_time() - start:.0f} s of one core; standard error of the numbers by all: {error:.2f} points"
    )
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        write_csv(options.out / "mrmc_null.csv", table)


if __name__ == "__main__":
    main()
