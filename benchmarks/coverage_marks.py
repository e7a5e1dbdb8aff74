"""How often 95 % intervals of FROC, AFROC and weighted AFROC hold the true value: by patient, and as if images were independent.

    python benchmarks/coverage_marks.py [--simulations 1000] [--replicates 400] [--seed 0]

Made-up marks: a patient has images with a part that they share, each lesion and each false mark a normal rating, of which half the
variance is the patient's; lesions lie `shift` higher, and what is rated below MARKED is not marked. The number of false marks of an
image is Poisson with a mean that varies by patient. The true value is that of TRUTH simulated patients.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from clustered_scores import asked, coverage_row
from mammoseg.evaluation.free_response import mark_numbers
from mammoseg.evaluation.method import Method, load_metrics
from mammoseg.statistics.froc import Marked

NAMES = ("froc_cpm", "froc_at_0.5", "froc_at_2", "froc_found", "afroc", "wafroc")
MARKED = 0.0
TRUTH = 40_000


@dataclass(frozen=True)
class Study:
    """`positive` patients whose images have one or two lesions each, and `negative` ones, with `per` images each."""

    positive: int
    negative: int
    per: int
    shift: float
    false: float
    """Mean number of false marks of an image, before those below MARKED are left out."""

    def __str__(self) -> str:
        return (
            f"{self.positive} patients with lesions and {self.negative} without, {self.per} images each, lesions "
            f"{self.shift} higher, {self.false} false marks an image"
        )

    def marks(self, rng: np.random.Generator) -> tuple[Marked, list[str]]:
        """Marks, and the patient of each image."""
        patient = np.repeat(np.arange(self.positive + self.negative), self.per)
        normal = patient >= self.positive
        shared = rng.normal(size=self.positive + self.negative)[patient]
        lesion_image = np.repeat(np.arange(patient.size), np.where(normal, 0, 1 + rng.integers(2, size=patient.size)))
        many = self.false * np.exp(rng.normal(0, 0.5, self.positive + self.negative) - 0.125)[patient]
        false_image = np.repeat(np.arange(patient.size), rng.poisson(many))
        lesion, false = (
            np.sqrt(0.5) * (shared[image] + rng.normal(size=image.size)) for image in (lesion_image, false_image)
        )
        lesion = np.where(lesion + self.shift >= MARKED, lesion + self.shift, -np.inf)
        seen = false >= MARKED
        return Marked(normal, lesion_image, lesion, false_image[seen], false[seen]), [str(name) for name in patient]

    def truth(self) -> dict[str, float]:
        """Of very many patients in the same proportion."""
        times = TRUTH // (self.positive + self.negative)
        large = Study(self.positive * times, self.negative * times, self.per, self.shift, self.false)
        marked, _ = large.marks(np.random.default_rng(12345))
        found = Method(load_metrics()).of_marks(marked, np.ones((1, marked.normal.size)))
        return {name: float(found[name][0]) for name in NAMES}


STUDIES = (
    Study(15, 60, 2, 1.2, 1.0),
    Study(30, 60, 4, 1.2, 1.0),
    Study(60, 120, 4, 1.5, 2.0),
    Study(100, 100, 1, 1.0, 0.5),
)


def simulate(study: Study, simulations: int, replicates: int, seed: int) -> None:
    """Print a row of the table for each metric."""
    truth, rng, metrics = study.truth(), np.random.default_rng(seed), load_metrics()
    limits = defaultdict(list)
    for number in range(simulations):
        marked, patients = study.marks(rng)
        method = Method(metrics, bootstrap=replicates, seed=number)
        ours = mark_numbers(marked, patients, method)
        naive = mark_numbers(marked, [str(image) for image in range(len(patients))], method)
        for name in NAMES:
            limits[name].append([(found[name]["low"], found[name]["high"]) for found in (naive, ours)])
    print(f"\n{study}\n")
    print("| metric | true value | by image | by patient | too low | too high | none | mean length |")
    print("|---|---|---|---|---|---|---|---|")
    for name, pairs in limits.items():
        print(coverage_row(name, truth[name], pairs), flush=True)


def main() -> None:
    arguments = asked(__doc__, 0.95)
    for study in STUDIES:
        simulate(study, arguments.simulations, arguments.replicates, arguments.seed)


if __name__ == "__main__":
    main()
