"""How alike phantoms on film and real films are: grey levels, spectrum, fine noise, what is beside the breast.

    python benchmarks/film_look.py OUT [--mias MINI_MIAS] [--cbis CBIS_MASS] [--films 20]

MINI_MIAS and CBIS_MASS as benchmarks/card_cbis.py takes them; of CBIS_MASS films of split train. MLO views, with pixels of 0.3 mm
(CBIS: about). OUT/table.csv has a row for each source, mean and standard deviation over films; OUT/films.png shows six of each.

All grey levels are shares of the range of the file. Breast: as `prepare` finds it on films, without its outer 5 mm. Slope: b in a
power spectrum 1 / f^b of the square of 38 mm in the middle of the breast, between 0.15 and 0.7 cycles per mm. Fine noise: the
standard deviation after Immerkaer (1996) in the darkest fifth of the breast, which fine tissue is part of.
"""

import argparse
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from films import HEIGHT, WIDTH
from mammoseg.phantom.config import PhantomConfig
from mammoseg.phantom.exam import generate_exam
from mammoseg.prep.film import film_breast

PIXEL_MM = 0.3
MIAS_MM = 0.2
SQUARE = 128
SHOWN = 6
SKIN_PX = round(5 / PIXEL_MM)
OPENING_PX = 23
FREQUENCIES = (0.15, 0.7)
Film = NDArray[np.float32]


def phantoms(look: str, films: int) -> Iterator[Film]:
    config = PhantomConfig.model_validate({"rows": HEIGHT, "columns": WIDTH, "pixel_mm": PIXEL_MM, "look": look})
    for index in range(films):
        yield np.float32(generate_exam(config, index, 0).images["LR"[index % 2] + "-MLO"].pixels / 4095)


def mias(source: Path, films: int) -> Iterator[Film]:
    paths = sorted((source / "images").glob("*.png"))
    for path in paths[:: len(paths) // films][:films]:
        whole = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        yield np.float32(
            cv2.resize(whole, None, fx=MIAS_MM / PIXEL_MM, fy=MIAS_MM / PIXEL_MM, interpolation=cv2.INTER_AREA) / 255
        )


def cbis(source: Path, films: int) -> Iterator[Film]:
    table = pd.read_csv(source / "labels.csv")
    names = sorted(table.loc[(table["split"] == "train") & (table["view"] == "MLO"), "file"])
    for name in names[:: len(names) // films][:films]:
        whole = cv2.imread(str(source / "images" / name), cv2.IMREAD_GRAYSCALE)
        yield np.float32(cv2.resize(whole, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA) / 255)


def slope(square: Film) -> float:
    """b of a spectrum 1 / f^b."""
    window = np.outer(np.hanning(SQUARE), np.hanning(SQUARE))
    power = np.abs(np.fft.fft2((square - square.mean()) * window)) ** 2
    at = np.fft.fftfreq(SQUARE, PIXEL_MM)
    frequency = np.hypot(at[:, None], at[None, :])
    edges = np.geomspace(*FREQUENCIES, 9)
    rings = [(frequency >= low) & (frequency < high) for low, high in pairwise(edges)]
    measured = [(np.log(frequency[ring]).mean(), np.log(power[ring].mean())) for ring in rings if ring.any()]
    return -float(np.polyfit(*np.transpose(measured), 1)[0])


def measured(film: Film) -> dict[str, float] | None:
    """All numbers of a film; None if its breast has no room for the square."""
    breast = film_breast(film, OPENING_PX)
    if breast is None:
        return None
    skin = cv2.distanceTransform(np.pad(breast, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    inside = skin > SKIN_PX
    half = SQUARE // 2
    middle = np.where(inside, skin, 0)
    middle[:half], middle[-half:], middle[:, :half], middle[:, -half:] = 0, 0, 0, 0
    row, column = np.unravel_index(middle.argmax(), middle.shape)
    if middle.max() < half:
        return None
    levels, beside = film[inside], film[~breast]
    curved = np.abs(cv2.filter2D(film, -1, np.float32([[1, -2, 1], [-2, 4, -2], [1, -2, 1]])))
    fat = inside & (film < np.quantile(levels, 0.2))
    return {
        **{f"level {share} %": float(np.percentile(levels, share)) for share in (5, 50, 95)},
        "slope": slope(film[row - half : row + half, column - half : column + half]),
        "fine noise in fat, %": 100 * float(np.sqrt(np.pi / 2) / 6 * curved[fat].mean()),
        "beside: median": float(np.median(beside)),
        "beside: bright, %": 100 * float((beside > 0.8).mean()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--mias", type=Path)
    parser.add_argument("--cbis", type=Path)
    parser.add_argument("--films", type=int, default=20)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    sources: dict[str, Callable[[], Iterator[Film]]] = {
        "phantoms, digital": lambda: phantoms("digital", given.films),
        "phantoms, film": lambda: phantoms("film", given.films),
    }
    if given.mias:
        sources["mini-MIAS"] = lambda: mias(given.mias, given.films)
    if given.cbis:
        sources["CBIS-DDSM masses"] = lambda: cbis(given.cbis, given.films)
    rows, pictures = [], []
    for name, films in sources.items():
        all_of_it = list(films())
        found = pd.DataFrame([numbers for film in all_of_it if (numbers := measured(film))])
        cells = {column: f"{values.mean():.2f} ({values.std():.2f})" for column, values in found.items()}
        rows.append({"source": name, "films": len(found), **cells})
        small = [
            cv2.resize(film, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA) for film in all_of_it[:SHOWN]
        ]
        pictures.append(np.hstack([np.pad(film, ((0, 4), (0, 4)), constant_values=0.5) for film in small]))
    table = pd.DataFrame(rows)
    table.to_csv(given.out / "table.csv", index=False)
    cv2.imwrite(str(given.out / "films.png"), np.rint(255 * np.vstack(pictures)).astype(np.uint8))
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
