"""Maps as an .npz archive: the same bytes for the same maps, and no more memory on reading than the maps are said to take.

A small archive can unpack to gigabytes; its sizes are looked at before anything is unpacked.
"""

import io
import math
import zipfile
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

MOST_BYTES = 2**30
"""Largest maps of an image that are read; those of the published models take 45 MB."""
_HEADER = 1024
"""More than numpy writes before an array, in bytes."""


def npz_bytes(maps: Mapping[str, NDArray[np.floating]]) -> bytes:
    """An archive of the maps in float16. Unlike `numpy.savez` it notes no time."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, values in maps.items():
            array = io.BytesIO()
            np.lib.format.write_array(array, np.ascontiguousarray(values, np.float16), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), array.getvalue(), zipfile.ZIP_DEFLATED)
    return content.getvalue()


def read_npz(content: bytes, shapes: Mapping[str, Sequence[int]]) -> dict[str, NDArray[np.float16]]:
    """The maps of an archive, which have these names and shapes.

    Raises ValueError for others, and whatever numpy and zipfile raise for damaged archives. Nothing is unpickled.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        declared = sum(member.file_size for member in archive.infolist())
    expected = sum(_HEADER + 2 * math.prod(shape) for shape in shapes.values())
    if declared > min(expected, MOST_BYTES):
        raise ValueError(f"it unpacks to {declared} bytes, the maps of the record take at most {expected}")
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        maps = {name: stored[name] for name in stored.files}
    if {name: list(values.shape) for name, values in maps.items()} != {name: list(s) for name, s in shapes.items()}:
        raise ValueError("the maps have other names or shapes than the record says")
    return maps
