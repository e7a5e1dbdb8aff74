"""Files of a run that were damaged or made to do harm: the file named, what to do, exit code 1 or 2, and nothing lost."""

import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mammoseg.data.manifest import Manifest
from mammoseg.inference.batch import predict_images
from mammoseg.inference.predictor import open_predictor

Command = Callable[..., Any]
Damage = Callable[[Path], object]
DEEP = "[" * 100_000
DAMAGES: dict[str, Damage] = {
    "empty": lambda path: path.write_bytes(b""),
    "deep": lambda path: path.write_text(DEEP),
    "deep names": lambda path: path.write_text('{"a":' * 100_000),
    "binary": lambda path: path.write_bytes(bytes(range(256)) * 10),
    "other": lambda path: path.write_text("[1, 2]"),
    "number": lambda path: path.write_text("5"),
    "endless": lambda path: (path.unlink(), path.symlink_to("/dev/zero")),
    "pipe": lambda path: (path.unlink(), os.mkfifo(path)),
    "folder": lambda path: (path.unlink(), path.mkdir()),
}
damaged = pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())


@pytest.fixture(scope="module")
def whole(trained_run: Path, phantom_study: Manifest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Predictions of the test split. Not to be changed."""
    out = tmp_path_factory.mktemp("whole") / "predictions"
    predict_images(open_predictor(trained_run, "cpu"), list(phantom_study.subset("test").rows()), out)
    return out


@pytest.fixture
def predictions(whole: Path, here: Path) -> Path:
    """A copy of them to spoil."""
    shutil.copytree(whole, here / "predictions")
    return here / "predictions"


@pytest.fixture
def evaluate(command: Command, phantom_study: Manifest) -> Command:
    options = ("--manifest", phantom_study.path, "--split", "test", "--bootstrap", "0")
    return lambda: command("evaluate", "--predictions", "predictions", *options, "--out", "metrics")


def refused(done: Any, name: str, *codes: int) -> None:
    """One line that names the file."""
    assert done.code in codes
    assert "Traceback" not in done.err
    [message] = [line for line in done.err.splitlines() if line.startswith("mammoseg: ")]
    assert name in message
    assert len(message) < 1000


@damaged
@pytest.mark.parametrize("name", ["run.json", "predictions.csv", "record"])
def test_a_damaged_file_of_predictions(predictions: Path, evaluate: Command, name: str, damage: Damage) -> None:
    path = next((predictions / "records").iterdir()) if name == "record" else predictions / name
    path.touch()
    damage(path)
    refused(evaluate(), path.name, 1)
    assert not Path("metrics/metrics.json").exists()


@damaged
def test_a_damaged_description_of_a_checkpoint(
    here: Path, trained_run: Path, phantom_study: Manifest, command: Command, damage: Damage
) -> None:
    shutil.copytree(trained_run / "checkpoint", here / "model")
    damage(here / "model" / "checkpoint.json")
    arguments = ("--manifest", phantom_study.path, "--split", "test", "--out", "out")
    refused(command("predict", "--checkpoint", "model", *arguments), "model", 1)
    assert not (here / "out").exists()


@damaged
def test_a_damaged_configuration(here: Path, phantom_study: Manifest, command: Command, damage: Damage) -> None:
    (here / "x.yaml").touch()
    damage(here / "x.yaml")
    options = ("--recipe", "glam_small", "--manifest", phantom_study.path, "--config", "x.yaml", "--out", "out")
    done = command("train", *options)
    refused(done, "x.yaml", 2)
    assert not (here / "out").exists()


@damaged
def test_a_damaged_manifest(here: Path, trained_run: Path, command: Command, damage: Damage) -> None:
    (here / "m.csv").touch()
    damage(here / "m.csv")
    done = command("predict", "--checkpoint", trained_run, "--manifest", "m.csv", "--out", "out")
    assert done.code == 1
    assert "m.csv" in done.err
    assert "Traceback" not in done.err


@damaged
def test_damaged_weights_of_others(here: Path, command: Command, damage: Damage) -> None:
    (here / "sample_model_1.p").touch()
    damage(here / "sample_model_1.p")
    refused(command("import-weights", "sample_model_1.p", "--out", "out"), "sample_model_1.p", 1)
    assert not (here / "out").exists()


@damaged
def test_a_damaged_exam_list(here: Path, trained_run: Path, command: Command, damage: Damage) -> None:
    (here / "list.pkl").touch()
    damage(here / "list.pkl")
    done = command("predict", "--checkpoint", trained_run, "--exam-list", "list.pkl", "--images", ".", "--out", "out")
    refused(done, "list.pkl", 1)


def bomb(path: Path) -> None:
    """As many bytes as the honest map has, and a gigabyte when unpacked."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("saliency.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, {"descr": "|u1", "fortran_order": False, "shape": (2**30,)})
        for _ in range(2**4):
            member.write(bytes(2**20))


@pytest.mark.parametrize("damage", [*DAMAGES.values(), bomb], ids=[*DAMAGES, "bomb"])
def test_a_damaged_map(predictions: Path, evaluate: Command, phantom_study: Manifest, damage: Damage) -> None:
    """Of an image with a mask; such as it is, the maps are not looked at for the scores of others."""
    rows = phantom_study.subset("test").rows()
    image_id = next(row.image_id for row in rows if row.masks)
    damage(predictions / "maps" / f"{image_id}.npz")
    refused(evaluate(), f"{image_id}.npz", 1)


def test_what_a_record_says_without_the_map_it_was_written_with(
    predictions: Path, evaluate: Command, phantom_study: Manifest
) -> None:
    """The record, too, is made to allow a gigabyte."""
    rows = phantom_study.subset("test").rows()
    image_id = next(row.image_id for row in rows if row.masks)
    path = predictions / "records" / f"{image_id}.json"
    record = json.loads(path.read_text())
    record["maps"] = {"saliency": [2, 2**20, 2**20]}
    del record["files"]
    path.write_text(json.dumps(record))
    bomb(predictions / "maps" / f"{image_id}.npz")
    refused(evaluate(), f"{image_id}.npz", 1)
