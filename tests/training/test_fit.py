"""The loop of one stage: the best epoch is kept, every epoch can be continued from, each is in the logs."""

import csv
import errno
import os
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from mammoseg.data.cache import CropCache
from mammoseg.data.dataset import WindowDataset
from mammoseg.data.manifest import Manifest
from mammoseg.models import build_model, load_model_plugin
from mammoseg.prep.window import WindowNoise
from mammoseg.records.label import CLASSES
from mammoseg.training import fit
from mammoseg.training.config import StageConfig, TrainConfig
from mammoseg.training.fit import fit_stage, resolve_precision
from mammoseg.training.logs import Logs
from mammoseg.training.module import StageModule, TrainingError
from mammoseg.training.progress import Plan
from mammoseg.training.selection import ValidationScores

CPU = torch.device("cpu")
STEP = "training_step"


class Fit:
    """The first stage of GLAM on a part of the tiny study, in one folder."""

    def __init__(self, folder: Path, manifest: Manifest, config: TrainConfig, cache: Path) -> None:
        self.folder = folder
        self.config = config
        self.smoothing = 0.0
        crops = CropCache(cache, config.prep)
        rows = {split: list(manifest.subset(split).rows()) for split in ("train", "val")}
        self.train = WindowDataset(rows["train"], crops, WindowNoise((4, 4), 4), 0)
        self.val = WindowDataset(rows["val"], crops)

    def __call__(self, workers: int = 0, precision: str = "32-true", **settings: Any) -> dict[str, float]:
        torch.manual_seed(0)
        self.module = StageModule(
            build_model("glam", self.config.network),
            load_model_plugin("glam").LEARNING.stages[0],
            StageConfig(**{"epochs": 3, "learning_rate": 1e-3, "batch_size": 8, **settings}),
            self.config.objective,
            self.val,
            "loss",
            seed=0,
        )
        logs, plan = Logs(self.folder / "logs"), Plan([self.module.stage], {"global": self.module.config.epochs})
        return fit_stage(
            *(self.module, self.train, self.val, self.folder, logs, CPU, workers, precision, plan),
            smoothing=self.smoothing,
        )

    def weights(self) -> dict[str, torch.Tensor]:
        return {name: value.clone() for name, value in self.module.model.state_dict().items()}

    def csv_rows(self) -> list[dict[str, str]]:
        """Of all attempts, in order."""
        files = sorted((self.folder / "logs" / "global").glob("version_*/metrics.csv"))
        return [row for file in files for row in csv.DictReader(file.open())]


@pytest.fixture(scope="module")
def make_fit(
    phantom_study: Manifest, tiny_config: TrainConfig, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Fit]:
    cache = tmp_path_factory.mktemp("cache")
    torch.set_num_threads(1)
    return lambda: Fit(tmp_path_factory.mktemp("fit"), phantom_study, tiny_config, cache)


def select(monkeypatch: pytest.MonkeyPatch, values: list[float]) -> None:
    """Let the epochs be judged by the given numbers."""
    left = iter(values)
    monkeypatch.setattr(ValidationScores, "compute", lambda *_: {"loss": 1.0, "select": next(left)})


def interrupt_at(monkeypatch: pytest.MonkeyPatch, error: BaseException, call: int) -> None:
    """Raise `error` in the `call`-th training step, as Ctrl-C or a defect would."""
    calls, original = iter(range(1, 1000)), StageModule.training_step

    def training_step(self: StageModule, *arguments: Any) -> Any:
        if next(calls) == call:
            raise error
        return original(self, *arguments)

    monkeypatch.setattr(StageModule, STEP, training_step)


def test_the_best_epoch_is_kept_and_the_last_can_be_continued(
    make_fit: Callable[[], Fit], monkeypatch: pytest.MonkeyPatch
) -> None:
    two = make_fit()
    select(monkeypatch, [0.2, 0.5])
    assert two(epochs=2) == {"epoch": 2, "loss": 1.0, "select": 0.5}
    four = make_fit()
    select(monkeypatch, [0.2, 0.5, 0.1, 0.5])  # of equal ones the first
    assert four(epochs=4) == {"epoch": 2, "loss": 1.0, "select": 0.5}
    best = two.weights()
    assert all(torch.equal(value, best[name]) for name, value in four.weights().items())
    assert torch.load(four.folder / "last.ckpt", weights_only=True)["epoch"] == 3
    assert sorted(path.name for path in four.folder.iterdir()) == ["best-2.ckpt", "last.ckpt", "logs", "training.html"]


@pytest.mark.parametrize("schedule", ["constant", "one_cycle"])
@pytest.mark.parametrize("workers", [0, 2])
def test_a_stopped_stage_ends_like_one_that_was_not(
    make_fit: Callable[[], Fit], monkeypatch: pytest.MonkeyPatch, workers: int, schedule: str
) -> None:
    """Workers read ahead: the order of the resumed epoch must be its own."""
    straight, stopped = make_fit(), make_fit()
    best = straight(schedule=schedule, epochs=4)
    for _ in range(2):  # in the second epoch, and in the third
        with monkeypatch.context() as patch:
            interrupt_at(patch, RuntimeError("stopped"), 5)
            with pytest.raises(RuntimeError, match="stopped"):
                stopped(workers, schedule=schedule, epochs=4)
    assert stopped(workers, schedule=schedule, epochs=4) == best
    expected = straight.weights()
    assert all(torch.equal(value, expected[name]) for name, value in stopped.weights().items())
    losses = [[row["train/loss"], row["val/select"]] for row in straight.csv_rows()]
    assert [[row["train/loss"], row["val/select"]] for row in stopped.csv_rows()] == losses


def test_smoothing_lets_one_lucky_epoch_not_win(make_fit: Callable[[], Fit], monkeypatch: pytest.MonkeyPatch) -> None:
    """0.2, 0.5, 0.35, 0.475, 0.5375: also if the run was stopped on the way."""
    values = [0.2, 0.8, 0.2, 0.6, 0.6]
    lucky, smooth = make_fit(), make_fit()
    select(monkeypatch, values)
    assert lucky(epochs=5)["epoch"] == 2
    smooth.smoothing = 0.5
    select(monkeypatch, values)
    with monkeypatch.context() as patch:
        interrupt_at(patch, RuntimeError("stopped"), 11)  # in the third epoch
        with pytest.raises(RuntimeError, match="stopped"):
            smooth(epochs=5)
    best = smooth(epochs=5)
    assert (best["epoch"], best["select"]) == (5, pytest.approx(0.5375))


def test_no_epoch_is_done_twice_after_one_that_was_not_the_best(
    make_fit: Callable[[], Fit], monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = make_fit()
    select(monkeypatch, [0.9, 0.1, 0.3, 0.2])
    with monkeypatch.context() as patch:
        interrupt_at(patch, RuntimeError("stopped"), 8)  # in the third epoch
        with pytest.raises(RuntimeError, match="stopped"):
            stopped(epochs=4)
    assert stopped(epochs=4)["epoch"] == 1
    assert [row["epoch"] for row in stopped.csv_rows()] == ["1", "2", "3", "4"]


def test_a_moved_folder_continues(make_fit: Callable[[], Fit], monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = make_fit()
    select(monkeypatch, [0.9, 0.1, 0.3])
    with monkeypatch.context() as patch:
        interrupt_at(patch, RuntimeError("stopped"), 5)
        with pytest.raises(RuntimeError, match="stopped"):
            stopped()
    moved = make_fit()
    shutil.rmtree(moved.folder)
    stopped.folder.rename(moved.folder)
    assert moved()["epoch"] == 1


def test_every_epoch_is_in_the_logs(make_fit: Callable[[], Fit]) -> None:
    done = make_fit()
    best = done()
    rows = done.csv_rows()
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert {"train/loss", "train/global_bce", "train/global_sparsity", "val/loss", "val/select"} <= rows[0].keys()
    assert all(all(row.values()) for row in rows)
    assert max(float(row["val/select"]) for row in rows) == best["select"]
    events = EventAccumulator(str(done.folder / "logs" / "global"))
    events.Reload()
    for name in ("train/loss", "val/select"):
        assert [event.step for event in events.Scalars(name)] == [1, 2, 3]
        assert [event.value for event in events.Scalars(name)] == pytest.approx([float(row[name]) for row in rows])


def test_exams_of_different_size_are_validated_in_each_epoch(
    make_fit: Callable[[], Fit], monkeypatch: pytest.MonkeyPatch
) -> None:
    uneven = make_fit()
    exams = list(dict.fromkeys(row.exam_id for row in uneven.train.rows))
    images = {exam: [row for row in uneven.train.rows if row.exam_id == exam] for exam in exams}
    negative = [
        replace(row, labels=dict.fromkeys(CLASSES, 0))
        for n, exam in enumerate(exams[1:])
        for row in images[exam][: 1 if n else 4]
    ]
    uneven.train.rows = [replace(row, labels={"benign": 1}) for row in images[exams[0]]] + negative
    select(monkeypatch, [0.1, 0.2, 0.3])
    assert uneven(batch_size=1)["epoch"] == 3
    assert [row["val/select"] for row in uneven.csv_rows()] == ["0.1", "0.2", "0.3"]


@pytest.mark.filterwarnings("error")
def test_says_nothing_where_there_is_no_terminal(
    make_fit: Callable[[], Fit], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = make_fit()
    with monkeypatch.context() as patch:
        interrupt_at(patch, RuntimeError("stopped"), 8)
        with pytest.raises(RuntimeError, match="stopped"):
            stopped(schedule="one_cycle")
    stopped(schedule="one_cycle")
    assert capfd.readouterr() == ("", "")


def test_a_bar_on_a_terminal(
    make_fit: Callable[[], Fit], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    make_fit()(epochs=1)
    out, err = capsys.readouterr()
    assert "stage 1 of 1, global, epoch 1 of 1" in err
    assert "v_num" not in err, "one bar, and no words of Lightning's"
    assert not out


def test_ctrl_c_is_told_and_can_be_continued(make_fit: Callable[[], Fit], monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = make_fit()
    handler = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        interrupt_at(patch, KeyboardInterrupt(), 5)
        with pytest.raises(KeyboardInterrupt):
            stopped()
    assert signal.getsignal(signal.SIGINT) is handler
    assert stopped()["epoch"] >= 1
    assert [row["epoch"] for row in stopped.csv_rows()] == ["1", "2", "3"]


def test_steps_compute_in_full_float32_as_prediction_does(
    make_fit: Callable[[], Fit], monkeypatch: pytest.MonkeyPatch
) -> None:
    original, seen = StageModule._step, []

    def step(self: StageModule, *arguments: Any) -> Any:
        seen.append(torch.backends.cudnn.conv.fp32_precision)
        return original(self, *arguments)

    monkeypatch.setattr(StageModule, "_step", step)
    mode = torch.backends.cudnn.conv
    before = mode.fp32_precision
    try:
        mode.fp32_precision = "tf32"
        make_fit()(epochs=1)
        assert set(seen) == {"ieee"}
        assert mode.fp32_precision == "tf32"
    finally:
        mode.fp32_precision = before


def test_divergence_ends_the_stage_with_advice(make_fit: Callable[[], Fit]) -> None:
    with pytest.raises(TrainingError, match=r"stage global, epoch 1: .* lower rate than 1e\+30.*learning_rate=3e\+29"):
        make_fit()(learning_rate=1e30)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_and_can_be_continued(
    make_fit: Callable[[], Fit], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    stopped, syncs, fsync = make_fit(), iter(range(1, 1000)), os.fsync

    def full(file: int) -> None:
        if next(syncs) == 8:  # last.ckpt of the second epoch: each has maps, a page and two checkpoints
            raise OSError(number, "no space")
        fsync(file)

    select(monkeypatch, [0.1, 0.2, 0.2, 0.3])
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match=r"the disk is full.*same command again") as caught:
            stopped()
    assert caught.value.errno == number
    assert sorted(path.name for path in stopped.folder.glob("*.ckpt")) == ["best-1.ckpt", "best-2.ckpt", "last.ckpt"]
    assert stopped()["epoch"] == 3
    assert sorted(path.name for path in stopped.folder.glob("*.ckpt")) == ["best-3.ckpt", "last.ckpt"]


def test_the_weights_are_those_of_the_reported_epoch_if_a_repeated_one_goes_another_way(
    make_fit: Callable[[], Fit], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after the weights of the second epoch were written, before last.ckpt: as on a GPU, it is worse the second time."""
    stopped, one, save, calls = make_fit(), make_fit(), fit._save, iter(range(1, 1000))

    def dies(values: dict[str, Any], path: Path) -> None:
        if next(calls) == 4:
            raise RuntimeError("stopped")
        save(values, path)

    select(monkeypatch, [0.2, 0.5, 0.1, 0.1, 0.2])
    with monkeypatch.context() as patch:
        patch.setattr(fit, "_save", dies)
        with pytest.raises(RuntimeError, match="stopped"):
            stopped()
    assert stopped()["epoch"] == 1
    one(epochs=1)
    expected = one.weights()
    assert all(torch.equal(value, expected[name]) for name, value in stopped.weights().items())


def test_another_error_of_the_disk_stays_what_it_is(
    make_fit: Callable[[], Fit], monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(errno.EACCES, "denied")

    monkeypatch.setattr(fit, "write_bytes", denied)
    with pytest.raises(PermissionError, match="denied"):
        make_fit()()


@pytest.mark.parametrize("precision", ["auto", "bf16-mixed"])
def test_lower_precision_trains(make_fit: Callable[[], Fit], precision: str) -> None:
    done = make_fit()
    done(precision=precision, epochs=1)
    assert all(value.dtype in (torch.float32, torch.int64) for value in done.weights().values())


def test_auto_precision_is_bfloat16_where_it_is_native(monkeypatch: pytest.MonkeyPatch) -> None:
    for able, expected in (({"amx_bf16": True}, "bf16-mixed"), ({"avx2": True}, "32-true"), ({}, "32-true")):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda able=able: able, raising=False)
        assert resolve_precision("auto", CPU) == expected
        assert resolve_precision("32-true", CPU) == "32-true"
    for native, expected in ((True, "bf16-mixed"), (False, "32-true")):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda native=native, **_: native)
        assert resolve_precision("auto", torch.device("cuda")) == expected
    assert resolve_precision("auto", torch.device("mps")) == "32-true"
