"""Which images an epoch of training sees.

All exams with a benign or malignant finding, and as many exams without one, drawn anew each epoch; all images of a
chosen exam. Source: Shen et al. 2021 (arXiv:2002.07613), Sec. 3.3.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

from mammoseg.data.manifest import ImageRow


class BalancedExamSampler(Sampler[tuple[int, int]]):
    """Yields `(row, epoch)`. The order depends on seed and epoch alone. Images without any known label are left out."""

    def __init__(self, rows: Sequence[ImageRow], seed: int) -> None:
        """Raises ValueError if no image has a known label."""
        self.seed = seed
        self.epoch = 0
        exams: dict[str, list[int]] = {}
        positive: set[str] = set()
        for index, row in enumerate(rows):
            if row.benign is None and row.malignant is None:
                continue
            exams.setdefault(row.exam_id, []).append(index)
            if row.benign or row.malignant:
                positive.add(row.exam_id)
        if not exams:
            raise ValueError(
                "none of the training images has a known label (benign and malignant are empty everywhere). "
                "Training needs 0 or 1 in at least one of the two columns."
            )
        self.positive = [images for exam, images in exams.items() if exam in positive]
        self.negative = [images for exam, images in exams.items() if exam not in positive]
        self._length = len(self._draw(0))

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self._draw(self.epoch))

    def _draw(self, epoch: int) -> list[tuple[int, int]]:
        rng = np.random.default_rng((self.seed, epoch))
        count = min(len(self.negative), len(self.positive)) if self.positive else len(self.negative)
        chosen = rng.permutation(len(self.negative))[:count]
        exams = self.positive + [self.negative[i] for i in chosen]
        images = np.array([index for exam in exams for index in exam])
        return [(int(index), epoch) for index in rng.permutation(images)]


class InOrder(Sampler[tuple[int, int]]):
    """Every row once, for validation and patch extraction."""

    def __init__(self, length: int) -> None:
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return ((index, 0) for index in range(self.length))
