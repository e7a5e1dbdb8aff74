"""What a training run shows: a line and a row per epoch, a bar on a terminal only, no noise of Lightning's."""

import io
import logging
import sys
import warnings
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from mammoseg.nn.contract import Stage
from mammoseg.training.progress import EpochLog, Plan, Speed, quiet_lightning


class Rows:
    def __init__(self) -> None:
        self.rows: list[tuple[dict[str, float], int]] = []
        self.saved = 0

    def log_metrics(self, metrics: dict[str, float], step: int) -> None:
        self.rows.append((metrics, step))

    def save(self) -> None:
        self.saved += 1


def stage(name: str, extracts: bool = False) -> Stage:
    return Stage(name, ("*",), lambda *_: None, (lambda *_: None) if extracts else None)  # type: ignore[arg-type]


@pytest.fixture
def plan() -> Plan:
    return Plan([stage("global"), stage("local", extracts=True)], {"global": 3, "local": 4})


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_choosing_patches_is_a_stage_of_its_own(plan: Plan) -> None:
    titles = [plan.title("global"), plan.title_of("patches", "local"), plan.title("local")]
    assert titles == ["stage 1 of 3, global", "stage 2 of 3, patches for local", "stage 3 of 3, local"]


def test_so_is_drawing_outlines() -> None:
    stage = Stage("student", ("*",), lambda *_: None, outlines=lambda *_: [])  # type: ignore[arg-type, return-value]
    plan = Plan([stage], {"student": 1})
    assert [plan.title_of("outlines", "student"), plan.title("student")] == [
        "stage 1 of 2, outlines for student",
        "stage 2 of 2, student",
    ]


def test_the_time_left_is_that_of_all_stages(plan: Plan) -> None:
    assert plan.seconds_left() is None
    plan.add("global", 0.5, 10)
    assert plan.seconds_left() == pytest.approx(2.5 * 20 + 4 * 20), "stages to come as slow as this one"
    plan.add("global", 2.5, 20)
    assert plan.seconds_left() == pytest.approx(4 * 10)
    plan.add("local", 1, 3)
    assert plan.seconds_left() == pytest.approx(3 * 3), "its own speed as soon as there is one"


def test_what_is_done_takes_no_more_time(plan: Plan) -> None:
    plan.set_done("global", 3)
    plan.set_done("local", 1)
    plan.add("local", 1, 5)
    assert plan.seconds_left() == pytest.approx(2 * 5)


def test_what_says_nothing_of_the_speed_is_done_all_the_same(plan: Plan) -> None:
    plan.add("global", 1, None)
    assert plan.seconds_left() is None
    plan.add("global", 1, 5)
    assert plan.seconds_left() == pytest.approx(5 * 5)


def run_epoch(
    log: EpochLog, clock: Clock, epoch: int, curves: Rows, seconds: float, first: float | None = None
) -> None:
    """Three batches to train and one to validate, as Lightning calls it; the very first takes `first` seconds."""
    first = seconds / 4 if first is None else first
    metrics = {"train/loss": torch.tensor(0.5), "train/bce": torch.tensor(0.25)}
    trainer: Any = SimpleNamespace(
        current_epoch=epoch, callback_metrics=metrics, loggers=[curves], num_training_batches=3, num_val_batches=[1]
    )
    module: Any = SimpleNamespace(validation_scores={"loss": 0.75, "auc_benign": 0.5, "select": 0.5})
    log.on_train_start(trainer, module)
    for step in range(4):
        if step < 3:
            log.on_train_batch_start(trainer, module, None, step)
        clock.now += seconds / 4 if step or log.counted is not None else first
        end = log.on_train_batch_end if step < 3 else log.on_validation_batch_end
        batch = (None, range(4)) if step < 3 else None
        end(trainer, module, None, batch, step)
    log.on_train_epoch_end(trainer, module)


def test_a_line_and_a_row_per_epoch(caplog: pytest.LogCaptureFixture, plan: Plan) -> None:
    curves, clock = Rows(), Clock()
    log = EpochLog("global", plan, clock)
    with caplog.at_level(logging.INFO):
        run_epoch(log, clock, 1, curves, 8)
    scores = "loss 0.500  val loss 0.750  auc_benign 0.500"
    took = "8 s, 2 images/s, 0% of it waiting for data, about 40 s left"
    assert caplog.messages == [f"stage 1 of 3, global 2/3  {scores}  ({took})"], "1 + 4 epochs of 8 s"
    row = {"train/loss": 0.5, "train/bce": 0.25, "val/loss": 0.75, "val/auc_benign": 0.5, "val/select": 0.5}
    assert curves.rows == [({"epoch": 2, **row, "speed/images_per_s": 2, "speed/waiting": 0, "speed/seconds": 8}, 2)]
    assert curves.saved == 1


def test_the_time_of_waiting_for_data_is_told() -> None:
    """2 of 8 s; 24 images in 8 s."""
    speed = Speed(100)
    assert speed.values() == {}
    for now in (100, 104):
        speed.begin(now + 1)
        speed.end(now + 4, 12)
    assert speed.values() == {"images_per_s": 3, "waiting": 0.25}


def test_the_first_batch_of_a_stage_does_not_count(plan: Plan) -> None:
    clock = Clock()
    run_epoch(EpochLog("global", plan, clock), clock, 0, Rows(), 8, first=1000)
    assert plan.seconds_left() == pytest.approx(6 * 8)


def test_the_time_of_the_whole_training_is_told_before_a_long_epoch_ends(
    caplog: pytest.LogCaptureFixture, plan: Plan
) -> None:
    clock = Clock()
    with caplog.at_level(logging.INFO):
        run_epoch(EpochLog("global", plan, clock), clock, 0, Rows(), 2400)
        run_epoch(EpochLog("local", plan, clock), clock, 0, Rows(), 2400)
    assert caplog.messages[0] == "stage 1 of 3, global: about 4 h 0 min left for the whole training"
    assert [message for message in caplog.messages if "whole" in message] == caplog.messages[:1], "once"


def test_a_bar_for_the_batches_of_an_epoch(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal; the journey sees what a log gets."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    clock = Clock()
    run_epoch(EpochLog("global", plan, clock), clock, 2, Rows(), 8)
    shown = sys.stderr.getvalue()  # type: ignore[attr-defined]
    assert "stage 1 of 3, global, epoch 3 of 3" in shown
    assert "4/4" in shown
    assert "v_num" not in shown


def test_lightning_is_quiet_inside_and_as_before_outside() -> None:
    log = logging.getLogger("lightning.pytorch")
    before = log.level
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with quiet_lightning():
            assert not log.isEnabledFor(logging.INFO)
            assert log.isEnabledFor(logging.WARNING)
            warnings.warn("The 'train_dataloader' does not have many workers which may be a bottleneck.", stacklevel=1)
            with pytest.raises(UserWarning, match="something else"):
                warnings.warn("something else", stacklevel=1)
        with pytest.raises(UserWarning, match="does not have many workers"):
            warnings.warn("The 'train_dataloader' does not have many workers which may be a bottleneck.", stacklevel=1)
    assert log.level == before
