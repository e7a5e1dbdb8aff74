"""An ensemble says the mean of what its members say, and only of members that see the same windows."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mammoseg.data.manifest import ImageRow
from mammoseg.inference.augment import displaced_windows
from mammoseg.inference.batch import BatchResult, predict_images
from mammoseg.inference.ensemble import Ensemble, open_predictor
from mammoseg.inference.predictor import Predictor
from mammoseg.io.errors import RunFileError
from mammoseg.io.read import read_pixels
from mammoseg.nn.checkpoint import CheckpointError
from mammoseg.prep.pipeline import Prepared, crop_breast, prepare

TinyGmic = Callable[..., Path]


@pytest.fixture(scope="module")
def folders(trained_run: Path, tiny_gmic: TinyGmic) -> list[Path]:
    """A GLAM, whose maps have 48 x 32 cells, and two GMICs with maps of 12 x 8 cells."""
    return [trained_run, tiny_gmic(1), tiny_gmic(2)]


@pytest.fixture(scope="module")
def members(folders: list[Path]) -> list[Predictor]:
    return [Predictor(folder, "cpu") for folder in folders]


@pytest.fixture(scope="module")
def row(rows: list[ImageRow]) -> ImageRow:
    return rows[0]


@pytest.fixture(scope="module")
def prepared(row: ImageRow, predictor: Predictor) -> Prepared:
    return prepare(row.mammogram(read_pixels(row.path)), predictor.prep)


def test_scores_and_parts_are_the_mean(
    folders: list[Path], members: list[Predictor], prepared: Prepared, row: ImageRow
) -> None:
    found = Ensemble(folders, "cpu").predict(prepared, row)
    each = [member.predict(prepared, row) for member in members]
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
    folders: list[Path], members: list[Predictor], prepared: Prepared, row: ImageRow
) -> None:
    each = [member.predict(prepared, row).maps["saliency"] for member in members]
    assert [values.shape for values in each] == [(2, 48, 32), (2, 12, 8), (2, 12, 8)]
    coarse = [values.repeat(4, axis=1).repeat(4, axis=2) for values in each[1:]]
    expected = (each[0] + coarse[0] + coarse[1]) / 3
    for order in (folders, folders[::-1]):
        found = Ensemble(order, "cpu").predict(prepared, row)
        assert found.maps.keys() == {"saliency"}, "of the maps that all have"
        np.testing.assert_allclose(found.maps["saliency"], expected, rtol=0, atol=1e-6)
    same = Ensemble(folders[1:], "cpu").predict(prepared, row).maps["saliency"]
    np.testing.assert_allclose(same, (each[1] + each[2]) / 2, rtol=0, atol=1e-6)


def test_members_of_one_model_share_all_maps(trained_run: Path, prepared: Prepared, row: ImageRow) -> None:
    stages = [trained_run, trained_run / "stages" / "global"]
    assert Ensemble(stages, "cpu").predict(prepared, row).maps.keys() == {"saliency", "global", "local"}


def test_the_order_decides_the_patches_and_nothing_else(
    folders: list[Path], members: list[Predictor], prepared: Prepared, row: ImageRow
) -> None:
    forth, back = (Ensemble(order, "cpu").predict(prepared, row) for order in (folders, folders[::-1]))
    assert dict(forth.scores) == pytest.approx(dict(back.scores), abs=1e-12)
    assert forth.patches == members[0].predict(prepared, row).patches
    assert back.patches == members[2].predict(prepared, row).patches
    assert forth.patches != back.patches


def test_mean_over_displaced_windows(
    folders: list[Path], members: list[Predictor], row: ImageRow, predictor: Predictor
) -> None:
    crop = crop_breast(row.mammogram(read_pixels(row.path)), predictor.prep)
    found = Ensemble(folders, "cpu").mean_scores(displaced_windows(crop, predictor.prep, 2))
    each = [member.predict(w, row).scores for member in members for w in displaced_windows(crop, predictor.prep, 2)]
    for name in ("benign", "malignant"):
        assert found[name] == pytest.approx(np.mean([scores[name] for scores in each]), abs=1e-6)


def test_members_of_one_class(tiny_gmic: TinyGmic, prepared: Prepared, row: ImageRow) -> None:
    pair = [tiny_gmic(seed, "classes=[malignant]") for seed in (1, 2)]
    found = Ensemble(pair, "cpu").predict(prepared, row)
    assert list(found.scores) == list(found.parts["local"]) == ["malignant"]
    assert found.maps["saliency"].shape == (1, 12, 8)


def test_one_member_with_heatmaps(tiny_gmic: TinyGmic, prepared: Prepared, row: ImageRow) -> None:
    """Each member sees the channels it was trained with."""
    folders = [tiny_gmic(1), tiny_gmic(2, "heatmaps=true")]
    mixed = Ensemble(folders, "cpu")
    assert mixed.heatmaps
    assert not Ensemble([tiny_gmic(1), tiny_gmic(2)], "cpu").heatmaps
    with_heatmaps = replace(prepared, heatmaps=np.full((2, 96, 64), 0.5, np.float32))
    each = [Predictor(folder, "cpu").predict(with_heatmaps, row).scores["benign"] for folder in folders]
    assert mixed.predict(with_heatmaps, row).scores["benign"] == pytest.approx(sum(each) / 2, abs=1e-12)


def test_members_that_do_not_belong_together(tiny_gmic: TinyGmic) -> None:
    one = tiny_gmic(1)
    for other in (tiny_gmic(2, pixel_mm=2.0), tiny_gmic(2, intensity="unit"), tiny_gmic(2, "classes=[malignant]")):
        with pytest.raises(CheckpointError, match=r"Expected members.*Predict with each on its own") as caught:
            Ensemble([one, other], "cpu")
        assert str(caught.value).startswith(f"{other}: ")
        assert str(one) in str(caught.value)


def test_the_same_weights_twice(tiny_gmic: TinyGmic) -> None:
    one, copy, other = tiny_gmic(1), tiny_gmic(1), tiny_gmic(2)
    with pytest.raises(CheckpointError, match=r"the same weights are given twice.*Leave out the copies"):
        Ensemble([one, other, copy], "cpu")


def test_settings_go_to_every_member(tiny_gmic: TinyGmic, prepared: Prepared, row: ImageRow) -> None:
    ensemble = Ensemble([tiny_gmic(1), tiny_gmic(2)], "cpu", ["num_patches=2"], "bf16-mixed")
    assert [len(member.predict(prepared, row).patches) for member in ensemble.members] == [2, 2]
    assert [member.precision for member in ensemble.members] == ["bf16-mixed"] * 2


def test_the_description_tells_ensembles_apart(tiny_gmic: TinyGmic) -> None:
    one, two, three = (tiny_gmic(seed) for seed in (1, 2, 3))
    described = Ensemble([one, two], "cpu").description()
    assert described == Ensemble([one, two], "cpu").description() == json.loads(json.dumps(described))
    hashes = [json.loads((folder / "checkpoint.json").read_text())["sha256"] for folder in (one, two)]
    assert [member["checkpoint_sha256"] for member in described["network"]["members"]] == hashes
    assert described["prep"] == Predictor(one, "cpu").description()["prep"]
    assert described.keys() == Predictor(one, "cpu").description().keys()
    others = (
        Ensemble([one, three], "cpu"),
        Ensemble([one, two, three], "cpu"),
        Ensemble([two, one], "cpu"),
        Ensemble([one, two], "cpu", ["num_patches=2"]),
        Ensemble([one, two], "cpu", precision="bf16-mixed"),
        Predictor(one, "cpu"),
    )
    assert described not in [other.description() for other in others]
    hashes = [ensemble.description()["checkpoint_sha256"] for ensemble in others[:3]]
    assert len({described["checkpoint_sha256"], *hashes}) == 4


def test_a_folder_holds_one_ensemble(folders: list[Path], rows: list[ImageRow], tmp_path: Path) -> None:
    assert predict_images(Ensemble(folders[:2], "cpu"), rows[:1], tmp_path) == BatchResult(1, 0, 0)
    assert predict_images(Ensemble(folders[:2], "cpu"), rows[:2], tmp_path) == BatchResult(1, 1, 0)
    for other in (Ensemble(folders, "cpu"), Ensemble(folders[1:], "cpu"), Predictor(folders[0], "cpu")):
        with pytest.raises(RunFileError, match=r"another checkpoint or with other settings.*--overwrite"):
            predict_images(other, rows[:2], tmp_path)


def test_one_checkpoint_is_no_ensemble(folders: list[Path]) -> None:
    alone = open_predictor(folders[:1], "cpu", ["num_patches=2"], "bf16-mixed")
    assert isinstance(alone, Predictor)
    assert alone.description() == Predictor(folders[0], "cpu", ["num_patches=2"], "bf16-mixed").description()
    several = open_predictor(folders[1:], "cpu", ["num_patches=2"], "bf16-mixed")
    assert isinstance(several, Ensemble)
    assert several.description() == Ensemble(folders[1:], "cpu", ["num_patches=2"], "bf16-mixed").description()
