import numpy as np
import pytest

from mammoseg.phantom.canvas import overlap
from mammoseg.phantom.lesions import Drawn


@pytest.mark.parametrize(("top", "left"), [(2, 3), (-2, -1), (8, 9), (-40, 0), (0, 40), (40, 40)])
def test_overlap_cuts_drawing_and_image_alike(top: int, left: int) -> None:
    drawn = Drawn(top, left, np.ones((4, 5), np.float32), np.ones((4, 5), bool))
    there, here = overlap((10, 12), drawn)
    image = np.zeros((10, 12), np.float32)
    image[there] += drawn.signal[here]
    padded = np.zeros((100, 100), np.float32)
    padded[44 + top : 48 + top, 44 + left : 49 + left] = 1
    np.testing.assert_array_equal(image, padded[44:54, 44:56])
