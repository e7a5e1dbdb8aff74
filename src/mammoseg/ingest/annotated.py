"""Annotations that people made elsewhere -> masks, boxes and, if wanted, labels of a manifest.

    files --read--> annotations --matched--> rows --classes--> drawn: a mask per image and class

Nothing is drawn before all annotations have an image and a class, so that a label that nobody told of costs no work. What cannot be
used is noted, and the rest goes on.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from types import ModuleType

import pandas as pd

from mammoseg.config import Config
from mammoseg.data.columns import path_columns
from mammoseg.data.manifest import ImageRow, Manifest
from mammoseg.ingest.annotation import UID, Annotation, AnnotationError
from mammoseg.ingest.annotation_classes import class_of, untold
from mammoseg.ingest.annotation_images import ByName, ByUid
from mammoseg.ingest.annotation_masks import FINDING_COLUMNS, UNUSABLE, Drawn, ImageMasks
from mammoseg.ingest.drawing import DrawingError
from mammoseg.ingest.files import find_files, readable
from mammoseg.io.cells import unescaped
from mammoseg.io.repeats import Repeats
from mammoseg.io.runs import is_safe_id

logger = logging.getLogger(__name__)

PROBLEM_COLUMNS = ("source", "item", "image_id", "kind", "message")
LEFT_OUT, CONTRADICTION = "left out", "contradiction"
_LONGEST = 1000


@dataclass(frozen=True)
class Problem:
    """What could not be used, or contradicts what the manifest says."""

    source: Path
    item: str
    image_id: str
    kind: str
    message: str


@dataclass(frozen=True)
class _Found:
    source: Path
    annotation: Annotation


@dataclass(eq=False)
class Imported:
    """The manifest with what was drawn, and what became of it."""

    manifest: Manifest
    files: int = 0
    problems: list[Problem] = field(default_factory=list)
    findings: list[dict[str, object]] = field(default_factory=list)
    """FINDING_COLUMNS of each annotation that was used."""
    images: Counter[str] = field(default_factory=Counter)
    """Class -> how many images have a mask of it from here."""
    boxes_filled: int = 0
    """How many regions are boxes."""

    def leave_out(self, source: Path, item: str, error: object, image_id: str = "") -> None:
        """Note what cannot be used."""
        self.problems.append(Problem(source, item, image_id, LEFT_OUT, str(error)))

    def tables(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Problems (PROBLEM_COLUMNS) and findings (FINDING_COLUMNS)."""
        problems = [
            (readable(p.source), readable(p.item), p.image_id, p.kind, readable(" ".join(p.message.split()))[:_LONGEST])
            for p in self.problems
        ]
        return (
            pd.DataFrame(problems, columns=list(PROBLEM_COLUMNS)),
            pd.DataFrame(self.findings, columns=list(FINDING_COLUMNS)),
        )


def import_annotations(
    manifest: Manifest,
    plugin: ModuleType,
    options: Config,
    sources: Sequence[Path],
    rules: Mapping[str, str | None],
    masks: Path,
    labels: bool = False,
) -> Imported:
    """Read the annotations of `sources` (files and folders), and write their masks to `masks`/CLASS/IMAGE.png.

    `rules` as `annotation_classes.read_rules` gives them. With `labels` a breast with an annotation of a class gets the label 1 of
    it where it is unknown. Raises AnnotationError if there is no file of the format, or if labels are of no class.
    """
    done = Imported(manifest)
    files = _files(sources, plugin, done)
    done.files = len(files)
    by_row = _matched(_read(files, plugin, options, done), list(manifest.rows()), plugin, done)
    drawn = _classified(by_row, rules)
    names = tuple(dict.fromkeys(each.name for of_row in drawn.values() for each in of_row))
    done.manifest = manifest.with_classes(names, required=False)
    rows = list(done.manifest.rows(done.manifest.classes, required=False))
    table = done.manifest.table.copy()
    for number, of_row in sorted(drawn.items()):
        for column, cell in _draw(rows[number], of_row, masks, done).items():
            table.loc[table.index[number], column] = cell
    done.manifest = replace(done.manifest, table=table)
    _compare_labels(done, rows, labels)
    return done


def masks_of(findings: Path, masks: Path) -> set[Path]:
    """The files of the folder `masks` that the import which wrote this table of findings has drawn; none if it cannot be read."""
    try:
        table = pd.read_csv(findings, dtype=str, keep_default_na=False, usecols=["image_id", "class"])
    except (OSError, ValueError):
        return set()
    return {
        masks / name / f"{image_id}.png"
        for image_id, name in unescaped(table)[["image_id", "class"]].itertuples(index=False, name=None)
        if is_safe_id(image_id) and is_safe_id(name)
    }


def remove_stale(drawn: Collection[Path], manifest: Manifest) -> None:
    """Delete those masks of an earlier import (`masks_of`) that the manifest does not have any more."""
    cells = (cell for column in path_columns(manifest.table) for cell in manifest.table[column].dropna())
    used = {Path(str(cell)).resolve() for cell in cells}
    for path in (path for path in drawn if path.resolve() not in used):
        path.unlink(missing_ok=True)


def _files(sources: Sequence[Path], plugin: ModuleType, done: Imported) -> list[Path]:
    """The files that are given, and those of the format in folders; each once."""
    found: dict[Path, Path] = {}
    for source in sources:
        places, skipped = find_files(source) if source.is_dir() else ([PurePosixPath()], [])
        for seen in skipped:
            if seen.status == "unusable":
                done.leave_out(source / seen.place, "", seen.why)
        for path in (source / place for place in places):
            try:
                if path == source or plugin.reads(path):
                    found.setdefault(path.resolve(), path)
            except UNUSABLE as error:
                done.leave_out(path, "", error)
    if not found:
        raise AnnotationError(
            f"{', '.join(map(str, sources))}: no file of this format. Expected {plugin.TITLE}. Check the path and the format."
        )
    return list(found.values())


def _read(files: Iterable[Path], plugin: ModuleType, options: Config, done: Imported) -> Iterator[_Found]:
    for path in files:
        try:
            annotations = plugin.read(path, options)
        except UNUSABLE as error:
            done.leave_out(path, "", error)
            continue
        yield from (_Found(path, annotation) for annotation in annotations)


def _matched(
    found: Iterable[_Found], rows: Sequence[ImageRow], plugin: ModuleType, done: Imported
) -> dict[int, list[_Found]]:
    """Row number -> its annotations."""
    images = ByUid(rows) if plugin.IMAGES == UID else ByName(rows)
    by_row: dict[int, list[_Found]] = defaultdict(list)
    for each in found:
        try:
            by_row[images.row_of(each.annotation, each.source)].append(each)
        except AnnotationError as error:
            done.leave_out(each.source, each.annotation.item, error)
    if isinstance(images, ByName):
        elsewhere = Repeats("not in the folder that is named", logger.warning)
        for number, of_row in by_row.items():
            kept = _in_its_folder(of_row, images, number, rows[number], done, elsewhere)
            by_row[number] = _without_namesakes(kept, rows[number].image_id, done)
        elsewhere.log_counts()
    return {number: of_row for number, of_row in by_row.items() if of_row}


def _in_its_folder(
    found: Sequence[_Found], images: ByName, number: int, row: ImageRow, done: Imported, elsewhere: Repeats
) -> list[_Found]:
    """Without annotations of another image: where one file names images of several folders, and the manifest has one of them, that
    is the one in the folder most like its own. Of a single one that is named nobody knows better; another folder is told of."""
    of_file: dict[Path, dict[tuple[str, ...], int]] = defaultdict(dict)
    for each in found:
        if folders := images.folders_of(each.annotation):
            of_file[each.source][folders] = images.shared(number, folders)
    kept = []
    for each in found:
        shared, folders = of_file[each.source], images.folders_of(each.annotation)
        own = shared.get(folders, 0)
        if len(shared) < 2 or (own and list(shared.values()).count(own) == 1 and own == max(shared.values())):
            kept.append(each)
            if folders and not own:
                elsewhere.add(row.image_id, row.path, "drawn all the same, as it is the only image of this name")
        else:
            what = f"{len(shared)} images of this name are named, in other folders, and the manifest has one. Expected the one in "
            done.leave_out(each.source, each.annotation.item, f"{what}its folder. Add the others to it.", row.image_id)
    return kept


def _without_namesakes(found: Sequence[_Found], image_id: str, done: Imported) -> list[_Found]:
    """Files of one name in several folders may be of different images: it is not known which of them is meant."""
    places = dict.fromkeys(each.source for each in found)
    names = Counter(path.name for path in places)
    for path in [path for path in places if names[path.name] > 1]:
        done.leave_out(
            path,
            "",
            f"{names[path.name]} files called {path.name} in different folders are about this image. Expected one. Import the "
            "folders one by one, or name the files by image_id.",
            image_id,
        )
    return [each for each in found if names[each.source.name] == 1]


def _classified(by_row: Mapping[int, Sequence[_Found]], rules: Mapping[str, str | None]) -> dict[int, list[Drawn]]:
    """The same with their classes, without what is of none. Raises AnnotationError with all labels that nothing is said of."""
    drawn: dict[int, list[Drawn]] = defaultdict(list)
    untold_labels = Counter[str]()
    for number, each in ((number, each) for number, found in by_row.items() for each in found):
        try:
            name = class_of(each.annotation, rules)
        except AnnotationError:
            untold_labels[each.annotation.label] += 1
            continue
        if name:
            drawn[number].append(Drawn(each.source, each.annotation, name))
    if untold_labels:
        raise AnnotationError(untold(untold_labels))
    return drawn


def _draw(row: ImageRow, drawn: Sequence[Drawn], masks: Path, done: Imported) -> dict[str, str | None]:
    """Column -> cell of what is new about an image."""
    try:
        image = ImageMasks(row)
    except (AnnotationError, DrawingError) as error:
        for each in drawn:
            done.leave_out(each.source, each.annotation.item, error, row.image_id)
        return {}
    findings = []
    for each in drawn:
        try:
            findings.append(image.add(each))
        except UNUSABLE as error:
            done.leave_out(each.source, each.annotation.item, error, row.image_id)
    try:
        image.unite()
    except UNUSABLE as error:
        done.leave_out(done.manifest.path, "an earlier mask of the image", error, row.image_id)
        return {}
    done.findings += [finding for finding in findings if finding]
    done.boxes_filled += image.boxes_filled
    done.images.update(image.classes)
    return image.write(masks)


def _compare_labels(done: Imported, rows: Sequence[ImageRow], labels: bool) -> None:
    """Note labels that say there is nothing where something was drawn; with `labels` fill in those that are unknown."""
    for name in done.manifest.classes:
        annotated = {finding["image_id"] for finding in done.findings if finding["class"] == name}
        without = {row.breast_key for row in rows if row.labels.get(name) == 0}
        for row in (row for row in rows if row.image_id in annotated and row.breast_key in without):
            what = f"{name} is annotated, and the label {name} of the breast is 0. It stays 0: correct one of them."
            done.problems.append(Problem(done.manifest.path, "", row.image_id, CONTRADICTION, what))
        if labels:
            breasts = {row.breast_key for row in rows if row.image_id in annotated} - without
            known = done.manifest.table[name]
            found = pd.Series([row.breast_key in breasts for row in rows], known.index)
            filled = known.mask(found & known.isna(), 1.0)
            done.manifest = replace(done.manifest, table=done.manifest.table.assign(**{name: filled}))
