"""How benign and malignant findings look in every figure: colours that colour-blind readers can tell apart, and line styles
for those who see none and for prints without colour.

Source   Colours: Okabe and Ito 2008, Color Universal Design. Sky blue and orange differ most on dark grey tissue, blue and
         vermilion on white paper.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """Of one finding."""

    colour: str
    """Its name, for captions."""
    line: str
    """Line style by matplotlib's name: solid, dashed."""
    on_dark: str
    """Colour on images, "#RRGGBB"."""
    on_light: str
    """Colour on paper."""


LOOKS = {
    "benign": Look("blue", "dashed", "#56B4E9", "#0072B2"),
    "malignant": Look("orange", "solid", "#E69F00", "#D55E00"),
}
"""Class name -> how it looks."""
LEGEND = "; ".join(f"{name}: {look.colour}, {look.line}" for name, look in LOOKS.items())
"""For captions: "benign: blue, dashed; malignant: orange, solid"."""


def rgb(colour: str) -> tuple[int, int, int]:
    """ "#RRGGBB" -> red, green, blue, 0 to 255."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue
