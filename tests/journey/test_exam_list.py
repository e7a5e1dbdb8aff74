"""The published software's own input, `mammoseg predict --exam-list`: the same images, the same table, and more beside it."""

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from mammoseg.data.manifest import Manifest
from mammoseg.records.colours import LOOKS, rgb
from mammoseg.records.label import CLASSES

Command = Callable[..., Any]

VIEWS = ("L-CC", "R-CC", "L-MLO", "R-MLO")
MISSING = "1_L-MLO"
IN_ORDER = [f"{exam}_{view}" for exam in (1, 0) for view in VIEWS if f"{exam}_{view}" != MISSING]
MASKED = "0_R-CC"
TRUTH_COLOUR = rgb(LOOKS["malignant"].on_dark)  # of a malignant lesion in the figures


@pytest.fixture(scope="module")
def sample(phantom_study: Manifest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like the published sample: two exams, the second named first, one image missing, and one mask."""
    folder = tmp_path_factory.mktemp("sample data ü")
    for name in ("images", "segmentation"):
        (folder / name).mkdir()
    images = list(phantom_study.rows())[:8]
    exams = []
    for exam, sides in ((1, {"left_malignant": 1}), (0, {"right_malignant": 1, "right_benign": 1})):
        for row in images[4 * exam : 4 * exam + 4]:
            shutil.copyfile(row.path, folder / "images" / f"{exam}_{row.laterality}-{row.view}.png")
        labels = {f"{side}_{name}": 0 for side in ("left", "right") for name in CLASSES} | sides
        views = {view: [f"{exam}_{view}"] for view in VIEWS}
        exams.append({"horizontal_flip": "NO", **views, "cancer_label": {"unknown": 0, **labels}})
    (folder / "images" / f"{MISSING}.png").unlink()
    mask = np.zeros((96, 64), np.uint8)  # the pixels of the window
    mask[30:60, 10:40] = 255
    cv2.imwrite(str(folder / "segmentation" / f"{MASKED}_malignant.png"), mask)
    (folder / "exams.pkl").write_bytes(pickle.dumps(exams))
    return folder


@pytest.fixture(scope="module")
def checkpoints(tiny_gmic: Callable[..., Path]) -> list[Path]:
    """Two GMICs that take pixels as they are, as the published ones do."""
    return [tiny_gmic(seed, pixel_mm=None) for seed in (1, 2)]


@pytest.fixture
def predict(here: Path, sample: Path, command: Command) -> Command:
    """`predict(out, checkpoints, *options)` predicts the sample into a folder below the working directory."""

    def run(out: str, checkpoints: list[Path], *options: object) -> Any:
        folders = ("--images", sample / "images", "--masks", sample / "segmentation")
        models = [part for checkpoint in checkpoints for part in ("--checkpoint", checkpoint)]
        return command(
            *("predict", "--exam-list", sample / "exams.pkl", *folders, *models),
            *("--out", out, "--device", "cpu", *options),
        )

    return run


def image_scores(out: Path) -> pd.DataFrame:
    table = pd.read_csv(out / "predictions.csv")
    return table[table["level"] == "image"].set_index("image_id").drop(columns=["level", "view", "laterality"])


def test_one_command_from_exam_list_to_figures_and_numbers(
    here: Path, predict: Command, checkpoints: list[Path], command: Command
) -> None:
    done = predict("out", checkpoints[:1])
    assert done.code == 3, done.err
    done.says("7 images predicted, 0 done before, 1 failed: out", "out/predictions_published.csv")
    done.says(f"1 of 8 images have no file; first {MISSING}")
    [error] = pd.read_csv(here / "out" / "errors.csv").to_dict("records")
    assert (error["image_id"], error["step"]) == (MISSING, "read")
    assert "No such file" in error["message"]

    scores = image_scores(here / "out")
    assert sorted(scores.index) == sorted(IN_ORDER)
    labels = {"1_L-CC": "0,1", "0_R-CC": "1,1", "0_R-MLO": "1,1"}
    assert (here / "out" / "predictions_published.csv").read_text().splitlines() == [
        "image_index,benign_pred,malignant_pred,benign_label,malignant_label",
        *(f"{i},{scores.benign[i]:.4f},{scores.malignant[i]:.4f},{labels.get(i, '0,0')}" for i in IN_ORDER),
    ]

    for image_id in IN_ORDER:
        figure = cv2.cvtColor(cv2.imread(str(here / "out" / "overlays" / f"{image_id}.png")), cv2.COLOR_BGR2RGB)
        assert (figure == TRUTH_COLOUR).all(axis=-1).any() == (image_id == MASKED)

    done = command(
        *(
            "evaluate",
            "--predictions",
            "out",
            "--manifest",
            "out/exam_list_manifest.csv",
            "--out",
            "metrics",
            "--bootstrap",
            0,
        )
    )
    assert done.code == 3, "one image had failed"
    metrics = json.loads((here / "metrics" / "metrics.json").read_text())
    assert (metrics["n_images"], metrics["n_exams"], metrics["failed"]) == (7, 2, [MISSING])
    assert 0 <= metrics["scores"]["image"]["malignant"]["final"]["auc"]["value"] <= 1
    per_image = pd.read_csv(here / "metrics" / "per_image.csv").set_index("image_id")
    assert per_image.index[per_image["malignant_saliency_pxap"].notna()].tolist() == [MASKED]


def test_the_same_command_continues(here: Path, predict: Command, checkpoints: list[Path]) -> None:
    predict("out", checkpoints[:1], "--no-overlays")
    before = {path.name: path.read_bytes() for path in (here / "out").glob("*.csv")}
    records = {path: path.stat().st_mtime_ns for path in (here / "out" / "records").iterdir()}
    done = predict("out", checkpoints[:1], "--no-overlays")
    assert done.code == 3
    done.says("0 images predicted, 7 done before, 1 failed: out")
    assert {path.name: path.read_bytes() for path in (here / "out").glob("*.csv")} == before
    assert {path: path.stat().st_mtime_ns for path in (here / "out" / "records").iterdir()} == records
    for other in ((checkpoints[1:],), (checkpoints,), (checkpoints[:1], "--num-tta", 2)):
        done = predict("out", *other)
        assert done.code == 1
        done.says("out: holds predictions of another checkpoint or with other settings", "--overwrite")
    assert {path.name: path.read_bytes() for path in (here / "out").glob("*.csv")} == before
    done = predict("out", checkpoints[1:], "--overwrite", "--no-overlays")
    done.says("7 images predicted, 0 done before, 1 failed: out")


def test_an_ensemble(here: Path, predict: Command, checkpoints: list[Path]) -> None:
    """Scores are the mean; the table is sorted, with labels as the published ensemble writes them."""
    for name, models in (("first", checkpoints[:1]), ("second", checkpoints[1:]), ("both", checkpoints)):
        assert predict(name, models, "--no-overlays").code == 3
    first, second, both = (image_scores(here / name) for name in ("first", "second", "both"))
    columns = ["benign", "malignant", "global_benign", "local_malignant", "fusion_benign"]
    assert first.columns.tolist() == both.columns.tolist()
    np.testing.assert_allclose(both[columns], (first[columns] + second[columns]) / 2, rtol=0, atol=1e-6)
    lines = [line.split(",") for line in (here / "both" / "predictions_published.csv").read_text().splitlines()[1:]]
    assert [line[0] for line in lines] == sorted(IN_ORDER)
    written = {line[0]: line[1:] for line in lines}
    assert written[MASKED][2:] == ["1.0000", "1.0000"]
    assert written["1_L-CC"][2:] == ["0.0000", "1.0000"]
    assert written["0_L-CC"] == [f"{both.benign['0_L-CC']:.4f}", f"{both.malignant['0_L-CC']:.4f}", "0.0000", "0.0000"]


def test_augmented(here: Path, predict: Command, checkpoints: list[Path]) -> None:
    predict("plain", checkpoints[:1], "--no-overlays")
    done = predict("augmented", checkpoints[:1], "--num-tta", 2, "--no-overlays")
    assert done.code == 3, done.err
    plain, augmented = image_scores(here / "plain"), image_scores(here / "augmented")
    assert (plain["malignant"] != augmented["malignant"]).all()
    parts = ["global_malignant", "local_malignant", "fusion_malignant"]
    pd.testing.assert_frame_equal(plain[parts], augmented[parts])
    assert json.loads((here / "augmented" / "run.json").read_text())["num_tta"] == 2
    lines = (here / "augmented" / "predictions_published.csv").read_text().splitlines()[1:]
    assert [line.split(",")[:2] for line in lines] == [[i, f"{augmented.benign[i]:.4f}"] for i in IN_ORDER]


def test_a_list_that_would_run_something(here: Path, sample: Path, checkpoints: list[Path], command: Command) -> None:
    class Attack:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (here / "attacked",)

    (here / "exams.pkl").write_bytes(pickle.dumps([{"L-CC": Attack()}]))
    arguments = ("--exam-list", "exams.pkl", "--images", sample / "images", "--checkpoint", checkpoints[0])
    done = command("predict", *arguments, "--out", "out")
    assert (done.code, done.out) == (1, "")
    done.says("exams.pkl: this pickle holds", "nothing was executed")
    assert [path.name for path in here.iterdir()] == ["exams.pkl"]
