"""Numbers of RJafroc, scikit-learn, and sums over all pairs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from mammoseg.statistics.froc import Marked, area, froc_curve

NONE = -np.inf
ONCE = np.ones((1, 8))


def marked_of(false: list[list[float]], found: list[list[float]]) -> Marked:
    """Ratings of the false marks of each image, and of the lesions of those at the end of the list."""
    first = len(false) - len(found)
    image = np.repeat(np.arange(len(false)), [len(ratings) for ratings in false])
    lesion_image = first + np.repeat(np.arange(len(found)), [len(ratings) for ratings in found])
    ratings = [np.array([rating for ratings in given for rating in ratings], float) for given in (found, false)]
    return Marked(np.arange(len(false)) < first, lesion_image, ratings[0], image, ratings[1])


# Eight cases that RJafroc's SimulateFrocDataset made (mu = 2, lambda = 1, nu = 1, zeta1 = -1, seed 1), as printed with the results
# of UtilFigureOfMerit in the book that comes with it (RJafrocFrocBook, "Meanings of FROC figures of merit").
SIMULATED = marked_of(
    [[], [0.4874291], [0.7383247, 0.5757814], [-0.3053884], [1.5117812], [], [], []],
    [[0.8523430], [-0.2146999], [1.5884892, NONE], [2.9438362, 1.98381]],
)


def test_afroc_of_rjafroc() -> None:
    assert area(SIMULATED, ONCE)[0] == pytest.approx(0.7708333, abs=1e-7)


def test_weighted_afroc_of_rjafroc() -> None:
    weights = np.array([1, 1, 0.6, 0.4, 0.4, 0.6])
    assert area(SIMULATED, ONCE, weights)[0] == pytest.approx(0.7875, abs=1e-7)


@pytest.mark.parametrize(
    ("third", "missed", "false", "expected"),
    [
        (5.7, NONE, [7.0, 2.3, 2.1], 0.2361111),
        (10.0, NONE, [7.0, 2.3, 2.1], 0.4583333),
        (5.7, 7.0, [2.3, 2.1], 0.5277778),
    ],
)
def test_weighted_afroc_of_rjafroc_with_equal_weights(
    third: float, missed: float, false: list[float], expected: float
) -> None:
    """wAFROC1 of three cases with 2, 4 and 1 lesions, where the false marks of all cases count: as if beside each case there were
    a normal image with its false marks. Printed in RJafroc's book, "Localization - classification tasks"."""
    beside = [[5.5, 1.2], false, [1.4, 6.1]]
    marked = marked_of([*beside, [], [], []], [[5.0, NONE], [6.1, 7.1, missed, 2.3], [third]])
    assert area(marked, np.ones((1, 6)), marked.lesion_share())[0] == pytest.approx(expected, abs=1e-7)


def test_points_of_the_curve_by_hand() -> None:
    """Six lesions on eight images: 2.94 L, 1.98 L, 1.59 L, 1.51 F, 0.85 L, 0.74 F, 0.58 F, 0.49 F, -0.21 L, -0.31 F."""
    curve = froc_curve(SIMULATED, ONCE)
    np.testing.assert_allclose(curve.found[0] * 6, [1, 2, 3, 3, 4, 4, 4, 4, 5, 5])
    np.testing.assert_allclose(curve.false[0] * 8, [0, 0, 0, 1, 1, 2, 3, 4, 4, 5])
    for rate, lesions in ((0, 3), (0.124, 3), (0.125, 4), (0.5, 5), (8, 5)):
        assert curve.found_at(rate)[0] == pytest.approx(lesions / 6)


def brute_area(marked: Marked, weights: np.ndarray, lesion_weight: np.ndarray) -> float:
    won = total = 0.0
    for image, z, w in zip(marked.lesion_image, marked.lesion_rating, lesion_weight, strict=True):
        for normal in np.flatnonzero(marked.normal):
            x = max(marked.false_rating[marked.false_image == normal], default=NONE)
            pair = w * weights[image] * weights[normal]
            won += pair * (1.0 if z > x else 0.5 if z == x else 0.0)
            total += pair
    return won / total if total else np.nan


def brute_curve(marked: Marked, weights: np.ndarray) -> list[tuple[float, float, float]]:
    ratings = [z for z in marked.lesion_rating if z > NONE] + list(marked.false_rating)
    points = []
    for threshold in sorted(set(ratings), reverse=True):
        found = sum(
            weights[i] for i, z in zip(marked.lesion_image, marked.lesion_rating, strict=True) if z >= threshold
        )
        false = sum(weights[i] for i, z in zip(marked.false_image, marked.false_rating, strict=True) if z >= threshold)
        points.append((threshold, found / weights[marked.lesion_image].sum(), false / weights.sum()))
    return points


@st.composite
def studies(draw: st.DrawFn) -> tuple[Marked, np.ndarray]:
    """With ties, images without marks, lesions without a hit."""
    normals, positives = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    rating = st.integers(0, 4).map(lambda level: level / 4)
    false = draw(st.lists(st.lists(rating, max_size=4), min_size=normals + positives, max_size=normals + positives))
    lesions = st.lists(st.one_of(st.just(NONE), rating), min_size=1, max_size=3)
    marked = marked_of(false, draw(st.lists(lesions, min_size=positives, max_size=positives)))
    weights = st.lists(st.integers(1, 3).map(float), min_size=normals + positives, max_size=normals + positives)
    return marked, np.array([draw(weights), [1.0] * (normals + positives)])


@given(studies())
def test_equals_sums_over_all_pairs_and_scikit_learn(study: tuple[Marked, np.ndarray]) -> None:
    marked, weights = study
    for share in (np.ones(marked.lesion_image.size), marked.lesion_share()):
        found = area(marked, weights, share)
        for value, row in zip(found, weights, strict=True):
            assert value == pytest.approx(brute_area(marked, row, share), abs=1e-12)
            highest = [
                max(marked.false_rating[marked.false_image == k], default=-1) for k in np.flatnonzero(marked.normal)
            ]
            ratings = np.concatenate([np.where(marked.lesion_rating == NONE, -1, marked.lesion_rating), highest])
            truth = np.arange(ratings.size) < marked.lesion_image.size
            counted = np.concatenate([row[marked.lesion_image] * share, row[marked.normal]])
            assert value == pytest.approx(roc_auc_score(truth, ratings, sample_weight=counted), abs=1e-12)


@given(studies())
def test_the_curve_counts_marks_above_each_threshold(study: tuple[Marked, np.ndarray]) -> None:
    marked, weights = study
    curve = froc_curve(marked, weights)
    for row, found, false in zip(weights, curve.found, curve.false, strict=True):
        expected = brute_curve(marked, row) or [(NONE, 0.0, 0.0)]
        np.testing.assert_allclose(np.array(expected), np.stack([curve.rating, found, false], axis=1), atol=1e-12)


@pytest.mark.filterwarnings("error")
def test_without_lesions_images_or_normal_images() -> None:
    nothing = np.zeros((1, 8))
    assert np.isnan(area(SIMULATED, nothing)).all()
    assert np.isnan(froc_curve(SIMULATED, nothing).found_at(1)).all()
    positives = np.array([[0, 0, 0, 0, 1, 1, 1, 1.0]])
    assert np.isnan(area(SIMULATED, positives)).all()
    assert froc_curve(SIMULATED, positives).found_at(1)[0] == pytest.approx(5 / 6)
    empty = marked_of([[]], [])
    assert np.isnan(froc_curve(empty, np.ones((1, 1))).found_at(1)).all()
