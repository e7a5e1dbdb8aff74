"""Where the numbers of a stage go: TensorBoard files, a table for each attempt, and Weights & Biases if it is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

from mammoseg.io.atomic import write_text
from mammoseg.training.distributed import is_first
from mammoseg.training.lightning import CSVLogger, Logger, TensorBoardLogger, WandbLogger
from mammoseg.training.module import TrainingError


@dataclass(frozen=True)
class Logs:
    """Of a training run."""

    folder: Path
    """RUN/logs."""
    project: str | None = None
    """Of Weights & Biases, `TrainConfig.wandb`; None: nothing leaves the machine."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Of the run, which are shown there."""

    def __post_init__(self) -> None:
        """Raises TrainingError if the package is missing."""
        if self.project is not None and find_spec("wandb") is None:
            raise TrainingError(
                "wandb: the package is not installed. Expected it where a project is given. Install it with "
                "pip install 'mammoseg[wandb]', or leave the project out: the same numbers are in RUN/logs and RUN/training.html."
            )

    def loggers(self, stage: str) -> list[Logger]:
        """TensorBoard files go to `folder/STAGE`, one CSV per attempt below it."""
        here: list[Logger] = [TensorBoardLogger(self.folder, stage, version=""), CSVLogger(self.folder, stage)]
        return here if self.project is None or not is_first() else [*here, self._wandb(stage)]

    def _wandb(self, stage: str) -> WandbLogger:
        """A run for each stage, the same one after a stop.

        Scores, settings, the name of the run's folder, and the versions of the system and its packages are sent; not the name of
        the machine, code, the command and what it prints: paths can name patients. Raises TrainingError if it does not begin.
        """
        known, run = self.folder / stage / "wandb_id", self.folder.absolute().parent.name
        if not known.is_file():
            write_text(known, uuid4().hex)
        nothing_else = {"console": "off", "disable_code": True, "disable_git": True, "x_disable_machine_info": True}
        nothing_else |= {"host": "", "silent": True, "x_disable_stats": True}
        logger = WandbLogger(
            name=f"{run}, {stage}",
            save_dir=self.folder,
            id=known.read_text(encoding="utf-8"),
            project=self.project,
            group=run,
            resume="allow",
            settings=nothing_else,
        )
        try:
            logger.log_hyperparams(dict(self.settings))
        except Exception as error:  # of wandb, which is imported by Lightning alone
            raise TrainingError(
                f"wandb: no run could be begun there ({type(error).__name__}). Expected to be logged in. Type wandb login, or set "
                "WANDB_MODE=offline, or leave the project out."
            ) from error
        return logger

    @staticmethod
    def close(loggers: list[Logger]) -> None:
        """The stage is done: the next one is a run of its own."""
        for logger in loggers:
            if isinstance(logger, WandbLogger):
                logger.experiment.finish()
