"""Pooled PxAP against scikit-learn on the pixels of all images."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from mammoseg.evaluation.method import Method
from mammoseg.evaluation.pooled import PixelCounts
from mammoseg.statistics.bootstrap import interval_from, patient_weights
from mammoseg.statistics.histogram import MapOnMask

PATIENTS = ["a", "a", "b", "c", "d", "e"]


def images(seed: int = 0, levels: int = 65536) -> list[MapOnMask]:
    rng = np.random.default_rng(seed)
    shapes = [(20, 10 + i) for i in range(len(PATIENTS))]
    found = [(rng.integers(200, levels // (i + 1), shape), rng.random(shape) < 0.1) for i, shape in enumerate(shapes)]
    return [MapOnMask(level.astype(np.uint16), mask) for level, mask in found]


def counts_of(found: list[MapOnMask]) -> PixelCounts:
    counts = PixelCounts()
    for patient, image in zip(PATIENTS, found, strict=True):
        counts.add(patient, *image.histograms)
    return counts


def brute(found: list[MapOnMask], times: np.ndarray, scaled: bool) -> float:
    truth, score, weight = [], [], []
    for image, often in zip(found, times, strict=True):
        level = image.levels_HW.astype(float).ravel()
        truth.append(image.mask_HW.ravel())
        score.append((level - level.min()) / (level.max() - level.min()) if scaled else level)
        weight.append(np.full(level.size, often))
    return average_precision_score(*map(np.concatenate, (truth, score)), sample_weight=np.concatenate(weight))


@pytest.mark.parametrize("levels", [65536, 5000])
def test_equals_scikit_learn_on_all_pixels(levels: int) -> None:
    found = images(levels=levels)
    numbers = counts_of(found).numbers(Method({}, bootstrap=0))
    once = np.ones(len(found))
    assert numbers["pxap_pooled"]["value"] == pytest.approx(brute(found, once, scaled=False), abs=1e-12)
    assert numbers["pxap_pooled_scaled"]["value"] == pytest.approx(brute(found, once, scaled=True), abs=2e-4)
    assert numbers["pxap_pooled"]["n"] == len(found)


def test_the_interval_is_that_of_reweighted_images() -> None:
    found = images(levels=3000)
    number = counts_of(found).numbers(Method({}, bootstrap=100, seed=4))["pxap_pooled"]
    drawn = [brute(found, row, scaled=False) for block in patient_weights(PATIENTS, 100, 4) for row in block]
    expected = interval_from(np.array(drawn), len(set(PATIENTS)))
    assert (number["low"], number["high"]) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert number["caution"] == "caution: only 5 patients"


def test_scaling_makes_maps_alike_that_differ_in_their_range() -> None:
    mask = np.zeros((10, 10), bool)
    mask[0, :5] = True
    high, low = np.where(mask, 60000, 50000), np.where(mask, 300, 100)
    counts = PixelCounts()
    for patient, level in (("a", high), ("b", low)):
        counts.add(patient, *MapOnMask(level.astype(np.uint16), mask).histograms)
    numbers = counts.numbers(Method({}, bootstrap=0))
    assert numbers["pxap_pooled_scaled"]["value"] == 1
    assert numbers["pxap_pooled"]["value"] == pytest.approx(0.5 + 0.5 * 10 / 105)
    assert counts.share == 0.05


def test_images_without_a_lesion_are_left_out() -> None:
    counts = PixelCounts()
    counts.add("a", *MapOnMask(np.ones((4, 4), np.uint16), np.zeros((4, 4), bool)).histograms)
    number = counts.numbers(Method({}, bootstrap=50))["pxap_pooled"]
    assert np.isnan([number["value"], number["low"], counts.share]).all()
    assert (number["n"], number["reason"]) == (0, "every mask is empty")
