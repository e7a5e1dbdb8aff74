"""What a stopped run has left: read whole and of this very run, or refused with what to do.

FOLDER/last.ckpt    everything that is needed to go on after the last complete epoch
FOLDER/best-N.ckpt  the weights of epoch N; last.ckpt says which epoch is the best so far
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from mammoseg.nn.checkpoint import Checkpoint
from mammoseg.training.module import TrainingError

LAST = "last.ckpt"


def best_file(folder: Path, epoch: float) -> Path:
    """Where the weights of an epoch, from 1, are kept while it is the best. (A file per epoch: a kill before last.ckpt is
    written leaves those that it names.)"""
    return folder / f"best-{int(epoch)}.ckpt"


def run_digest(identity: Mapping[str, Any]) -> str:
    """What the checkpoints of a run carry: the hash of its configuration and manifest."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def check_own(checkpoint: Checkpoint, run: str) -> None:
    """Raises TrainingError if the result of a stage is of another run than `run`."""
    if checkpoint.provenance.get("run") != run:
        raise _of_another_run(checkpoint.folder)


def next_epoch(folder: Path, run: str) -> int:
    """Number of the epoch, from 0, that a stopped stage of the run `run` does next; 0 if there is nothing to go on from.

    Raises TrainingError if what is there is damaged, or of another run.
    """
    if not (folder / LAST).is_file():
        return 0
    state = _load(folder / LAST)
    try:
        own = state["callbacks"]["Checkpoints"]
        epoch, whose, best = int(state["epoch"]) + 1, own.get("run"), int(own["best"]["epoch"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(folder / LAST, error) from None
    if whose != run:
        raise _of_another_run(folder / LAST)
    load_best(best_file(folder, best))
    return epoch


def load_best(path: Path) -> dict[str, torch.Tensor]:
    """The weights of the best epoch. Raises TrainingError if they are damaged."""
    state = _load(path)
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise _damaged(path, "no tensors")
    return state


def _load(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds on damaged files
        raise _damaged(path, error) from None


def _damaged(path: Path, error: object) -> TrainingError:
    reason = str(error).partition("\n")[0].partition(". ")[0] or type(error).__name__
    return TrainingError(
        f"{path}: empty, cut short or damaged ({reason}). Expected what training wrote after its last epoch. Delete {LAST} "
        "in that folder and give the same command again: the stage starts anew, earlier ones are kept."
    )


def _of_another_run(path: Path) -> TrainingError:
    return TrainingError(
        f"{path}: is of another configuration or manifest, or of a version that did not note them. Expected what this very "
        "run has left. Choose a new folder, or --overwrite to discard what is there."
    )
