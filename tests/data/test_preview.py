"""What `prepare` shows: a table with a row per image and a picture of every window."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from mammoseg.data.cache import CropCache
from mammoseg.data.manifest import ImageRow
from mammoseg.data.preview import HEIGHT, write_prepared
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
    windows = [picture[:, -320:] for picture in pictures]
    np.testing.assert_array_equal(windows[0], windows[1], err_msg="every breast points the same way")
    assert {(len(picture), picture.dtype.name) for picture in pictures} == {(HEIGHT, "uint8")}
    assert windows[0].max() == 255
    assert table["in_window"].tolist() == [1, 1, 1]
    assert (table["fills_window"] > 0.5).all()


def test_the_picture_shows_what_the_window_misses(tmp_path: Path, rows: list[ImageRow]) -> None:
    prep = PREP.model_copy(update={"window": (32, 24)})
    write_prepared(tmp_path / "out", rows[:1], CropCache(tmp_path / "cache", prep), prep, previews=True)
    row = pd.read_csv(tmp_path / "out" / "prepared.csv").iloc[0]
    assert row["in_window"] < 0.3
    assert "of the breast is inside the model window" in row["remarks"]
    picture = cv2.imread(str(tmp_path / "out" / "previews" / "left.png"), cv2.IMREAD_UNCHANGED)
    box = picture[:, : -360 - 8]
    assert np.count_nonzero(box) > 0.5 * box.size, "the whole breast is there, beside a window that shows less of it"


def test_a_resized_window_is_told_and_shown_whole(tmp_path: Path, rows: list[ImageRow]) -> None:
    prep = PREP.model_copy(update={"fit": "resize"})
    write_prepared(tmp_path / "out", rows[:1], CropCache(tmp_path / "cache", prep), prep, previews=True)
    row = pd.read_csv(tmp_path / "out" / "prepared.csv").iloc[0]
    crop = CropCache(tmp_path / "cache", prep).get(rows[0])
    assert (row["height"], row["width"]) == crop.pixels.shape != prep.window
    picture = cv2.imread(str(tmp_path / "out" / "previews" / "left.png"), cv2.IMREAD_UNCHANGED)
    assert picture.shape[1] > 320
    assert picture[:, -1].max() == 0, "the buffer beyond the nipple is in the window"


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
