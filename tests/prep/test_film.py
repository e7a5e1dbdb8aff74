"""The breast on digitised films: generated ones, and real ones where present."""

import csv
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mammoseg.io.read import read_pixels
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.film import film_breast
from mammoseg.prep.pipeline import crop_breast, prepare
from mammoseg.records.image import Mammogram

CFG = PrepConfig(window=(1024, 768), background="film", opening_px=35, buffer_px=25)


def film(bits: int = 8) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
    """A breast pointing right on a noisy, uneven film, with label, letters, tape, stray pixels and zero bands."""
    rng = np.random.default_rng(2)
    y, x = np.mgrid[:600, :500]
    inside = ((y - 280) / 240) ** 2 + ((x - 60) / 260) ** 2
    breast = (inside <= 1) & (x >= 60)
    pixels = 12 + 8 * y / 600 + rng.normal(0, 2, breast.shape)
    pixels += np.where(breast, 60 + 90 * (1 - inside), 0) + 40 * np.exp(
        -(((y - 250) / 60) ** 2 + ((x - 150) / 50) ** 2)
    )
    pixels[20:80, 360:410] = 250
    pixels[100:110, 380:400] = 180
    pixels[:, 420:440] = 255
    pixels[:, :60] = pixels[:, 440:] = 0
    pixels[590, :30] = 40
    scaled = np.clip(pixels, 0, 255) * (2.0 ** (bits - 8))
    return scaled.astype(np.uint8 if bits == 8 else np.uint16), breast


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("mirrored", [False, True])
def test_finds_the_breast(bits: int, mirrored: bool) -> None:
    pixels, breast = film(bits)
    if mirrored:
        pixels, breast = pixels[:, ::-1], breast[:, ::-1]
    found = film_breast(pixels, 20)
    assert found is not None
    assert (found & breast).sum() / (found | breast).sum() > 0.97
    assert not found[20:80, 90 : 140 if mirrored else 0].any()


def test_corner_of_the_breast_at_the_film_edge_is_kept() -> None:
    pixels, _ = film()
    pixels = pixels[200:]  # the film now cuts through the breast
    found = film_breast(pixels, 20)
    assert found is not None
    assert found[0, 62:280].all()


def test_dark_spot_in_the_breast_is_filled() -> None:
    pixels, _ = film()
    pixels[250:256, 150:156] = 1
    found = film_breast(pixels, 3)
    assert found is not None
    assert found[250:256, 150:156].all()


def test_exact_zero_background_works_as_well() -> None:
    _, breast = film()
    found = film_breast(np.where(breast, 100, 0).astype(np.uint8), 20)
    assert found is not None
    assert (found & breast).sum() / (found | breast).sum() > 0.97


def test_no_breast() -> None:
    assert film_breast(np.zeros((100, 100), np.uint8), 20) is None
    assert film_breast(np.full((30, 100), 7, np.uint8), 20) is None


def test_prepared_film_shows_the_breast_only() -> None:
    pixels, breast = film()
    image = Mammogram(pixels, "L", "MLO", "a")
    crop = crop_breast(image, CFG)
    assert crop.notes == ()
    assert crop.pixels.max() < 255
    prepared = prepare(image, CFG)
    shown = prepared.grid.project(pixels) * (prepared.window > prepared.window.min())
    assert np.count_nonzero(shown) == pytest.approx(breast.sum(), rel=0.03)


@pytest.mark.shared
def test_real_films(shared: Path) -> None:
    """Some of the hardest: tape and frame beside the breast, tissue darker than background elsewhere."""
    folder = shared / "data" / "mias_dev"
    with (folder / "lesions.csv").open() as file:
        lesions = [row for row in csv.DictReader(file) if row["x"]]
    with (folder / "manifest.csv").open() as file:
        side = {row["image_id"]: row["laterality"] for row in csv.DictReader(file)}
    for name in ("mdb131", "mdb132", "mdb139", "mdb140", "mdb145", "mdb146", "mdb149", "mdb150", "mdb274", "mdb280"):
        pixels = read_pixels(folder / "images" / f"{name}.png")
        mask = film_breast(pixels, CFG.opening_px)
        assert mask is not None
        assert 0.3 < mask.mean() < 0.7
        assert not (mask & (pixels >= 250)).any()  # tape
        for row in lesions:
            if row["image_id"] == name:
                assert mask[int(row["y"]), int(row["x"])]
        crop = crop_breast(Mammogram(pixels, side[name], "MLO", name), CFG)
        assert crop.flipped == (side[name] == "R")
        assert crop.notes == ()
