"""How an adapter gets from a folder to a manifest: find its tables and images, and say what of them is not in it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from mammoseg.data.columns import ManifestError, Problems, check_table
from mammoseg.data.manifest import Manifest
from mammoseg.ingest.files import find_files
from mammoseg.ingest.omissions import Omission, Omissions
from mammoseg.ingest.tables import AdapterError

ROW = "row of the table"
"""Key of a row for `to_manifest`: its number in the table, for messages. It is no column of the manifest."""


@dataclass(frozen=True, eq=False)
class Adapted(Manifest):
    """The manifest of a data set, and what of the data set is not in it."""

    left_out: tuple[Omission, ...] = ()


def find_table(root: Path, places: Sequence[str], holds: str) -> Path:
    """The first of `places` below `root` that is there.

    Raises AdapterError if none is, with what the folder should hold (`holds`) and, if the table lies one folder higher or
    deeper, which folder to give instead.
    """
    for place in places:
        if (root / place).exists():
            return root / place
    if not root.is_dir():
        raise AdapterError(f"{root}: there is no such folder. Expected {holds}. Check the path.")
    folder = next((path for path in _around(root) if any((path / place).is_file() for place in places)), None)
    advice = f"It is in {folder}: give that folder" if folder else "Check the path, or download what is missing"
    raise AdapterError(f"{root}: {' and '.join(places)} cannot be found. Expected {holds}. {advice}.")


def find_images(root: Path, suffixes: Sequence[str], left_out: Omissions, below: str = "") -> dict[str, Path]:
    """Path below `root` without its suffix, such as `images/10006/1` -> file, in any case of the suffix.

    Only those that begin with `below`. Of several files of one name the one whose suffix comes first in `suffixes`. What
    cannot be looked into, such as a folder that may not be read, is left out.
    """
    found, skipped = find_files(root)
    lost = [
        f"{entry.place} ({entry.why})" for entry in skipped if entry.lost and entry.place.as_posix().startswith(below)
    ]
    left_out.add(root, "files or folders cannot be looked into and are left out", lost)
    images: dict[str, PurePosixPath] = {}
    places = [p for p in found if p.suffix.lower() in suffixes and p.as_posix().startswith(below)]
    for place in sorted(places, key=lambda p: suffixes.index(p.suffix.lower())):
        images.setdefault(place.with_suffix("").as_posix(), place)
    return {name: root / place for name, place in images.items()}


def to_manifest(
    rows: Sequence[Mapping[str, Any]],
    root: Path,
    masks: Path,
    left_out: Omissions,
    images: Iterable[Path] = (),
    table: Path | None = None,
) -> Adapted:
    """The rows (columns of a manifest, ROW, further ones kept) whose image file exists, in their order.

    `images` are those on the disk: the ones without a row are left out too. The manifest belongs beside the folder of
    the masks. Raises AdapterError if there is no image at all, or if the rows contradict each other: the message names
    `table` and its rows.
    """
    there = [row for row in rows if Path(row["path"]).is_file()]
    absent = {row["image_id"] for row in rows} - {row["image_id"] for row in there}
    left_out.add(root, "images of the tables have no file and are left out", absent)
    if not there:
        raise AdapterError(
            f"{root}: none of the {len(rows)} images of the tables is there. Expected the folder of the data set with "
            f"its images in it. {_advice(rows, root)}"
        )
    known = {Path(row["path"]) for row in rows}
    beside = sorted(path for path in map(Path.absolute, images) if path not in known)
    names = [path.relative_to(root.absolute()).as_posix() for path in beside]
    left_out.add(root, "image files are in no row of the tables and are left out", names)
    numbers = [row.get(ROW, at) for at, row in enumerate(there, start=2)]
    frame = pd.DataFrame([{name: cell for name, cell in row.items() if name != ROW} for row in there], numbers)
    try:
        checked = check_table(frame, table or root, Problems())
    except ManifestError as error:
        raise AdapterError(str(error).replace("this manifest", "what the tables say", 1)) from None
    in_manifest = checked.set_axis(pd.RangeIndex(2, len(checked) + 2))
    return Adapted(in_manifest, masks.parent / "manifest.csv", left_out=tuple(left_out.entries))


def _around(root: Path) -> list[Path]:
    """The folder above and those below."""
    return [root.absolute().parent, *sorted(path for path in root.iterdir() if path.is_dir())]


def _advice(rows: Sequence[Mapping[str, Any]], root: Path) -> str:
    """Where an image of the tables lies instead, or what else may be wrong."""
    names = {Path(row["path"]).name: Path(row["path"]).relative_to(root.absolute()) for row in rows}
    folders = {place.parent for place in names.values()} - {Path()}
    folder = next((path for path in _around(root) if any((path / place).is_dir() for place in folders)), None)
    if folder is not None:
        return f"The images are in {folder}: give that folder, or move the tables there."
    found = next((place for place in find_files(root)[0] if place.name in names), None)
    if found is None:
        return "Check the path, or whether the images have been downloaded and unpacked."
    return f"{found} is there, but was looked for at {names[found.name]}: move the images."
