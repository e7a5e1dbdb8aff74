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
from mammoseg.data.dataset import Collate, Sample, WindowDataset
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
    assert Collate()([data[0, 0], data[1, 0]])[0].image_BCHW.shape == (2, 3, 96, 64)


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
        epochs.append(list(DataLoader(make(), 8, sampler=sampler, collate_fn=Collate(), **loader_processes(workers))))
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
    data = make().with_patches(16, centres)
    undisplaced = make(displaced=False).with_patches(16, centres)
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
    data = make(rows[:1]).with_patches(32, {rows[0].image_id: np.array(list(corners.values()))})
    found = data[0, 0].corners_P2.tolist()  # type: ignore[union-attr]
    assert {row for row, _ in found} == {0, 96 - 32}
    assert {col for _, col in found} == {0, 64 - 32}


def test_outlines_stay_on_their_place_in_the_image(make: MakeData, rows: list[ImageRow]) -> None:
    """In original pixels: whatever the displacement, the same tissue is inside."""
    shown = next(i for i, row in enumerate(rows) if row.labels["malignant"] and not row.labels["benign"])
    square = np.array([[40.0, 24.0], [40.0, 40.0], [56.0, 40.0], [56.0, 24.0]])
    outlines = {(rows[shown].image_id, "malignant"): make(displaced=False).grid(shown).to_original(square)}
    plain, data = (make(displaced=displaced).with_outlines(outlines) for displaced in (False, True))
    still = plain[shown, 0].outline_KHW
    assert still is not None
    assert still.shape == (2, 96, 64)
    assert (still[0] == 0).all(), "labelled as not there"
    assert still[1, 41:56, 25:40].all()
    assert still[1].sum() <= 18 * 18
    tissue = plain[shown, 0].image_CHW[0]
    brightness, spread = tissue[still[1] == 1].mean(), tissue.std()
    places = set()
    for epoch in range(5):
        sample = data[shown, epoch]
        assert sample.outline_KHW is not None
        inside = sample.outline_KHW[1] == 1
        places.add(inside.nonzero()[0].tolist()[0])
        assert abs(sample.image_CHW[0][inside].mean() - brightness) < 0.3 * spread
    assert len(places) > 1


def test_where_no_outline_was_found_nothing_is_known(make: MakeData, rows: list[ImageRow]) -> None:
    data = make().with_outlines({})
    for i in range(6):
        outline_KHW = data[i, 0].outline_KHW
        assert outline_KHW is not None
        for of_class, label in zip(outline_KHW, data[i, 0].label_K, strict=True):
            assert (of_class == 0).all() if label == 0 else of_class.isnan().all()
    batch, _ = Collate()([data[4, 0], data[1, 0]])
    assert batch.outline_BKHW is not None
    assert batch.outline_BKHW.shape == (2, 2, 96, 64)
    assert Collate()([make()[0, 0]])[0].outline_BKHW is None


def test_collate(make: MakeData, rows: list[ImageRow]) -> None:
    centres = {row.image_id: np.zeros((3, 2)) for row in rows}
    data = make().with_patches(8, centres)
    batch, indices = Collate()([data[4, 0], data[1, 0]])
    assert batch.image_BCHW.shape == (2, 1, 96, 64)
    assert batch.label_BK.shape == (2, 2)
    assert batch.corners_BP2 is not None
    assert batch.corners_BP2.shape == (2, 3, 2)
    assert indices == [4, 1]
    assert Collate()([make()[0, 0]])[0].corners_BP2 is None


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


def lesions(rows: list[ImageRow], side: str) -> ImageRow:
    return next(row for row in rows if row.laterality == side and "malignant" in row.masks)


@pytest.mark.parametrize("fit", ["cut", "resize"])
@pytest.mark.parametrize("side", ["L", "R"])
def test_masks_and_boxes_follow_the_displacement_exactly(
    rows: list[ImageRow], tiny_config: TrainConfig, tmp_path: Path, fit: str, side: str
) -> None:
    """Every cell of the window has the mask of the very pixel under its centre, and the box holds it and ends with it."""
    row = lesions(rows, side)
    mask = read_mask(row.masks["malignant"])
    at = np.argwhere(mask)
    top, left, bottom, right = *at.min(axis=0).tolist(), *(at.max(axis=0) + 1).tolist()
    row = replace(row, labels={"benign": 0, "malignant": 1}, boxes={"malignant": ((top, left, bottom, right),)})
    prep = tiny_config.prep.model_copy(update={"fit": fit})
    cache, noise = CropCache(tmp_path, prep), WindowNoise((4, 4), 4)
    data = WindowDataset([row], cache, noise, 7, learns_from=("labels", "masks", "boxes"))
    seen = set()
    for epoch in range(5):
        sample = data[0, epoch]
        _, grid = cut_window(cache.get(row), prep.window, noise, np.random.default_rng((7, epoch, 0)), prep.fit)
        seen.add(grid)
        centres = np.stack(np.meshgrid(np.arange(96) + 0.5, np.arange(64) + 0.5, indexing="ij"), axis=-1)
        points = grid.to_original(centres)
        rows_, cols = np.floor(points + 1e-6).astype(int).transpose(2, 0, 1)
        if grid.flipped:  # between two pixels it is that on the other side
            cols = np.ceil(points[..., 1] - 1e-6).astype(int) - 1
        inside = (rows_ >= 0) & (rows_ < mask.shape[0]) & (cols >= 0) & (cols < mask.shape[1])
        expected = np.where(inside, mask[rows_.clip(0, mask.shape[0] - 1), cols.clip(0, mask.shape[1] - 1)], False)
        assert sample.mask_KHW is not None
        np.testing.assert_array_equal(sample.mask_KHW[1].numpy(), expected.astype(np.float32))
        assert not sample.mask_KHW[0].any(), "a class that the image does not show"
        assert sample.boxes is not None
        [(a, b, c, d)] = sample.boxes["malignant"]
        shown = np.argwhere(expected)
        assert (shown.min(axis=0) >= np.floor([a, b])).all()
        assert (shown.max(axis=0) <= np.ceil([c, d])).all()
        assert np.abs(shown.min(axis=0) - [max(a, 0), max(b, 0)]).max() <= 1.5
        assert sample.boxes["benign"] == ()
    assert len(seen) == 5, "each epoch has another window"


def test_what_is_not_known_of_masks_stays_unknown(
    rows: list[ImageRow], tiny_config: TrainConfig, tmp_path: Path
) -> None:
    row = replace(rows[0], labels={"malignant": 1}, masks={}, boxes={})
    sample = WindowDataset([row], CropCache(tmp_path, tiny_config.prep), learns_from=("masks", "boxes"))[0, 0]
    assert sample.mask_KHW is not None
    assert sample.mask_KHW.isnan().all()
    assert sample.boxes == {}


def test_units_have_the_views_of_a_breast_and_black_where_there_is_none(
    rows: list[ImageRow], tiny_config: TrainConfig, tmp_path: Path
) -> None:
    """Each image is displaced as it is alone."""
    breast = [row for row in rows if row.breast_key == rows[0].breast_key]
    other = next(row for row in rows if row.exam_id != rows[0].exam_id and row.view == "MLO")
    given = [*breast, other]
    cache, noise = CropCache(tmp_path, tiny_config.prep), WindowNoise((4, 4), 4)
    data, alone = (WindowDataset(given, cache, noise, views=views) for views in (("CC", "MLO"), ()))
    assert (len(data), len(alone)) == (2, 3)
    batch, indices = Collate()([data[0, 1], data[1, 1]])
    assert [given[index].view if index >= 0 else None for index in indices] == ["CC", "MLO", None, "MLO"]
    assert batch.there_UV is not None
    assert batch.there_UV.tolist() == [[True, True], [False, True]]
    for image_CHW, label_K, index in zip(batch.image_BCHW, batch.label_BK, indices, strict=True):
        assert torch.equal(image_CHW, alone[index, 1].image_CHW if index >= 0 else torch.zeros_like(image_CHW))
        assert label_K.isnan().all() == (index < 0)
    assert [item.exam_id for item in data.items()] == [rows[0].exam_id, other.exam_id]
    labels = [row.labels for row in breast]
    assert data.items()[0].labels == {name: max(each[name] for each in labels) for name in labels[0]}
