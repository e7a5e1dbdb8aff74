"""Windows for the network: the same for the same seed, epoch and row, whoever reads them; patches follow the window."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from mammoseg.data.batching import BalancedExamSampler, loader_processes
from mammoseg.data.cache import CropCache
from mammoseg.data.dataset import Sample, WindowDataset, collate
from mammoseg.data.manifest import ImageRow, Manifest
from mammoseg.io.read import ImageReadError, read_mask, read_pixels
from mammoseg.prep.normalize import normalize
from mammoseg.prep.pipeline import prepare
from mammoseg.prep.window import WindowNoise, cut_window
from mammoseg.records.label import CLASSES
from mammoseg.training.config import TrainConfig

MakeData = Callable[..., WindowDataset]


@pytest.fixture(scope="module")
def rows(phantom_study: Manifest) -> list[ImageRow]:
    return list(phantom_study.rows())


@pytest.fixture(scope="module")
def make(rows: list[ImageRow], tiny_config: TrainConfig, tmp_path_factory: pytest.TempPathFactory) -> MakeData:
    cache = CropCache(tmp_path_factory.mktemp("cache"), tiny_config.prep)

    def make_data(of: list[ImageRow] | None = None, displaced: bool = True, **changes: object) -> WindowDataset:
        noise = WindowNoise((4, 4), 4) if displaced else None
        return WindowDataset(of or rows, cache, noise, **changes)  # type: ignore[arg-type]

    return make_data


def same(a: Sample, b: Sample) -> bool:
    return a.row == b.row and torch.equal(a.image_CHW, b.image_CHW)


def test_a_sample(make: MakeData, rows: list[ImageRow]) -> None:
    sample = make()[3, 0]
    assert sample.image_CHW.shape == (1, 96, 64)
    assert sample.image_CHW.dtype == torch.float32
    assert abs(float(sample.image_CHW.mean())) < 1e-4
    assert sample.label_K.tolist() == rows[3].label_K(CLASSES).tolist()
    assert sample.corners_P2 is None
    assert sample.row == 3


@pytest.mark.parametrize("fit", ["cut", "resize"])
def test_heatmaps_are_displaced_with_the_image(
    rows: list[ImageRow], tiny_config: TrainConfig, tmp_path: Path, fit: str
) -> None:
    """An image that is its own heatmap: the channels differ in the normalisation alone."""
    own = [replace(row, heatmaps=dict.fromkeys(CLASSES, row.path)) for row in rows[:2]]
    prep = tiny_config.prep.model_copy(update={"fit": fit})
    cache, noise = CropCache(tmp_path, prep, heatmaps=("benign", "malignant")), WindowNoise((4, 4), 4)
    data = WindowDataset(own, cache, noise, seed=7)
    plain = WindowDataset(own, CropCache(tmp_path, prep), noise, seed=7)
    for index, epoch in [(0, 0), (1, 0), (1, 3)]:
        image_CHW = data[index, epoch].image_CHW
        assert image_CHW.shape == (3, 96, 64)
        assert image_CHW.dtype == torch.float32
        rng = np.random.default_rng((7, epoch, index))
        raw, _ = cut_window(cache.get(own[index]), prep.window, noise, rng, prep.fit)
        np.testing.assert_array_equal(image_CHW[0], normalize(raw))
        np.testing.assert_array_equal(image_CHW[1], raw / np.float32(65535))
        assert torch.equal(image_CHW[1], image_CHW[2])
        assert torch.equal(image_CHW[:1], plain[index, epoch].image_CHW)
    assert not torch.equal(data[1, 0].image_CHW[1], data[1, 3].image_CHW[1])
    assert collate([data[0, 0], data[1, 0]])[0].image_BCHW.shape == (2, 3, 96, 64)


def test_windows_are_as_the_preparation_says(rows: list[ImageRow], tiny_config: TrainConfig, tmp_path: Path) -> None:
    prep = tiny_config.prep.model_copy(update={"fit": "resize", "intensity": "unit"})
    data = WindowDataset(rows[:1], CropCache(tmp_path, prep), WindowNoise((4, 4), 4))
    image_CHW = data[0, 0].image_CHW
    assert (image_CHW.min(), image_CHW.max()) == (0, 1)
    prepared = prepare(rows[0].mammogram(read_pixels(rows[0].path)), prep)
    assert data.grid(0) == prepared.grid
    assert (prepared.grid.height, prepared.grid.width) != prep.window


def test_unknown_labels_are_nan(make: MakeData, rows: list[ImageRow]) -> None:
    sample = make([replace(rows[0], labels={"malignant": 1})])[0, 0]
    assert torch.isnan(sample.label_K).tolist() == [True, False]


def test_displacement_follows_from_seed_epoch_and_row(make: MakeData, rows: list[ImageRow]) -> None:
    data, again = make(seed=1), make(seed=1)
    for key in [(0, 0), (0, 1), (5, 0), (5, 3)]:
        again[7, 2]  # what was read before does not matter
        np.random.seed(key[1])  # noqa: NPY002  # nor do the global generators
        torch.manual_seed(key[1])
        assert same(data[key], again[key])
    assert not torch.equal(data[0, 0].image_CHW, data[0, 1].image_CHW)
    assert not torch.equal(data[0, 0].image_CHW, make(seed=2)[0, 0].image_CHW)
    twice = make([rows[0], rows[0]])
    assert not torch.equal(twice[0, 0].image_CHW, twice[1, 0].image_CHW)


def test_without_noise_nothing_is_random(make: MakeData) -> None:
    plain = make(displaced=False)
    assert same(plain[4, 0], plain[4, 9])


def test_worker_processes_give_the_same_batches(make: MakeData, rows: list[ImageRow]) -> None:
    epochs = []
    for workers in (0, 2):
        sampler = BalancedExamSampler(rows, seed=0)
        sampler.set_epoch(3)
        epochs.append(list(DataLoader(make(), 8, sampler=sampler, collate_fn=collate, **loader_processes(workers))))
    for (batch, indices), (other, others) in zip(*epochs, strict=True):
        assert indices == others
        assert torch.equal(batch.image_BCHW, other.image_BCHW)
        assert torch.equal(batch.label_BK, other.label_BK)


def test_can_be_sent_to_a_new_process(make: MakeData) -> None:
    data = make(seed=3)
    assert same(pickle.loads(pickle.dumps(data))[2, 1], data[2, 1])  # noqa: S301


def test_patches_stay_on_their_place_in_the_image(make: MakeData, rows: list[ImageRow]) -> None:
    """Centres are in original pixels: whatever the displacement, the patch shows the same tissue."""
    plain = make(displaced=False)
    centres = {row.image_id: plain.grid(i).to_original(np.array([[48.0, 32.0]])) for i, row in enumerate(rows)}
    data = make(patch_px=16, patch_centres=centres)
    undisplaced = make(displaced=False, patch_px=16, patch_centres=centres)
    assert undisplaced[0, 0].corners_P2.tolist() == [[40, 24]]  # type: ignore[union-attr]
    moved = 0
    for epoch in range(5):
        sample = data[0, epoch]
        assert sample.corners_P2 is not None
        assert sample.corners_P2.dtype == torch.int64
        row, col = sample.corners_P2[0].tolist()
        patch = sample.image_CHW[0, row : row + 16, col : col + 16]
        expected = undisplaced[0, 0].image_CHW[0, 40:56, 24:40]
        assert np.corrcoef(patch.flatten(), expected.flatten())[0, 1] > 0.9
        moved += (row, col) != (40, 24)
    assert moved


def test_patches_keep_inside_the_window(make: MakeData, rows: list[ImageRow]) -> None:
    corners = {"top": (-900.0, -900.0), "bottom": (9000.0, 9000.0)}
    data = make(rows[:1], patch_px=32, patch_centres={rows[0].image_id: np.array(list(corners.values()))})
    found = data[0, 0].corners_P2.tolist()  # type: ignore[union-attr]
    assert {row for row, _ in found} == {0, 96 - 32}
    assert {col for _, col in found} == {0, 64 - 32}


def test_collate(make: MakeData, rows: list[ImageRow]) -> None:
    centres = {row.image_id: np.zeros((3, 2)) for row in rows}
    data = make(patch_px=8, patch_centres=centres)
    batch, indices = collate([data[4, 0], data[1, 0]])
    assert batch.image_BCHW.shape == (2, 1, 96, 64)
    assert batch.label_BK.shape == (2, 2)
    assert batch.corners_BP2 is not None
    assert batch.corners_BP2.shape == (2, 3, 2)
    assert indices == [4, 1]
    assert collate([make()[0, 0]])[0].corners_BP2 is None


def test_masks_lie_on_the_window(make: MakeData, rows: list[ImageRow]) -> None:
    data = make(displaced=False)
    index = next(i for i, row in enumerate(rows) if "malignant" in row.masks)
    masks = data.masks(index)
    file = rows[index].masks["malignant"]
    assert file is not None
    assert np.array_equal(masks["malignant"], data.grid(index).project(read_mask(file)))
    assert masks["malignant"].shape == (96, 64)
    assert masks["malignant"].any()
    assert ("benign" in masks) == ("benign" in rows[index].masks)


def test_a_mask_of_the_window_is_taken_as_it_is(make: MakeData, rows: list[ImageRow], tmp_path: Path) -> None:
    """On a mirrored breast, with a lesion at the border that is padding in the image: not a pixel is lost."""
    right = next(row for row in rows if row.laterality == "R")
    window = np.zeros((96, 64), np.uint8)
    window[60:70, 50:64] = 255
    cv2.imwrite(str(tmp_path / "mask.png"), window)
    data = make([replace(right, masks={"malignant": tmp_path / "mask.png"}, mask_frame="window")])
    assert data.grid(0).flipped
    assert list(data.masks(0)) == ["malignant"]
    assert np.array_equal(data.masks(0)["malignant"], window > 0)


def test_no_mask_is_not_an_empty_mask(make: MakeData, rows: list[ImageRow]) -> None:
    index = next(i for i, row in enumerate(rows) if not row.masks)
    assert make().masks(index) == {}


def test_a_mask_of_another_size_is_named(make: MakeData, rows: list[ImageRow], tmp_path: Path) -> None:
    file = tmp_path / "mask.png"
    cv2.imwrite(str(file), np.zeros((10, 20), np.uint8))
    data = make([replace(rows[0], masks={"benign": file})])
    with pytest.raises(ImageReadError, match=r"mask\.png: the mask has \(10, 20\) pixels. Expected \(208, 160\)"):
        data.masks(0)
