"""What a person sees of a training run: a bar on a terminal, a line per epoch in a log, curves."""

import logging
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import lightning as L
from lightning.pytorch.callbacks import Callback, RichProgressBar

from mammoseg.training.module import StageModule

logger = logging.getLogger(__name__)


class EpochLog(Callback):
    """After every epoch: a log line, and a row with `epoch`, `train/*` and `val/*` in each logger of the trainer.

    Lightning would write its row after the checkpoint of the epoch, so that a kill between them loses it.
    """

    def __init__(self, stage: str, epochs: int) -> None:
        self.stage = stage
        self.epochs = epochs
        self.started = 0.0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.started = time.monotonic()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        scores = cast(StageModule, pl_module).validation_scores
        epoch, seconds = trainer.current_epoch + 1, time.monotonic() - self.started
        self.started += seconds
        row = {name: float(value) for name, value in trainer.callback_metrics.items()}
        for curves in trainer.loggers:
            curves.log_metrics({"epoch": epoch, **row, **{f"val/{n}": v for n, v in scores.items()}}, epoch)
            curves.save()
        text = "  ".join(f"{name} {value:.3f}" for name, value in scores.items() if name != "select")
        loss = row["train/loss"]
        logger.info("%s %d/%d  loss %.3f  val %s  (%.0f s)", self.stage, epoch, self.epochs, loss, text, seconds)


def progress_bars() -> list[Callback]:
    """A bar on a terminal, nothing in a log file."""
    return [RichProgressBar(console_kwargs={"stderr": True})] if sys.stderr.isatty() else []


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Keep Lightning's advertisements and hints about worker counts out of the user's log."""
    lightning_logger = logging.getLogger("lightning.pytorch")
    level = lightning_logger.level
    lightning_logger.setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*treespec, LeafSpec.*")
        warnings.filterwarnings("ignore", message=".*in eval mode at the start of training.*")  # frozen on purpose
        try:
            yield
        finally:
            lightning_logger.setLevel(level)
