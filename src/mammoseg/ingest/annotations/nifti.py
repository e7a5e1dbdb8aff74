"""NIfTI: label maps of 3D Slicer, MONAI Label, ITK-SNAP (.nii, .nii.gz), whose numbers are the labels.

Which way rows and columns run is told in `ingest/label_volume.py`. Needs nibabel.

Source: https://nifti.nimh.nih.gov/nifti-1 (nifti1.h).
"""

import logging
import math
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mammoseg.ingest.annotation import NAMED, Annotation, AnnotationError, Patch, Size, damage, library
from mammoseg.ingest.annotation_names import NamedFiles
from mammoseg.ingest.label_volume import MOST_BYTES, as_picture, labels_in, placed
from mammoseg.io.regular import open_regular

TITLE = "NIfTI label maps, from 3D Slicer, MONAI Label, ITK-SNAP"
IMAGES = NAMED
_SUFFIX = re.compile(r"\.nii(\.gz)?$", re.IGNORECASE)
_GZIP = b"\x1f\x8b"
_WIDEST = 8
"""Bytes of a value."""


class Options(NamedFiles):
    """How files are called."""


def reads(path: Path) -> bool:
    """By the suffix."""
    return bool(_SUFFIX.search(path.name))


def read(path: Path, options: Options) -> list[Annotation]:
    """A label each. Raises AnnotationError if nibabel is missing or the file is none."""
    image, label = options.told(_SUFFIX.sub("", path.name))
    reading = object()
    return [
        Annotation(f"label {value}", (image,), label or str(value), partial(_draw, path, reading, value), (str(value),))
        for value in labels_in(_picture(path))
    ]


def _draw(path: Path, reading: object, value: int, size: Size) -> Patch:
    return placed(_picture_once(path, reading) == value, size)


@lru_cache(maxsize=1)
def _picture_once(path: Path, reading: object) -> NDArray[np.generic]:
    """For all that one reading of the file has found, which is drawn one after the other."""
    return _picture(path)


def _picture(path: Path) -> NDArray[np.generic]:
    """(rows, columns)."""
    nibabel = library("nibabel", "nibabel")
    with open_regular(path) as file:
        content = file.read()
    with damage("the NIfTI file"), _quiet(nibabel.imageglobals.logger):
        if content.startswith(_GZIP):
            content = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(content, MOST_BYTES)
        second = content[:4] in (b"\x1c\x02\0\0", b"\0\0\x02\x1c")  # the length of the header, 540
        image = (nibabel.Nifti2Image if second else nibabel.Nifti1Image).from_bytes(content)
        voxels = math.prod(map(int, image.header.get_data_shape()))
        if not 0 < voxels <= MOST_BYTES // _WIDEST:
            raise AnnotationError(f"its header announces {voxels} voxels. Expected those of one picture.")
        values = np.asanyarray(image.dataobj)
        oriented = int(image.header["sform_code"]) > 0 or int(image.header["qform_code"]) > 0
        to_right, to_front = image.affine[:2, :2]
    return as_picture(values, -np.stack([to_right, to_front]).T if oriented else None)


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Keeps back what nibabel finds odd: it quotes the file, whose name it does not tell."""
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before
