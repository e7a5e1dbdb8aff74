"""Small pictures of mammograms for the quality report: a file per image in a folder of their own, named by its row.

They show breasts of patients, so the page holds none of them itself: sent without the folder it shows none.
"""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE = 192
"""Pixels of the longer side."""
_JPEG_QUALITY = 70
_BRIGHTEST = 99.5
"""Percentile of the pixels above 0 that is shown white, so that a marker of side and view does not darken the breast."""
_NAME = re.compile(r"\d+\.jpg")


def thumbnail(pixels: NDArray[np.generic]) -> bytes:
    """A JPEG file of an image (H, W) in the orientation of its file."""
    height, width = pixels.shape
    step = max(1, max(height, width) // (4 * _SIDE))  # the mean over fewer pixels looks the same
    some = np.ascontiguousarray(pixels[::step, ::step]).astype(np.float32)
    scale = min(1.0, _SIDE / max(some.shape))
    size = (max(1, round(some.shape[1] * scale)), max(1, round(some.shape[0] * scale)))
    small = cv2.resize(some, size, interpolation=cv2.INTER_AREA)
    bright = small[small > 0]
    top = float(np.percentile(bright, _BRIGHTEST)) if bright.size else 1.0
    shown = np.clip(small * (255 / max(top, 1.0)), 0, 255).astype(np.uint8)
    return bytes(cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes())


def thumbnail_name(row: int) -> str:
    """Name of the file for a row of the manifest."""
    return f"{row:05}.jpg"


def write_thumbnails(folder: Path, thumbnails: Mapping[int, bytes]) -> None:
    """Write the thumbnails, by their rows of the manifest, in place of those of an earlier scan."""
    new = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    for row, content in thumbnails.items():
        (new / thumbnail_name(row)).write_bytes(content)
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        if _NAME.fullmatch(path.name):
            path.unlink()
    for path in new.iterdir():
        path.replace(folder / path.name)
    new.rmdir()
