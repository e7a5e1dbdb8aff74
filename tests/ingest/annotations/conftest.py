"""Two mammograms, masks that look the same in no other orientation, and the import as the command does it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

ROWS, COLUMNS = 160, 128


class Study(NamedTuple):
    """Images `left` and `right` of one exam, 160 x 128 pixels."""

    folder: Path
    manifest: Any

    def image(self, name: str) -> Path:
        return self.folder / "images" / f"{name}.dcm"


@pytest.fixture
def study(tmp_path: Path, write_mammogram: Callable[..., Path]) -> Study:
    from mammoseg.data.manifest import Manifest

    about = {
        "PatientName": "Nobody", "PatientBirthDate": "", "PatientSex": "F", "AccessionNumber": "", "StudyTime": "",
        "StudyID": "", "ReferringPhysicianName": "", "SeriesNumber": 1, "InstanceNumber": 1,
    }  # fmt: skip
    rows = []
    for name, side in (("left", "L"), ("right", "R")):
        path = write_mammogram(tmp_path / "images" / f"{name}.dcm", side, "CC", **about)
        rows.append(("p1", "e1", name, side, "CC", str(path), "dense"))
    columns = ["patient_id", "exam_id", "image_id", "laterality", "view", "path", "density"]
    return Study(tmp_path, Manifest.from_table(pd.DataFrame(rows, columns=columns), tmp_path / "images.csv"))


@pytest.fixture
def lesion() -> NDArray[np.bool_]:
    """(160, 128): an L of two bars, and a single pixel in the corner below on the right."""
    mask = np.zeros((ROWS, COLUMNS), bool)
    mask[20:60, 10:20], mask[50:60, 10:50] = True, True
    mask[-1, -1] = True
    return mask


@pytest.fixture
def bring(study: Study) -> Callable[..., Any]:
    """`bring("coco", path, ...)` imports into the masks folder `masks` and returns what there is then."""
    from mammoseg.config import with_overrides
    from mammoseg.ingest.annotated import import_annotations
    from mammoseg.ingest.annotation_classes import read_rules
    from mammoseg.plugins import ANNOTATIONS, load

    def run(name: str, *sources: Path, rules: tuple[str, ...] = (), sets: tuple[str, ...] = (), **more: Any) -> Any:
        plugin = load(ANNOTATIONS, name)
        options = with_overrides(plugin.Options(), sets=sets)
        manifest = more.pop("manifest", study.manifest)
        return import_annotations(manifest, plugin, options, sources, read_rules(rules), study.folder / "masks", **more)

    return run


@pytest.fixture
def mask_of() -> Callable[..., NDArray[np.bool_] | None]:
    """The mask of an image and class in what was imported; None if there is none."""

    def read(imported: Any, image_id: str, name: str) -> NDArray[np.bool_] | None:
        table = imported.manifest.table.set_index("image_id")
        path = table.loc[image_id, f"{name}_mask"]
        return None if path is None else np.asarray(cv2.imread(path, cv2.IMREAD_UNCHANGED)) > 0

    return read
