"""Whether the images of a data set fit the model window: a network that sees a corner of the breast can have fine scores."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mammoseg.prep.breast import PrepError
from mammoseg.prep.config import PrepConfig, Window
from mammoseg.prep.pipeline import crop_breast
from mammoseg.records.breast import BreastFacts
from mammoseg.records.image import Mammogram

_COMFORTABLE = 0.4  # share of the window that the median breast fills in the published preparation and on phantoms

_GLANCE = 512  # working pixels along the longer side


class WindowError(ValueError):
    """Images that the model window misses; the message says which setting fits."""


def fits(facts: BreastFacts, prep: PrepConfig) -> bool:
    """Whether one image shows as much of its breast, and as large, as `prep` asks for."""
    return facts.in_window >= prep.least_in_window and facts.fills_window >= prep.least_filled


def check_window(facts: Sequence[BreastFacts], prep: PrepConfig, where: str, trained: bool = False) -> None:
    """Raises WindowError if the median image shows less of its breast, or smaller, than `prep` asks for.

    `where` names the images in the message; `trained`: with a model whose preparation cannot be changed any more. No image
    at all fits every window.
    """
    if not facts:
        return
    in_window, filled = (float(np.median([getattr(f, name) for f in facts])) for name in ("in_window", "fills_window"))
    if in_window >= prep.least_in_window and filled >= prep.least_filled:
        return
    if in_window < prep.least_in_window:
        what = (
            f"in the median image only {in_window:.0%} of the breast is inside the {prep.shown} window. Expected at least "
            f"{prep.least_in_window:.0%}"
        )
    else:
        what = (
            f"in the median image the breast fills only {filled:.1%} of the {prep.shown} window. Expected at least "
            f"{prep.least_filled:.0%}"
        )
    raise WindowError(
        f"{where}: {what}, or the model does not see what it is made for. {_remedy(facts, prep, trained)}"
    )


def _remedy(facts: Sequence[BreastFacts], prep: PrepConfig, trained: bool) -> str:
    whole = "--set prep.fit=resize, which brings every breast to the size of the window"
    resampling = f"--set prep.pixel_mm={_fitting(facts, prep):g}"
    other = f"Train a model for such images: with {resampling}, or {whole}."
    unknown = sum(f.pixel_mm is None for f in facts)
    if 2 * unknown <= len(facts):
        return other if trained else f"Take {resampling}, or {whole}."
    text = f"The pixel size of {unknown} of {len(facts)} images is unknown"
    if prep.pixel_mm is not None:
        text += f", so they cannot be resampled to {prep.pixel_mm:g} mm"
    elif trained:
        return f"{text}. {other}"
    give = "Give it with --pixel-mm (in mm), or in the column pixel_mm of the manifest"
    if trained:
        return f"{text}. {give}."
    return f"{text}. {give}{'' if prep.pixel_mm else f' and {resampling}'}; or take {whole}."


def _fitting(facts: Sequence[BreastFacts], prep: PrepConfig) -> float:
    """The pixel side in mm, to two digits, at which the median breast fills the window comfortably; for images of unknown
    size a guess from 0.1 mm on."""
    now = [(f.fills_window / max(f.in_window, 1e-6)) / _COMFORTABLE for f in facts]  # areas: seen or not, in windows
    sizes = [prep.pixel_mm or f.pixel_mm or 0.1 for f in facts]
    wanted = float(np.median(sizes)) * math.sqrt(float(np.median(now)))
    step = 10 ** (math.floor(math.log10(wanted)) - 1)
    return math.ceil(wanted / step) * step


def glance(image: Mammogram, prep: PrepConfig) -> BreastFacts | None:
    """The facts that `crop_breast` would find, on far fewer pixels: milliseconds, and shares right to some hundredths.

    None if the image cannot be prepared.
    """
    known = prep.pixel_mm is not None and image.pixel_mm is not None
    scale = image.pixel_mm / prep.pixel_mm if known else 1.0  # type: ignore[operator]
    shrink = max(1.0, max(image.pixels.shape) * scale / _GLANCE)
    step = max(1, int(shrink / scale))
    coarse = {
        "pixel_mm": shrink / scale / step,
        "window": _shrunk(prep.window, shrink),
        "windows": {name: _shrunk(window, shrink) for name, window in prep.windows.items()},
        **{name: round(getattr(prep, name) / shrink) for name in ("opening_px", "buffer_px")},
    }
    small = np.ascontiguousarray(image.pixels[::step, ::step])
    try:
        crop = crop_breast(replace(image, pixels=small, pixel_mm=1.0), prep.model_copy(update=coarse))
    except PrepError:
        return None
    if crop.facts is None or image.pixel_mm is None:
        return crop.facts and replace(crop.facts, pixel_mm=None, area_mm2=None)
    area = (crop.facts.area_mm2 or 0.0) * (step * image.pixel_mm) ** 2
    return replace(crop.facts, pixel_mm=image.pixel_mm, area_mm2=area)


def _shrunk(window: Window, shrink: float) -> Window:
    rows, cols = (max(1, round(side / shrink)) for side in window)
    return rows, cols
