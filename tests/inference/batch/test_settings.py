"""What decides predictions is written into their folder, which holds those of one setting only; augmented scores."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from mammoseg.data.manifest import ImageRow
from mammoseg.inference.augment import Displaced, displaced_windows
from mammoseg.inference.batch import BatchResult, predict_images
from mammoseg.inference.predictor import Predictor, open_predictor
from mammoseg.io.errors import RunFileError
from mammoseg.io.failures import Failures
from mammoseg.io.read import read_pixels
from mammoseg.io.runs import load_prediction
from mammoseg.io.scores_table import read_predictions_csv
from mammoseg.prep.pipeline import crop_breast

Contents = Callable[[Path], dict[str, Any]]
OfWindow = Callable[..., Any]
REFUSED = r"holds predictions of another checkpoint or with other settings.*new folder.*--overwrite"


def displaced(predictor: Predictor, count: int) -> Predictor:
    return Predictor(Displaced(predictor.engine, count)) if count else predictor


@pytest.fixture(scope="module")
def augmented(predictor: Predictor, rows: list[ImageRow], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two images with the mean over two displaced windows each. Not to be changed."""
    out = tmp_path_factory.mktemp("augmented") / "predictions"
    assert predict_images(displaced(predictor, 2), rows[:2], out) == BatchResult(2, 0, 0)
    return out


def test_augmented_scores_are_the_mean_over_windows(
    of_window: OfWindow, predictor: Predictor, rows: list[ImageRow], augmented: Path
) -> None:
    for row in rows[:2]:
        crop = crop_breast(row.mammogram(read_pixels(row.path)), predictor.prep)
        each = [of_window(predictor, window, row).scores for window in displaced_windows(crop, predictor.prep, 2)]
        found = load_prediction(augmented, row.image_id).scores
        for name in ("benign", "malignant"):
            assert found[name] == pytest.approx((each[0][name] + each[1][name]) / 2, abs=1e-6)


def test_all_but_the_scores_is_of_the_undisplaced_window(
    rows: list[ImageRow], augmented: Path, expected: Path, contents: Contents
) -> None:
    for row in rows[:2]:
        found, plain = (load_prediction(folder, row.image_id) for folder in (augmented, expected))
        assert found.scores != plain.scores
        assert (found.grid, found.patches, found.parts) == (plain.grid, plain.patches, plain.parts)
    folders = contents(augmented), contents(expected)
    maps = [name for name in folders[0] if name.startswith("maps/")]
    assert len(maps) == 2 * 3
    assert all(folders[0][name] == folders[1][name] for name in maps)


def test_the_figure_shows_the_augmented_scores(predictor: Predictor, rows: list[ImageRow], tmp_path: Path) -> None:
    shown: list[Any] = []
    predict_images(displaced(predictor, 2), rows[:1], tmp_path, before_saving=lambda p, *_: shown.append(p.scores))
    assert shown == [load_prediction(tmp_path, rows[0].image_id).scores]


def test_a_breast_has_the_mean_of_augmented_scores(augmented: Path) -> None:
    table = read_predictions_csv(augmented).set_index("level")
    assert len(table.loc["image"]) == 2
    assert table.loc["exam", "malignant"] == pytest.approx(
        table.loc["image"].groupby("laterality")["malignant"].mean().max()
    )


def test_an_image_does_not_depend_on_the_others(
    predictor: Predictor, rows: list[ImageRow], augmented: Path, tmp_path: Path
) -> None:
    predict_images(displaced(predictor, 2), rows[1:2], tmp_path, workers=2)
    found, before = (load_prediction(folder, rows[1].image_id).scores for folder in (tmp_path, augmented))
    assert found == before


def test_settings_are_written_down(augmented: Path, expected: Path, predictor: Predictor) -> None:
    for folder, num_tta in ((augmented, 2), (expected, 0)):
        run = json.loads((folder / "run.json").read_text())
        assert run.pop("mammoseg")
        assert run == predictor.engine.description() | {"num_tta": num_tta}


def test_other_windows_or_another_precision_are_refused(
    trained_run: Path,
    predictor: Predictor,
    rows: list[ImageRow],
    augmented: Path,
    expected: Path,
    contents: Contents,
) -> None:
    before = contents(augmented), contents(expected)
    half = open_predictor(trained_run, "cpu", precision="bf16-mixed")
    for folder, other, num_tta in (
        (augmented, predictor, 3),
        (augmented, predictor, 0),
        (augmented, half, 2),
        (expected, predictor, 2),
        (expected, half, 0),
    ):
        with pytest.raises(RunFileError, match=REFUSED):
            predict_images(displaced(other, num_tta), rows[:2], folder)
    assert (contents(augmented), contents(expected)) == before


def test_the_same_settings_continue(
    trained_run: Path, rows: list[ImageRow], augmented: Path, tmp_path: Path, contents: Contents
) -> None:
    half = open_predictor(trained_run, "cpu", precision="bf16-mixed")
    for number in (1, 2):
        assert predict_images(displaced(half, 2), rows[:number], tmp_path) == BatchResult(1, number - 1, 0)
    again = open_predictor(trained_run, "cpu", precision="bf16-mixed")
    assert predict_images(displaced(again, 2), rows[:2], tmp_path) == BatchResult(0, 2, 0)
    assert predict_images(again, rows[:2], tmp_path, overwrite=True) == BatchResult(2, 0, 0)
    assert json.loads((tmp_path / "run.json").read_text())["num_tta"] == 0


@pytest.mark.parametrize("name", ["precision", "num_tta"])
def test_a_folder_of_an_earlier_version_is_refused(
    predictor: Predictor, rows: list[ImageRow], tmp_path: Path, name: str
) -> None:
    """It does not say how its predictions were made."""
    predict_images(predictor, rows[:1], tmp_path)
    run = json.loads((tmp_path / "run.json").read_text())
    del run[name]
    (tmp_path / "run.json").write_text(json.dumps(run))
    with pytest.raises(RunFileError, match=REFUSED):
        predict_images(predictor, rows[:1], tmp_path)


def test_weights_of_patches_are_stored(rows: list[ImageRow], expected: Path) -> None:
    assert [patch.attention for patch in load_prediction(expected, rows[0].image_id).patches] == [1.0]


@pytest.mark.parametrize("num_tta", [0, 2])
def test_heatmaps_are_read_for_a_model_that_sees_them(
    tiny_gmic: Callable[..., Path], rows: list[ImageRow], tmp_path: Path, num_tta: int
) -> None:
    files = []
    for value in (0, 200):
        files.append(tmp_path / f"{value}.png")
        cv2.imwrite(str(files[-1]), np.full(read_pixels(rows[0].path).shape, value, np.uint8))
    names = ["low", "high", "without"]
    given = [replace(rows[0], image_id=name) for name in names]
    given[:2] = [replace(given[k], heatmaps={"benign": files[0], "malignant": files[k]}) for k in (0, 1)]
    out = tmp_path / "out"
    seeing = open_predictor(tiny_gmic(1, "heatmaps=true"), "cpu")
    assert predict_images(displaced(seeing, num_tta), given, out) == BatchResult(2, 0, 1)
    low, high = (load_prediction(out, name).scores for name in names[:2])
    assert low != high
    [error] = Failures(out).read().to_dict("records")
    assert (error["image_id"], error["step"], error["error"]) == ("without", "read", "HeatmapError")
