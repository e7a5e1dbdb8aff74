"""Predictions of inputs that have been corrected since are made again; those of a study that was moved are kept."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from mammoseg.data.manifest import ImageRow
from mammoseg.export.figures import overlay_writer
from mammoseg.inference.batch import BatchResult, predict_images
from mammoseg.inference.predictor import Predictor, open_predictor
from mammoseg.io.failures import Failures
from mammoseg.io.read import read_pixels
from mammoseg.io.runs import load_prediction, predicted_ids, record_path
from mammoseg.io.scores_table import read_predictions_csv
from mammoseg.records.label import CLASSES

DONE = BatchResult(predicted=0, done_before=2, failed=0)
ONE_AGAIN = BatchResult(predicted=1, done_before=1, failed=0)


@pytest.fixture
def pair(rows: list[ImageRow], tmp_path: Path) -> list[ImageRow]:
    """Two images in a folder of their own."""
    (tmp_path / "images").mkdir()
    return [replace(row, path=Path(shutil.copy2(row.path, tmp_path / "images"))) for row in rows[:2]]


@pytest.fixture
def out(predictor: Predictor, pair: list[ImageRow], tmp_path: Path) -> Path:
    """Their predictions."""
    assert predict_images(predictor, pair, tmp_path / "out") == BatchResult(2, 0, 0)
    return tmp_path / "out"


@pytest.mark.parametrize(
    "changes",
    [{"pixel_mm": 1.4}, {"view": "MLO"}, {"patient_id": "other"}, {"exam_id": "other"}, {"horizontal_flip": None}],
    ids=lambda changes: next(iter(changes)),
)
def test_a_changed_row_is_predicted_again(
    predictor: Predictor,
    pair: list[ImageRow],
    out: Path,
    tmp_path: Path,
    changes: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    pair[0] = replace(pair[0], **changes)
    assert predict_images(predictor, pair, out) == ONE_AGAIN
    assert "1 images are predicted again: their files or rows changed since" in caplog.text
    predict_images(predictor, pair, tmp_path / "fresh")
    assert (out / "predictions.csv").read_bytes() == (tmp_path / "fresh" / "predictions.csv").read_bytes()
    assert predict_images(predictor, pair, out) == DONE


def test_a_corrected_side_gives_the_scores_of_that_side(
    predictor: Predictor, pair: list[ImageRow], tmp_path: Path
) -> None:
    wrong = [replace(pair[0], laterality="R", horizontal_flip=False), pair[1]]
    predict_images(predictor, wrong, tmp_path / "out")
    before = load_prediction(tmp_path / "out", pair[0].image_id)
    assert predict_images(predictor, pair, tmp_path / "out") == ONE_AGAIN
    after = load_prediction(tmp_path / "out", pair[0].image_id)
    assert after.laterality == "L"
    assert after.scores != before.scores
    assert after.grid != before.grid


def test_another_image_of_the_same_name_is_predicted(predictor: Predictor, pair: list[ImageRow], out: Path) -> None:
    before = load_prediction(out, pair[0].image_id).scores
    shutil.copy2(pair[1].path, pair[0].path)
    assert predict_images(predictor, pair, out) == ONE_AGAIN
    assert load_prediction(out, pair[0].image_id).scores != before
    os.utime(pair[0].path)
    assert predict_images(predictor, pair, out) == DONE, "the same content, written later"


def test_another_image_of_the_same_size_and_time_is_predicted(
    predictor: Predictor, pair: list[ImageRow], out: Path
) -> None:
    path, before = pair[0].path, load_prediction(out, pair[0].image_id).scores
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    status, size = path.stat(), path.stat().st_size
    content = cv2.imencode(".png", np.minimum(pixels, pixels.max() // 2))[1].tobytes()
    assert len(content) < size
    path.write_bytes(content + bytes(size - len(content)))  # what comes after the end of a PNG is not looked at
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (size, status.st_mtime_ns)
    assert predict_images(predictor, pair, out) == ONE_AGAIN
    assert load_prediction(out, pair[0].image_id).scores != before


@pytest.mark.parametrize("name", ["maps/{}.npz", "maps/{}_malignant.png", "overlays/{}.png"])
def test_an_emptied_map_or_figure_is_made_again(
    predictor: Predictor, pair: list[ImageRow], out: Path, name: str
) -> None:
    write = overlay_writer(out, predictor.prep)
    predict_images(predictor, pair, out, before_saving=write)
    path = out / name.format(pair[0].image_id)
    before = path.read_bytes()
    path.write_bytes(b"")
    assert predict_images(predictor, pair, out, before_saving=write) == ONE_AGAIN
    assert path.read_bytes() == before


def test_a_moved_study_continues(predictor: Predictor, pair: list[ImageRow], out: Path, tmp_path: Path) -> None:
    (tmp_path / "images").rename(tmp_path / "moved")
    out.rename(tmp_path / "results")
    moved = [replace(row, path=tmp_path / "moved" / row.path.name) for row in pair]
    assert predict_images(predictor, moved, tmp_path / "results") == DONE


def test_what_is_only_for_training_and_evaluation_does_not_matter(
    predictor: Predictor, pair: list[ImageRow], out: Path
) -> None:
    assert (
        predict_images(predictor, [replace(row, labels={"malignant": 1}, split="train") for row in pair], out) == DONE
    )


def test_scores_of_a_corrected_input_do_not_stay_if_it_fails(
    predictor: Predictor, pair: list[ImageRow], out: Path
) -> None:
    pair[0].path.write_bytes(b"no image")
    assert predict_images(predictor, pair, out, before_saving=overlay_writer(out, predictor.prep)).failed == 1
    assert predicted_ids(out) == [pair[1].image_id]
    assert list(out.rglob(f"*{pair[0].image_id}*")) == [out / "failures" / f"{pair[0].image_id}.json"]
    assert read_predictions_csv(out).query("level == 'image'")["image_id"].tolist() == [pair[1].image_id]


def test_a_file_that_is_away_fails_and_its_prediction_is_kept(
    predictor: Predictor, pair: list[ImageRow], out: Path, tmp_path: Path
) -> None:
    (tmp_path / "images").rename(tmp_path / "away")
    assert predict_images(predictor, pair, out) == BatchResult(predicted=0, done_before=0, failed=2)
    assert len(Failures(out).read()) == 2
    (tmp_path / "away").rename(tmp_path / "images")
    assert predict_images(predictor, pair, out) == DONE
    assert Failures(out).read().empty


def test_records_of_an_earlier_version_are_made_again(predictor: Predictor, pair: list[ImageRow], out: Path) -> None:
    path = record_path(out, pair[0].image_id)
    record = json.loads(path.read_text())
    del record["inputs"]
    path.write_text(json.dumps(record))
    assert predict_images(predictor, pair, out) == ONE_AGAIN
    assert predict_images(predictor, pair, out) == DONE


def test_figures_that_were_not_wanted_at_first(
    predictor: Predictor, pair: list[ImageRow], out: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write = overlay_writer(out, predictor.prep)
    assert predict_images(predictor, pair[:1], out, before_saving=write).predicted == 1
    assert predict_images(predictor, pair, out, before_saving=write) == ONE_AGAIN
    assert sorted(path.stem for path in (out / "overlays").iterdir()) == sorted(row.image_id for row in pair)
    assert "changed since" not in caplog.text
    assert predict_images(predictor, pair, out, before_saving=write) == DONE
    assert predict_images(predictor, pair, out) == DONE


def test_figures_of_another_kind(
    predictor: Predictor, pair: list[ImageRow], out: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write = overlay_writer(out, predictor.prep, "svg")
    with caplog.at_level("INFO"):
        assert predict_images(predictor, pair[:1], out, before_saving=write, figures="svg") == BatchResult(1, 0, 0)
    assert "1 images are predicted again: they have no figure of the kind that is wanted" in caplog.text
    assert [path.name for path in (out / "overlays").iterdir()] == [f"{pair[0].image_id}.svg"]
    assert predict_images(predictor, pair[:1], out, before_saving=write, figures="svg") == BatchResult(0, 1, 0)
    changed = [replace(pair[0], pixel_mm=1.4)]
    assert predict_images(predictor, changed, out) == BatchResult(1, 0, 0)
    assert not list((out / "overlays").iterdir()), "no figure of earlier scores stays, of whatever kind"


def test_an_old_figure_does_not_stay_beside_new_scores(predictor: Predictor, pair: list[ImageRow], out: Path) -> None:
    write = overlay_writer(out, predictor.prep)
    predict_images(predictor, pair, out, before_saving=write)
    changed = [replace(pair[0], pixel_mm=1.4), pair[1]]
    assert predict_images(predictor, changed, out) == ONE_AGAIN
    assert [path.stem for path in (out / "overlays").iterdir()] == [pair[1].image_id]
    assert predict_images(predictor, changed, out, before_saving=write) == ONE_AGAIN


def test_the_patches_of_an_ensemble_are_said_to_be_those_of_one_member(
    tiny_gmic: Callable[..., Path],
    predictor: Predictor,
    trained_run: Path,
    pair: list[ImageRow],
    out: Path,
    tmp_path: Path,
) -> None:
    predict_images(open_predictor([trained_run, tiny_gmic(1)], "cpu"), pair[:1], tmp_path / "both")
    alone, both = (load_prediction(folder, pair[0].image_id) for folder in (out, tmp_path / "both"))
    assert both.patches == alone.patches
    assert (alone.patches_of, both.patches_of) == ("", "checkpoint 1")


def test_a_changed_heatmap_counts_for_a_model_that_sees_it(
    tiny_gmic: Callable[..., Path], predictor: Predictor, pair: list[ImageRow], tmp_path: Path
) -> None:
    heatmap = tmp_path / "heatmap.png"
    given = [replace(row, heatmaps=dict.fromkeys(CLASSES, heatmap)) for row in pair[:1]]
    seeing = open_predictor(tiny_gmic(1, "heatmaps=true"), "cpu")
    for value, again in ((0, 1), (200, 0)):
        cv2.imwrite(str(heatmap), np.full(read_pixels(pair[0].path).shape, value, np.uint8))
        assert predict_images(seeing, given, tmp_path / "seeing").predicted == 1
        assert predict_images(predictor, given, tmp_path / "blind").predicted == again
