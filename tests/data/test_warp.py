"""What is drawn, and that everything on a window moves together."""

import numpy as np
import pytest
from pydantic import ValidationError

from mammoseg.data.cache import CropCache
from mammoseg.data.dataset import WindowDataset
from mammoseg.data.manifest import Manifest
from mammoseg.data.warp import WarpConfig, draw, warp_boxes, warp_image, warp_mask, warp_points
from mammoseg.training.config import TrainConfig

SHAPE = (96, 64)
NOTHING = WarpConfig(flip=False, rotation_deg=0, shift=0, scale=(1, 1), shear_deg=0, noise=0)


def matrices(config: WarpConfig, count: int = 40) -> list[np.ndarray]:
    return [draw(config, SHAPE, np.random.default_rng(seed)) for seed in range(count)]


def test_nothing_asked_for_changes_nothing() -> None:
    plane = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    for matrix in matrices(NOTHING, 3):
        np.testing.assert_allclose(matrix, [[1, 0, 0], [0, 1, 0]], atol=1e-12)
        np.testing.assert_allclose(warp_image(plane, matrix, -1), plane, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "low", "high"),
    [
        ({"scale": (0.8, 1.6)}, 0.8, 1.6),
        ({"rotation_deg": 15.0}, 1, 1),
        ({"shear_deg": 25.0}, 1, 1),
        ({"flip": True}, 1, 1),
    ],
)
def test_what_is_drawn_stays_within_its_limits(change: dict[str, object], low: float, high: float) -> None:
    """Areas tell scales; the centre stays where it is without a shift; nothing is always the same."""
    drawn = matrices(NOTHING.model_copy(update=change))
    scales = np.sqrt([abs(np.linalg.det(matrix[:, :2])) for matrix in drawn])
    assert low - 1e-9 <= scales.min() <= scales.max() <= high + 1e-9
    centre = np.array(SHAPE) / 2
    for matrix in drawn:
        np.testing.assert_allclose(warp_points(centre, matrix), centre)
    assert len({matrix.tobytes() for matrix in drawn}) > 1
    if "flip" in change:
        mirrored = sum(np.linalg.det(matrix[:, :2]) < 0 for matrix in drawn)
        assert 10 < mirrored < 30
    if "rotation_deg" in change:
        turns = [np.rad2deg(np.arctan2(matrix[0, 1], matrix[0, 0])) for matrix in drawn]
        assert max(map(abs, turns)) <= 15
        assert min(turns) < -5
        assert max(turns) > 5


def test_shifts_are_shares_of_the_sides() -> None:
    moves = np.array([matrix[:, 2] for matrix in matrices(NOTHING.model_copy(update={"shift": 0.1}))])
    assert (np.abs(moves) <= [9.6, 6.4]).all()
    assert (np.abs(moves).max(0) > [6, 4]).all()


def test_pixels_masks_points_and_boxes_move_together() -> None:
    rows, cols = np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5
    spot = np.array([40.0, 36.0])
    plane = np.exp(-((rows - spot[0]) ** 2 + (cols - spot[1]) ** 2) / 18).astype(np.float32)
    mask = (plane > 0.5).astype(np.float32)
    for matrix in matrices(WarpConfig(shift=0.05, scale=(0.8, 1.3))):
        moved, there = warp_image(plane, matrix, 0), warp_points(spot, matrix)
        centre = np.array([(rows * moved).sum(), (cols * moved).sum()]) / moved.sum()
        np.testing.assert_allclose(centre, there, atol=0.3)
        lesion = warp_mask(mask, matrix) == 1
        assert (lesion == (moved > 0.5)).mean() > 0.99
        [(top, left, bottom, right)] = warp_boxes([(37.0, 33.0, 43.0, 39.0)], matrix)
        assert top < there[0] < bottom
        assert left < there[1] < right


def test_unknown_masks_stay_unknown_and_nothing_comes_in_from_beyond() -> None:
    [matrix] = matrices(NOTHING.model_copy(update={"scale": (0.5, 0.5)}), 1)
    assert np.isnan(warp_mask(np.full(SHAPE, np.nan, np.float32), matrix)).all()
    assert warp_mask(np.ones(SHAPE, np.float32), matrix).mean() == pytest.approx(0.25, abs=0.02)
    assert warp_image(np.ones(SHAPE, np.float32), matrix, -2)[0, 0] == -2


@pytest.mark.parametrize("values", [{"scale": (1.2, 0.8)}, {"scale": (0, 1)}, {"shear_deg": 90}, {"shift": 0.6}])
def test_settings_that_cannot_be(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        WarpConfig.model_validate(values)


def test_samples_are_warped_whole(phantom_study: Manifest, tiny_config: TrainConfig, tmp_path: object) -> None:
    """Mask, outline and patch lie on what they lay on; another epoch is warped in another way."""
    cache = CropCache(tmp_path, tiny_config.prep)  # type: ignore[arg-type]
    rows = [row for row in phantom_study.rows() if row.labels["malignant"] and "malignant" in row.masks][:3]
    config = WarpConfig(shift=0.05, scale=(0.9, 1.1), noise=0)
    plain = WindowDataset(rows, cache, learns_from=("labels", "masks"))
    corners = {row.image_id: np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]]) + 40 for row in rows}
    outlines = {(row.image_id, "malignant"): corners[row.image_id] * [1.5, 1.0] for row in rows}
    warped = WindowDataset(rows, cache, learns_from=("labels", "masks"), warp=config)
    for index in range(len(rows)):
        before = plain.with_outlines(outlines).with_patches(16, corners).sample(index, 0)
        one, other = (warped.with_outlines(outlines).with_patches(16, corners).sample(index, epoch) for epoch in (0, 1))
        assert not np.array_equal(one.image_CHW, other.image_CHW)
        again = warped.sample(index, 0)
        assert np.array_equal(one.image_CHW, again.image_CHW)
        matrix = draw(config, SHAPE, np.random.default_rng((0, 0, index)))
        beyond = float(before.image_CHW.min())
        np.testing.assert_array_equal(one.image_CHW[0], warp_image(before.image_CHW[0].numpy(), matrix, beyond))
        for name in ("mask_KHW", "outline_KHW"):
            there, moved = getattr(before, name)[1].numpy(), getattr(one, name)[1]
            np.testing.assert_array_equal(moved, warp_mask(there, matrix))
        assert before.corners_P2 is not None
        expected = np.clip(np.rint(warp_points(before.corners_P2.numpy() + 8, matrix) - 8), 0, np.subtract(SHAPE, 16))
        np.testing.assert_array_equal(one.corners_P2, expected)  # type: ignore[arg-type]
