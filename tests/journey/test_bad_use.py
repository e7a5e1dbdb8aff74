"""Folders, checkpoints and devices that do not fit: a message that says what to do, an exit code, and no traceback."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from mammoseg.data.manifest import Manifest, load_manifest

Command = Callable[..., Any]


def test_a_folder_holds_one_run(here: Path, table: pd.DataFrame, train: Command, command: Command) -> None:
    assert train(table).code == 0
    weights = here / "run" / "checkpoint" / "weights.safetensors"
    before = weights.read_bytes()
    for other in (("--seed", 1), ("--set", "network.num_patches=3")):
        done = train(table, *other)
        assert done.code == 1
        done.says("run: holds a run with another configuration", "--overwrite")
    assert train(table[table["patient_id"] != table["patient_id"][0]]).code == 1
    assert weights.read_bytes() == before
    assert train(table).code == 0
    assert train(table, "--seed", 1, "--overwrite").code == 0
    assert weights.read_bytes() != before


def test_predictions_of_one_checkpoint_in_a_folder(
    here: Path, phantom_study: Manifest, trained_run: Path, command: Command
) -> None:
    images = [row.path for row in phantom_study.subset("test").rows()][:1]
    arguments = ("predict", *images, "--pixel-mm", "1.12", "--checkpoint", trained_run, "--out", "out")
    assert command(*arguments).code == 0
    done = command(*arguments, "--set", "num_patches=2")
    assert done.code == 1
    done.says("out: holds predictions of another checkpoint or with other settings", "--overwrite")
    done = command(*arguments, "--set", "num_patches=2", "--overwrite")
    done.says("1 images predicted, 0 done before")
    done = command(*arguments, "--set", "patches=2")
    assert done.code == 2
    done.says("there is no field 'patches'; there are:")


def test_checkpoints_that_are_none(here: Path, phantom_study: Manifest, trained_run: Path, command: Command) -> None:
    (here / "unfinished").mkdir()
    (here / "unfinished" / "config.yaml").write_text("seed: 0\n")
    shutil.copytree(trained_run / "checkpoint", here / "damaged")
    with (here / "damaged" / "weights.safetensors").open("r+b") as file:
        file.truncate(1000)
    shutil.copytree(trained_run / "checkpoint", here / "empty")
    (here / "empty" / "checkpoint.json").write_text("{}")
    (here / "a_L-CC.png").touch()
    for name, part in (
        ("nowhere", "no such file or folder; no checkpoint here. Expected a run folder of `mammoseg train`"),
        (phantom_study.path, "no checkpoint here"),
        ("unfinished", "has not finished: start the same `mammoseg train` again"),
        ("damaged", "damaged or exchanged"),
        ("empty", "damaged checkpoint description"),
    ):
        done = command("predict", "a_L-CC.png", "--checkpoint", name, "--out", "out")
        assert (done.code, done.out) == (1, "")
        done.says(f"mammoseg: {name}", part)
        assert not (here / "out").exists()


def test_predictions_that_do_not_fit(here: Path, table: pd.DataFrame, trained_run: Path, command: Command) -> None:
    test = table[table["split"] == "test"]
    test.iloc[1:].to_csv("predicted.csv", index=False)
    table.to_csv("all.csv", index=False)
    test.iloc[2:].to_csv("fewer.csv", index=False)
    predict = ("predict", "--checkpoint", trained_run, "--manifest", "predicted.csv", "--out", "out", "--no-overlays")
    assert command(*predict).code == 0
    score = ("evaluate", "--predictions", "out", "--out", "metrics", "--bootstrap", 0)
    for code, manifest, parts in (
        (1, ("all.csv", "--split", "test"), [f"1 of {len(test)} images to evaluate have no prediction"]),
        (1, ("all.csv",), ["have no prediction", "--split"]),
        (1, ("fewer.csv",), ["predictions are not in the manifest"]),
        (1, ("all.csv", "--split", "tst"), ["tst"]),
        (2, ("predicted.csv", "--by", "density2"), ["'density2'", "no such column", "density,"]),
    ):
        done = command(*score, "--manifest", *manifest)
        assert (done.code, done.out) == (code, "")
        done.says(*parts)
    assert not (here / "metrics").exists()
    assert command(*score, "--manifest", "predicted.csv").code == 0
    for missing in ("nowhere", here):
        done = command("evaluate", "--predictions", missing, "--manifest", "predicted.csv", "--out", "metrics")
        assert done.code == 1
        done.says(f"{missing}/predictions.csv is missing", "mammoseg predict")


def test_evaluation_of_a_run_with_failed_images(
    here: Path, table: pd.DataFrame, trained_run: Path, command: Command
) -> None:
    test = table[table["split"] == "test"].copy()
    test.iloc[0, test.columns.get_loc("path")] = "nowhere.png"
    test.to_csv("manifest.csv", index=False)
    assert command("predict", "--checkpoint", trained_run, "--manifest", "manifest.csv", "--out", "out").code == 3
    arguments = ("evaluate", "--predictions", "out", "--manifest", "manifest.csv", "--out", "metrics", "--bootstrap", 0)
    done = command(*arguments)
    assert done.code == 3
    assert json.loads((here / "metrics" / "metrics.json").read_text())["failed"] == [test["image_id"].iloc[0]]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_no_gpu(here: Path, phantom_study: Manifest, trained_run: Path, command: Command) -> None:
    verbs = (
        ("train", "--recipe", "glam_small", "--manifest", phantom_study.path),
        ("predict", "--checkpoint", trained_run, "--manifest", phantom_study.path),
        ("demo",),
    )
    for verb in verbs:
        for name in ("cuda", "gpu"):
            done = command(*verb, "--out", "out", "--device", name)
            assert (done.code, done.out) == (2, "")
            done.says(f"--device {name}: not available here", "Use auto, cpu or cuda")
    assert not list(here.iterdir())


def test_a_result_folder_below_a_file(here: Path, command: Command) -> None:
    (here / "file").write_text("")
    for verb in (
        ("demo",),
        ("phantom", "--exams", 1),
        ("prepare", "--recipe", "glam_small", "--manifest", "m.csv"),
        ("train", "--recipe", "glam_small", "--manifest", "m.csv"),
        ("predict", "a_L-CC.png", "--checkpoint", "run"),
        ("evaluate", "--predictions", "out", "--manifest", "m.csv"),
    ):
        done = command(*verb, "--out", "file/below")
        assert (done.code, done.out) == (2, "")
        done.says(f"{here / 'file'} is not a folder", "Give a folder")
    assert [path.name for path in here.iterdir()] == ["file"]


def test_a_manifest_in_a_folder_that_was_moved(
    here: Path, phantom_study: Manifest, trained_run: Path, command: Command
) -> None:
    moved = here / "moved ü"
    shutil.copytree(phantom_study.path.parent, moved)
    assert load_manifest(moved / "manifest.csv").sha256() == phantom_study.sha256()
    arguments = ("--manifest", moved / "manifest.csv", "--split", "test", "--out", "out")
    done = command("predict", "--checkpoint", trained_run, *arguments, "--workers", 2)
    assert done.code == 0
