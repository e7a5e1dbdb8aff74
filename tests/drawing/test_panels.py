"""Panels side by side."""

import numpy as np

from mammoseg.drawing.panels import GAP, HEIGHT, TITLE, Panel, arranged


def black(rows: int, columns: int) -> np.ndarray:
    return np.zeros((rows, columns, 3), np.uint8)


def test_panels_stand_side_by_side_and_the_stacked_two_in_a_column() -> None:
    panels = [Panel(black(HEIGHT, 500), "first"), Panel(black(300, 600), "second")]
    sheet = arranged(panels, [Panel(black(303, 303), str(number)) for number in range(3)], "below")
    corners = [(x, y) for x, y, _ in sheet.pictures]
    first_stack = 500 + 600 + 2 * GAP
    assert corners == [
        (0, TITLE), (500 + GAP, TITLE),
        (first_stack, TITLE), (first_stack, 2 * TITLE + 303), (first_stack + 303 + GAP, TITLE),
    ]  # fmt: skip
    assert sheet.width == first_stack + 2 * (303 + GAP)
    assert [text.words for text in sheet.texts] == ["first", "second", "0", "1", "2", "below"]
    assert sheet.texts[-1].y > TITLE + HEIGHT


def test_what_is_drawn_on_a_panel_moves_with_it_and_stays_in_it() -> None:
    second = Panel(black(100, 400), "second")
    second.rectangle((10, 20, 300, 200), "#FFFFFF", "solid", 2)
    second.label("word", 390, 50)
    sheet = arranged([Panel(black(100, 400), "first"), second], [], "")
    (line,) = sheet.lines
    assert line.points.min(axis=0).tolist() == [412 + 20, TITLE + 10]
    assert (line.clip.left, line.clip.top, line.clip.right, line.clip.bottom) == (412, TITLE, 812, TITLE + 100)
    word = next(text for text in sheet.texts if text.words == "word")
    assert 412 < word.x < 812 - 30, "moved to be whole"


def test_a_narrow_picture_leaves_room_for_its_title() -> None:
    assert arranged([Panel(black(HEIGHT, 20), "a title")], [], "").width >= 200


def test_outlines_are_scaled_to_the_picture() -> None:
    panel = Panel(black(100, 200), "")
    mask = np.zeros((1000, 2000), bool)
    mask[500:600, 1000:1400] = True
    panel.outline(mask, "#FFFFFF", "dashed")
    ((points, _, style, _),) = panel.lines
    assert (points.min(axis=0).tolist(), points.max(axis=0).tolist(), style) == ([100, 50], [139, 59], "dashed")
    assert points[0].tolist() == points[-1].tolist(), "closed"
