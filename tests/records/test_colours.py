"""Colours of findings: they differ for everybody, also where there is no colour."""

import numpy as np

from mammoseg.records.colours import LOOKS, rgb
from mammoseg.records.label import CLASSES

DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)
"""Linear RGB as somebody without green cones sees it (Machado, Oliveira and Fernandes 2009, severity 1)."""


def seen(colour: str) -> np.ndarray:
    values = np.array(rgb(colour)) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return np.clip(DEUTERANOPIA @ linear, 0, 1)


def test_every_class_has_a_look() -> None:
    assert tuple(LOOKS) == CLASSES


def test_findings_differ_without_green_cones_and_without_colour() -> None:
    for ground in ("on_dark", "on_light"):
        benign, malignant = (seen(getattr(LOOKS[name], ground)) for name in CLASSES)
        assert np.abs(benign - malignant).max() > 0.3, ground
    green_and_red = np.abs(seen("#3CDC5A") - seen("#FF4632"))
    assert green_and_red.max() < 0.45, "what they were is told apart by brightness alone"
    assert len({look.line for look in LOOKS.values()}) == len(LOOKS)


def test_hexadecimal_colours() -> None:
    assert rgb("#56B4E9") == (0x56, 0xB4, 0xE9)
