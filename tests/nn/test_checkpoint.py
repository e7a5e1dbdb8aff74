"""Checkpoints: written, read, and refused when damaged."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from mammoseg.nn.checkpoint import (
    DESCRIPTION,
    WEIGHTS,
    CheckpointError,
    open_checkpoint,
    packaged,
    save_checkpoint,
)


def network(widths: tuple[int, ...] = (3, 2)) -> nn.Module:
    first, last = widths
    return nn.Sequential(nn.Conv2d(1, first, 3), nn.BatchNorm2d(first), nn.Conv2d(first, last, 1))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    model = network()
    model(torch.randn(4, 1, 8, 8))  # batch-norm statistics of its own
    return save_checkpoint(tmp_path / "run" / "checkpoint", "toy", model, {"width": 3}, {"window": [8, 8]}, {"seed": 1})


def change_description(folder: Path, **values: object) -> None:
    description = json.loads((folder / DESCRIPTION).read_text())
    (folder / DESCRIPTION).write_text(json.dumps(description | values))


def test_round_trip(saved: Path) -> None:
    checkpoint = open_checkpoint(saved)
    assert (checkpoint.model, checkpoint.network, checkpoint.prep) == ("toy", {"width": 3}, {"window": [8, 8]})
    assert checkpoint.provenance == {"seed": 1}
    model = network()
    checkpoint.load_weights(model)
    stored = load_file(saved / WEIGHTS)
    assert stored["1.num_batches_tracked"] == 1
    assert set(stored) == set(model.state_dict())
    assert all(torch.equal(value, stored[name]) for name, value in model.state_dict().items())


def test_statistics_of_the_training_images_travel_with_it(saved: Path) -> None:
    assert open_checkpoint(saved).trained_on is None
    save_checkpoint(saved, "toy", network(), {}, {}, {}, {"images": 3})
    assert open_checkpoint(saved).trained_on == {"images": 3}
    change_description(saved, trained_on={"images": 4})
    with pytest.raises(CheckpointError, match="changed since it was written"):
        open_checkpoint(saved)


def test_an_earlier_checkpoint_has_no_statistics(saved: Path) -> None:
    description = json.loads((saved / DESCRIPTION).read_text())
    earlier = {name: value for name, value in description.items() if name not in ("trained_on", "seal")}
    (saved / DESCRIPTION).write_text(json.dumps(earlier | {"format": 1}))
    assert open_checkpoint(saved).trained_on is None


def test_those_that_come_with_mammoseg_are_known_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is whole, not large, has a model card and tells what it was trained on; a folder of the user comes first."""
    monkeypatch.chdir(tmp_path)
    assert "glam_phantom" in packaged()
    for name, folder in packaged().items():
        checkpoint = open_checkpoint(Path(name))
        assert checkpoint.folder == folder
        assert checkpoint.trained_on is not None
        assert (folder / WEIGHTS).stat().st_size <= 10_000_000
        assert (folder / "README.md").is_file()
        (tmp_path / name).mkdir()
        with pytest.raises(CheckpointError, match="no checkpoint here"):
            open_checkpoint(Path(name))


def test_the_run_folder_will_do(saved: Path) -> None:
    assert open_checkpoint(saved.parent) == open_checkpoint(saved)


def test_saving_again_replaces(saved: Path) -> None:
    before = open_checkpoint(saved)
    save_checkpoint(saved, "toy", network((4, 2)), {"width": 4}, {}, {})
    after = open_checkpoint(saved)
    assert (before.sha256 != after.sha256, after.network) == (True, {"width": 4})
    assert sorted(path.name for path in saved.iterdir()) == [DESCRIPTION, WEIGHTS]


def test_channels_last_weights_are_the_same_weights(saved: Path, tmp_path: Path) -> None:
    model = network()
    open_checkpoint(saved).load_weights(model)
    model.to(memory_format=torch.channels_last)
    again = save_checkpoint(tmp_path / "again", "toy", model, {}, {}, {})
    assert open_checkpoint(again).sha256 == open_checkpoint(saved).sha256


@pytest.mark.parametrize("place", [0, 8, -1])
def test_a_damaged_byte(saved: Path, place: int) -> None:
    data = bytearray((saved / WEIGHTS).read_bytes())
    data[place] ^= 0xFF
    (saved / WEIGHTS).write_bytes(data)
    with pytest.raises(CheckpointError, match="damaged or exchanged"):
        open_checkpoint(saved)


def test_weights_that_are_gone(saved: Path) -> None:
    checkpoint = open_checkpoint(saved)
    (saved / WEIGHTS).unlink()
    with pytest.raises(CheckpointError, match=r"weights.safetensors: the weights cannot be read \(No such file"):
        open_checkpoint(saved)
    with pytest.raises(CheckpointError, match="the weights cannot be read"):
        checkpoint.load_weights(network())


def test_weights_damaged_after_opening(saved: Path) -> None:
    checkpoint = open_checkpoint(saved)
    (saved / WEIGHTS).write_bytes(b"\xff" * 64)
    with pytest.raises(CheckpointError, match="the weights cannot be read"):
        checkpoint.load_weights(network())


def test_tensors_that_do_not_fit_are_named(saved: Path) -> None:
    checkpoint = open_checkpoint(saved)
    state = load_file(saved / WEIGHTS)
    state["extra.weight"] = state.pop("0.bias")
    state["2.weight"] = torch.zeros(2, 5, 1, 1)
    save_file(state, saved / WEIGHTS)
    model = network()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(CheckpointError) as caught:
        checkpoint.load_weights(model)
    message = str(caught.value)
    assert "do not fit this toy" in message
    assert "needs a network trained with it" in message
    assert "leave it out here" in message
    for problem in ("missing 0.bias", "unexpected extra.weight", "2.weight is (2, 5, 1, 1), expected (2, 3, 1, 1)"):
        assert problem in message
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_many_problems_are_counted(saved: Path) -> None:
    with pytest.raises(CheckpointError, match=r"missing 0\.0\.weight(.|\n)*\.\.\. and \d+ more"):
        open_checkpoint(saved).load_weights(nn.Sequential(network()))


def test_no_checkpoint(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(CheckpointError, match=r"no checkpoint here\. Expected a run folder") as caught:
            open_checkpoint(folder)
        assert "not finished" not in str(caught.value)


def test_a_run_that_has_not_finished(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("model: toy\n")
    with pytest.raises(CheckpointError, match="has not finished: start the same `mammoseg train` again"):
        open_checkpoint(tmp_path)


def test_a_format_of_another_version(saved: Path) -> None:
    (saved / DESCRIPTION).write_text(json.dumps({"format": 3, "contents": "unknown"}))
    with pytest.raises(CheckpointError, match="checkpoint format 3; this version of mammoseg reads formats 1 and 2"):
        open_checkpoint(saved)


@pytest.mark.parametrize(
    "values",
    [
        {"prep": {"window": [16, 8]}},
        {"network": {"width": 4}},
        {"network": {"width": 3.0}},
        {"provenance": {}},
        {"model": "other"},
        {"added": "later"},
        {"seal": "0" * 64},
        {"seal": None},
    ],
    ids=str,
)
def test_a_description_that_was_changed(saved: Path, values: dict[str, object]) -> None:
    change_description(saved, **values)
    with pytest.raises(CheckpointError, match=r"checkpoint\.json: changed since it was written.*Restore the file"):
        open_checkpoint(saved)


def test_another_layout_of_the_same_description_is_the_same(saved: Path) -> None:
    values = json.loads((saved / DESCRIPTION).read_text())
    before = open_checkpoint(saved)
    (saved / DESCRIPTION).write_text(json.dumps(dict(reversed(values.items())), indent=7))
    assert open_checkpoint(saved) == before


def test_weights_and_description_of_two_checkpoints(saved: Path, tmp_path: Path) -> None:
    other = save_checkpoint(tmp_path / "other", "toy", network(), {"width": 3}, {}, {})
    (saved / WEIGHTS).write_bytes((other / WEIGHTS).read_bytes())
    change_description(saved, sha256=open_checkpoint(other).sha256)
    with pytest.raises(CheckpointError, match="changed since it was written"):
        open_checkpoint(saved)


def test_numbers_that_json_has_no_form_for_keep_the_seal(tmp_path: Path) -> None:
    provenance = {"best": {"auc": float("nan"), "epoch": 3}, 7: (1, 2)}
    folder = save_checkpoint(tmp_path, "toy", network(), {}, {}, provenance)
    assert open_checkpoint(folder).provenance["7"] == [1, 2]


def test_a_checkpoint_of_the_format_without_a_seal_is_read_and_said_to_be_unsealed(
    saved: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sealed = open_checkpoint(saved)
    assert caplog.text == ""
    values = json.loads((saved / DESCRIPTION).read_text()) | {"format": 1}
    del values["seal"]
    (saved / DESCRIPTION).write_text(json.dumps(values))
    checkpoint = open_checkpoint(saved)
    assert (checkpoint.prep, checkpoint.sha256) == (sealed.prep, sealed.sha256)
    assert "written by an earlier version, without a seal: a change of its settings would not be noticed" in caplog.text


@pytest.mark.parametrize(
    "text",
    ["", "[]", "3", "{}", '{"format": 1}', '{"format": 1, "model": "toy"', "[" * 100_000, "\xff"],
    ids=lambda text: text[:20],
)
def test_a_damaged_description(saved: Path, text: str) -> None:
    (saved / DESCRIPTION).write_text(text)
    with pytest.raises(CheckpointError, match=r"checkpoint\.json: damaged checkpoint description"):
        open_checkpoint(saved)


@pytest.mark.parametrize(
    "values", [{"model": 5}, {"network": [1]}, {"prep": None}, {"provenance": "x"}, {"sha256": 1}], ids=str
)
def test_a_description_of_other_kinds_of_values(saved: Path, values: dict[str, object]) -> None:
    change_description(saved, format=1, **values)
    with pytest.raises(CheckpointError, match=r"checkpoint\.json: damaged checkpoint description"):
        open_checkpoint(saved)


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir], ids=["pipe", "folder"])
def test_weights_that_are_no_file(saved: Path, make: Callable[[Path], None]) -> None:
    (saved / WEIGHTS).unlink()
    make(saved / WEIGHTS)
    with pytest.raises(CheckpointError, match=r"weights\.safetensors: the weights cannot be read \((no regular|Is a)"):
        open_checkpoint(saved)


def test_another_hash(saved: Path) -> None:
    change_description(saved, format=1, sha256="0" * 64)
    with pytest.raises(CheckpointError, match=r"its hash is not the one in checkpoint\.json"):
        open_checkpoint(saved)


def test_a_checkpoint_does_not_import_a_module(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runs_when_opened.py").write_text("raise SystemExit('code of others ran')\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("runs_when_opened.model", "this.s"):
        folder = save_checkpoint(tmp_path / name, name, network(), {}, {}, {})
        with pytest.raises(CheckpointError, match=rf"is of the model '{name}', a module outside.*--set model={name}"):
            open_checkpoint(folder)
    monkeypatch.setitem(sys.modules, "this.s", sys)
    assert open_checkpoint(folder).model == "this.s", "imported by the program itself"
