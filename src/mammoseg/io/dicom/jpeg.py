"""JPEG streams with losses and 8 bits through simplejpeg (libjpeg-turbo), which raises where other decoders warn of damage within
the compressed data and fill in what is missing.
"""

import numpy as np
import simplejpeg
from numpy.typing import NDArray


def decode_8bit(data: bytes, samples: int) -> NDArray[np.uint8]:
    """(rows, columns) grey or (rows, columns, 3) blue, green, red of a stream compressed with losses.

    Raises ValueError in the words of the decoder for a damaged stream.
    """
    pixels = simplejpeg.decode_jpeg(data, colorspace="GRAY" if samples == 1 else "BGR", strict=True)
    return pixels[..., 0] if samples == 1 else pixels
