"""A breast crop as a file: small, and read in some milliseconds.

An .npz archive, whose CRC-32 sums are tested on reading. `about` is JSON: the plain fields of the crop, and of each array
its type and shape. `pixels.0`, `pixels.1`, ...: the first, second, ... byte of every pixel, each of these planes
compressed by zstd; likewise `heatmaps`. The high bytes of a mammogram hardly differ between neighbours, the low ones are
noise: apart they take less than half the room of the pixels, and are read eight times as fast as a PNG (see
benchmarks/cache.py).
"""

import json
import math
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mammoseg.bounded import open_regular, parse_json
from mammoseg.io.atomic import atomic_path
from mammoseg.io.record import facts_of
from mammoseg.prep.breast import BreastCrop
from mammoseg.records.breast import BreastFacts
from mammoseg.records.image import MAX_PIXELS

_ARRAYS = ("pixels", "heatmaps")
_OTHERS = (*_ARRAYS, "facts")
_ZSTD = pa.Codec("zstd", compression_level=1)
_MOST_VALUES = 2 * MAX_PIXELS
"""Of an array; two heatmaps are one. Looked at before zstd unpacks it: a few bytes can stand for any number of zeros."""
_DAMAGE = (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, cv2.error)


class CropFileError(ValueError):
    """A file that is not a whole crop."""


def write_crop(path: Path, crop: BreastCrop) -> None:
    """Write a crop; whoever reads meanwhile sees no file, or the old or the new one, whole. Raises OSError."""
    arrays = {name: array for name in _ARRAYS if (array := getattr(crop, name)) is not None}
    about = {
        "crop": {field.name: getattr(crop, field.name) for field in fields(crop) if field.name not in _OTHERS},
        "facts": crop.facts and asdict(crop.facts),
        "arrays": {name: (array.dtype.str, array.shape) for name, array in arrays.items()},
    }
    members: dict[str, Any] = {"about": np.array(json.dumps(about))}
    for name, array in arrays.items():
        for number, plane in enumerate(_planes(array)):
            members[f"{name}.{number}"] = np.frombuffer(_ZSTD.compress(plane), np.uint8)
    with atomic_path(path) as temporary:
        np.savez(temporary, **members)


def read_crop(path: Path, heatmaps: bool) -> BreastCrop:
    """The crop as it was written, with its heatmaps or without. Raises CropFileError for a missing or damaged file."""
    try:
        with _opened(path) as (stored, about):
            return BreastCrop(
                pixels=_joined(stored, about, "pixels"),
                heatmaps=_joined(stored, about, "heatmaps") if heatmaps else None,
                facts=facts_of(about["facts"]),
                **{name: _tuples(value) for name, value in about["crop"].items()},
            )
    except _DAMAGE as error:
        raise _no_crop(path, error) from error


def read_facts(path: Path) -> BreastFacts | None:
    """`BreastCrop.facts` without the pixels, in a millisecond. Raises CropFileError like `read_crop`."""
    try:
        with _opened(path) as (_, about):
            return facts_of(about["facts"])
    except _DAMAGE as error:
        raise _no_crop(path, error) from error


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Mapping[str, NDArray[Any]], dict[str, Any]]]:
    """The arrays of a file and what `about` says. No more is unpacked than the file is large: `np.savez` does not compress."""
    with open_regular(path) as file:
        with zipfile.ZipFile(file) as archive:
            if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
                raise ValueError("a compressed archive")
        file.seek(0)
        with np.load(file, allow_pickle=False) as stored:
            yield stored, parse_json(str(stored["about"]))


def _no_crop(path: Path, error: Exception) -> CropFileError:
    return CropFileError(
        f"{path}: no whole breast crop ({type(error).__name__}: {error}). Expected a file as the cache writes it. "
        "Delete it: it is made again."
    )


def _planes(array: NDArray[np.generic]) -> list[NDArray[np.uint8]]:
    """Arrays (rows, columns), one for each byte of an element."""
    octets = np.ascontiguousarray(array).view(np.uint8).reshape(-1, array.shape[-1], array.itemsize)
    return [np.ascontiguousarray(octets[..., byte]) for byte in range(array.itemsize)]


def _joined(stored: Mapping[str, NDArray[np.uint8]], about: Mapping[str, Any], name: str) -> NDArray[np.generic]:
    """The array of this name from its planes; it owns its memory."""
    dtype, shape = about["arrays"][name]
    kind, size = np.dtype(dtype), math.prod(shape)
    if not 0 < size <= _MOST_VALUES:
        raise ValueError(f"{name} of {size} values")
    compressed = (stored[f"{name}.{byte}"] for byte in range(kind.itemsize))
    planes = [np.frombuffer(_ZSTD.decompress(plane, size), np.uint8).reshape(-1, shape[-1]) for plane in compressed]
    return cv2.merge(planes).reshape(-1).view(kind).reshape(shape)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
