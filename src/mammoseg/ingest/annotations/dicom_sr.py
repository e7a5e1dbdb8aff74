"""DICOM SR: regions in structured reports, those of TID 1500 (planar regions) and of Mammography CAD (TID 4000).

The tree of a report is searched for spatial coordinates (SCOORD) with the image that they were selected from, which stands below
them or in the image library, to which they refer. The finding is the nearest item above that is a finding or has one among its
items. Polylines, circles and ellipses are regions, closed by their first point; points are findings without a region. What CAD does
not want to be shown (Rendering Intent) is no finding.

Coordinates are column, row, with (0, 0) the upper left corner of the upper left pixel.

Source: DICOM PS3.3 C.17.3 and C.18.6; PS3.16 TID 1500, 1410, 4000 to 4023.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydicom import Dataset

from mammoseg.config import Config
from mammoseg.ingest.annotation import UID, Annotation, AnnotationError, Patch, Size, damage
from mammoseg.ingest.regions import Points, draw_ellipse, draw_outlines, points_of
from mammoseg.io.dicom.elements import quiet
from mammoseg.io.dicom.objects import read_object, sop_class_of

TITLE = "DICOM SR, regions in reports (TID 1500) and findings of mammography CAD"
IMAGES = UID
_REPORTS = "1.2.840.10008.5.1.4.1.1.88."
_FINDING = ("121071", "111059", "111015")
"""Finding; Single Image Finding; Composite Feature."""
_NOT_SHOWN = "111152"
"""Not for Presentation: Rendering device shall not present."""
_DEEPEST = 50
_MOST_REGIONS = 2000


class Options(Config):
    """Nothing to set."""


@dataclass(frozen=True)
class _Item:
    """An item of the tree, with all above it, the nearest first, and its place: 1, 2, 1."""

    content: Dataset
    above: tuple[Dataset, ...]
    place: tuple[int, ...]


def reads(path: Path) -> bool:
    """By the class of the object."""
    return sop_class_of(path).startswith(_REPORTS)


def read(path: Path, options: Options) -> list[Annotation]:
    """A region or point each. Raises AnnotationError if it is no report."""
    dataset = read_object(path)
    with damage("the report"), quiet():
        if not str(dataset.get("SOPClassUID", "")).startswith(_REPORTS):
            raise AnnotationError("it is a DICOM object of another kind. Expected a structured report (SR).")
        items = {item.place: item for item in _tree(dataset, (), (1,))}
        regions = [item for item in items.values() if _type(item.content) == "SCOORD"]
        if len(regions) > _MOST_REGIONS:
            raise AnnotationError(f"it has {len(regions)} regions. Expected at most {_MOST_REGIONS}.")
        found = [_annotation(item, items) for item in regions]
        if not found and any(_type(item.content) == "SCOORD3D" for item in items.values()):
            raise AnnotationError(
                "its regions are in three dimensions (SCOORD3D). Expected places on an image (SCOORD)."
            )
    return [annotation for annotation in found if annotation is not None]


def _tree(content: Dataset, above: tuple[Dataset, ...], place: tuple[int, ...]) -> Iterator[_Item]:
    if len(place) > _DEEPEST:
        raise AnnotationError(f"the report is more than {_DEEPEST} levels deep. Expected a report of findings.")
    yield _Item(content, above, place)
    for number, below in enumerate(content.get("ContentSequence") or [], start=1):
        yield from _tree(below, (content, *above), (*place, number))


def _type(content: Dataset) -> str:
    return str(content.get("ValueType", ""))


def _annotation(item: _Item, items: dict[tuple[int, ...], _Item]) -> Annotation | None:
    """None for coordinates on no image of the report, and for what is not to be shown."""
    images = tuple(_images(item.content, items))
    finding, about = _finding(item)
    if not images or any(_NOT_SHOWN in _texts(one) for one in about):
        return None
    texts = [text for one in (finding, *about) for text in _texts(one)]
    said = {_name(one): _value(one) for one in about if _value(one)}
    label = _value(finding) if finding is not None else ""
    place = ".".join(map(str, item.place))
    return Annotation(f"content item {place}", images, label, _region(item.content), tuple(texts), said=said)


def _images(content: Dataset, items: dict[tuple[int, ...], _Item]) -> Iterator[str]:
    for below in content.get("ContentSequence") or []:
        if reference := below.get("ReferencedContentItemIdentifier"):
            numbers = [reference] if isinstance(reference, int) else reference
            target = items.get(tuple(int(number) for number in numbers))
            below = target.content if target else below
        if _type(below) == "IMAGE":
            yield from (str(one.ReferencedSOPInstanceUID) for one in below.get("ReferencedSOPSequence") or [])


def _finding(item: _Item) -> tuple[Dataset | None, list[Dataset]]:
    """The finding that coordinates are about, and the codes and numbers that are said of it."""
    for above in item.above:
        beside = [one for one in above.get("ContentSequence") or [] if _type(one) in ("CODE", "NUM")]
        if _type(above) == "CODE" and _concept(above) in _FINDING:
            return above, beside
        for one in beside:
            if _concept(one) in _FINDING:
                return one, [other for other in beside if other is not one]
    return None, []


def _code(content: Dataset | None, sequence: str) -> Dataset | None:
    codes = content.get(sequence) if content is not None else None
    return codes[0] if codes else None


def _concept(content: Dataset) -> str:
    code = _code(content, "ConceptNameCodeSequence")
    return str(code.get("CodeValue", "")) if code is not None else ""


def _name(content: Dataset) -> str:
    code = _code(content, "ConceptNameCodeSequence")
    return str(code.get("CodeMeaning", "")) if code is not None else ""


def _texts(content: Dataset | None) -> list[str]:
    """Meaning and value of the code that an item has."""
    code = _code(content, "ConceptCodeSequence")
    return [] if code is None else [text for name in ("CodeMeaning", "CodeValue") if (text := str(code.get(name, "")))]


def _value(content: Dataset) -> str:
    """Of a code its meaning, of a number the number and its unit."""
    if _type(content) == "CODE":
        return next(iter(_texts(content)), "")
    measured = _code(content, "MeasuredValueSequence")
    if measured is None:
        return ""
    unit = _code(measured, "MeasurementUnitsCodeSequence")
    return f"{measured.get('NumericValue', '')} {unit.get('CodeValue', '') if unit is not None else ''}".strip()


def _region(content: Dataset) -> Callable[[Size], Patch] | None:
    """None for points. What is wrong with the coordinates is told when it is drawn, not of the whole report."""
    kind = str(content.get("GraphicType", ""))
    if kind in ("POINT", "MULTIPOINT"):
        return None

    def draw(size: Size) -> Patch:
        with damage("a region"), quiet():
            points = points_of(content.get("GraphicData") or [], f"a {kind[:30]}")
        if kind in ("POLYLINE", "POLYGON") and len(points) >= 3:
            return draw_outlines([points], size)
        if kind == "CIRCLE" and len(points) == 2:
            radius = math.dist(*points.tolist())
            return draw_ellipse(points[0].tolist(), (radius, radius), size)
        if kind == "ELLIPSE" and len(points) == 4:
            return _ellipse(points, size)
        raise AnnotationError(
            f"a {kind[:30]} of {len(points)} points. Expected a POLYLINE of three or more, a CIRCLE of two or an ELLIPSE of four."
        )

    return draw


def _ellipse(points: Points, size: Size) -> Patch:
    """The ends of the longer axis, then those of the shorter one."""
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = points.tolist()
    half = math.hypot(x1 - x0, y1 - y0) / 2, math.hypot(x3 - x2, y3 - y2) / 2
    return draw_ellipse(((x0 + x1) / 2, (y0 + y1) / 2), half, size, math.atan2(y1 - y0, x1 - x0))
