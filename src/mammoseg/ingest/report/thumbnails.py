"""The small pictures of the quality report: a file per image in a folder of their own, named by its row of the manifest.

They show breasts of patients, so the page holds none of them itself: sent without the folder it shows none.
"""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from mammoseg.ingest.exams import Row
from mammoseg.ingest.report.summary import FIRST_ROW

_NAME = re.compile(r"\d+\.jpg")


def thumbnail_name(row: int) -> str:
    """Name of the file for a row of the manifest."""
    return f"{row:05}.jpg"


def write_thumbnails(folder: Path, images: Sequence[Row]) -> None:
    """Write the thumbnails of `images` (in the order of the manifest) in place of those of an earlier scan."""
    new = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    for row, image in enumerate(images, FIRST_ROW):
        if image.seen.thumbnail is not None:
            (new / thumbnail_name(row)).write_bytes(image.seen.thumbnail)
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        if _NAME.fullmatch(path.name):
            path.unlink()
    for path in new.iterdir():
        path.replace(folder / path.name)
    new.rmdir()
