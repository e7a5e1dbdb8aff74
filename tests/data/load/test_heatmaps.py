"""Heatmap files: what they hold becomes probabilities, and rows without them are told."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from mammoseg.data.load import HeatmapError, check_heatmaps, heatmap_files, with_heatmaps
from mammoseg.data.manifest import ImageRow
from mammoseg.io.read import ImageReadError
from mammoseg.records.image import Mammogram
from mammoseg.records.label import CLASSES


@pytest.fixture
def row(tmp_path: Path) -> ImageRow:
    """An image of 4 x 3 pixels with a heatmap of 8 and one of 16 bits."""
    cv2.imwrite(str(tmp_path / "b.png"), np.arange(12, dtype=np.uint8).reshape(4, 3) * 23)
    cv2.imwrite(str(tmp_path / "m.tif"), np.arange(12, dtype=np.uint16).reshape(4, 3) * 5000)
    files = {"benign": tmp_path / "b.png", "malignant": tmp_path / "m.tif"}
    return ImageRow("p", "e", "i", "L", "CC", tmp_path / "x.png", heatmaps=files)


def mammogram(row: ImageRow) -> Mammogram:
    return row.mammogram(np.ones((4, 3), np.uint8))


def test_values_of_both_depths_are_probabilities_to_the_last_bit(row: ImageRow) -> None:
    heatmaps = with_heatmaps(mammogram(row), row, CLASSES).heatmaps
    assert heatmaps is not None
    assert (heatmaps.shape, heatmaps.dtype) == ((2, 4, 3), np.uint16)
    in_order = np.arange(12, dtype=np.float32).reshape(4, 3)
    found = heatmaps.astype(np.float32) / np.float32(65535)
    np.testing.assert_array_equal(found[0], in_order * 23 / np.float32(255))
    np.testing.assert_array_equal(found[1], in_order * 5000 / np.float32(65535))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_largest_value_of_the_type_is_certain(row: ImageRow, dtype: type) -> None:
    for path in heatmap_files(row, CLASSES):
        cv2.imwrite(str(path), np.full((4, 3), np.iinfo(dtype).max, dtype))
    heatmaps = with_heatmaps(mammogram(row), row, CLASSES).heatmaps
    assert heatmaps is not None
    assert (heatmaps == 65535).all()


def test_the_rest_of_the_image_stays(row: ImageRow) -> None:
    image = mammogram(row)
    assert replace(with_heatmaps(image, row, CLASSES), heatmaps=None) == image
    assert image.heatmaps is None


@pytest.mark.parametrize("missing", ["benign", "malignant"])
def test_a_row_without_one_of_them(row: ImageRow, missing: str) -> None:
    lacking = replace(row, heatmaps={name: file for name, file in row.heatmaps.items() if name != missing})
    with pytest.raises(
        HeatmapError, match=rf"x\.png: the image is without {missing}_heatmap\. Expected the heatmaps of"
    ):
        with_heatmaps(mammogram(row), lacking, CLASSES)


def test_a_heatmap_of_another_size(row: ImageRow) -> None:
    cv2.imwrite(str(row.heatmaps["malignant"]), np.zeros((3, 4), np.uint8))
    with pytest.raises(ImageReadError, match=r"m\.tif: the heatmap has \(3, 4\) pixels. Expected \(4, 3\)"):
        with_heatmaps(mammogram(row), row, CLASSES)


def test_rows_without_heatmaps_are_listed(row: ImageRow, tmp_path: Path) -> None:
    check_heatmaps([row], CLASSES, tmp_path / "manifest.csv")
    lacking = [replace(row, image_id=f"i{n}", heatmaps={"malignant": row.heatmaps["malignant"]}) for n in range(7)]
    message = r"manifest\.csv: 7 images are without a heatmap: i0, i1, i2, i3, i4 \.\.\. and 2 more\. Expected those of benign"
    with pytest.raises(HeatmapError, match=message):
        check_heatmaps([row, *lacking], CLASSES, tmp_path / "manifest.csv")
    with pytest.raises(HeatmapError, match=r"1 image is without a heatmap: i6\. Expected"):
        check_heatmaps([row, lacking[6]], CLASSES, tmp_path / "manifest.csv")


def test_only_those_that_the_model_sees_in_its_order(row: ImageRow) -> None:
    assert heatmap_files(row, ("malignant",)) == [row.heatmaps["malignant"]]
    assert heatmap_files(row, ("malignant", "benign")) == [row.heatmaps["malignant"], row.heatmaps["benign"]]
    assert heatmap_files(replace(row, heatmaps={}), ()) == []
