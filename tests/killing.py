"""What processes do that end themselves with SIGKILL at a chosen moment, as a power cut would end them, and processes that train
together."""

import importlib
import itertools
import logging
import os
import signal
import sys
from functools import wraps
from pathlib import Path
from typing import Any

import torch

from mammoseg.data.cache import CropCache, prepare_all
from mammoseg.data.manifest import ImageRow, load_manifest
from mammoseg.inference.batch import predict_images
from mammoseg.inference.predictor import open_predictor
from mammoseg.io.failures import Failures
from mammoseg.prep.config import PrepConfig
from mammoseg.training.config import TrainConfig
from mammoseg.training.module import StageModule
from mammoseg.training.run import train


def train_run(config: str, manifest: Path, out: Path, cache: Path) -> None:
    settings = TrainConfig.model_validate_json(config)
    train(settings, load_manifest(manifest), out, torch.device("cpu"), cache_folder=cache)


def prepare_run(rows: list[ImageRow], prep: PrepConfig, out: Path) -> None:
    prepare_all(rows, CropCache(out / "cache", prep), 0, Failures(out))


def predict_run(checkpoint: Path, manifest: Path, out: Path) -> None:
    predict_images(open_predictor(checkpoint, "cpu"), list(load_manifest(manifest).rows()), out)


def killed(what: str, arguments: tuple[Any, ...], target: str, call: int) -> None:
    """Do `what`; when `target` (module.function or module.Class.method) is called for the `call`-th time, die."""
    torch.set_num_threads(1)
    _die_at(target, call)
    globals()[what](*arguments)


def trains_with_others(
    rank: int, size: int, port: int, log: Path, config: str, manifest: Path, out: Path, ends: str
) -> None:
    """Be process `rank` of `size`, as torchrun starts them. `ends`: nothing, or how this one ends in its second epoch, by `error`
    or `kill`."""
    sys.stderr = log.open("w")
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, force=True)
    torch.set_num_threads(1)
    os.environ |= {"RANK": f"{rank}", "WORLD_SIZE": f"{size}", "LOCAL_RANK": f"{rank}", "LOCAL_WORLD_SIZE": f"{size}"}
    os.environ |= {"MASTER_ADDR": "localhost", "MASTER_PORT": f"{port}", "TORCHELASTIC_USE_AGENT_STORE": "True"}
    step = StageModule.training_step

    def ending(module: StageModule, indexed: Any, number: int) -> Any:
        if ends and module.current_epoch == 1:
            if ends == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            raise ValueError("this process cannot go on")
        return step(module, indexed, number)

    StageModule.training_step = ending  # type: ignore[method-assign]
    try:
        train_run(config, manifest, out, out / "cache")
    except ValueError as error:
        sys.exit(str(error))
    finally:
        sys.stderr.flush()


def _die_at(target: str, call: int) -> None:
    module, names = target, []
    while True:
        module, _, name = module.rpartition(".")
        names.insert(0, name)
        try:
            owner = importlib.import_module(module)
            break
        except ModuleNotFoundError:
            continue
    for name in names[:-1]:
        owner = getattr(owner, name)
    function, count = getattr(owner, names[-1]), itertools.count(1)

    @wraps(function)
    def deadly(*args: Any, **kwargs: Any) -> Any:
        if next(count) == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs)

    setattr(owner, names[-1], deadly)
