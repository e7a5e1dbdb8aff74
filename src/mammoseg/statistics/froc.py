"""Marks with ratings against lesions: what free-response (FROC) metrics count, for many reweighted copies of the data at once.

A mark in a lesion is a lesion localisation, any other a non-lesion localisation. A lesion has the rating of its highest mark;
further marks on it count neither as true nor as false. An image has the rating of its highest non-lesion localisation. What was
not marked has the rating -inf, and ties with what was not marked either.

    LLF(t)     share of the lesions with a rating of t or more
    NLF(t)     non-lesion localisations with a rating of t or more for each image, whatever it shows
    area       sum over lesions l and normal images k of w_l v_k psi(z_l, x_k), over the sum of w_l v_k;
               psi is 1 for z > x, 1/2 for z = x, 0 for z < x

Source   Chakraborty 2017, Observer Performance Methods for Diagnostic Imaging, ch. 13 and 14; Bunch et al. 1978 (FROC); Chakraborty
         1989 (AFROC); Chakraborty and Zhai 2016, Medical Physics 43:2548 (weighted AFROC).
Shapes   n images | L lesions | M non-lesion localisations | R replicates | T distinct ratings
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mammoseg.statistics.ranking import Floats, weights_by_score

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Marked:
    """What a metric of marks gets: n images of which it is known where their lesions are, or that they have none."""

    normal: NDArray[np.bool_]
    """(n,) True: an image without a lesion."""
    lesion_image: Ints
    """(L,) index of the image of each lesion."""
    lesion_rating: Floats
    """(L,) rating of its highest mark; -inf: no mark hits it."""
    false_image: Ints
    """(M,) index of the image of each non-lesion localisation."""
    false_rating: Floats
    """(M,) its rating, finite."""

    def lesion_share(self) -> Floats:
        """(L,) 1 / number of lesions of the image: weights that make every image with a lesion count alike."""
        per_image = np.bincount(self.lesion_image, minlength=self.normal.size)
        return 1 / per_image[self.lesion_image]


@dataclass(frozen=True, eq=False)
class Curve:
    """Points of an FROC curve, from the highest rating down."""

    rating: Floats
    """(T,) thresholds."""
    found: Floats
    """(R, T) lesion localisation fraction; NaN without a lesion."""
    false: Floats
    """(R, T) non-lesion localisations per image; NaN without an image."""

    def found_at(self, false_per_image: float) -> Floats:
        """(R,) the largest share of lesions found by a threshold with at most so many non-lesion localisations per image.

        0 where every threshold has more: a threshold above all ratings finds nothing. A curve that ends before is not extended.
        """
        allowed = (self.false <= false_per_image + 1e-12).sum(axis=1)  # they rise with every threshold
        reached = np.concatenate([np.zeros((len(self.found), 1)), self.found], axis=1)
        found = np.take_along_axis(reached, allowed[:, None], axis=1)[:, 0]
        undefined = np.isnan(self.found).any(axis=1) | np.isnan(self.false).any(axis=1)
        return np.where(undefined, np.nan, found)


def froc_curve(marked: Marked, weights: Floats) -> Curve:
    """The curve for every row of `weights` (R, n): how often each image counts. Without a mark it has one point, at -inf."""
    lesions, images = weights[:, marked.lesion_image].sum(axis=1), weights.sum(axis=1)
    hit = np.isfinite(marked.lesion_rating)
    ratings = np.concatenate([marked.lesion_rating[hit], marked.false_rating])
    if not ratings.size:
        ratings = np.array([-np.inf])
    order, rank = np.unique(-ratings, return_inverse=True)
    n_hit = int(hit.sum())
    found = _sums(weights[:, marked.lesion_image[hit]], rank[:n_hit], order.size)
    false = _sums(weights[:, marked.false_image], rank[n_hit : n_hit + marked.false_image.size], order.size)
    return Curve(-order, _over(np.cumsum(found, axis=1), lesions), _over(np.cumsum(false, axis=1), images))


def area(marked: Marked, weights: Floats, lesion_weight: Floats | None = None) -> Floats:
    """(R,) figure of merit of the AFROC, or with `lesion_weight` (L,) of the weighted AFROC, for every row of `weights` (R, n).

    The area under the curve of LLF (of weighted lesions) over the share of normal images with a non-lesion localisation, with a
    straight line to (1, 1). NaN where no lesion or no normal image has a weight.
    """
    per_lesion = np.ones(marked.lesion_image.size) if lesion_weight is None else lesion_weight
    highest = np.full(marked.normal.size, -np.inf)
    np.maximum.at(highest, marked.false_image, marked.false_rating)
    ratings = np.concatenate([marked.lesion_rating, highest[marked.normal]])
    truth = np.repeat([1.0, 0.0], [per_lesion.size, int(marked.normal.sum())])
    _, rank = np.unique(ratings, return_inverse=True)
    counted = np.concatenate([weights[:, marked.lesion_image] * per_lesion, weights[:, marked.normal]], axis=1)
    lesions, normals = weights_by_score(truth, rank, counted)
    below = np.cumsum(normals, axis=1) - normals
    won = (lesions * (below + normals / 2)).sum(axis=1)
    return _over(won, lesions.sum(axis=1) * normals.sum(axis=1))


def _sums(values: Floats, group: Ints, groups: int) -> Floats:
    """Sums (R, groups) of the columns of `values` (R, N) that belong together."""
    order = np.argsort(group, kind="stable")
    present, starts = np.unique(group[order], return_index=True)
    sums = np.zeros((len(values), groups))
    if present.size:
        sums[:, present] = np.add.reduceat(values[:, order], starts, axis=1)
    return sums


def _over(values: Floats, whole: Floats) -> Floats:
    """values (R, ...) / whole (R,), NaN where that is 0."""
    divisor = whole.reshape(-1, *[1] * (values.ndim - 1))
    return np.divide(values, divisor, out=np.full(values.shape, np.nan), where=divisor > 0)
