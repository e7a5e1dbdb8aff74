"""An ensemble says the mean of what its members say, and only of members that see the same windows."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mammoseg.data.manifest import ImageRow
from mammoseg.inference.augment import displaced_windows
from mammoseg.inference.batch import BatchResult, predict_images
from mammoseg.inference.predictor import Predictor, open_predictor
from mammoseg.io.errors import RunFileError
from mammoseg.io.read import read_pixels
from mammoseg.nn.checkpoint import CheckpointError
from mammoseg.prep.pipeline import Prepared, crop_breast, prepare

TinyGmic = Callable[..., Path]
OfWindow = Callable[..., Any]


@pytest.fixture(scope="module")
def folders(trained_run: Path, tiny_gmic: TinyGmic) -> list[Path]:
    """A GLAM, whose maps have 48 x 32 cells, and two GMICs with maps of 12 x 8 cells."""
    return [trained_run, tiny_gmic(1), tiny_gmic(2)]


@pytest.fixture(scope="module")
def members(folders: list[Path]) -> list[Predictor]:
    return [open_predictor(folder, "cpu") for folder in folders]


@pytest.fixture(scope="module")
def row(rows: list[ImageRow]) -> ImageRow:
    return rows[0]


@pytest.fixture(scope="module")
def prepared(row: ImageRow, predictor: Predictor) -> Prepared:
    return prepare(row.mammogram(read_pixels(row.path)), predictor.prep)


def test_scores_and_parts_are_the_mean(
    of_window: OfWindow, folders: list[Path], members: list[Predictor], prepared: Prepared, row: ImageRow
) -> None:
    found = of_window(open_predictor(folders, "cpu"), prepared, row)
    each = [of_window(member, prepared, row) for member in members]
    assert len({p.scores["malignant"] for p in each}) == 3
    assert list(found.scores) == ["benign", "malignant"]
    for name, score in found.scores.items():
        assert score == pytest.approx(sum(p.scores[name] for p in each) / 3, abs=1e-12)
    assert found.parts.keys() == {"global", "local", "fusion"}
    for part, scores in found.parts.items():
        for name, score in scores.items():
            assert score == pytest.approx(sum(p.parts[part][name] for p in each) / 3, abs=1e-12)
    assert found.grid == prepared.grid
    assert found.image_id == row.image_id


def test_maps_are_the_mean_on_the_finest_grid(
    of_window: OfWindow, folders: list[Path], members: list[Predictor], prepared: Prepared, row: ImageRow
) -> None:
    each = [of_window(member, prepared, row).maps["saliency"] for member in members]
    assert [values.shape for values in each] == [(2, 48, 32), (2, 12, 8), (2, 12, 8)]
    coarse = [values.repeat(4, axis=1).repeat(4, axis=2) for values in each[1:]]
    expected = (each[0] + coarse[0] + coarse[1]) / 3
    for order in (folders, folders[::-1]):
        found = of_window(open_predictor(order, "cpu"), prepared, row)
        assert found.maps.keys() == {"saliency"}, "of the maps that all have"
        np.testing.assert_allclose(found.maps["saliency"], expected, rtol=0, atol=1e-6)
    same = of_window(open_predictor(folders[1:], "cpu"), prepared, row).maps["saliency"]
    np.testing.assert_allclose(same, (each[1] + each[2]) / 2, rtol=0, atol=1e-6)


def test_members_of_one_model_share_all_maps(
    of_window: OfWindow, trained_run: Path, prepared: Prepared, row: ImageRow
) -> None:
    stages = [trained_run, trained_run / "stages" / "global"]
    assert of_window(open_predictor(stages, "cpu"), prepared, row).maps.keys() == {"saliency", "global", "local"}


def test_the_order_decides_the_patches_and_nothing_else(
    of_window: OfWindow, folders: list[Path], members: list[Predictor], prepared: Prepared, row: ImageRow
) -> None:
    forth, back = (of_window(open_predictor(order, "cpu"), prepared, row) for order in (folders, folders[::-1]))
    assert dict(forth.scores) == pytest.approx(dict(back.scores), abs=1e-12)
    assert forth.patches == of_window(members[0], prepared, row).patches
    assert back.patches == of_window(members[2], prepared, row).patches
    assert forth.patches != back.patches


def test_mean_over_displaced_windows(
    of_window: OfWindow, folders: list[Path], members: list[Predictor], row: ImageRow, predictor: Predictor
) -> None:
    crop = crop_breast(row.mammogram(read_pixels(row.path)), predictor.prep)
    found = open_predictor(folders, "cpu", displaced=2).predict(row).scores
    each = [of_window(member, w, row).scores for member in members for w in displaced_windows(crop, predictor.prep, 2)]
    for name in ("benign", "malignant"):
        assert found[name] == pytest.approx(np.mean([scores[name] for scores in each]), abs=1e-6)


def test_members_of_one_class(of_window: OfWindow, tiny_gmic: TinyGmic, prepared: Prepared, row: ImageRow) -> None:
    pair = [tiny_gmic(seed, "classes=[malignant]") for seed in (1, 2)]
    found = of_window(open_predictor(pair, "cpu"), prepared, row)
    assert list(found.scores) == list(found.parts["local"]) == ["malignant"]
    assert found.maps["saliency"].shape == (1, 12, 8)


def test_one_member_with_heatmaps(of_window: OfWindow, tiny_gmic: TinyGmic, prepared: Prepared, row: ImageRow) -> None:
    """Each member sees the channels it was trained with."""
    folders = [tiny_gmic(1), tiny_gmic(2, "heatmaps=true")]
    mixed = open_predictor(folders, "cpu")
    assert mixed.engine.sees.heatmaps
    assert not open_predictor([tiny_gmic(1), tiny_gmic(2)], "cpu").engine.sees.heatmaps
    with_heatmaps = replace(prepared, heatmaps=np.full((2, 96, 64), 0.5, np.float32))
    each = [of_window(open_predictor(folder, "cpu"), with_heatmaps, row).scores["benign"] for folder in folders]
    assert of_window(mixed, with_heatmaps, row).scores["benign"] == pytest.approx(sum(each) / 2, abs=1e-12)


def test_members_that_do_not_belong_together(tiny_gmic: TinyGmic) -> None:
    one = tiny_gmic(1)
    for other in (tiny_gmic(2, pixel_mm=2.0), tiny_gmic(2, intensity="unit"), tiny_gmic(2, "classes=[malignant]")):
        with pytest.raises(CheckpointError, match=r"Expected members.*Predict with each on its own") as caught:
            open_predictor([one, other], "cpu")
        assert str(caught.value).startswith(f"{other}: ")
        assert str(one) in str(caught.value)


def test_the_same_weights_twice(tiny_gmic: TinyGmic) -> None:
    one, copy, other = tiny_gmic(1), tiny_gmic(1), tiny_gmic(2)
    with pytest.raises(CheckpointError, match=r"the same weights are given twice.*Leave out the copies"):
        open_predictor([one, other, copy], "cpu")


def test_settings_go_to_every_member(
    of_window: OfWindow, tiny_gmic: TinyGmic, prepared: Prepared, row: ImageRow
) -> None:
    ensemble = open_predictor([tiny_gmic(1), tiny_gmic(2)], "cpu", ["num_patches=2"], "bf16-mixed")
    assert [len(of_window(Predictor(member), prepared, row).patches) for member in ensemble.engine.members] == [2, 2]
    assert [member.precision for member in ensemble.engine.members] == ["bf16-mixed"] * 2


def test_the_description_tells_ensembles_apart(tiny_gmic: TinyGmic) -> None:
    one, two, three = (tiny_gmic(seed) for seed in (1, 2, 3))
    described = open_predictor([one, two], "cpu").engine.description()
    assert described == open_predictor([one, two], "cpu").engine.description() == json.loads(json.dumps(described))
    hashes = [json.loads((folder / "checkpoint.json").read_text())["sha256"] for folder in (one, two)]
    assert [member["checkpoint_sha256"] for member in described["network"]["members"]] == hashes
    assert described["prep"] == open_predictor(one, "cpu").engine.description()["prep"]
    assert described.keys() == open_predictor(one, "cpu").engine.description().keys()
    others = (
        open_predictor([one, three], "cpu"),
        open_predictor([one, two, three], "cpu"),
        open_predictor([two, one], "cpu"),
        open_predictor([one, two], "cpu", ["num_patches=2"]),
        open_predictor([one, two], "cpu", precision="bf16-mixed"),
        open_predictor(one, "cpu"),
    )
    assert described not in [other.engine.description() for other in others]
    hashes = [ensemble.engine.description()["checkpoint_sha256"] for ensemble in others[:3]]
    assert len({described["checkpoint_sha256"], *hashes}) == 4


def test_a_folder_holds_one_ensemble(folders: list[Path], rows: list[ImageRow], tmp_path: Path) -> None:
    assert predict_images(open_predictor(folders[:2], "cpu"), rows[:1], tmp_path) == BatchResult(1, 0, 0)
    assert predict_images(open_predictor(folders[:2], "cpu"), rows[:2], tmp_path) == BatchResult(1, 1, 0)
    for other in (
        open_predictor(folders, "cpu"),
        open_predictor(folders[1:], "cpu"),
        open_predictor(folders[0], "cpu"),
    ):
        with pytest.raises(RunFileError, match=r"another checkpoint or with other settings.*--overwrite"):
            predict_images(other, rows[:2], tmp_path)


def test_one_checkpoint_is_no_ensemble(folders: list[Path]) -> None:
    alone = open_predictor(folders[:1], "cpu", ["num_patches=2"], "bf16-mixed")
    assert (
        alone.engine.description()
        == open_predictor(folders[0], "cpu", ["num_patches=2"], "bf16-mixed").engine.description()
    )
    several = open_predictor(folders[1:], "cpu", ["num_patches=2"], "bf16-mixed")
    assert several.engine.description()["model"] == "ensemble"
    assert (
        several.engine.description()
        == open_predictor(folders[1:], "cpu", ["num_patches=2"], "bf16-mixed").engine.description()
    )
