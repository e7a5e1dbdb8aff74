"""The training loop of one stage: Lightning's, with files that survive a kill at any moment (training/resume.py)."""

import errno
import io
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, cast

import torch
from torch.utils.data import DataLoader

from mammoseg.data.batching import BalancedExamSampler, InOrder, loader_processes
from mammoseg.data.dataset import Collate, WindowDataset
from mammoseg.io.atomic import write_bytes
from mammoseg.nn.device import computes_bfloat16
from mammoseg.nn.inference import full_float32
from mammoseg.training.distributed import Share, size, trainer_arguments
from mammoseg.training.lightning import Callback, L, TorchCheckpointIO
from mammoseg.training.logs import Logs
from mammoseg.training.module import StageModule, TrainingError
from mammoseg.training.progress import EpochLog, Plan, quiet_lightning
from mammoseg.training.resume import LAST, best_file, load_best, next_epoch
from mammoseg.training.watch import Watch


def fit_stage(
    module: StageModule,
    train: WindowDataset,
    val: WindowDataset,
    folder: Path,
    logs: Logs,
    device: torch.device,
    workers: int,
    precision: str,
    plan: Plan,
    run: str = "",
    smoothing: float = 0.0,
) -> dict[str, float]:
    """Train until the last epoch, from `folder/last.ckpt` if it is there; returns number and scores of the best epoch.

    Leaves the best epoch's weights in the model. `run` is the digest of the run, which last.ckpt carries; `smoothing` is
    `TrainConfig.select_smoothing`. Raises TrainingError if the loss is not finite, or last.ckpt is damaged or of another run, or
    the batches cannot be shared by the processes; OSError with advice if the disk is full.
    """
    batch = _of_each_process(module, len(val))
    sampler = Share(BalancedExamSampler(train.items(), module.seed, module.config.whole_exams), even=True)
    sampler.set_epoch(next_epoch(folder, run))  # worker processes read ahead before Lightning sets it
    loaders = [
        DataLoader(
            data,
            batch,
            sampler=order,
            collate_fn=Collate(module.collate),
            **loader_processes(workers),
            drop_last=data is train and len(sampler) > batch,  # no batch norm over one image
            pin_memory=device.type == "cuda",
        )
        for data, order in ((train, sampler), (val, Share(InOrder(len(val)), even=False)))
    ]
    checkpoints, name = Checkpoints(folder, run, smoothing), module.stage.name
    loggers = logs.loggers(name)
    with quiet_lightning(), full_float32():
        trainer = L.Trainer(
            accelerator="gpu" if device.type == "cuda" else device.type,
            **trainer_arguments(device),
            precision=resolve_precision(precision, device),
            max_epochs=module.config.epochs,
            accumulate_grad_batches=module.config.accumulate,
            # an epoch is in the logs before it counts as done
            callbacks=[EpochLog(name, plan), Watch(name, logs.folder), checkpoints],
            logger=loggers,
            plugins=[_WholeFiles()],
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            log_every_n_steps=1,
        )
        try:
            _fit(trainer, module, loaders, folder)
        finally:
            logs.close(loggers)
    module.model.load_state_dict(load_best(best_file(folder, checkpoints.best["epoch"])))
    return checkpoints.best


def _of_each_process(module: StageModule, validation: int) -> int:
    """How many images of a batch each process computes."""
    batch, processes = module.config.batch_size, size()
    if batch % processes or validation < processes:
        raise TrainingError(
            f"stage {module.stage.name}: {processes} processes share batches of {batch} and {validation} validation images. "
            f"Expected at least one validation image for each, and a batch_size that {processes} divides: "
            f"--set stages.{module.stage.name}.batch_size={processes * max(1, batch // processes)}."
        )
    return batch // processes


def _fit(trainer: L.Trainer, module: StageModule, loaders: Sequence[DataLoader[Any]], folder: Path) -> None:
    last = folder / LAST
    interrupt = signal.getsignal(signal.SIGINT)
    try:
        trainer.fit(module, loaders[0], loaders[1], ckpt_path=last if last.is_file() else None, weights_only=True)
    except SystemExit as stop:
        if not isinstance(stop.__context__, KeyboardInterrupt):
            raise
        signal.signal(signal.SIGINT, interrupt)  # Lightning ignores it from then on, and ends the process
        raise KeyboardInterrupt from None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise OSError(
            error.errno,
            f"{folder}: the disk is full. Expected space for two checkpoints. Free some and give the same command "
            "again: it continues after the last complete epoch",
        ) from error


class Checkpoints(Callback):
    """Writes last.ckpt after every epoch, and before it the weights of an epoch better than all before; after it, those of
    other epochs are deleted."""

    def __init__(self, folder: Path, run: str, smoothing: float = 0.0) -> None:
        self.folder = folder
        self.run = run
        self.best: dict[str, float] = {}
        """Number (from 1) and validation scores of the best epoch."""
        self.smoothing = smoothing
        self.smoothed: float | None = None
        """Of `select` until the last epoch."""

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "run": self.run, "smoothed": self.smoothed}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best, self.smoothed = state_dict["best"], state_dict["smoothed"]

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        module = cast(StageModule, pl_module)
        scores = dict(module.validation_scores)
        before, share = self.smoothed, self.smoothing
        self.smoothed = scores["select"] if before is None else share * before + (1 - share) * scores["select"]
        scores["select"] = self.smoothed
        if not self.best or scores["select"] > self.best["select"]:
            self.best = {"epoch": trainer.current_epoch + 1, **scores}
            if trainer.is_global_zero:
                _save(module.model.state_dict(), best_file(self.folder, self.best["epoch"]))
        trainer.save_checkpoint(self.folder / LAST)
        for path in self.folder.glob("best-*.ckpt") if trainer.is_global_zero else ():
            if path != best_file(self.folder, self.best["epoch"]):
                path.unlink()


class _WholeFiles(TorchCheckpointIO):
    """Lightning's own way copies a file from /tmp, which a kill can cut short."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        _save(checkpoint, Path(path))


def _save(values: dict[str, Any], path: Path) -> None:
    content = io.BytesIO()
    torch.save(values, content)
    write_bytes(path, content.getbuffer())


def resolve_precision(wanted: str, device: torch.device) -> Literal["32-true", "bf16-mixed", "16-mixed"]:
    """`auto` becomes bf16-mixed where bfloat16 is computed natively, else 32-true."""
    if wanted != "auto":
        return cast(Literal["32-true", "bf16-mixed", "16-mixed"], wanted)
    return "bf16-mixed" if computes_bfloat16(device) else "32-true"
