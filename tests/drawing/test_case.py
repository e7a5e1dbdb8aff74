"""A small picture of one image: what is outlined, and in which orientation."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from mammoseg.drawing.case import ROWS, case_picture
from mammoseg.prep.config import PrepConfig
from mammoseg.records.colours import looks, rgb

CLASSES = ("benign", "malignant")


@pytest.fixture
def image(new_study_in: Callable[[Path], Any], tmp_path: Path) -> Any:
    study = new_study_in(tmp_path / "study")
    prediction = study.add("a", "L")
    read = [cv2.imread(str(study.root / name / "a.png"), cv2.IMREAD_UNCHANGED) for name in ("images", "masks")]
    return prediction, read[0], read[1] > 0


def near(picture: Any, colour: tuple[int, int, int]) -> Any:
    return (np.abs(picture.astype(int) - colour).max(axis=2) < 40).nonzero()


def test_the_lesion_is_outlined_in_the_colour_of_its_class(image: Any) -> None:
    prediction, pixels, mask = image
    picture = case_picture(pixels, prediction, "malignant", mask, PrepConfig(), CLASSES)
    plain = case_picture(pixels, prediction, "malignant", None, PrepConfig(), CLASSES)
    colour = rgb(looks(CLASSES)["malignant"].on_dark)
    rows, columns = near(picture, colour)
    assert len(rows) > 50
    assert not len(near(plain, colour)[0])
    assert picture.shape == plain.shape
    assert picture.shape[0] <= ROWS
    # the lesion lies at 0.4 of the rows and 0.3 of the columns of the file, and the picture is cut to the breast at the left
    assert rows.mean() == pytest.approx(0.4 * ROWS - 0.05 * ROWS, abs=12)
    assert columns.mean() == pytest.approx(0.3 * ROWS * 120 / 160, abs=6)


def test_a_class_without_a_map_has_no_outline_of_it(image: Any) -> None:
    prediction, pixels, _ = image
    picture = case_picture(pixels, prediction, "cyst", None, PrepConfig(), ("cyst",))
    with_map = case_picture(pixels, prediction, "malignant", None, PrepConfig(), CLASSES)
    assert (picture != with_map).any()
    assert (picture[..., 0] == picture[..., 1]).all(), "gray alone"
