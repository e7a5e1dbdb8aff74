"""The figure of a prediction: everything is where it belongs, for either breast, and nothing odd breaks it."""

import time
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mammoseg.drawing.overlay import overlay_sheet
from mammoseg.drawing.panels import HEIGHT
from mammoseg.drawing.tint import SHOWN_FROM
from mammoseg.prep.config import PrepConfig
from mammoseg.records.breast import BreastFacts
from mammoseg.records.colours import LOOKS, rgb
from mammoseg.records.grid import PixelGrid
from mammoseg.records.prediction import Patch, Prediction

BLUE, ORANGE = (rgb(LOOKS[name].on_dark) for name in ("benign", "malignant"))
WHITE = (255, 255, 255)
PREP = PrepConfig(opening_px=4)
SCORES = {"benign": 0.25, "malignant": 0.75}
SHAPE = (HEIGHT, 500)
"""An image that is shown without scaling, so that its pixels are found again in the figure."""
TITLE, FOOTER = 34, 30
PANEL = SHAPE[1] + 12
BAR = 54
"""Width of the colour bar beside each map."""


def overlay_picture(
    pixels: NDArray[Any], prediction: Prediction, masks: dict[str, NDArray[np.bool_]], prep: PrepConfig = PREP
) -> NDArray[np.uint8]:
    return overlay_sheet(pixels, prediction, masks, prep).draw()


def grid_of(shape: tuple[int, int] = SHAPE, flipped: bool = False, **changes: int) -> PixelGrid:
    """The whole image as the model's window, unless changed."""
    window = {"top": 0, "left": 0, "height": shape[0], "width": shape[1]} | changes
    return PixelGrid(shape, shape, flipped, **window, model_shape=(window["height"], window["width"]))


def prediction_of(
    grid: PixelGrid, saliency: NDArray[Any] | None = None, corners: tuple[tuple[int, int], ...] = ((100, 60),)
) -> Prediction:
    maps = {"saliency": np.full((2, 8, 6), 0.5, np.float32) if saliency is None else saliency}
    patches = tuple(Patch(row, col, 80, SCORES) for row, col in corners)
    return Prediction("p1_L-CC", "p1", "e1", "L", "CC", SCORES, grid, maps, patches)


def breast(shape: tuple[int, int] = SHAPE) -> NDArray[np.uint16]:
    pixels = np.zeros(shape, np.uint16)
    pixels[shape[0] // 8 : -(shape[0] // 8), : shape[1] // 2] = 2000
    return pixels


def panel(picture: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
    """0 image with truth, 1 with patches, 2 benign map, 3 malignant map."""
    start = number * PANEL + (BAR if number == 3 else 0)
    return picture[TITLE : TITLE + HEIGHT, start : start + SHAPE[1]]


def box_of(picture: NDArray[np.uint8], colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """First and last row, first and last column of a colour."""
    rows, cols = np.nonzero((picture == colour).all(axis=-1))
    return int(rows.min()), int(rows.max()), int(cols.min()), int(cols.max())


def test_true_outlines_are_where_the_masks_are() -> None:
    masks = {name: np.zeros(SHAPE, bool) for name in ("benign", "malignant")}
    masks["benign"][200:260, 100:150] = True
    masks["malignant"][400:420, 30:90] = True
    picture = overlay_picture(breast(), prediction_of(grid_of()), masks)
    for name, colour, box in (("benign", BLUE, (200, 259, 100, 149)), ("malignant", ORANGE, (400, 419, 30, 89))):
        assert box_of(panel(picture, 0), colour) == pytest.approx(box, abs=2), name
        assert (panel(picture, 0)[masks[name]] != colour).any(axis=-1).mean() > 0.5, "the lesion itself stays visible"
    assert not (panel(picture, 2) == ORANGE).all(axis=-1).any()


def test_classes_of_any_names_have_looks_of_their_own() -> None:
    scores = {"mass": 0.25, "calcification": 0.75}
    seen = replace(prediction_of(grid_of()), scores=scores, patches=())
    sheet = overlay_sheet(breast(), seen, {"mass": breast() > 0, "cyst": breast() > 0}, PREP, ["calcification"])
    words = [text.words for text in sheet.texts]
    assert words[-1].startswith("mass: green, solid; calcification: purple, dashed; cyst: yellow, dotted. Saliency")
    assert "p1_L-CC + truth (calcification cannot be read)" in words


def test_without_truth_nothing_is_outlined() -> None:
    picture = panel(overlay_picture(breast(), prediction_of(grid_of()), {}), 0)
    assert (picture == picture[..., :1]).all(), "all is grey"


def test_a_lesion_of_one_pixel_in_a_large_image_is_outlined() -> None:
    mask = np.zeros((3328, 2560), bool)
    mask[1664, 1280] = True
    picture = overlay_picture(breast(mask.shape), prediction_of(grid_of(mask.shape)), {"malignant": mask})
    top, bottom, left, right = box_of(picture[:, : round(2560 * HEIGHT / 3328)], ORANGE)
    assert (top + bottom) / 2 == pytest.approx(TITLE + HEIGHT / 2, abs=2)
    assert bottom - top <= 5
    assert right - left <= 5


@pytest.mark.parametrize(("flipped", "columns"), [(False, (60, 140)), (True, (500 - 140, 500 - 60))])
def test_the_square_of_a_patch_lies_where_the_model_looked(flipped: bool, columns: tuple[int, int]) -> None:
    pixels = np.full(SHAPE, 1000, np.uint16)
    pixels[0] = 3000
    picture = overlay_picture(pixels, prediction_of(grid_of(flipped=flipped)), {})
    assert box_of(panel(picture, 1)[5:-5, 5:-5], WHITE) == pytest.approx((95, 175, *(c - 5 for c in columns)), abs=2)


@pytest.mark.parametrize("flipped", [False, True])
def test_maps_are_shown_in_the_pixels_of_the_file(flipped: bool) -> None:
    saliency = np.zeros((2, SHAPE[0], SHAPE[1]), np.float32)
    saliency[1, 300:340, 50:100] = 1
    picture = overlay_picture(np.full(SHAPE, 1000, np.uint16), prediction_of(grid_of(flipped=flipped), saliency), {})
    orange = panel(picture, 3).astype(int)
    rows, cols = np.nonzero(orange[..., 0] - orange[..., 2] > 100)
    expected = (400, 449) if flipped else (50, 99)
    assert (rows.min(), rows.max(), cols.min(), cols.max()) == pytest.approx((300, 339, *expected), abs=1)
    blue = panel(picture, 2)
    assert (blue == blue[..., :1]).all(), "no benign saliency, no colour"


def test_enlarged_patches_show_the_pixels_of_the_patch() -> None:
    pixels = np.full(SHAPE, 1000, np.uint16)
    pixels[100:140, 60:140] = 3000  # upper half of the patch
    enlarged = overlay_picture(pixels, prediction_of(grid_of()), {})[TITLE:, 4 * PANEL + 2 * BAR :]
    assert enlarged[75, 150].tolist() == [255, 255, 255]
    assert enlarged[225, 150].tolist() == [0, 0, 0]
    assert enlarged.shape[1] == 303 + 12


@pytest.mark.parametrize(
    "corners", [((-40, -40),), ((HEIGHT - 20, 480),), ((-500, 0),), ((0, 900),), ((-10, 5), (5, -10), (630, 490))]
)
def test_patches_may_leave_the_image(corners: tuple[tuple[int, int], ...]) -> None:
    pixels = np.full(SHAPE, 1000, np.uint16)
    masks = {"malignant": np.ones(SHAPE, bool)}
    picture = overlay_picture(pixels, prediction_of(grid_of(), corners=corners), masks)
    inside = [max(0, min(HEIGHT, r + 80) - max(0, r)) * max(0, min(500, c + 80) - max(0, c)) for r, c in corners]
    columns = -(-len(corners) // 2)
    assert picture.shape[1] == 4 * PANEL + 2 * BAR + columns * (303 + 12)
    if sum(inside) == 0:
        enlarged = picture[TITLE + 5 : TITLE + 290, 4 * PANEL + 2 * BAR + 5 : 4 * PANEL + 2 * BAR + 290]
        assert not enlarged.any(), "a patch in the padding is black"


@pytest.mark.parametrize("row", [-60, -15, -5, 200, HEIGHT - 15, HEIGHT - 3])
@pytest.mark.parametrize("col", [-60, -5, 200, 480, 497])
def test_the_number_of_a_patch_is_whole_wherever_the_patch_is(row: int, col: int) -> None:
    """As tall and wide as in the middle of the image."""

    def number(row: int, col: int) -> NDArray[np.bool_]:
        """What is drawn beside the square of the patch."""
        around = grid_of(top=-100, left=-100, height=HEIGHT + 200, width=SHAPE[1] + 200)
        prediction = prediction_of(around, corners=((row + 100, col + 100),))
        picture = panel(overlay_picture(np.zeros(SHAPE, np.uint8), prediction, {}), 1)
        square = np.zeros_like(picture)
        cv2.rectangle(square, (col, row), (col + 80, row + 80), WHITE, 2)
        return (picture != square).any(axis=-1)

    whole, found = number(300, 300), number(row, col)
    rows, cols = np.nonzero(found)
    assert found.sum() > 0.7 * whole.sum(), "a part may lie on the line of the square"
    assert (np.ptp(rows), np.ptp(cols)) == pytest.approx([np.ptp(n) for n in np.nonzero(whole)], abs=3)


@pytest.mark.parametrize("flipped", [False, True])
def test_the_border_of_the_window_is_dotted_where_it_lies_in_the_image(flipped: bool) -> None:
    grid = grid_of(flipped=flipped, top=100, left=50, height=400, width=200)
    picture = panel(overlay_picture(np.zeros(SHAPE, np.uint8), prediction_of(grid, corners=()), {}), 1)
    columns = (250, 450) if flipped else (50, 250)
    assert box_of(picture, WHITE) == pytest.approx((100, 500, *columns), abs=3)
    upper = (picture[99:102] == WHITE).all(axis=-1).any(axis=0)[columns[0] : columns[1]]
    assert 10 < np.count_nonzero(np.diff(upper.astype(int)) == 1) < 60, "dots, not a line"


def titles_of(prediction: Prediction) -> list[str]:
    return [text.words for text in overlay_sheet(breast(), prediction, {}, PREP).texts]


def facts(in_window: float, pixel_mm: float | None) -> BreastFacts:
    return BreastFacts(in_window, fills_window=0.5, area_mm2=None, pixel_mm=pixel_mm, levels=(), grain=0.1)


def test_the_title_says_how_much_of_the_breast_the_window_shows() -> None:
    seen = prediction_of(grid_of())
    assert "patches, window (dotted)" in titles_of(seen)
    assert "patches, window (dotted): 8% of the breast" in titles_of(replace(seen, facts=facts(0.084, None)))


@pytest.mark.parametrize(
    ("pixel_mm", "words", "length"), [(0.5, "50 mm", 100), (0.07, "10 mm", 10 / 0.07), (None, "pixel size unknown", 0)]
)
def test_a_scale_bar_of_round_length_where_the_pixel_size_is_known(
    pixel_mm: float | None, words: str, length: float
) -> None:
    sheet = overlay_sheet(breast(), replace(prediction_of(grid_of()), facts=facts(1, pixel_mm)), {}, PREP)
    assert words in [text.words for text in sheet.texts]
    bars = [line for line in sheet.lines if len(line.points) == 2]
    assert [np.ptp(line.points[:, 0]) for line in bars] == ([pytest.approx(length)] if length else [])


def test_saliency_is_coloured_inside_the_breast_only_and_from_a_level_up() -> None:
    saliency = np.full((2, 2, 1), SHOWN_FROM - 0.01, np.float32)
    saliency[0, 1] = SHOWN_FROM
    picture = overlay_picture(breast(), prediction_of(grid_of(), saliency), {})
    benign, malignant = (panel(picture, number).astype(int) for number in (2, 3))
    blue = benign[..., 2] - benign[..., 0] > 20
    upper, lower = slice(100, 310), slice(330, 540)
    assert not blue[upper].any(), "below the level"
    assert blue[lower, 20:230].all()
    assert not blue[:, 260:].any(), "beside the breast"
    assert (malignant == malignant[..., :1]).all()
    assert f"malignant 0.75 (no saliency from {SHOWN_FROM:g} up)" in titles_of(prediction_of(grid_of(), saliency))
    assert any(
        f"coloured inside the breast, from {SHOWN_FROM:g} up" in words for words in titles_of(prediction_of(grid_of()))
    )


def test_saliency_that_is_not_shown_is_told() -> None:
    """The right half of the image is background."""
    saliency = np.zeros((2, 1, 4), np.float32)
    saliency[0, 0] = (0.5, 0, 0.5, 0.5)
    titles = titles_of(prediction_of(grid_of(), saliency))
    assert any(
        title.startswith("benign 0.25 (7") and title.endswith("% of the salient area beside the breast)")
        for title in titles
    )
    saliency[0, 0] = (0.5, 0.5, 0, 0)
    assert "benign 0.25" in titles_of(prediction_of(grid_of(), saliency))


def test_on_a_film_the_breast_is_found_as_a_film_is_prepared() -> None:
    film = np.full(SHAPE, 300, np.uint16)
    film[80:560, :250] = 2000
    picture = overlay_picture(film, prediction_of(grid_of()), {}, PrepConfig(background="film", opening_px=20))
    benign = panel(picture, 2).astype(int)
    blue = benign[..., 2] - benign[..., 0] > 20
    assert blue[150:500, 20:200].all()
    assert not blue[:, 300:].any(), "the background is grey, and no breast"


def test_it_is_said_whose_patches_these_are() -> None:
    alone = prediction_of(grid_of())
    titles = [
        overlay_picture(breast(), shown, {})[:TITLE] for shown in (alone, replace(alone, patches_of="checkpoint 1"))
    ]
    rows, cols = np.nonzero((titles[0] != titles[1]).any(axis=-1))
    assert rows.size
    assert cols.min() > PANEL, "in the title of the second panel"
    assert cols.max() < 2 * PANEL


@pytest.mark.parametrize(
    ("pixels", "map_shape"),
    [
        (np.zeros(SHAPE, np.uint16), (8, 6)),
        (np.full(SHAPE, 7, np.uint8), (8, 6)),
        (np.full(SHAPE, 65535, np.uint16), (8, 6)),
        (breast(), (8, 1)),
        (breast(), (1, 1)),
        (breast((40, 30)), (8, 6)),
        (breast((2000, 64)), (8, 6)),
    ],
    ids=["black", "8-bit", "saturated", "map of one column", "map of one cell", "small", "narrow"],
)
def test_odd_images_and_maps_give_a_figure(pixels: NDArray[Any], map_shape: tuple[int, int]) -> None:
    saliency = np.ones((2, *map_shape), np.float32)
    shape = (pixels.shape[0], pixels.shape[1])
    picture = overlay_picture(pixels, prediction_of(grid_of(shape), saliency), {"benign": pixels > 1000})
    assert picture.dtype == np.uint8
    assert picture.shape[0] == HEIGHT + TITLE + FOOTER
    assert picture.any()


def test_a_full_field_image_takes_less_than_half_a_second_of_a_processor() -> None:
    shape = (3328, 2560)
    saliency = np.random.default_rng(0).random((2, 736, 480), dtype=np.float32)
    grid = grid_of(shape, True, top=100, left=-50, height=2944, width=1920)
    prediction = prediction_of(grid, saliency, ((0, 0), (500, 300), (1000, 600)))
    seconds = []
    for _ in range(3):
        started = time.process_time()
        overlay_picture(breast(shape), prediction, {"malignant": np.eye(*shape, dtype=bool)})
        seconds.append(time.process_time() - started)
    assert min(seconds) < 0.5


def test_a_model_of_one_class_has_one_map_panel() -> None:
    saliency = np.zeros((1, *SHAPE), np.float32)
    saliency[0, 300:340, 50:100] = 1
    scores = {"malignant": 0.75}
    patches = (Patch(100, 60, 80, scores),)
    one = Prediction("p1_L-CC", "p1", "e1", "L", "CC", scores, grid_of(), {"saliency": saliency}, patches)
    masks = {"benign": np.zeros(SHAPE, bool), "malignant": np.zeros(SHAPE, bool)}
    masks["benign"][200:260, 100:150] = True
    picture = overlay_picture(breast(), one, masks)
    assert picture.shape[1] == 3 * PANEL + BAR + 303 + 12
    orange = panel(picture, 2).astype(int)
    rows, cols = np.nonzero(orange[..., 0] - orange[..., 2] > 100)
    assert (rows.min(), rows.max(), cols.min(), cols.max()) == pytest.approx((300, 339, 50, 99), abs=1)
    assert box_of(panel(picture, 0), BLUE) == pytest.approx((200, 259, 100, 149), abs=2), "the truth is shown whole"
