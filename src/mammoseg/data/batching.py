"""Which images an epoch of training sees.

All exams with a benign or malignant finding, and as many exams without one, drawn anew each epoch; all images of a
chosen exam, shuffled or exam by exam. Source: Shen et al. 2021 (arXiv:2002.07613), Sec. 3.3, whose batches are of four exams.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from torch.utils.data import Sampler

from mammoseg.data.manifest import ImageRow
from mammoseg.processes import WarmWorkers


class BalancedExamSampler(Sampler[tuple[int, int]]):
    """Yields `(row, epoch)`. The order depends on seed and epoch alone. Images without any known label are left out.

    Every epoch has the same number of images: where exams differ in size, the last negative one may be there in part.
    Without a positive exam all negative ones are used.
    """

    def __init__(self, rows: Sequence[ImageRow], seed: int, whole_exams: bool = False) -> None:
        """`whole_exams`: the images of an exam follow each other. Raises ValueError if no image has a known label."""
        self.seed, self.whole_exams = seed, whole_exams
        self.epoch = 0
        exams: dict[str, list[int]] = {}
        positive: set[str] = set()
        for index, row in enumerate(rows):
            if not row.labels:
                continue
            exams.setdefault(row.exam_id, []).append(index)
            if any(row.labels.values()):
                positive.add(row.exam_id)
        if not exams:
            raise ValueError(
                "none of the training images has a known label: the columns of all classes are empty. Training needs 0 or 1 "
                "in at least one of them."
            )
        self.positive = [images for exam, images in exams.items() if exam in positive]
        self.negative = [images for exam, images in exams.items() if exam not in positive]
        count = min(len(self.negative), len(self.positive)) if self.positive else len(self.negative)
        images = sum(map(len, self.negative))
        self._negatives = round(images * count / len(self.negative)) if self.negative else 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return sum(map(len, self.positive)) + self._negatives

    def __iter__(self) -> Iterator[tuple[int, int]]:
        epoch = self.epoch
        rng = np.random.default_rng((self.seed, epoch))
        negatives, left = [], self._negatives
        for exam in rng.permutation(len(self.negative)):
            negatives.append(self.negative[exam][:left])
            left -= len(negatives[-1])
        exams = self.positive + negatives
        if self.whole_exams:
            exams = [exams[number] for number in rng.permutation(len(exams))]
        images = np.array([image for exam in exams for image in exam])
        return iter([(int(index), epoch) for index in (images if self.whole_exams else rng.permutation(images))])


def loader_processes(workers: int) -> dict[str, Any]:
    """The arguments of a DataLoader about its processes, which it has from its first epoch to its end; 0: none."""
    if not workers:
        return {}
    context = WarmWorkers("mammoseg.data.dataset")
    return {"num_workers": workers, "multiprocessing_context": context, "persistent_workers": True}


class InOrder(Sampler[tuple[int, int]]):
    """Every row once, for validation and patch extraction."""

    def __init__(self, length: int) -> None:
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return ((index, 0) for index in range(self.length))
