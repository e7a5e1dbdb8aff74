"""How long intervals take: every metric of scores, at three levels, for two classes and three scores.

    python benchmarks/statistics_speed.py [--million]

10,000 images of 2,500 patients with 2,000 replicates: at most 60 s on two cores. With --million 1,000,000 rows of scores of
500,000 patients, one class, one score: at most 2 minutes. Peak memory is that of the process.
"""

import argparse
import resource
import time

import numpy as np
import pandas as pd

from mammoseg.evaluation.method import Method, load_metrics
from mammoseg.evaluation.scores import level_tables, ranking, score_tables
from mammoseg.records.label import CLASSES

SOURCES = ("final", "global", "local")


def images(patients: int, per: int, rng: np.random.Generator) -> pd.DataFrame:
    """Images, half of each side, of patients of whom 5 % have a positive breast."""
    n = patients * per
    table = pd.DataFrame({"patient_id": np.char.add("patient", np.repeat(np.arange(patients), per).astype(str))})
    table["exam_id"], table["laterality"] = table["patient_id"], np.where(np.arange(n) % per < per // 2, "L", "R")
    for label in CLASSES:
        positive = np.repeat(rng.random(patients) < 0.05, per) & (table["laterality"] == "L")
        table[label] = positive.astype(float)
        for source in SOURCES:
            noise = np.repeat(rng.normal(size=patients), per) + rng.normal(size=n)
            table[f"score_{source}_{label}"] = 1 / (1 + np.exp(-noise - 2 * positive))
    return table


def report(name: str, started: float, processor: float) -> None:
    wall, cpu = time.perf_counter() - started, time.process_time() - processor
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name}: {wall:.1f} s, {cpu:.1f} s of one core, peak {peak:.0f} MiB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--million", action="store_true")
    million, rng = parser.parse_args().million, np.random.default_rng(0)
    method = Method(load_metrics(), bootstrap=2000)
    table = images(500_000, 2, rng) if million else images(2500, 4, rng)
    started, processor = time.perf_counter(), time.process_time()
    if million:
        result = ranking(table, "malignant", "final", method)
        report("1,000,000 rows, three metrics", started, processor)
        print({name: result[name] for name in method.of_scores()})
    else:
        score_tables(level_tables(table, SOURCES, CLASSES), SOURCES, method)
        report(
            "10,000 images, 2,000 replicates, 54 numbers",
            started,
            processor,
        )


if __name__ == "__main__":
    main()
