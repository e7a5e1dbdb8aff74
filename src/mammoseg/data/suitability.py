"""Whether a model can be used on an image: it can be read, the window shows the breast, and it is like the training images.

FAIL   it cannot be read or prepared, or the window shows less of the breast than the preparation asks for
WARN   there is a remark, or it is unlike the training images
PASS   everything else
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mammoseg.data.domain import Domain
from mammoseg.data.load import load_crop
from mammoseg.data.manifest import ImageRow
from mammoseg.data.unlike import WORDS, Difference, as_notes, differences, summary
from mammoseg.data.window_fit import fits
from mammoseg.io.cells import write_csv
from mammoseg.prep.config import PrepConfig
from mammoseg.records.breast import BreastFacts
from mammoseg.records.check import Check

_REMEDIES = {
    "inside the model window": "give the pixel size (--pixel-mm, or the column pixel_mm), or take a model whose window fits",
    "of the model window": "give the pixel size (--pixel-mm, or the column pixel_mm), or take a model for such images",
    "the pixel size is unknown": "give --pixel-mm, or the column pixel_mm of the manifest",
    "chest wall": "check laterality and horizontal_flip",
    "unlike the training data": "trust its scores only after a test on such images; train on some of them",
}
"""Words of a remark -> what to do."""


@dataclass(frozen=True)
class Suitability:
    """One image that was checked."""

    image_id: str
    path: Path
    check: Check
    """The subject is the image_id."""
    reasons: tuple[str, ...]
    """What was found, without numbers: the same text for every image with the same trouble."""
    facts: BreastFacts | None = None
    differences: tuple[Difference, ...] = ()


def check_images(
    rows: Sequence[ImageRow],
    prep: PrepConfig,
    trained_on: Domain | None,
    heatmaps: Sequence[str],
    workers: int,
    progress: Callable[[], object] = lambda: None,
) -> Iterator[Suitability]:
    """Each image in order, as a model with this preparation and these training images would meet it. Raises nothing."""

    def look(row: ImageRow) -> Suitability:
        return _look(row, prep, trained_on, heatmaps)

    with ThreadPoolExecutor(max(1, workers)) as pool:
        for found in pool.map(look, rows):
            progress()
            yield found


def unusable(image_id: str, path: Path, error: Exception) -> Suitability:
    """An image that cannot be read or prepared."""
    names = "|".join(re.escape(name) for name in (str(path), path.name, image_id) if name)
    told = re.sub(rf"^({names}): ", "", " ".join(str(error).split())) or type(error).__name__
    found, _, rest = told.partition(". ")
    remedy = re.sub(r"^Expected .*?\. ", "", rest)
    check = Check("FAIL", image_id, found, remedy.removesuffix("."))
    return Suitability(image_id, path, check, (_without_numbers(found),))


def summary_of(found: Sequence[Suitability], trained_on: Domain | None) -> str | None:
    """One line about how the images that can be prepared differ from the training images; None: they do not."""
    known = [(each.facts, each.differences) for each in found if each.facts]
    return summary(trained_on, [facts for facts, _ in known], [unlike for _, unlike in known])


def counts_of(found: Sequence[Suitability]) -> dict[str, int]:
    """Reason -> number of images, the most frequent first."""
    return dict(Counter(reason for each in found for reason in each.reasons).most_common())


def write_checks(path: Path, found: Sequence[Suitability]) -> None:
    """A row per image. Raises OSError."""
    rows = [
        {
            "image_id": each.image_id,
            "path": each.path,
            "result": each.check.result,
            "found": each.check.found,
            "remedy": each.check.remedy,
            **{name: each.facts and getattr(each.facts, name) for name in _MEASURED},
        }
        for each in found
    ]
    write_csv(path, pd.DataFrame(rows, columns=["image_id", "path", "result", "found", "remedy", *_MEASURED]))


_MEASURED = ("in_window", "fills_window", "area_mm2", "pixel_mm")


def _look(row: ImageRow, prep: PrepConfig, trained_on: Domain | None, heatmaps: Sequence[str]) -> Suitability:
    try:
        _, crop = load_crop(row, prep, heatmaps)
    except Exception as error:  # one image must not end the check of the others
        return unusable(row.image_id, row.path, error)
    facts = crop.facts
    unlike = differences(trained_on, facts, row.manufacturer) if trained_on and facts else ()
    notes = (*crop.notes, *as_notes(unlike))
    missed = facts is not None and not fits(facts, prep)
    remedies = dict.fromkeys(remedy for note in notes for words, remedy in _REMEDIES.items() if words in note)
    result = Check(
        "FAIL" if missed else "WARN" if notes else "PASS", row.image_id, "; ".join(notes), "; ".join(remedies)
    )
    reasons = tuple(map(_without_numbers, crop.notes)) + tuple(f"{WORDS}{d.subject}" for d in unlike)
    return Suitability(row.image_id, row.path, result, reasons, facts, unlike)


def _without_numbers(text: str) -> str:
    return re.sub(r"\d[\d.,]*", "N", text)
