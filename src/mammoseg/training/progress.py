"""What a person sees of a training run: a bar on a terminal, a line per epoch in a log."""

import logging
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import lightning as L
from lightning.pytorch.callbacks import Callback, RichProgressBar

from mammoseg.training.module import StageModule

logger = logging.getLogger(__name__)


class EpochLines(Callback):
    """One log line per epoch: loss, validation scores, seconds."""

    def __init__(self, stage: str, epochs: int) -> None:
        self.stage = stage
        self.epochs = epochs
        self.started = 0.0

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.started = time.monotonic()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        scores = pl_module.validation_scores if isinstance(pl_module, StageModule) else {}
        text = "  ".join(f"{name} {value:.3f}" for name, value in scores.items() if name != "select")
        seconds = time.monotonic() - self.started
        logger.info("%s %d/%d  val %s  (%.0f s)", self.stage, trainer.current_epoch + 1, self.epochs, text, seconds)


def progress_callbacks(stage: str, epochs: int) -> list[Callback]:
    lines = EpochLines(stage, epochs)
    return [lines, RichProgressBar()] if sys.stderr.isatty() else [lines]


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Keep Lightning's advertisements and hints about worker counts out of the user's log."""
    lightning_logger = logging.getLogger("lightning.pytorch")
    level = lightning_logger.level
    lightning_logger.setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings(
            "ignore", message=".*checkpoint directory .* exists and is not empty.*", category=UserWarning
        )
        warnings.filterwarnings("ignore", message=".*log_every_n_steps.*")
        warnings.filterwarnings("ignore", message=".*treespec, LeafSpec.*")
        warnings.filterwarnings("ignore", message=".*in eval mode at the start of training.*")  # frozen on purpose
        try:
            yield
        finally:
            lightning_logger.setLevel(level)
