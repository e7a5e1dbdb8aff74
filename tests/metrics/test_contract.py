"""What every metric promises, whoever wrote it: those of mammoseg and some outside of it, each one file."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from mammoseg.evaluation.method import Method, load_metrics
from mammoseg.plugins import METRICS, names
from mammoseg.statistics.froc import Marked
from mammoseg.statistics.histogram import MapOnMask, RandomOnMask

OUTSIDE = ("my_lab.metrics.toy", "my_lab.metrics.brier", "my_lab.metrics.first_mark")
LABELS = np.array([0, 1, 1, 0, 0, 1, 0, 0], float)
SCORES = np.array([0.1, 0.9, 0.4, 0.4, 0.4, 0.7, 0.2, 0.8])


@pytest.fixture(scope="module")
def metrics() -> dict[str, ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[1] / "plugins"))
        return load_metrics(OUTSIDE)


@pytest.fixture
def of_scores(metrics: dict[str, ModuleType]) -> dict[str, Callable[..., np.ndarray]]:
    return Method(metrics).of_scores()


def marked_of(order: np.ndarray, times: np.ndarray | None = None) -> Marked:
    """Three normal images and three with lesions, in another order, each as often as `times` says."""
    per_image = [([], [0.4, 0.2]), ([], []), ([], [0.9]), ([0.9, -np.inf], [0.4]), ([0.5], []), ([-np.inf], [0.3])]
    chosen = [per_image[i] for i in (order if times is None else np.repeat(order, times[order]))]
    lesions = [(i, rating) for i, (found, _) in enumerate(chosen) for rating in found]
    false = [(i, rating) for i, (_, beside) in enumerate(chosen) for rating in beside]
    columns = [np.array(column) for pairs in (lesions, false) for column in zip(*pairs, strict=True)]
    return Marked(np.array([not found for found, _ in chosen]), *columns)


def images(rng: np.random.Generator) -> MapOnMask:
    mask_HW = np.zeros((30, 20), bool)
    mask_HW[5:12, 3:11] = True
    return MapOnMask(rng.integers(0, 65536, (30, 20), dtype=np.uint16), mask_HW)


def test_every_file_is_a_metric_and_so_is_a_module_outside(metrics: dict[str, ModuleType]) -> None:
    assert list(metrics) == [*names(METRICS), "toy", "brier", "first_mark"]
    assert {module.KIND for module in metrics.values()} == {"scores", "maps", "marks"}
    titles = Method(metrics).titles()
    assert titles.items() >= {
        "auc": "AUC", "average_precision": "Average precision", "brier": "Brier score", "dice_soft": "Dice (soft)",
        "iou_soft": "IoU (soft)", "partial_auc": "Partial AUC", "pointing_inside": "Peak in the lesion (inside)", "pxap": "PxAP",
        "toy": "Pointing game", "froc_cpm": "FROC (cpm)", "afroc": "AFROC", "wafroc": "Weighted AFROC",
        "first_mark": "First mark in the lesion",
    }.items()  # fmt: skip


def test_the_order_of_cases_does_not_matter(of_scores: dict[str, Callable[..., np.ndarray]]) -> None:
    rng = np.random.default_rng(0)
    weights = rng.integers(0, 3, (5, LABELS.size)).astype(float)
    order = rng.permutation(LABELS.size)
    for measure in of_scores.values():
        values = measure(LABELS, SCORES, weights)
        assert values.shape == (5,)
        np.testing.assert_allclose(measure(LABELS[order], SCORES[order], weights[:, order]), values, rtol=1e-12)


def test_a_weight_is_how_often_a_case_is_there(of_scores: dict[str, Callable[..., np.ndarray]]) -> None:
    times = np.array([2, 1, 0, 3, 1, 1, 0, 2])
    for measure in of_scores.values():
        repeated = np.repeat(LABELS, times), np.repeat(SCORES, times), np.ones((1, times.sum()))
        np.testing.assert_allclose(measure(LABELS, SCORES, times[None].astype(float)), measure(*repeated), rtol=1e-12)


@pytest.mark.filterwarnings("error")
def test_without_a_case_it_is_undefined(of_scores: dict[str, Callable[..., np.ndarray]]) -> None:
    """The row of weights that has none is NaN, the others are not touched by it."""
    weights = np.stack([np.ones(LABELS.size), np.zeros(LABELS.size)])
    for measure in of_scores.values():
        values = measure(LABELS, SCORES, weights)
        assert np.isnan(values).tolist() == [False, True]
        assert values[0] == measure(LABELS, SCORES, weights[:1])[0]
        assert np.isnan(measure(np.empty(0), np.empty(0), np.ones((1, 0)))).all()


@pytest.mark.filterwarnings("error")
def test_a_map_on_an_empty_mask_is_undefined(metrics: dict[str, ModuleType]) -> None:
    image = images(np.random.default_rng(0))
    numbers = Method(metrics).of_map(MapOnMask(image.levels_HW, np.zeros_like(image.mask_HW)))
    assert {"dice_soft", "pxap", "toy"} <= numbers.keys()
    assert all(map(np.isnan, numbers.values()))


def test_maps_are_compared_pixel_by_pixel(metrics: dict[str, ModuleType]) -> None:
    """The same numbers for an image that is mirrored with its mask; a perfect map is better than one by chance."""
    image = images(np.random.default_rng(0))
    numbers = Method(metrics).of_map(image)
    mirrored = MapOnMask(image.levels_HW[:, ::-1].copy(), image.mask_HW[:, ::-1].copy())
    assert Method(metrics).of_map(mirrored) == numbers
    perfect = Method(metrics).of_map(MapOnMask(image.mask_HW.astype(np.uint16) * 65535, image.mask_HW))
    by_chance = Method(metrics).of_map(RandomOnMask(image.mask_HW, np.random.default_rng(1)))
    assert perfect.keys() == numbers.keys() == by_chance.keys()
    assert perfect.pop("pointing_distance") == 0 < by_chance.pop("pointing_distance")
    assert all(value == 1 for value in perfect.values())
    assert all(0 <= value < 1 for value in by_chance.values())


def test_the_order_of_images_with_marks_does_not_matter_and_a_weight_is_how_often_one_is_there(
    metrics: dict[str, ModuleType],
) -> None:
    times, order = np.array([2, 1, 0, 3, 1, 2]), np.array([3, 0, 5, 1, 4, 2])
    method = Method(metrics)
    weighted = method.of_marks(marked_of(np.arange(6)), times[None].astype(float))
    repeated = marked_of(order, times)
    assert weighted.keys() >= {"froc_cpm", "froc_at_1", "froc_found", "froc_false", "afroc", "wafroc", "first_mark"}
    for name, values in method.of_marks(repeated, np.ones((1, repeated.normal.size))).items():
        np.testing.assert_allclose(weighted[name], values, rtol=1e-12, err_msg=name)
    for name, values in method.of_marks(marked_of(order), times[order][None].astype(float)).items():
        np.testing.assert_allclose(weighted[name], values, rtol=1e-12, err_msg=name)


@pytest.mark.filterwarnings("error")
def test_marks_without_an_image_are_undefined(metrics: dict[str, ModuleType]) -> None:
    method, marked = Method(metrics), marked_of(np.arange(6))
    both = method.of_marks(marked, np.stack([np.ones(6), np.zeros(6)]))
    for name, values in both.items():
        assert np.isnan(values).tolist() == [False, True], name
        assert values[0] == method.of_marks(marked, np.ones((1, 6)))[name][0]
    nothing = np.zeros(0)
    empty = Marked(nothing.astype(bool), nothing.astype(int), nothing, nothing.astype(int), nothing)
    assert all(np.isnan(values).all() for values in method.of_marks(empty, np.ones((1, 0))).values())
