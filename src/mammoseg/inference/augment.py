"""Test-time augmentation: several displaced windows of one image, over whose predictions the mean is taken.

Source   Shen et al. 2021 (arXiv:2002.07613), Sec. 3.3: ten windows drawn with the noise of training, 100 pixels for position
         and size as in the released preprocessing (in proportion for a smaller window). Every image starts from the same
         seed, as in the published software, so that its score does not depend on the others.
"""

from collections.abc import Iterator

import numpy as np

from mammoseg.prep.breast import BreastCrop
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.pipeline import Prepared, prepare_window
from mammoseg.prep.window import WindowNoise

_PUBLISHED_ROWS, _PUBLISHED_NOISE = 2944, 100


def displaced_windows(crop: BreastCrop, prep: PrepConfig, count: int) -> Iterator[Prepared]:
    """`count` windows of a crop, one after the other."""
    rows = crop.pixels.shape[0] if prep.fit == "resize" else prep.window[0]  # noise is in pixels before resizing
    reach = round(_PUBLISHED_NOISE * rows / _PUBLISHED_ROWS)
    noise, rng = WindowNoise((reach, reach), reach), np.random.RandomState(0)
    for _ in range(count):
        yield prepare_window(crop, prep, noise, rng)
