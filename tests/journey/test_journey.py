"""From nothing to numbers: phantom, prepare, train, predict, evaluate, each a command that reads the files of the last."""

import json
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml

VERBS = ("phantom", "prepare", "train", "predict", "evaluate")
TINY_PHANTOMS = ("--set", "rows=104", "--set", "columns=80", "--set", "pixel_mm=2.24")
SETTINGS = {
    "network": {
        "global_module": {"widths": [4, 4, 8, 8, 16], "strides": [1, 2, 1, 2, 2]},
        "local_module": {"blocks": [1], "widths": [8], "strides": [1]},
        "patch_px": 32,
    },
    "prep": {"window": [96, 64], "pixel_mm": 2.24, "opening_px": 3, "buffer_px": 2},
    "augment": {"location_px": [4, 4], "size_px": 4},
    "stages": {name: {"epochs": 1, "batch_size": 8} for name in ("global", "local", "joint")},
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("with space ü")
    (base / "tiny.yaml").write_text(yaml.safe_dump(SETTINGS))
    return base


@pytest.fixture(scope="module")
def said(base: Path, mammoseg: Callable[..., Any]) -> dict[str, Any]:
    """What each of the five commands left."""
    manifest, recipe = ("--manifest", base / "study" / "manifest.csv"), ("--recipe", "glam_small")
    tiny = ("--config", base / "tiny.yaml", "--set", "stages.local.epochs=2")
    done = {}
    calls: dict[str, tuple[object, ...]] = {
        "phantom": ("--exams", 8, "--out", base / "study", "--splits", "0.5,0.25,0.25", "--workers", 1, *TINY_PHANTOMS),
        "prepare": (*recipe, *manifest, *tiny, "--out", base / "prepared"),
        "train": (*recipe, *manifest, *tiny, "--out", base / "run", "--cache", base / "prepared" / "cache"),
        "predict": ("--checkpoint", base / "run", *manifest, "--split", "test", "--out", base / "predictions"),
        "evaluate": (
            *("--predictions", base / "predictions", *manifest, "--split", "test"),
            *("--out", base / "metrics", "--bootstrap", 20, "--by", "density"),
        ),
    }
    for verb in VERBS:
        done[verb] = mammoseg(verb, *calls[verb])
        assert done[verb].code == 0, done[verb].err
    return done


def test_every_command_says_where_its_result_is(said: dict[str, Any], base: Path) -> None:
    results = {
        "phantom": "study/manifest.csv", "prepare": "prepared/prepared.csv", "train": "run/checkpoint",
        "predict": "predictions", "evaluate": "metrics/metrics.json",
    }  # fmt: skip
    for verb, result in results.items():
        last = said[verb].out.splitlines()[-1]
        assert last.split(", as a page: ")[0].endswith(str(base / result)), verb
        assert (base / result).exists()
        assert "Warning" not in said[verb].err
        assert "Traceback" not in said[verb].err
    assert said["predict"].out.startswith("8 images predicted, 0 done before, 0 failed")
    assert "━" not in "".join(verb.out + verb.err for verb in said.values()), "no progress bar in a log"


def test_training_used_the_prepared_crops_and_wrote_down_what_it_did(said: dict[str, Any], base: Path) -> None:
    assert not (base / "run" / "cache").exists()
    config = yaml.safe_load((base / "run" / "config.yaml").read_text())
    assert config["prep"]["window"] == [96, 64]
    assert config["stages"]["local"]["epochs"] == 2
    checkpoint = json.loads((base / "run" / "checkpoint" / "checkpoint.json").read_text())
    assert checkpoint["network"]["patch_px"] == 32
    for line in ("global 1/1", "local 2/2", "joint 1/1"):
        assert line in said["train"].err


def test_predictions_are_complete(said: dict[str, Any], base: Path) -> None:
    study = pd.read_csv(base / "study" / "manifest.csv").query("split == 'test'").set_index("image_id")
    table = pd.read_csv(base / "predictions" / "predictions.csv")
    assert table["level"].value_counts().to_dict() == {"image": 8, "breast": 4, "exam": 2}
    assert set(table["image_id"].dropna()) == set(study.index)
    for image_id, row in study.iterrows():
        image = cv2.imread(str(base / "study" / row["path"]), cv2.IMREAD_UNCHANGED)
        for name in ("benign", "malignant"):
            saliency = cv2.imread(str(base / "predictions" / "maps" / f"{image_id}_{name}.png"), cv2.IMREAD_UNCHANGED)
            assert (saliency.shape, saliency.dtype) == (image.shape, np.uint16)
        assert (base / "predictions" / "overlays" / f"{image_id}.png").is_file()
        assert (base / "predictions" / "records" / f"{image_id}.json").is_file()


def test_evaluation_read_what_prediction_wrote(said: dict[str, Any], base: Path) -> None:
    metrics = json.loads((base / "metrics" / "metrics.json").read_text())
    assert (metrics["n_images"], metrics["n_exams"], metrics["n_failed"]) == (8, 2, 0)
    checkpoint = json.loads((base / "run" / "checkpoint" / "checkpoint.json").read_text())
    assert metrics["predictions"]["run"]["checkpoint_sha256"] == checkpoint["sha256"]
    assert set(metrics["by"]) == {"density"}
    scored = pd.read_csv(base / "metrics" / "per_image.csv").set_index("image_id")["score_final_malignant"]
    predicted = pd.read_csv(base / "predictions" / "predictions.csv").query("level == 'image'").set_index("image_id")
    pd.testing.assert_series_equal(scored.sort_index(), predicted["malignant"].sort_index(), check_names=False)
    assert (base / "metrics" / "roc.png").is_file()
    rows = said["evaluate"].out.splitlines()
    assert rows[0].split() == ["metric", "of", "class", "value", "interval", "n", "remark"]
    value = metrics["scores"]["breast"]["benign"]["final"]["auc"]["value"]
    assert any(row.startswith("AUC") and "by breast" in row and f"{value:.3f}" in row for row in rows)
    assert max(map(len, rows[:-1])) <= 120


def test_the_same_commands_again_do_nothing_new(
    said: dict[str, Any], base: Path, command: Callable[..., Any], tmp_path: Path
) -> None:
    weights = base / "run" / "checkpoint" / "weights.safetensors"
    before = weights.stat().st_mtime_ns
    manifest = ("--manifest", base / "study" / "manifest.csv")
    trained = command(
        *("train", "--recipe", "glam_small", *manifest, "--config", base / "tiny.yaml", "--out", base / "run"),
        *("--set", "stages.local.epochs=2", "--device", "cpu"),
    )
    assert trained.code == 0
    assert weights.stat().st_mtime_ns == before
    predicted = command(
        "predict", "--checkpoint", base / "run", *manifest, "--split", "test", "--out", base / "predictions"
    )
    assert predicted.out.startswith("0 images predicted, 8 done before, 0 failed")
    written = command(
        *("train", "--recipe", "glam_small", *manifest, "--config", base / "run" / "config.yaml"),
        *("--out", base / "run", "--device", "cpu"),
    )
    assert written.code == 0, "the configuration that a run wrote is the configuration of that run"


def test_single_files_give_what_the_manifest_gave(
    said: dict[str, Any], base: Path, command: Callable[..., Any], tmp_path: Path
) -> None:
    table = pd.read_csv(base / "predictions" / "predictions.csv").query("level == 'image'").set_index("image_id")
    image_id = table.index[0]
    file = tmp_path / f"Müller {image_id}.png"
    file.write_bytes((base / "study" / "images" / f"{image_id}.png").read_bytes())
    done = command("predict", file, "--checkpoint", base / "run", "--out", tmp_path / "out", "--workers", 2)
    assert done.code == 0, done.err
    [row] = pd.read_csv(tmp_path / "out" / "predictions.csv").query("level == 'image'").to_dict("records")
    assert row["image_id"] == f"M_ller_{image_id}"
    assert row["malignant"] == pytest.approx(table.loc[image_id, "malignant"], abs=1e-5)


def test_the_same_from_python(said: dict[str, Any], base: Path, tmp_path: Path) -> None:
    import torch

    from mammoseg.config import with_overrides
    from mammoseg.data.manifest import load_manifest
    from mammoseg.evaluation.evaluate import evaluate
    from mammoseg.export.figures import overlay_writer
    from mammoseg.inference.batch import predict_images
    from mammoseg.inference.predictor import open_predictor
    from mammoseg.training.recipes import load_recipe
    from mammoseg.training.run import train

    torch.set_num_threads(1)  # as in the commands: sums in another order give other weights
    config = with_overrides(load_recipe("glam_small"), base / "tiny.yaml", ["stages.local.epochs=2"])
    manifest = load_manifest(base / "study" / "manifest.csv")
    run = train(config, manifest, tmp_path / "run", torch.device("cpu"))
    predictions = tmp_path / "predictions"
    rows = list(manifest.subset("test").rows())
    write = overlay_writer(predictions, config.prep)
    predict_images(open_predictor(run.checkpoint, "cpu"), rows, predictions, before_saving=write)
    metrics = evaluate(predictions, manifest, tmp_path / "metrics", split="test", bootstrap=20, by=["density"])
    by_command = json.loads((base / "metrics" / "metrics.json").read_text())
    for label in ("benign", "malignant"):
        ours, theirs = (m["scores"]["image"][label]["final"]["auc"]["value"] for m in (metrics, by_command))
        assert ours == pytest.approx(theirs)
    same = [pd.read_csv(folder / "predictions" / "predictions.csv") for folder in (tmp_path, base)]
    pd.testing.assert_frame_equal(*same, atol=1e-4)


@pytest.mark.slow
def test_a_stopped_training_goes_on_with_the_same_command(
    said: dict[str, Any], base: Path, start: Callable[..., subprocess.Popen[str]], command: Callable[..., Any]
) -> None:
    arguments = (
        *("train", "--recipe", "glam_small", "--manifest", base / "study" / "manifest.csv", "--out", base / "stopped"),
        *("--config", base / "tiny.yaml", "--set", "stages.global.epochs=40", "--device", "cpu"),
    )
    for sent, after, code in ((signal.SIGTERM, "global 3/40", 143), (signal.SIGINT, "global 9/40", 130)):
        process = start(*arguments)
        assert process.stderr is not None
        seen = next((line for line in process.stderr if after in line), None)
        assert seen is not None, "it ended before"
        process.send_signal(sent)
        _, err = process.communicate(timeout=60)
        assert process.returncode == code
        assert err.splitlines()[-1] == "mammoseg: stopped; the same command continues"
        assert "Traceback" not in err
        assert not (base / "stopped" / "checkpoint").exists()
    done = command(*arguments)
    assert done.code == 0, done.err
    epochs = [int(number) for number in re.findall(r"global (\d+)/40", done.err)]
    assert epochs[0] >= 9, "at most the epoch in which it was stopped is repeated"
    assert epochs[-1] == 40
    assert (base / "stopped" / "checkpoint" / "checkpoint.json").is_file()
