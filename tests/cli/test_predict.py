"""`mammoseg predict`: images from files, a manifest or an exam list, never two of them; the exit code says how it went."""

import pickle
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from mammoseg.cli.app import app
from mammoseg.data.domain import domain_of
from mammoseg.data.manifest import ImageRow, Manifest, load_manifest
from mammoseg.inference.batch import BatchResult
from mammoseg.io.failures import Failures
from mammoseg.prep.config import PrepConfig
from mammoseg.records.label import CLASSES


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """What the verb hands to the functions it calls, and what `predict_images` returns; `published` is unset if not called.

    The working directory holds two images.
    """
    seen = SimpleNamespace(result=BatchResult(3, 2, 0))
    rows, columns = np.mgrid[:64, :48]
    breast = np.where(((rows - 32) / 30) ** 2 + (columns / 40) ** 2 <= 1, 100 + rows, 0).astype(np.uint8)
    for number, name in enumerate(("a_L-CC.png", "a_R-CC.png")):
        cv2.imwrite(str(tmp_path / name), np.roll(breast, number, axis=0))

    def predict_images(
        predictor: object,
        rows: Sequence[ImageRow],
        out: Path,
        workers: int,
        overwrite: bool,
        write: Any,
        progress: Any,
        figures: str,
        remarks: Any,
    ) -> BatchResult:
        progress()
        seen.rows, seen.options = rows, (out, workers, overwrite, write is not None, figures)
        return seen.result

    def open_predictor(*given: Any) -> SimpleNamespace:
        seen.model = given
        engine = SimpleNamespace(trained_on=domain_of([], []), classes=CLASSES)
        return SimpleNamespace(prep=PrepConfig(), engine=engine, of_several=len(given[0]) > 1)

    def write_published_csv(run: Path, manifest: Manifest, sorted_ids: bool) -> Path:
        seen.published = (run, manifest.table["image_id"].tolist(), sorted_ids)
        return run / "published.csv"

    def overlay_writer(*given: Any) -> str:
        seen.figures = given
        return "write"

    monkeypatch.setattr("mammoseg.export.figures.overlay_writer", overlay_writer)
    monkeypatch.setattr("mammoseg.inference.batch.predict_images", predict_images)
    monkeypatch.setattr("mammoseg.inference.predictor.open_predictor", open_predictor)
    monkeypatch.setattr("mammoseg.export.published.write_published_csv", write_published_csv)
    monkeypatch.chdir(tmp_path)
    return seen


@pytest.fixture
def exam_list(tmp_path: Path) -> tuple[str, ...]:
    """Options for an exam of two images with one mask; only one image has its file."""
    exam = {"horizontal_flip": "NO", "R-CC": ["0_R-CC"], "L-MLO": ["0_L-MLO"], "L-CC": [], "R-MLO": []}
    (tmp_path / "exams.pkl").write_bytes(pickle.dumps([exam]))
    for name in ("images/0_L-MLO.png", "masks/0_L-MLO_benign.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    return "--exam-list", "exams.pkl", "--images", "images"


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["predict", "--checkpoint", "run", "--out", "out", *arguments])


def test_images_unlike_the_training_data_are_told_at_the_end(
    calls: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "2 of 2 images are unlike the training data: pixel size 0.1 mm, training 0.07 mm (2)"
    monkeypatch.setattr("mammoseg.inference.compare.compare_to_training", lambda trained_on, rows, out: told)
    assert told in invoke("a_L-CC.png", "a_R-CC.png", "--pixel-mm", "0.1").stdout.splitlines()


def test_files(calls: SimpleNamespace) -> None:
    result = invoke("a_L-CC.png", "a_R-CC.png", "--pixel-mm", "0.1")
    assert (result.exit_code, result.stdout) == (0, "3 images predicted, 2 done before, 0 failed: out\n")
    assert [(row.image_id, row.pixel_mm) for row in calls.rows] == [("a_L-CC", 0.1), ("a_R-CC", 0.1)]
    assert calls.options == (Path("out"), 1, False, True, "png")
    assert calls.model == ([Path("run")], "auto", [], "32-true", 0, "pytorch", None)
    assert not hasattr(calls, "published")


def test_folders_and_what_cannot_be_used(calls: SimpleNamespace, tmp_path: Path) -> None:
    """One bad file costs itself, results of an earlier run are no images, and what is left out is listed."""
    (tmp_path / "images").mkdir()
    for name in ("a_L-CC.png", "a_R-CC.png"):
        (tmp_path / name).rename(tmp_path / "images" / name)
    for name in ("b_L-CC.png", "c_L-CC.png"):
        (tmp_path / "images" / name).write_bytes(b"\x89PNG cut")
    (tmp_path / "images" / "a_L-CC_mask.png").write_bytes((tmp_path / "images" / "a_L-CC.png").read_bytes())
    (tmp_path / "out").mkdir()
    for expected in (2, 1):
        result = invoke("images", "--workers", "0")
        assert result.exit_code == 3, result.output
        assert "Left out: 1 file: looks like a mask (1); see out/left_out.csv\n" in result.stdout
        assert f"3 images predicted, 2 done before, {expected} failed: out\n" in result.stdout
        assert "The failed images and why: out/errors.csv\n" in result.stdout
        assert [row.image_id for row in calls.rows] == ["a_L-CC", "a_R-CC"]
        failed = Failures(tmp_path / "out").read()
        assert failed["image_id"].tolist() == ["b_L-CC", "c_L-CC"][-expected:]
        assert failed["path"].tolist() == [str(tmp_path / "images" / f"{name}.png") for name in failed["image_id"]]
        assert all("the image is damaged" in text or "this is no image" in text for text in failed["message"])
        (tmp_path / "images" / "b_L-CC.png").unlink(missing_ok=True)
    assert "a_L-CC_mask.png,left out,looks like a mask" in (tmp_path / "out" / "left_out.csv").read_text()


def test_nothing_can_be_predicted(calls: SimpleNamespace, tmp_path: Path) -> None:
    calls.result = BatchResult(0, 0, 0)
    (tmp_path / "out").mkdir()
    (tmp_path / "x_L-CC_spot.png").write_bytes((tmp_path / "a_L-CC.png").read_bytes())
    result = invoke("x_L-CC_spot.png")
    assert result.exit_code == 1
    assert "Left out: 1 file: spot view (1)" in result.stdout


def test_the_kind_of_figures(calls: SimpleNamespace) -> None:
    assert invoke("a_L-CC.png", "--figures", "svg").exit_code == 0
    assert calls.figures == (Path("out"), PrepConfig(), "svg")
    assert calls.options[-1] == "svg"
    assert "'tiff' is not one of 'png', 'pdf', 'svg'" in invoke("a_L-CC.png", "--figures", "tiff").output


def test_a_manifest_and_every_option(calls: SimpleNamespace, phantom_study: Manifest) -> None:
    result = invoke(
        *("--manifest", str(phantom_study.path), "--split", "test", "--no-overlays", "--overwrite", "--num-tta", "10"),
        *("--device", "cpu", "--workers", "2", "--set", "num_patches=3", "--precision", "bf16-mixed"),
        *("--checkpoint", "second", "--checkpoint", "third", "--calibration", "c.json"),
    )
    assert result.exit_code == 0
    assert [row.image_id for row in calls.rows] == phantom_study.subset("test").table["image_id"].tolist()
    assert calls.options == (Path("out"), 2, True, False, "png")
    members = [Path("run"), Path("second"), Path("third")]
    assert calls.model == (members, "cpu", ["num_patches=3"], "bf16-mixed", 10, "pytorch", Path("c.json"))
    assert not hasattr(calls, "published")


def test_all_rows_without_split(calls: SimpleNamespace, phantom_study: Manifest) -> None:
    invoke("--manifest", str(phantom_study.path))
    assert len(calls.rows) == len(phantom_study)


@pytest.mark.parametrize("members", [1, 2])
def test_an_exam_list(calls: SimpleNamespace, exam_list: tuple[str, ...], tmp_path: Path, members: int) -> None:
    """Its manifest is written for `evaluate`, and the table for those who know the published software."""
    result = invoke(*exam_list, "--masks", "masks", *("--checkpoint", "second") * (members - 1))
    assert result.exit_code == 0, result.output
    assert "As the published software writes it: out/published.csv\n" in result.stdout
    assert [row.image_id for row in calls.rows] == ["0_R-CC", "0_L-MLO"]
    assert [row.path.name for row in calls.rows] == ["0_R-CC.png", "0_L-MLO.png"]
    assert calls.rows[1].masks.get("benign") == tmp_path / "masks" / "0_L-MLO_benign.png"
    assert calls.rows[1].mask_frame == "window"
    assert calls.published == (Path("out"), ["0_R-CC", "0_L-MLO"], members > 1)
    assert list(load_manifest(tmp_path / "out" / "exam_list_manifest.csv").rows()) == calls.rows


def test_an_exam_list_without_masks(calls: SimpleNamespace, exam_list: tuple[str, ...]) -> None:
    assert invoke(*exam_list).exit_code == 0
    assert [row.masks.get("benign") for row in calls.rows] == [None, None]


@pytest.mark.parametrize(
    ("done", "code"),
    [((3, 0, 0), 0), ((0, 3, 0), 0), ((3, 0, 1), 3), ((0, 3, 1), 3), ((0, 0, 2), 1)],
)
def test_exit_code(calls: SimpleNamespace, done: tuple[int, int, int], code: int) -> None:
    calls.result = BatchResult(*done)
    result = invoke("a_L-CC.png")
    assert result.exit_code == code
    assert ("out/errors.csv" in result.stdout) is (done[2] > 0)


ONE_OF_THREE = "give image files, --manifest or --exam-list, one of the three"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], ONE_OF_THREE),
        (["a_L-CC.png", "--manifest", "m.csv"], ONE_OF_THREE),
        (["a_L-CC.png", "--exam-list", "e.pkl", "--images", "i"], ONE_OF_THREE),
        (["--manifest", "m.csv", "--exam-list", "e.pkl", "--images", "i"], ONE_OF_THREE),
        (["--exam-list", "e.pkl"], "an exam list has no paths; say where its images are"),
        (["--exam-list", "e.pkl", "--masks", "m"], "an exam list has no paths; say where its images are"),
        (["a_L-CC.png", "--images", "i"], "these folders belong to an exam list"),
        (["--manifest", "m.csv", "--masks", "m"], "these folders belong to an exam list"),
        (["a_L-CC.png", "--split", "test"], "only a manifest has splits"),
        (["--exam-list", "e.pkl", "--images", "i", "--split", "test"], "only a manifest has splits"),
        (["a_L-CC.png", "--pixel-mm", "0"], "Invalid value for '--pixel-mm'"),
        (["a_L-CC.png", "--pixel-mm", "70"], "Invalid value for '--pixel-mm'"),
        (["nothing_L-CC.png"], "path 'nothing_L-CC.png' does not exist"),
        (["a_L-CC.png", "--num-tta", "-1"], "Invalid value for '--num-tta'"),
        (["a_L-CC.png", "--precision", "16-mixed"], "Invalid value for '--precision'"),
    ],
)
def test_wrong_usage(calls: SimpleNamespace, arguments: list[str], message: str) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert not hasattr(calls, "model"), "nothing is loaded"


def test_a_window_that_misses_the_breast_is_told_and_makes_the_exit_code_3(
    trained_run: Path, phantom_study: Manifest, tmp_path: Path
) -> None:
    """Predicted all the same, also when all of it was done before; the pixel size mends it."""
    table = phantom_study.table.iloc[:4]
    Manifest(table.assign(pixel_mm=np.nan), tmp_path / "m.csv").to_csv(tmp_path / "m.csv")
    files = ("predict", "--checkpoint", str(trained_run), "--manifest", str(tmp_path / "m.csv"), "--no-overlays")
    arguments = (*files, "--out", str(tmp_path / "out"), "--device", "cpu")
    for _ in range(2):
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 3, result.output
        assert "4 of 4 images show too little of the breast" in result.stdout
        assert "The pixel size of 4 of 4 images is unknown, so they cannot be resampled to 2.24 mm." in result.stderr
        assert "--set" not in result.stderr, "the preparation of a checkpoint cannot be changed"
    metrics = ("evaluate", "--predictions", str(tmp_path / "out"), "--manifest", str(tmp_path / "m.csv"))
    result = CliRunner().invoke(app, [*metrics, "--out", str(tmp_path / "metrics"), "--bootstrap", "0"])
    assert "Caution: on 4 of 4 images the model saw too little of the breast." in result.stdout
    result = CliRunner().invoke(app, [*arguments, "--pixel-mm", "1.12"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert "too little" not in result.stdout
