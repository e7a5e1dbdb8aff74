"""A view as a digitised film: exposure, screen, characteristic curve, grain, digitiser, and what lies beside the breast.

    x(i, j)   log10 of the exposure over that behind fat: falls with what the rays meet, by the thickness that is left at the skin
    E         10^x with quantum mottle, blurred by focal spot and screen, and by the aperture of the digitiser
    D         base + range / (1 + exp(-k (log10 E - x0))), with D = `fat_density` at x = 0
    D'        D + grain, white, of variance grain_mm2 D / (area of a pixel)
    pixel     4095 (1 - D' / reader_density), 0 where the film is blacker than the digitiser reads, and beside the film

Source    The logistic curve: De Almeida et al., Med Phys 26, 682 (1999), who describe films for mammography with it. Variance in
          proportion to density: Nutting's grains of one size, with Selwyn's law for the area. The numbers: `FilmConfig`.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from mammoseg.phantom.breast import Projection, thickness, thinned
from mammoseg.phantom.canvas import MAX_VALUE
from mammoseg.phantom.config import FilmConfig, PhantomConfig
from mammoseg.phantom.texture import Array

_FAT = 0.27  # the grey level of fat behind the middle of a breast
_UNEXPOSED = -3.0  # x of what no x-ray reached
_GRADIENT = (0.25, 2.0)  # densities above base between which the average gradient is measured


def density(log_exposure: Array, film: FilmConfig, gradient: float, fat_density: float) -> Array:
    """The characteristic curve: log10 of the exposure over that of fat -> optical density. Toe, straight part, shoulder."""
    span = film.most_density - film.base_density
    low, high = (_logit(above / span) for above in _GRADIENT)
    steep = gradient * (high - low) / (_GRADIENT[1] - _GRADIENT[0])
    start = _logit((fat_density - film.base_density) / span)
    return np.float32(film.base_density) + np.float32(span) / (
        1 + np.exp(-(np.float32(steep) * log_exposure + np.float32(start)))
    )


def develop(
    drawn: Projection, gain: float, text: str, config: PhantomConfig, rng: np.random.Generator
) -> NDArray[np.uint16]:
    """The digitised film of a view that points right, 0 to 4095, bright where tissue is dense.

    `gain` above 1 makes a brighter image; `text` are the lead letters.
    """
    film, pixel_mm = config.film, config.pixel_mm
    thick = thickness(drawn.skin_mm)
    path = drawn.image * (thick / thinned(thick)) + np.float32(film.fat) * thick
    x = np.float32(film.contrast) * (np.float32(_FAT + film.fat) - path) - np.float32(np.log10(gain))
    reach = int(np.flatnonzero(drawn.mask.any(axis=0)).max()) + 1
    edge = _edge(x, reach, pixel_mm, film, rng)
    free = ~drawn.mask
    free[:, edge:] = False
    if rng.uniform() < film.plate_share:
        figures = "".join(map(str, rng.integers(0, 10, 8)))
        _put(x, free, ~_letters(figures, rng.uniform(4, 7) / pixel_mm, rim=0.5), rng)
    _put(x, free, _letters(text, rng.uniform(*film.marker_mm) / pixel_mm, rim=0.0), rng)

    sigma = float(np.hypot(film.blur_mm / pixel_mm, np.sqrt(1 / 12)))  # a pixel-wide aperture
    exposed = np.power(np.float32(10), x)
    mottle = rng.standard_normal(exposed.shape, dtype=np.float32)
    exposed += np.sqrt(exposed / np.float32(film.quanta_mm2 * pixel_mm**2)) * mottle
    exposed = cv2.GaussianBlur(exposed, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    log_exposure = np.log10(np.maximum(exposed, 10**_UNEXPOSED))
    black = density(log_exposure, film, rng.uniform(*film.gradient), rng.uniform(*film.fat_density))
    grain = rng.standard_normal(black.shape, dtype=np.float32)
    black += grain * np.sqrt(black * np.float32(film.grain_mm2)) / np.float32(pixel_mm)
    read = 1 - black / np.float32(film.reader_density)
    read += np.float32(film.reader_noise) * rng.standard_normal(read.shape, dtype=np.float32)
    read[:, edge:] = 0
    return np.rint(MAX_VALUE * np.clip(read, 0, 1)).astype(np.uint16)


def _edge(x: Array, reach: int, pixel_mm: float, film: FilmConfig, rng: np.random.Generator) -> int:
    """Draw the unexposed rims into `x`; the column where the film ends, right of the breast."""
    rows, columns = x.shape
    room = max(0, columns - reach)
    beside = int(rng.uniform(0, 0.7) * room) if rng.uniform() < film.beside_share else 0
    end = columns - beside
    top, bottom, side = (max(0, round(rng.uniform(*film.rim_mm) / pixel_mm)) for _ in range(3))
    x[:top], x[rows - bottom :] = _UNEXPOSED, _UNEXPOSED
    x[:, max(reach, end - side) :] = _UNEXPOSED
    return end


def _letters(text: str, height: float, rim: float) -> NDArray[np.bool_]:
    """Text `height` pixels high, true in its strokes, with `rim` heights of nothing around."""
    scale = height / 21  # of the font at scale 1
    bold = max(1, round(height / 7))
    (wide, high), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, bold)
    pad = round(rim * height)
    canvas = np.zeros((high + below + 2 * pad, wide + 2 * pad), np.uint8)
    cv2.putText(canvas, text, (pad, pad + high), cv2.FONT_HERSHEY_SIMPLEX, scale, 1, bold)
    return canvas.astype(bool)


def _put(x: Array, free: NDArray[np.bool_], shape: NDArray[np.bool_], rng: np.random.Generator) -> None:
    """Shadow `shape` somewhere where everything is free, and take the place; not at all where there is none."""
    if rng.uniform() < 0.5:
        shape = np.rot90(shape)
    if rng.uniform() < 0.5:  # the film was laid upside down
        shape = shape[:, ::-1]
    rows, columns = shape.shape
    inside = np.array(free.shape) - shape.shape
    for _ in range(50 if (inside > 0).all() else 0):
        top, left = rng.integers(0, inside)
        place = np.s_[top : top + rows, left : left + columns]
        if free[place].all():
            x[place][shape] = _UNEXPOSED
            free[place] = False
            return


def _logit(share: float) -> float:
    return float(np.log(share / (1 - share)))
