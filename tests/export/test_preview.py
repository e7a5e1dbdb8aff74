"""What `prepare` shows: a table with a row per image and a picture of every window."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from mammoseg.data.cache import CropCache
from mammoseg.data.manifest import ImageRow
from mammoseg.export.preview import HEIGHT, write_prepared
from mammoseg.prep.config import PrepConfig

PREP = PrepConfig(window=(96, 64), opening_px=3, buffer_px=2)


@pytest.fixture
def rows(tmp_path: Path) -> list[ImageRow]:
    """A left and a right breast, and a left one that the table calls right."""
    rows = []
    for name, side, flip in (("left", "L", False), ("right", "R", True), ("wrong", "R", False)):
        pixels = np.zeros((120, 80), np.uint16)
        cv2.ellipse(pixels, (0, 60), (50, 45), 0, 0, 360, 2000, -1)
        cv2.circle(pixels, (30, 40), 6, 4000, -1)
        cv2.imwrite(str(tmp_path / f"{name}.png"), pixels[:, ::-1] if flip else pixels)
        rows.append(ImageRow(name, name, name, side, "CC", tmp_path / f"{name}.png"))  # type: ignore[arg-type]
    return rows


def test_table_and_pictures(tmp_path: Path, rows: list[ImageRow]) -> None:
    out = tmp_path / "out"
    assert write_prepared(out, rows, CropCache(out / "cache", PREP), PREP, previews=True) == 1
    table = pd.read_csv(out / "prepared.csv", keep_default_na=False).set_index("image_id")
    assert list(table.index) == ["left", "right", "wrong"]
    assert table.loc["left", ["rows", "columns", "height", "width"]].tolist() == [120, 80, 96, 64]
    assert table["flipped"].tolist() == [False, True, False]
    assert "laterality" in table.loc["wrong", "remarks"]
    assert not table.loc["left", "remarks"]
    pictures = [cv2.imread(str(out / "previews" / f"{name}.png"), cv2.IMREAD_UNCHANGED) for name in table.index]
    assert {picture.shape for picture in pictures} == {(HEIGHT, 320)}
    np.testing.assert_array_equal(pictures[0], pictures[1], err_msg="every breast points the same way")
    assert pictures[0].dtype == np.uint8
    assert pictures[0].max() == 255


def test_a_resized_window_is_told_and_shown_whole(tmp_path: Path, rows: list[ImageRow]) -> None:
    prep = PREP.model_copy(update={"fit": "resize"})
    write_prepared(tmp_path / "out", rows[:1], CropCache(tmp_path / "cache", prep), prep, previews=True)
    row = pd.read_csv(tmp_path / "out" / "prepared.csv").iloc[0]
    crop = CropCache(tmp_path / "cache", prep).get(rows[0])
    assert (row["height"], row["width"]) == crop.pixels.shape != prep.window
    assert cv2.imread(str(tmp_path / "out" / "previews" / "left.png"), cv2.IMREAD_UNCHANGED).shape == (HEIGHT, 320)


def test_a_second_time_replaces_the_first(tmp_path: Path, rows: list[ImageRow]) -> None:
    cache = CropCache(tmp_path / "cache", PREP)
    write_prepared(tmp_path / "out", rows, cache, PREP, previews=False)
    assert not (tmp_path / "out" / "previews").exists()
    write_prepared(tmp_path / "out", rows[:1], cache, PREP, previews=True)
    assert len(pd.read_csv(tmp_path / "out" / "prepared.csv")) == 1
    assert [path.name for path in (tmp_path / "out" / "previews").iterdir()] == ["left.png"]


def test_no_image_gives_an_empty_table(tmp_path: Path) -> None:
    assert write_prepared(tmp_path, [], CropCache(tmp_path / "cache", PREP), PREP, previews=True) == 0
    table = pd.read_csv(tmp_path / "prepared.csv")
    assert table.empty
    assert table.columns[0] == "image_id"
