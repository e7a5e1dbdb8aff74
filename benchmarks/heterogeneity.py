"""How often the test of breakdowns (statistics/heterogeneity.py) calls groups different that are equal: it should be 5 %.

    python benchmarks/heterogeneity.py [--studies 1000]

Patients have two images each, which are alike; the AUC is 0.8 in every group, but the scores of each vendor have a scale and a
level of their own. Groups are of different patients ("vendors"), the two images of the same patients ("views"), or
positives of two kinds against the same negatives ("kinds").
"""

import argparse

import numpy as np

from mammoseg.statistics.heterogeneity import Group, heterogeneity


def cases(rng: np.random.Generator, positive: int, negative: int, name: str) -> Group:
    """Two images of each patient."""
    truth = np.repeat(np.r_[np.ones(positive), np.zeros(negative)], 2)
    of_patient = np.repeat(rng.normal(size=positive + negative), 2)
    scores = 1.2 * truth + (of_patient + rng.normal(size=truth.size)) / np.sqrt(2)
    return truth, scores, [f"{name}{number // 2}" for number in range(truth.size)]


def part(whole: Group, chosen: np.ndarray) -> Group:
    """Some of the cases."""
    truth, scores, who = whole
    return truth[chosen], scores[chosen], list(np.array(who)[chosen])


def study(rng: np.random.Generator, kind: str, positive: int, negative: int, groups: int) -> list[Group]:
    """Groups of one study."""
    if kind == "vendors":
        found = [cases(rng, positive, negative, f"{g}-") for g in range(groups)]
        return [(truth, (1 + g) * scores + 3 * g, who) for g, (truth, scores, who) in enumerate(found)]
    if kind == "views":
        whole = cases(rng, positive, negative, "")
        return [part(whole, np.arange(len(whole[0])) % 2 == view) for view in range(2)]
    whole = cases(rng, 2 * positive, negative, "")
    of_kind = np.arange(len(whole[0])) // (2 * positive)
    return [part(whole, (of_kind == k) | (whole[0] == 0)) for k in range(2)]


def main() -> None:
    """A line for each kind of study."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=1000)
    count = parser.parse_args().studies
    print("kind     groups  positive, negative patients of each  called different")
    for kind, positive, negative, groups in (
        *(("vendors", *sizes) for sizes in ((10, 50, 2), (10, 50, 4), (30, 150, 2), (30, 150, 4))),
        *((kind, *sizes, 2) for kind in ("views", "kinds") for sizes in ((10, 50), (30, 150))),
    ):
        rng = np.random.default_rng(0)
        p = [heterogeneity(study(rng, kind, positive, negative, groups)).p for _ in range(count)]
        print(f"{kind:8} {groups:6}  {positive:8}, {negative:8}  {np.nanmean(np.array(p) < 0.05):27.1%}")


if __name__ == "__main__":
    main()
