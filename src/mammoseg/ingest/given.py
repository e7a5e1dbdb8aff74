"""Files and folders that a user names -> images to predict, and what is the matter with everything else.

They are looked at as `mammoseg scan` looks at the folder in which they all lie, by the same rules: see examine.py.
"""

import logging
import os
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from mammoseg.data.manifest import ImageRow
from mammoseg.ingest.examine import MASK, PICTURE_SUFFIXES, TWO_VALUES, Seen, Settings, about_window
from mammoseg.ingest.exams import Row, make_rows
from mammoseg.ingest.files import find_files, readable, unreadable_name
from mammoseg.ingest.ids import file_ids
from mammoseg.ingest.pseudonyms import of_salt, pseudonym
from mammoseg.ingest.quality import check_pixels
from mammoseg.ingest.scan import scan_files
from mammoseg.io.errors import ImageReadError
from mammoseg.io.repeats import renamed
from mammoseg.records.image import Mammogram
from mammoseg.wording import counted

logger = logging.getLogger(__name__)

_NO_IMAGE = "this is no image"
_FEW = 4  # images that are decoded sooner than processes start


@dataclass(frozen=True)
class Unusable:
    """A file that should have been an image."""

    image_id: str
    path: Path
    """The id, where files must not be told."""
    error: ImageReadError


@dataclass(frozen=True)
class Given:
    """All files that were named, or found in a folder that was."""

    rows: list[ImageRow]
    """Images to predict, in the order of their paths."""
    unusable: list[Unusable]
    left_out: list[Seen]
    """Images of other kinds than wanted, and in folders what is no image."""
    unseen: frozenset[str]
    """Ids of images of which the header was read and no pixel."""

    def remarks(self, row: ImageRow, image: Mammogram) -> tuple[str, ...]:
        """What the pixels of an image tell, if it is one of those. Raises ImageReadError for a mask."""
        if row.image_id not in self.unseen:
            return ()
        facts = check_pixels(image)
        if facts.two_values:
            raise ImageReadError(
                f"{row.path}: {MASK}, {TWO_VALUES}. Expected a mammogram. Leave it out, or give a table with --manifest."
            )
        return facts.findings + about_window(image.reading)


@dataclass(frozen=True)
class Gathered:
    """The files that are meant, before any is opened."""

    root: Path
    """The folder in which all lie."""
    files: list[PurePosixPath]
    """Relative to `root`, sorted."""
    named: Collection[PurePosixPath]
    """What was named itself."""
    skipped: list[Seen]


def gather(paths: Sequence[Path], without: Path | None) -> Gathered:
    """The files among `paths` and all files in the folders among them; the same in any order of `paths`.

    Nothing in the folder `without`: it is where results are written.
    """
    wholes = {_absolute(path): path.is_dir() for path in paths}
    root = Path(os.path.commonpath([path if folder else path.parent for path, folder in wholes.items()]))
    files: set[Path] = set()
    skipped: dict[Path, Seen] = {}
    results = without and without.resolve()
    for path, folder in wholes.items():
        if folder:
            inside, passed = find_files(path, results)
            files.update(path / each for each in inside)
            skipped.update({path / each.place: each for each in passed})
        elif reason := unreadable_name(path.name):
            skipped[path] = Seen(PurePosixPath(path.name), "unusable", reason)
        else:
            files.add(path)
    return Gathered(
        root,
        sorted(_place(path, root) for path in files),
        {_place(path, root) for path in wholes},
        [replace(skipped[path], place=_place(path, root)) for path in sorted(skipped.keys() - files)],
    )


def look_at(
    gathered: Gathered,
    pixel_mm: float | None,
    workers: int,
    progress: Callable[[], object] = lambda: None,
    salt: bytes | None = None,
    decode: Literal["all", "pictures", "none"] = "all",
) -> Given:
    """Look at every file, in `workers` processes. `pixel_mm` is that of images that do not tell it.

    Images that are decoded anyway need not be decoded here: of `pictures` the names tell too little, of DICOM images the header
    tells all but whether two of one study, side and view are copies, so that these are decoded; with `none` it is not known.
    With a salt all ids are those that a scan gives with it, and files are called by them.
    """
    root = gathered.root
    settings = Settings(root, pixels=decode, pixel_mm=pixel_mm)
    found = scan_files(gathered.files, settings, _processes(gathered.files, settings, workers), progress)
    if decode == "pictures":
        found = _with_decoded_twins(found, replace(settings, pixels="all"), workers)
    found += gathered.skipped
    images, found = make_rows([_expected(seen) if seen.place in gathered.named else seen for seen in found], salt)
    _tell(images)
    unusable = [seen for seen in found if seen.status == "unusable"]
    ids = file_ids([*(image.seen.place for image in images), *(seen.place for seen in unusable)])
    if salt:
        ids = {place: pseudonym(salt, "file", place.as_posix()) for place in ids}
        ids |= {image.seen.place: image.image_id for image in images}
    rows = [_row(image, ids[image.seen.place], root) for image in images]
    return Given(
        [replace(row, salt=of_salt(salt)) for row in rows] if salt else rows,
        [_unusable(ids[seen.place], root, seen, hidden=salt is not None) for seen in unusable],
        [seen for seen in found if seen.status in ("left out", "no image")],
        frozenset(row.image_id for row, image in zip(rows, images, strict=True) if image.seen.pixels is None),
    )


def _processes(files: Sequence[PurePosixPath], settings: Settings, workers: int) -> int:
    """How many are worth starting: a header is read in no time."""
    decoded = {
        "all": len(files),
        "pictures": sum(place.suffix.lower() in PICTURE_SUFFIXES for place in files),
        "none": 0,
    }
    return workers if decoded[settings.pixels] > _FEW else 0


def _with_decoded_twins(found: list[Seen], settings: Settings, workers: int) -> list[Seen]:
    """With the pixels of images that others may be copies of."""
    shown = Counter((seen.patient, seen.exam, seen.laterality, seen.view) for seen in found if seen.status == "used")
    twins = [
        seen.place
        for seen in found
        if seen.status == "used"
        and seen.pixels is None
        and shown[seen.patient, seen.exam, seen.laterality, seen.view] > 1
    ]
    decoded = {seen.place: seen for seen in scan_files(twins, settings, _processes(twins, settings, workers))}
    return [decoded.get(seen.place, seen) for seen in found]


def _absolute(path: Path) -> Path:
    """Links are followed, but for one under the name of a file: it is known by its own name."""
    return path.resolve() if path.is_dir() else path.parent.resolve() / path.name


def _place(path: Path, root: Path) -> PurePosixPath:
    return PurePosixPath(path.relative_to(root).as_posix())


def _expected(seen: Seen) -> Seen:
    """A file that was named itself should be an image; in a folder there may be others."""
    if seen.status != "no image":
        return seen
    return replace(seen, status="unusable", why=_NO_IMAGE, detail=f"{_NO_IMAGE} but {seen.why}")


def _row(image: Row, image_id: str, root: Path) -> ImageRow:
    seen = image.seen
    return ImageRow(
        readable(image.patient_id),
        readable(image.exam_id),
        image_id,
        seen.laterality or "L",
        seen.view or "",
        root / seen.place,
        pixel_mm=seen.pixel_mm,
        horizontal_flip=seen.header.horizontal_flip if seen.header else None,
        manufacturer=seen.header.manufacturer if seen.header else None,
    )


def _unusable(image_id: str, root: Path, seen: Seen, hidden: bool) -> Unusable:
    path = root / seen.place
    text = (
        f"{readable(path)}: {seen.detail or seen.why}. Expected a mammogram that can be read, with side and view "
        "in its header or name (0012_L-CC.png). Correct or leave out the file, or give a table with --manifest."
    )
    if hidden:
        text = renamed(text, [Path(readable(path)), path], image_id)
    return Unusable(image_id, Path(image_id) if hidden else path, ImageReadError(text))


def _tell(images: Sequence[Row]) -> None:
    """Log what was found in headers and pixels of images that are used, counted."""
    counts: Counter[str] = Counter()
    for seen in (image.seen for image in images):
        counts.update((*seen.findings, *(seen.pixels.findings if seen.pixels else ())))
    for text, count in counts.most_common():
        logger.warning("%s: %s", counted(count, "image"), text)
