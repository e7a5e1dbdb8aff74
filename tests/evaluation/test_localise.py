"""What images are for a class, and the rows of lesions and marks of hand-made predictions."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from mammoseg.evaluation.localise import Drawn, Localised, Localiser
from mammoseg.evaluation.method import Method, load_metrics
from mammoseg.records.finding import Box, Finding
from mammoseg.records.grid import PixelGrid
from mammoseg.records.prediction import Patch, Prediction
from mammoseg.records.source import Source

METHOD = Method(load_metrics())
GRID = PixelGrid((60, 50), (60, 50), True, 0, 0, 60, 50, (60, 50))  # mirrored


def prediction(peaks: Mapping[tuple[int, int], float], **more: Any) -> Prediction:
    """Peaks of malignant by their (row, column) in the file."""
    maps = np.zeros((2, 60, 50), np.float32)
    for (row, column), value in peaks.items():
        maps[1, row, 49 - column] = value
    scores = {"benign": 0.1, "malignant": 0.9}
    return Prediction("i", "p", "e", "L", "CC", scores, GRID, {"saliency": maps}, **more)


def found_in(made: Prediction, drawn: Drawn) -> Localised:
    localiser = Localiser(METHOD, ["malignant"])
    localiser.add(made, drawn)
    return localiser.found()


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    """Two lesions of 10 x 10 pixels."""
    pixels = np.zeros((60, 50), np.uint8)
    pixels[10:20, 10:20] = pixels[40:50, 30:40] = 255
    cv2.imwrite(str(tmp_path / "mask.png"), pixels)
    return tmp_path / "mask.png"


@pytest.fixture
def nothing(tmp_path: Path) -> Path:
    cv2.imwrite(str(tmp_path / "empty.png"), np.zeros((60, 50), np.uint8))
    return tmp_path / "empty.png"


def test_marks_on_a_mask_in_the_pixels_of_the_file(mask: Path) -> None:
    made = prediction({(12, 11): 0.9, (15, 18): 0.5, (45, 5): 0.7})
    finding = Finding("malignant", 0.8, (41.5, 30.5))
    found = found_in(
        Prediction(**{**vars(made), "findings": (finding,)}),
        Drawn("q", {"malignant": 1}, {"malignant": mask}, pixel_mm=0.1),
    )
    marks = found.marks[found.marks["of"] == "saliency"]
    assert marks[["rating", "row", "column", "lesion", "counts_as"]].to_numpy().tolist() == [
        [pytest.approx(0.9), 12.5, 11.5, "1", "lesion"],
    ]  # fmt: skip
    assert found.marks[found.marks["of"] == "findings"][["rating", "lesion"]].to_numpy().tolist() == [[0.8, "2"]]
    assert found.lesions["rating_saliency"].tolist() == [pytest.approx(0.9), -np.inf]
    assert found.lesions["rating_findings"].tolist() == [-np.inf, 0.8]
    assert found.lesions["diameter_mm"].tolist() == pytest.approx([0.1 * 2 * np.sqrt(100 / np.pi)] * 2)
    assert set(found.marks["patient_id"]) == set(found.lesions["patient_id"]) == {"q"}


def test_without_a_pixel_size_the_distance_is_a_share_of_the_image(mask: Path) -> None:
    made = prediction({(12, 11): 0.9, (15, 18): 0.5, (45, 5): 0.7})
    found = found_in(made, Drawn("p", {"malignant": 1}, {"malignant": mask}))
    assert found.marks["counts_as"].tolist() == ["lesion", "non-lesion", "further"]
    assert found.lesions["diameter_mm"].isna().all()


@pytest.mark.parametrize(
    ("label", "drawn", "expected"),
    [
        (1, "mask", "lesions"), (1, "boxes", "lesions"), (1, "empty", "empty"), (1, "", "undrawn"), (0, "", "normal"),
        (0, "empty", "normal"), (0, "mask", "contradictory"), (None, "", "unknown"), (None, "mask", "unknown"),
    ],
)  # fmt: skip
def test_what_an_image_is(label: int | None, drawn: str, expected: str, mask: Path, nothing: Path) -> None:
    """Only of known lesions and of normal images there are marks."""
    labels = {} if label is None else {"malignant": float(label)}
    masks = {"malignant": {"mask": mask, "empty": nothing}[drawn]} if drawn in ("mask", "empty") else {}
    boxes: dict[str, tuple[Box, ...]] = {"malignant": ((10, 10, 20, 20),)} if drawn == "boxes" else {}
    found = found_in(prediction({(12, 11): 0.9}), Drawn("p", labels, masks, None, boxes))
    assert found.images[["class", "is"]].to_numpy().tolist() == [["malignant", expected]]
    assert len(found.marks) == (expected in ("lesions", "normal"))
    assert len(found.lesions) == {"mask": 2, "boxes": 1}.get(drawn, 0) * (expected == "lesions")
    assert len(found.pixel_rows) == 2 * bool(masks)


def test_the_share_of_a_lesion_in_patches_is_that_of_its_pixels(mask: Path) -> None:
    """A patch in the mirrored window covers 7 of 10 columns of the first lesion."""
    patches = (Patch(5, 30, 7 + 3, {"benign": 0, "malignant": 1}), Patch(10, 30, 10, {"benign": 0, "malignant": 1}))
    found = found_in(prediction({}, patches=patches), Drawn("p", {"malignant": 1}, {"malignant": mask}))
    columns = 50 - 30 - 10  # window columns 30 to 39 are columns 10 to 19 of the file
    assert columns == 10
    assert found.lesions["in_patches"].tolist() == [1.0, 0.0]
    [shifted] = (Patch(10, 33, 10, {"benign": 0, "malignant": 1}),)
    again = found_in(prediction({}, patches=(shifted,)), Drawn("p", {"malignant": 1}, {"malignant": mask}))
    assert again.lesions["in_patches"].tolist() == [0.7, 0.0]


def test_the_pixel_size_of_the_file_comes_before_that_of_the_manifest(mask: Path) -> None:
    source = Source(None, "0" * 64, 60, 50, (0.2, 0.8))
    drawn = Drawn("p", {"malignant": 1}, {"malignant": mask}, pixel_mm=5.0)
    found = found_in(prediction({}, source=source), drawn)
    assert found.lesions["diameter_mm"].tolist() == pytest.approx([0.4 * 2 * np.sqrt(100 / np.pi)] * 2)
