"""What a training run shows: a line and a row per epoch, a bar on a terminal only, no noise of Lightning's."""

import logging
import sys
import warnings
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from lightning.pytorch.callbacks import RichProgressBar

from mammoseg.training.progress import EpochLog, progress_bars, quiet_lightning


class Rows:
    def __init__(self) -> None:
        self.rows: list[tuple[dict[str, float], int]] = []
        self.saved = 0

    def log_metrics(self, metrics: dict[str, float], step: int) -> None:
        self.rows.append((metrics, step))

    def save(self) -> None:
        self.saved += 1


def test_a_line_and_a_row_per_epoch(caplog: pytest.LogCaptureFixture) -> None:
    curves = Rows()
    metrics = {"train/loss": torch.tensor(0.5), "train/bce": torch.tensor(0.25)}
    trainer: Any = SimpleNamespace(current_epoch=2, callback_metrics=metrics, loggers=[curves])
    module: Any = SimpleNamespace(validation_scores={"loss": 0.75, "auc_benign": 0.5, "select": 0.5})
    log = EpochLog("local", epochs=4)
    log.on_train_start(trainer, module)
    with caplog.at_level(logging.INFO):
        log.on_train_epoch_end(trainer, module)
    assert caplog.messages == ["local 3/4  loss 0.500  val loss 0.750  auc_benign 0.500  (0 s)"]
    row = {"train/loss": 0.5, "train/bce": 0.25, "val/loss": 0.75, "val/auc_benign": 0.5, "val/select": 0.5}
    assert curves.rows == [({"epoch": 3, **row}, 3)]
    assert curves.saved == 1


@pytest.mark.parametrize("terminal", [True, False])
def test_a_bar_on_a_terminal_only(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: terminal))
    assert [type(bar) for bar in progress_bars()] == [RichProgressBar] * terminal


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
