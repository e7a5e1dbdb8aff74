"""How findings look in every figure: colours that colour-blind readers can tell apart, and line styles
for those who see none and for prints without colour.

Source   Colours: Okabe and Ito 2008, Color Universal Design. Sky blue and orange differ most on dark grey tissue, blue and
         vermilion on white paper.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import cycle


@dataclass(frozen=True)
class Look:
    """Of one finding."""

    colour: str
    """Its name, for captions."""
    line: str
    """Line style by matplotlib's name: solid, dashed, dotted."""
    on_dark: str
    """Colour on images, "#RRGGBB"."""
    on_light: str
    """Colour on paper."""


LOOKS = {
    "benign": Look("blue", "dashed", "#56B4E9", "#0072B2"),
    "malignant": Look("orange", "solid", "#E69F00", "#D55E00"),
}
_OTHERS = (
    Look("green", "solid", "#009E73", "#009E73"),
    Look("purple", "dashed", "#CC79A7", "#CC79A7"),
    Look("yellow", "dotted", "#F0E442", "#B8A800"),
)


def looks(classes: Iterable[str]) -> dict[str, Look]:
    """Class name -> how it looks. Names of other classes than benign and malignant take turns."""
    others = cycle(_OTHERS)
    return {name: LOOKS.get(name) or next(others) for name in classes}


def legend(classes: Iterable[str]) -> str:
    """For captions: "benign: blue, dashed; malignant: orange, solid"."""
    return "; ".join(f"{name}: {look.colour}, {look.line}" for name, look in looks(classes).items())


def rgb(colour: str) -> tuple[int, int, int]:
    """ "#RRGGBB" -> red, green, blue, 0 to 255."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue
