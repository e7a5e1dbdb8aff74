"""Choosing patches: what the frozen model finds on every image, kept in original pixels."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from mammoseg.config import Config
from mammoseg.data.cache import CropCache
from mammoseg.data.dataset import WindowDataset
from mammoseg.data.manifest import Manifest
from mammoseg.nn.contract import Stage
from mammoseg.prep.window import WindowNoise
from mammoseg.training.config import TrainConfig
from mammoseg.training.extract import Extractor, load_outlines, load_patches, save_table
from mammoseg.training.module import TrainingError

CPU = torch.device("cpu")


class Model(nn.Module):
    """Counts in which mode it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.modes: list[bool] = []


def brightest(model: Any, image_B1HW: Tensor, objective: Config) -> tuple[Tensor, int]:
    """Two patches of 16 pixels: around the brightest pixel, and the lower right corner."""
    model.modes.append(model.training)
    flat = image_B1HW.flatten(1).argmax(1)
    first = torch.stack([(flat // 64 - 8).clamp(0, 80), (flat % 64 - 8).clamp(0, 48)], dim=-1)
    return torch.stack([first, torch.tensor([[80, 48]]).expand(len(flat), 2)], dim=1), 16


CHOOSING = Stage("late", ("*",), lambda *_: None, extracts=brightest)  # type: ignore[arg-type, return-value]


@pytest.fixture(scope="module")
def data(phantom_study: Manifest, tiny_config: TrainConfig, tmp_path_factory: pytest.TempPathFactory) -> WindowDataset:
    cache = CropCache(tmp_path_factory.mktemp("cache"), tiny_config.prep)
    return WindowDataset(list(phantom_study.rows())[:5], cache)


def test_a_row_per_patch_in_order(data: WindowDataset) -> None:
    model = Model().train()
    table = Extractor(model, Config(), data, batch_size=2, device=CPU).patches(CHOOSING)
    assert list(table.columns) == ["image_id", "rank", "row", "col", "side"]
    assert table["image_id"].tolist() == [row.image_id for row in data.rows for _ in range(2)]
    assert table["rank"].tolist() == [0, 1] * 5
    assert model.modes == [False] * 3


@pytest.mark.parametrize("batch_size", [1, 3])
def test_batches_and_workers_do_not_matter(data: WindowDataset, batch_size: int) -> None:
    expected = Extractor(Model(), Config(), data, 5, CPU).patches(CHOOSING)
    found = Extractor(Model(), Config(), data, batch_size, CPU, workers=batch_size - 1).patches(CHOOSING)
    pd.testing.assert_frame_equal(found, expected)


def test_the_samples_of_the_next_stage_carry_them(data: WindowDataset, tmp_path: Path) -> None:
    save_table(Extractor(Model(), Config(), data, 2, CPU).patches(CHOOSING), tmp_path / "patches.csv")
    centres, side = load_patches(tmp_path / "patches.csv")
    assert side == 16
    assert set(centres) == {row.image_id for row in data.rows}
    plain = WindowDataset(data.rows, data.cache, None, 0).with_patches(16, centres)
    for index in range(len(data)):
        image_11HW = data[index, 0].image_CHW[None]
        assert torch.equal(plain[index, 0].corners_P2, brightest(Model(), image_11HW, Config())[0][0])  # type: ignore[arg-type]
    noisy = WindowDataset(data.rows, data.cache, WindowNoise((4, 4), 4), 0).with_patches(16, centres)
    corners = np.stack([noisy[0, epoch].corners_P2 for epoch in range(4)])  # type: ignore[misc]
    assert len(np.unique(corners[:, 0], axis=0)) > 1


def test_ids_that_look_like_numbers_stay_text(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"image_id": ["007", "007", "1e3"], "rank": [1, 0, 0], "row": [1.5, 2, 3], "col": [4, 5, 6.25], "side": 8}
    )
    save_table(table, tmp_path / "patches.csv")
    centres, _ = load_patches(tmp_path / "patches.csv")
    assert set(centres) == {"007", "1e3"}
    assert centres["007"].tolist() == [[2, 5], [1.5, 4]]  # by rank
    assert centres["1e3"].tolist() == [[3, 6.25]]


def test_image_ids_of_letters_that_mean_nothing_to_pandas(tmp_path: Path) -> None:
    table = pd.DataFrame({"image_id": ["NA", "null"], "rank": [0, 0], "row": [1.0, 2], "col": [3.0, 4], "side": 8})
    save_table(table, tmp_path / "patches.csv")
    assert set(load_patches(tmp_path / "patches.csv")[0]) == {"NA", "null"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "image_id,rank,row,col\na,0,1,2\n",
        "image_id,rank,row,col,side\na,0,1,x,8\n",
        "image_id,rank,row,col,side\na,0,1,inf,8\n",
        "image_id,rank,row,col,side\na,0,1,2,8\nb,0,1,2,9\n",
        'image_id,rank,row,col,side\na,0,1,2,8\n"b,0',
        "\x00\x01",
    ],
)
def test_a_damaged_table_of_patches(tmp_path: Path, text: str) -> None:
    (tmp_path / "patches.csv").write_text(text)
    with pytest.raises(TrainingError, match=r"patches\.csv: damaged .*Delete the file and give the same command again"):
        load_patches(tmp_path / "patches.csv")


def around_the_brightest(model: Any, image_B1HW: Tensor, label_BK: Tensor, objective: Config) -> list[list[Any]]:
    """A triangle at the brightest pixel, of each class that is there."""
    model.modes.append(model.training)
    places = [divmod(int(i), 64) for i in image_B1HW.flatten(1).argmax(1)]
    triangles = [np.array([[r, c], [r + 4.0, c], [r, c + 4.0]]) for r, c in places]
    return [
        [triangle if label == 1 else None for label in label_K.tolist()]
        for triangle, label_K in zip(triangles, label_BK, strict=True)
    ]


OUTLINING = Stage("late", ("*",), lambda *_: None, outlines=around_the_brightest)  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize("batch_size", [1, 3])
def test_outlines_are_kept_in_original_pixels(data: WindowDataset, tmp_path: Path, batch_size: int) -> None:
    model, told = Model().train(), []
    frozen = Extractor(model, Config(), data, batch_size, CPU, batch_size - 1, progress=lambda: told.append(1))
    table = frozen.outlines(OUTLINING)
    assert model.modes == [False] * len(model.modes) != []
    assert len(told) == len(data.rows)
    save_table(table, tmp_path / "outlines.csv")
    outlines = load_outlines(tmp_path / "outlines.csv")
    expected = {(row.image_id, name) for row in data.rows for name, label in row.labels.items() if label}
    assert outlines.keys() == expected != set()
    for index, row in enumerate(data.rows):
        for name in row.labels:
            if (row.image_id, name) in outlines:
                corners_N2 = data.grid(index).to_model(outlines[row.image_id, name])
                place = divmod(int(data[index, 0].image_CHW.argmax()), 64)
                np.testing.assert_allclose(corners_N2 - place, [[0, 0], [4, 0], [0, 4]], atol=1e-6)


@pytest.mark.parametrize("text", ["", "image_id,class,row\na,benign,1\n", "image_id,class,row,col\na,benign,1,inf\n"])
def test_a_damaged_table_of_outlines(tmp_path: Path, text: str) -> None:
    (tmp_path / "outlines.csv").write_text(text)
    with pytest.raises(
        TrainingError, match=r"outlines\.csv: damaged .*Delete the file and give the same command again"
    ):
        load_outlines(tmp_path / "outlines.csv")
