import numpy as np
import pytest

from mammoseg.phantom.config import PhantomConfig
from mammoseg.phantom.lesions import Lesion, Place, Speck, draw_mass, draw_speck, sample_specks

SMALL = PhantomConfig.small()


def lesion(label: str, typical: bool = True) -> Lesion:
    return Lesion("cluster", label, Place(1.0, 2.0, 30.0), 6.0, 0.4, typical)


@pytest.mark.parametrize("pixel_mm", [0.07, 0.56])
@pytest.mark.parametrize("spiculated", [False, True])
def test_mass_has_its_radius_and_contrast(pixel_mm: float, spiculated: bool) -> None:
    areas = []
    for i in range(20):
        mass = draw_mass((100.3, 80.7), 6.0, 0.2, spiculated, pixel_mm, np.random.default_rng(i))
        middle = mass.signal[100 - mass.top, 80 - mass.left]
        assert middle == pytest.approx(0.2, rel=0.15)
        assert abs(float(mass.signal[0].max())) < 0.06
        areas.append(mass.mask.sum() * pixel_mm**2)
    assert np.sqrt(np.mean(areas) / np.pi) == pytest.approx(6.0, rel=0.08)


def test_only_spiculated_masses_reach_far_beyond_their_core() -> None:
    def beyond(spiculated: bool) -> float:
        mass = draw_mass((0.0, 0.0), 8.0, 1.0, spiculated, 0.56, np.random.default_rng(1))
        row, column = np.indices(mass.signal.shape)
        distance = np.hypot(row + mass.top + 0.5, column + mass.left + 0.5) * 0.56
        return float(mass.signal[(distance > 11.5) & (distance < 12.5)].max())

    assert beyond(True) > 0.2
    assert beyond(False) < 0.05


@pytest.mark.parametrize("spiculated", [False, True])
def test_an_ill_defined_mass_fades_over_its_radius(spiculated: bool) -> None:
    """As bright in its middle and as large, without a halo; its margin is less steep, and ends in its square."""
    for seed in range(10):
        sharp, faded = (
            draw_mass((100.3, 80.7), 8.0, 0.2, spiculated, 0.07, np.random.default_rng(seed), ill)
            for ill in (False, True)
        )
        assert faded.mask.sum() == pytest.approx(sharp.mask.sum())
        assert faded.signal.max() == pytest.approx(sharp.signal.max(), rel=0.15)
        assert faded.signal.min() >= 0
        assert max(faded.signal[0].max(), faded.signal[:, -1].max()) < 0.02
        if not spiculated:  # there the spicules are as sharp as ever
            steep = [np.hypot(*np.gradient(mass.signal)).max() for mass in (sharp, faded)]
            assert steep[1] < 0.7 * steep[0]


def test_cluster_looks() -> None:
    fine = sample_specks(lesion("malignant"), SMALL, np.random.default_rng(0))
    coarse = sample_specks(lesion("benign"), SMALL, np.random.default_rng(0))
    swapped = sample_specks(lesion("malignant", typical=False), SMALL, np.random.default_rng(0))
    assert len(fine) >= 12 > len(coarse)
    assert len(swapped) == len(coarse)
    assert np.mean([s.radius_mm for s in fine]) < np.mean([s.radius_mm for s in coarse])
    assert max(s.stretch for s in coarse) < 1.2
    for speck in (*fine, *coarse):
        assert np.linalg.norm(np.subtract(speck.place, (1.0, 2.0, 30.0))) <= 6.0


def test_speck_keeps_its_total_signal_when_pixels_grow() -> None:
    speck = Speck(Place(0, 0, 0), 0.3, 1.0, 0.5)
    fine, coarse = (
        draw_speck((10.2, 20.9), speck, pixel, np.random.default_rng(0)).signal.sum() * pixel**2
        for pixel in (0.1, 0.56)
    )
    assert fine == pytest.approx(coarse, rel=0.02)
    assert draw_speck((10.2, 20.9), speck, 0.56, np.random.default_rng(0)).signal.max() < 0.5
