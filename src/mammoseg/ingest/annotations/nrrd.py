"""NRRD: label maps and segmentations of 3D Slicer (.nrrd, .seg.nrrd).

A segmentation names its segments (`Segment0_Name`, `_LabelValue`, `_Layer`); the numbers of a plain label map are its labels.
Segments that overlap lie in layers, the first index. One that Slicer has cut to what is drawn on says where it begins
(`Segmentation_ReferenceImageExtentOffset`). A segmentation of a single voxel is an empty one.

A header whose data lie in another file is refused: what a file names is not opened. Needs pynrrd.

Source: http://teem.sourceforge.net/nrrd/format.html; 3D Slicer, developer guide, Segmentations.
"""

import bz2
import math
import re
import zlib
from functools import lru_cache, partial
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mammoseg.ingest.annotation import NAMED, Annotation, AnnotationError, Patch, Size, damage, library
from mammoseg.ingest.annotation_names import NamedFiles
from mammoseg.ingest.label_volume import MOST_BYTES, MOST_LABELS, as_picture, labels_in, placed
from mammoseg.io.regular import open_regular

TITLE = "NRRD label maps and segmentations, from 3D Slicer and MONAI Label"
IMAGES = NAMED
_LONGEST_HEADER = 1 << 20
_WIDEST = 8
"""Bytes of a value."""


class Options(NamedFiles):
    """How files are called."""


class _Segment(NamedTuple):
    name: str
    value: int
    layer: int


def reads(path: Path) -> bool:
    """By the suffix."""
    return path.suffix.lower() == ".nrrd"


def read(path: Path, options: Options) -> list[Annotation]:
    """A segment or a label each. Raises AnnotationError if pynrrd is missing or the file is none."""
    image, label = options.told(re.sub(r"(\.seg)?\.nrrd$", "", path.name, flags=re.IGNORECASE))
    reading = object()
    header, data = _opened_once(path, reading)
    if math.prod(map(int, header["sizes"])) == 1:
        return []
    corner = _corner(header)
    segments = _segments(header)
    if len(segments) > MOST_LABELS:
        raise AnnotationError(f"it has {len(segments)} segments. Expected at most {MOST_LABELS}.")
    if not segments:
        values = labels_in(_layer(header, data, 0))
        segments = [_Segment(label or str(value), value, 0) for value in values]
    return [
        Annotation(
            f"segment {each.value} of layer {each.layer}",
            (image,),
            each.name,
            partial(_draw, path, reading, each, corner),
            (label or "", str(each.value)),
        )
        for each in segments
    ]


def _draw(path: Path, reading: object, segment: _Segment, corner: Size | None, size: Size) -> Patch:
    return placed(_layer(*_opened_once(path, reading), segment.layer) == segment.value, size, corner)


@lru_cache(maxsize=1)
def _opened_once(path: Path, reading: object) -> tuple[dict[str, Any], bytes]:
    """For all that one reading of the file has found, which is drawn one after the other."""
    return _opened(path)


def _opened(path: Path) -> tuple[dict[str, Any], bytes]:
    """The header, and the values as the file would have them uncompressed."""
    nrrd = library("nrrd", "pynrrd")
    with open_regular(path) as file:
        content = file.read()
    end = re.search(rb"\r?\n\r?\n", content[:_LONGEST_HEADER])
    if not content.startswith(b"NRRD") or end is None:
        raise AnnotationError(
            "it is no NRRD file with its data in it. Expected a header that begins with NRRD. Export it again."
        )
    with damage("the NRRD header"):
        header = dict(nrrd.read_header(BytesIO(content[: end.end()])))
        sizes = [int(size) for size in header["sizes"]]
    outside = [name for name in ("data file", "datafile") if name in header]
    skipped = [name for name in ("line skip", "lineskip", "byte skip", "byteskip") if header.get(name)]
    if outside or skipped:
        raise AnnotationError(
            f"its header says {(outside + skipped)[0]}. Expected the values in the file, behind the header."
        )
    voxels = math.prod(sizes)
    if not sizes or min(sizes) < 1 or voxels > MOST_BYTES // _WIDEST:
        raise AnnotationError(f"its header announces {voxels} voxels. Expected those of one picture.")
    with damage("the values"):
        values = _unpacked(content[end.end() :], str(header.get("encoding", "")).lower(), voxels * _WIDEST)
    return header, values


def _unpacked(packed: bytes, encoding: str, most: int) -> bytes:
    if encoding == "raw":
        return packed
    if encoding in ("gzip", "gz"):
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(packed, most)
    if encoding in ("bzip2", "bz2"):
        return bz2.BZ2Decompressor().decompress(packed, most)
    raise AnnotationError("its encoding is not raw, gzip or bzip2. Expected one of them. Export it again.")


def _layer(header: dict[str, Any], data: bytes, layer: int) -> NDArray[np.generic]:
    """(rows, columns) of a layer."""
    with damage("the values"):
        indexed = library("nrrd", "pynrrd").read_data({**header, "encoding": "raw"}, BytesIO(data))
    directions = _directions(header, indexed.ndim)
    if _has_layers(header):
        if layer >= len(indexed):
            raise AnnotationError(f"a segment is in layer {layer}, and there are {len(indexed)}. Expected one of them.")
        indexed, directions = indexed[layer], None if directions is None else directions[1:]
    return as_picture(indexed, directions)


def _has_layers(header: dict[str, Any]) -> bool:
    return header.get("dimension") == 4 and next(iter(header.get("kinds") or ["list"])) in (
        "list",
        "vector",
        "???",
        "none",
    )


def _directions(header: dict[str, Any], axes: int) -> NDArray[np.float64] | None:
    """(axes, 2 or 3) along L, P and S; None where the header has none."""
    found = header.get("space directions")
    if found is None:
        return None
    with damage("the space directions"):
        vectors = np.array(found, np.float64).reshape(axes, -1)
    space = str(header.get("space", "left-posterior-superior")).lower()
    names = [name[:1] for name in space.split("-")] if "-" in space else list(space)
    signs = np.ones(vectors.shape[1])
    if vectors.shape[1] >= 2 and len(names) >= 2:
        signs[:2] = [-1 if names[0] == "r" else 1, -1 if names[1] == "a" else 1]
    return vectors * signs


def _corner(header: dict[str, Any]) -> Size | None:
    """Row and column at which a segmentation that was cut begins."""
    words = str(header.get("Segmentation_ReferenceImageExtentOffset", "")).split()
    if len(words) != 3 or not all(re.fullmatch(r"-?\d{1,6}", word) for word in words):
        return None
    return int(words[1]), int(words[0])


def _segments(header: dict[str, Any]) -> list[_Segment]:
    """By the names in the header. Before version 4.11 of Slicer every segment had its own layer."""
    numbers = sorted({int(m[1]) for key in header if (m := re.fullmatch(r"Segment(\d{1,6})_(?:ID|Name)", key))})
    found = []
    for number in numbers:
        said = {what: str(header.get(f"Segment{number}_{what}", "")) for what in ("Name", "ID", "LabelValue", "Layer")}
        value = int(said["LabelValue"]) if re.fullmatch(r"\d{1,9}", said["LabelValue"]) else 1
        layer = int(said["Layer"]) if re.fullmatch(r"\d{1,6}", said["Layer"]) else number * _has_layers(header)
        found.append(_Segment(said["Name"] or said["ID"], value, layer))
    return found
