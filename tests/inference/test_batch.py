"""Many images: all that can be predicted are, what fails is listed, and a stopped run continues."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from mammoseg.data.manifest import ImageRow
from mammoseg.inference.batch import BatchResult, predict_images
from mammoseg.inference.predictor import Predictor, open_predictor
from mammoseg.io.errors import ImageReadError, RunFileError
from mammoseg.io.failures import Failures
from mammoseg.io.read import read_pixels
from mammoseg.io.runs import is_done, load_prediction, map_png_path, predicted_ids
from mammoseg.io.scores_table import read_predictions_csv
from mammoseg.records.image import Mammogram
from mammoseg.records.prediction import Prediction
from mammoseg.records.saliency import findings_of

Contents = Callable[[Path], dict[str, Any]]


def damaged(row: ImageRow, folder: Path) -> ImageRow:
    path = folder / f"{row.image_id}.png"
    path.write_bytes(row.path.read_bytes()[:5000])
    return replace(row, path=path)


def test_what_is_written(expected: Path, rows: list[ImageRow], predictor: Predictor) -> None:
    assert predicted_ids(expected) == sorted(row.image_id for row in rows)
    run = json.loads((expected / "run.json").read_text())
    assert run["checkpoint_sha256"] == predictor.engine.checkpoint.sha256
    assert run["network"]["num_patches"] == 1
    assert not (expected / "errors.csv").exists()


def test_maps_in_original_pixels_are_the_restored_ones(expected: Path, rows: list[ImageRow]) -> None:
    for row in rows:
        prediction = load_prediction(expected, row.image_id)
        restored = prediction.grid.restore(prediction.maps["saliency"])
        for k, name in enumerate(("benign", "malignant")):
            png = cv2.imread(str(map_png_path(expected, row.image_id, name)), cv2.IMREAD_UNCHANGED)
            assert png.dtype == np.uint16
            assert png.shape == (208, 160)
            assert np.abs(png / 65535 - restored[k]).max() < 1e-3  # the npz has half precision
            assert png.any()


def test_findings_are_the_peaks_of_the_maps_in_original_pixels(expected: Path, rows: list[ImageRow]) -> None:
    assert {row.laterality for row in rows} == {"L", "R"}
    for row in rows:
        prediction = load_prediction(expected, row.image_id)
        assert prediction.findings == findings_of(prediction)
        for name in ("benign", "malignant"):
            png = cv2.imread(str(map_png_path(expected, row.image_id, name)), cv2.IMREAD_UNCHANGED) / 65535
            own = [finding for finding in prediction.findings if finding.label == name]
            assert own[0].score == pytest.approx(png.max(), abs=1e-3)
            for finding in own:
                row_, col = map(int, finding.peak)
                assert png[row_, col] == pytest.approx(finding.score, abs=1e-3)


def test_a_breast_is_the_mean_of_its_images(expected: Path, rows: list[ImageRow]) -> None:
    table = read_predictions_csv(expected)
    images, breasts, exams = (table[table["level"] == level] for level in ("image", "breast", "exam"))
    assert (len(images), len(breasts), len(exams)) == (8, 4, 2)
    for _, breast in breasts.iterrows():
        own = images[(images["exam_id"] == breast["exam_id"]) & (images["laterality"] == breast["laterality"])]
        assert len(own) == 2
        for name in ("benign", "malignant", "global_malignant"):
            assert breast[name] == pytest.approx(own[name].mean())
    for row in rows:
        scores = load_prediction(expected, row.image_id).scores
        image = images[images["image_id"] == row.image_id].iloc[0]
        assert image["malignant"] == pytest.approx(scores["malignant"])


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_the_number_of_workers_does_not_matter(
    contents: Contents, workers: int, predictor: Predictor, rows: list[ImageRow], expected: Path, tmp_path: Path
) -> None:
    predict_images(predictor, rows, tmp_path, workers)
    assert contents(tmp_path) == contents(expected)


def test_images_that_fail_are_listed_and_the_rest_goes_on(
    contents: Contents, predictor: Predictor, rows: list[ImageRow], expected: Path, tmp_path: Path
) -> None:
    given = list(rows)
    given[0] = damaged(rows[0], tmp_path)
    given[5] = replace(rows[5], path=tmp_path / "none.png")
    given[7] = replace(rows[7], pixel_mm=1e-4)
    out = tmp_path / "out"
    assert predict_images(predictor, given, out) == BatchResult(predicted=5, done_before=0, failed=3)
    errors = Failures(out).read().set_index("image_id")
    assert errors["error"].to_dict() == {
        rows[0].image_id: "ImageReadError",
        rows[5].image_id: "ImageReadError",
        rows[7].image_id: "PrepError",
    }
    assert set(errors["step"]) == {"read"}
    assert len(read_predictions_csv(out).query("level == 'image'")) == 5

    shutil.copy2(rows[0].path, given[0].path)
    given[5], given[7] = rows[5], rows[7]
    assert predict_images(predictor, given, out) == BatchResult(predicted=3, done_before=5, failed=0)
    assert Failures(out).read().empty
    assert not (out / "errors.csv").exists()
    record = out / "records" / f"{rows[0].image_id}.json"
    record.write_text(record.read_text().replace(str(given[0].path), str(rows[0].path)))  # where the repaired file lies
    assert contents(out) == contents(expected)


def test_a_model_that_gives_no_probabilities_fails_image_by_image(
    predictor: Predictor, rows: list[ImageRow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverged(unit: Any) -> list[Prediction]:
        [prediction] = type(predictor).predict_unit(predictor, unit)
        return [replace(prediction, scores={"benign": float("nan"), "malignant": 0.5})]

    monkeypatch.setattr(predictor, "predict_unit", diverged)
    assert predict_images(predictor, rows[:2], tmp_path) == BatchResult(predicted=0, done_before=0, failed=2)
    assert set(Failures(tmp_path).read()["step"]) == {"write"}
    assert predicted_ids(tmp_path) == []


def test_done_images_are_not_predicted_again(
    predictor: Predictor, rows: list[ImageRow], expected: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path: path.stat().st_mtime_ns for path in (expected / "records").iterdir()}
    monkeypatch.setattr(predictor, "predict_unit", None)
    assert predict_images(predictor, rows, expected) == BatchResult(predicted=0, done_before=8, failed=0)
    assert {path: path.stat().st_mtime_ns for path in (expected / "records").iterdir()} == before


def test_progress_is_told_for_every_image(predictor: Predictor, rows: list[ImageRow], tmp_path: Path) -> None:
    seen: list[int] = []
    given = [*rows[:2], replace(rows[2], path=tmp_path / "none.png")]
    predict_images(predictor, rows[:1], tmp_path / "out")
    predict_images(predictor, given, tmp_path / "out", progress=lambda: seen.append(1))
    assert len(seen) == 3


def test_another_checkpoint_or_setting_is_refused(
    contents: Contents, predictor: Predictor, trained_run: Path, rows: list[ImageRow], expected: Path, tmp_path: Path
) -> None:
    before = contents(expected)
    for other in (
        open_predictor(trained_run / "stages" / "global", "cpu"),
        open_predictor(trained_run, "cpu", ["num_patches=2"]),
    ):
        with pytest.raises(
            RunFileError, match=r"predictions of another checkpoint or with other settings.*--overwrite"
        ):
            predict_images(other, rows, expected)
    assert contents(expected) == before
    other_prep = open_predictor(trained_run, "cpu")
    other_prep.engine.prep = predictor.prep.model_copy(update={"buffer_px": 9})
    with pytest.raises(RunFileError, match="other settings"):
        predict_images(other_prep, rows, expected)


def test_overwrite_replaces_everything(
    contents: Contents, trained_run: Path, predictor: Predictor, rows: list[ImageRow], expected: Path, tmp_path: Path
) -> None:
    earlier = [*rows[:3], replace(rows[3], image_id="no_more", path=tmp_path / "none.png")]
    predict_images(open_predictor(trained_run / "stages" / "global", "cpu"), earlier, tmp_path)
    assert Failures(tmp_path).read()["image_id"].tolist() == ["no_more"]
    result = predict_images(predictor, rows, tmp_path, overwrite=True)
    assert result == BatchResult(predicted=8, done_before=0, failed=0)
    assert contents(tmp_path) == contents(expected)


def test_a_kill_between_success_and_ledger_is_put_right(
    predictor: Predictor, rows: list[ImageRow], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    predict_images(predictor, [damaged(rows[0], tmp_path)], out)
    listed = (out / "errors.csv").read_bytes()
    predict_images(predictor, rows[:1], out)
    (out / "errors.csv").write_bytes(listed)
    predict_images(predictor, rows[:1], out)
    assert Failures(out).read().empty


def test_before_saving_gets_the_prediction_and_its_image_before_it_counts(
    predictor: Predictor, rows: list[ImageRow], tmp_path: Path
) -> None:
    seen: list[str] = []

    def look(prediction: Prediction, image: Mammogram, row: ImageRow) -> None:
        assert prediction.image_id == image.image_id == row.image_id
        assert np.array_equal(image.pixels, read_pixels(row.path))
        assert not is_done(tmp_path, row.image_id)
        seen.append(row.image_id)

    predict_images(predictor, rows[:3], tmp_path, workers=2, before_saving=look)
    assert sorted(seen) == sorted(row.image_id for row in rows[:3])


def test_nothing_to_predict(predictor: Predictor, tmp_path: Path) -> None:
    assert predict_images(predictor, [], tmp_path) == BatchResult(predicted=0, done_before=0, failed=0)
    assert read_predictions_csv(tmp_path).empty


def test_remarks_are_noted_and_can_refuse_an_image(predictor: Predictor, rows: list[ImageRow], tmp_path: Path) -> None:
    def remarks(row: ImageRow, image: Mammogram) -> tuple[str, ...]:
        assert image.pixels.shape == (208, 160)
        if row is rows[1]:
            raise ImageReadError(f"{row.path}: looks like a mask")
        return ("seen",) if row is rows[0] else ()

    result = predict_images(predictor, rows[:3], tmp_path, remarks=remarks)
    assert result == BatchResult(2, 0, 1)
    assert load_prediction(tmp_path, rows[0].image_id).notes[-1] == "seen"
    assert "seen" not in load_prediction(tmp_path, rows[2].image_id).notes
    [failed] = Failures(tmp_path).read().to_dict("records")
    assert (failed["image_id"], failed["step"]) == (rows[1].image_id, "read")
    assert "looks like a mask" in failed["message"]
