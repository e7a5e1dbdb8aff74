"""Messages about many images: each once, with how many images it is about."""

from pathlib import Path

import pytest

from mammoseg.io.repeats import Repeats


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def repeats(lines: list[str]) -> Repeats:
    return Repeats("not prepared", lambda text, *values: lines.append(text % values))


def test_a_message_that_differs_in_names_and_numbers_is_told_once_and_counted(
    repeats: Repeats, lines: list[str]
) -> None:
    for number in range(180):
        name = f"p{number}_L-CC"
        repeats.add(name, Path(f"in/{name}.png"), ValueError(f"{name}: no breast found in {number} x 80 pixels"))
        file = Path(f"/data/{name}.dcm")
        repeats.add(f"x{number}", file, OSError(f"{file}: the image\ncannot be read ({file.name})"))
    first = [
        "not prepared: image p0_L-CC: no breast found in 0 x 80 pixels",
        "not prepared: image x0: /data/p0_L-CC.dcm: the image cannot be read (p0_L-CC.dcm)",
    ]
    assert lines == first
    repeats.log_counts()
    assert lines[2:] == [
        "not prepared: 180 images (p0_L-CC, p1_L-CC, p2_L-CC, ...): no breast found in 0 x 80 pixels",
        "not prepared: 180 images (x0, x1, x2, ...): /data/p0_L-CC.dcm: the image cannot be read (p0_L-CC.dcm)",
    ]


def test_what_is_about_one_image_is_not_said_again(repeats: Repeats, lines: list[str]) -> None:
    for image_id, text in (("a", "too dark"), ("b", "too dark"), ("c", "too bright")):
        repeats.add(image_id, Path(f"{image_id}.png"), text)
    repeats.log_counts()
    assert lines == [
        "not prepared: image a: too dark",
        "not prepared: image c: too bright",
        "not prepared: 2 images (a, b): too dark",
    ]
