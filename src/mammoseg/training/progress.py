"""What a person sees of a training run: where it is, how long all of it will still take, a line per epoch, curves."""

import logging
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, cast

from mammoseg.nn.contract import Stage
from mammoseg.progress import FIRST_LINE, Bar, about
from mammoseg.training.distributed import size
from mammoseg.training.lightning import Callback, L
from mammoseg.training.module import IndexedBatch, StageModule

logger = logging.getLogger(__name__)

_MEASURED = 3
"""Batches after which the time left is told for the first time."""


class Plan:
    """The stages of a run: which of how many one is, and the seconds that all of them still take, from the speed so far.

    A stage that has not begun is taken to need as long for an epoch as the slowest so far. Choosing patches or outlines takes
    less than an epoch and does not count; computing features has a line of its own.
    """

    def __init__(self, stages: Sequence[Stage], epochs: Mapping[str, int]) -> None:
        """`epochs`: how many each stage has."""
        self.epochs = {stage.name: epochs[stage.name] for stage in stages}
        self._steps = [step for stage in stages for step in _steps(stage)]
        self._left: dict[str, float] = dict(self.epochs)
        self._speed: dict[str, tuple[float, float]] = {}

    def title(self, stage: str) -> str:
        """Such as "stage 3 of 4, local"."""
        return f"stage {self._steps.index(stage) + 1} of {len(self._steps)}, {stage}"

    def title_of(self, chosen: str, stage: str) -> str:
        """Of `patches`, `outlines` or `features`, which are made before a stage."""
        return self.title(f"{chosen} for {stage}")

    def set_done(self, stage: str, epochs: int) -> None:
        """So many epochs of a stage lie behind it, of a run that was stopped."""
        self._left[stage] = self.epochs[stage] - epochs

    def add(self, stage: str, epochs: float, seconds: float | None) -> None:
        """So many epochs of a stage, or a part of one, have taken so long; None: this part says nothing of the speed."""
        self._left[stage] -= epochs
        if seconds is not None:
            before, so_far = self._speed.get(stage, (0.0, 0.0))
            self._speed[stage] = (before + epochs, so_far + seconds)

    def seconds_left(self) -> float | None:
        """None: nothing is measured yet."""
        speed = {name: seconds / epochs for name, (epochs, seconds) in self._speed.items()}
        if not speed:
            return None
        slowest = max(speed.values())
        return sum(max(0.0, round(left, 6)) * speed.get(name, slowest) for name, left in self._left.items())


def _steps(stage: Stage) -> list[str]:
    chosen = [("patches", stage.extracts), ("outlines", stage.outlines), ("features", stage.precomputes)]
    return [*(f"{what} for {stage.name}" for what, function in chosen if function), stage.name]


class Speed:
    """How fast an epoch learns, and whether its data come fast enough."""

    def __init__(self, now: float) -> None:
        self.images = 0
        self.computed = self.waited = 0.0
        self._since = now

    def begin(self, now: float) -> None:
        """A batch is there."""
        self.waited += now - self._since
        self._since = now

    def end(self, now: float, images: int) -> None:
        """A batch of so many images is learned."""
        self.images += images
        self.computed += now - self._since
        self._since = now

    def values(self) -> dict[str, float]:
        """`images_per_s`, and the share of the time that was spent `waiting` for data."""
        seconds = self.computed + self.waited
        return {"images_per_s": self.images / seconds, "waiting": self.waited / seconds} if seconds else {}


class EpochLog(Callback):
    """A bar for the batches of an epoch on a terminal. After every epoch: a log line, and a row with `epoch`, `train/*`, `val/*`
    and `speed/*` in each logger of the trainer.

    Lightning would write its row after the checkpoint of the epoch, so that a kill between them loses it.
    """

    def __init__(self, stage: str, plan: Plan, clock: Callable[[], float] = time.monotonic) -> None:
        self.stage, self.plan, self.clock = stage, plan, clock
        self.epochs = plan.epochs[stage]
        self.began = 0.0
        self.speed: Speed | None = None
        self.counted: float | None = None
        self.batches = self.measured = 0
        self.told = plan.seconds_left() is not None
        self.bar: Bar | None = None
        self.shown = ExitStack()

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.began = self.clock()

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: Any) -> None:
        if self.speed is not None:
            self.speed.begin(self.clock())
        if self.bar is not None:
            return
        if not self.batches:
            self.plan.set_done(self.stage, trainer.current_epoch)
        self.batches = int(trainer.num_training_batches) + sum(map(int, trainer.num_val_batches))
        title = f"{self.plan.title(self.stage)}, epoch {trainer.current_epoch + 1} of {self.epochs}"
        self.bar = self.shown.enter_context(Bar(title, self.batches, self.plan.seconds_left, lines=False))

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: IndexedBatch, step: int
    ) -> None:
        if self.speed is None:
            self.speed = Speed(self.clock())  # the first batch of an epoch starts workers, that of a stage sets up much
        else:
            self.speed.end(self.clock(), len(batch[1]) * size())
        self._advance()

    def on_validation_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: Any) -> None:
        self._advance()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._close_bar()
        scores = cast(StageModule, pl_module).validation_scores
        epoch, seconds = trainer.current_epoch + 1, self.clock() - self.began
        self.began += seconds
        row = {name: float(value) for name, value in trainer.callback_metrics.items()}
        row |= {f"val/{name}": value for name, value in scores.items()}
        speed, self.speed = self.speed.values() if self.speed else {}, None
        row |= {f"speed/{name}": value for name, value in {**speed, "seconds": seconds}.items()}
        for curves in trainer.loggers:
            curves.log_metrics({"epoch": epoch, **row}, epoch)
            curves.save()
        text = "  ".join(
            f"{name} {value:.3f}" for name, value in scores.items() if name != "select" and "/" not in name
        )
        done, left = f"{self.plan.title(self.stage)} {epoch}/{self.epochs}", self.plan.seconds_left()
        took = [f"{seconds:.0f} s"]
        if speed:
            took.append(f"{speed['images_per_s']:.3g} images/s, {speed['waiting']:.0%} of it waiting for data")
        if left:
            took.append(f"{about(left)} left")
        logger.info("%s  loss %.3f  val %s  (%s)", done, row["train/loss"], text, ", ".join(took))

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        self._close_bar()

    def _advance(self) -> None:
        if self.bar is None:
            return
        now = self.clock()
        # The first batch of a stage sets up much that later ones find.
        self.plan.add(self.stage, 1 / self.batches, None if self.counted is None else now - self.counted)
        self.measured += self.counted is not None
        self.counted = now
        self.bar.advance()
        if not self.told and self.measured >= _MEASURED and now - self.began >= FIRST_LINE:  # an epoch may take an hour
            self.told = True
            left = about(self.plan.seconds_left())
            logger.info("%s: %s left for the whole training", self.plan.title(self.stage), left)

    def _close_bar(self) -> None:
        self.shown.close()
        self.bar = None


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Keep Lightning's advertisements and hints about worker counts out of the user's log."""
    lightning_logger = logging.getLogger("lightning.pytorch")
    level = lightning_logger.level
    lightning_logger.setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*broadcast_buffers.*")  # its new name is too new
        warnings.filterwarnings("ignore", message=".*treespec, LeafSpec.*")
        warnings.filterwarnings("ignore", message=".*in eval mode at the start of training.*")  # frozen on purpose
        try:
            yield
        finally:
            lightning_logger.setLevel(level)
