"""Bootstrap AUC and pixel average precision against scikit-learn, on the same data in the same process.

    python benchmarks/metrics.py [--repeats 3] [--replicates 1000]

Best time of the repeats; peak memory as numpy reports it to tracemalloc, from a run of its own. Values must agree.
"""

import argparse
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import sklearn
from sklearn.metrics import average_precision_score, roc_auc_score

from mammoseg.metrics import auc, dice, pxap
from mammoseg.statistics.bootstrap import patient_weights
from mammoseg.statistics.histogram import MapOnMask, to_levels


def measure(task: Callable[[], object], repeats: int) -> tuple[float, float, object]:
    """Seconds, MiB and result."""
    best, result = float("inf"), None
    for _ in range(repeats):
        start = time.perf_counter()
        result = task()
        best = min(best, time.perf_counter() - start)
    tracemalloc.start()
    task()
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return best, peak, result


def report(name: str, ours: tuple[float, float, object], theirs: tuple[float, float, object]) -> None:
    np.testing.assert_allclose(np.asarray(ours[2]), np.asarray(theirs[2]), rtol=1e-9)
    for who, (seconds, peak, _) in (("mammoseg", ours), ("scikit-learn", theirs)):
        print(f"{name:42s} {who:13s} {seconds * 1000:10.1f} ms {peak:9.1f} MiB")
    print(f"{'':42s} {'ratio':13s} {theirs[0] / ours[0]:10.1f} x  {theirs[1] / ours[1]:9.1f} x")


def bootstrap_auc(repeats: int, replicates: int, rng: np.random.Generator) -> None:
    """1440 breasts of 720 patients, 5 % positive, scores of three decimals (ties)."""
    patients = [str(i // 2) for i in range(1440)]
    labels = (rng.random(1440) < 0.05).astype(float)
    scores = np.round(np.clip(rng.beta(1, 9, 1440) + 0.1 * labels, 0, 1), 3)

    def ours() -> object:
        blocks = patient_weights(patients, replicates, seed=0)
        return np.concatenate([auc.measure(labels, scores, weights) for weights in blocks])

    def theirs() -> object:
        blocks = patient_weights(patients, replicates, seed=0)
        return [roc_auc_score(labels, scores, sample_weight=w) for weights in blocks for w in weights]

    name = f"AUC, 1440 breasts, {replicates} replicates"
    report(name, measure(ours, repeats), measure(theirs, repeats))


def full_size_map(repeats: int, rng: np.random.Generator) -> None:
    """One map of 4084 x 3328 pixels, 16 bits, enlarged from 736 x 480 cells; a lesion of about 0.7 % of the pixels."""
    cells = rng.beta(0.5, 5, (736, 480))
    saliency = cells[np.arange(4084) * 736 // 4084][:, np.arange(3328) * 480 // 3328]
    levels = to_levels(saliency)
    mask = np.zeros(levels.shape, bool)
    mask[1500:1800, 1600:1900] = True

    theirs = measure(lambda: average_precision_score(mask.ravel(), levels.ravel()), repeats)
    report("PxAP, 4084 x 3328 pixels", measure(lambda: pxap.measure(MapOnMask(levels, mask)), repeats), theirs)
    seconds, peak, _ = measure(lambda: (pxap.measure(image := MapOnMask(levels, mask)), dice.measure(image)), repeats)
    print(f"{'  with the four kinds of Dice':42s} {'mammoseg':13s} {seconds * 1000:10.1f} ms {peak:9.1f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--replicates", type=int, default=1000)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    print(f"numpy {np.__version__}, scikit-learn {sklearn.__version__}, best of {arguments.repeats}")
    bootstrap_auc(arguments.repeats, arguments.replicates, rng)
    full_size_map(arguments.repeats, rng)


if __name__ == "__main__":
    main()
