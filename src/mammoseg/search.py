"""Random search over the settings of a recipe. Several processes or machines join by the same command, over a common folder.

    OUT/journal.log      which trials there are, and how they ended: Optuna's journal
    OUT/cache/           prepared images; may be deleted
    OUT/trial-N/         a whole training run (training/run.py)
    OUT/trials.csv       settings and validation score of every finished trial, the best first
    OUT/ensemble/K/      the checkpoints of the best, K from 1: `predict --checkpoint OUT/ensemble` is their mean

The settings of a trial follow from the seed and its number alone, whichever process works on it. A trial that was killed is
continued by the next process that looks for work; one that diverges, or that memory does not hold, counts as done, without a score.

Source   Shen et al. 2021 (arXiv:2002.07613), Sec. 3.3: thirty random settings, the five best on validation, their mean.
"""

import hashlib
import json
import logging
import shutil
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import optuna
import pandas as pd
import torch
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState
from pydantic import FiniteFloat

from mammoseg.config import Config, ConfigError, parse, with_overrides
from mammoseg.data.manifest import Manifest
from mammoseg.io.atomic import write_text
from mammoseg.io.outputs import FolderInUseError, alone_in
from mammoseg.models import load_model_plugin
from mammoseg.nn.checkpoint import open_checkpoint
from mammoseg.published.imagenet import ImageNetFile
from mammoseg.training.config import TrainConfig
from mammoseg.training.distributed import launched
from mammoseg.training.module import DivergedError
from mammoseg.training.run import train

logger = logging.getLogger(__name__)

NAME = "mammoseg"
_DIGEST = "digest"
_GRACE = 30
"""Seconds after which the lock of the journal is taken from a process that was killed."""
_PATIENCE = 60
"""Seconds for which one waits until another process has written the results."""
_SELECTION = ("select_by", "select_class", "select_smoothing")
_NOT_SEARCHED = ("model", "prep", "network.classes", *_SELECTION, "split_fractions", "chronological")
"""Scores of other images, classes or measures cannot be compared, nor can such models predict together."""


class Interval(Config):
    """Numbers from `low` to `high`; with `log` evenly on a logarithmic scale."""

    low: FiniteFloat
    high: FiniteFloat
    log: bool = False


Space = Mapping[str, Interval | list[Any]]
"""Name of a setting, as in `--set` -> what is tried."""


class SearchError(ValueError):
    """A search that cannot be begun or continued."""


@dataclass(frozen=True)
class SearchResult:
    table: Path
    ensemble: Path | None
    """None: no trial has finished."""
    finished: int
    without_score: int
    """Trials that diverged, or were too large."""
    elsewhere: int
    """Trials that other processes are working on."""
    unprepared: int
    """Most images that a trial of this process has left out, since they could not be prepared."""


def read_space(values: Mapping[str, Any], where: str) -> dict[str, Interval | list[Any]]:
    """Lists are choices, `{low, high, log}` is an interval. Raises ConfigError for anything else."""
    found: dict[str, Interval | list[Any]] = {}
    for name, tried in values.items():
        if any(name == fixed or name.startswith(f"{fixed}.") for fixed in _NOT_SEARCHED):
            raise ConfigError(
                f"{where}: {name} cannot be searched: scores would not be comparable. Expected another setting."
            )
        if isinstance(tried, dict):
            interval = parse(Interval, tried, f"{where}: {name}")
            if not (interval.low > 0 or not interval.log) or interval.low >= interval.high:
                raise ConfigError(f"{where}: {name}: expected low below high, and with log both above 0")
            found[name] = interval
        elif isinstance(tried, list) and tried and _is_json(tried):
            found[name] = tried
        else:
            raise ConfigError(
                f"{where}: {name} is {tried!r}. Expected a list of values, or low and high. Write for example "
                f"[0.01, 0.05] or {{low: 1e-5, high: 1e-3, log: true}}."
            )
    if not found:
        raise ConfigError(f"{where}: no setting to search. Expected a name as in --set, and what is to be tried.")
    return found


def _is_json(values: list[Any]) -> bool:
    try:
        return bool(json.dumps(values, allow_nan=False))
    except (TypeError, ValueError):
        return False


def search(
    config: TrainConfig,
    space: Space,
    manifest: Manifest,
    out: Path,
    device: torch.device,
    trials: int = 30,
    top: int = 5,
    workers: int = 0,
    cache_folder: Path | None = None,
) -> SearchResult:
    """Train until there are `trials` trials, and put the `top` best together.

    Raises ConfigError if a trial would have settings that cannot be, SearchError for a folder of another search, a damaged journal,
    a model that learns nothing and processes of torchrun, which would be one trial, and like `train`.
    """
    if launched():
        raise SearchError(
            "torchrun has started this search, and its processes would train one trial together. Expected one process for each "
            "trial at a time. Start the command without torchrun, as often as there are GPUs."
        )
    if not load_model_plugin(config.model).LEARNING.stages_of(config.network):
        raise SearchError(
            f"{config.model} learns nothing, so no trial would have a score. Expected a model with stages. Train it once for each "
            "setting, and compare the predictions with `mammoseg evaluate`."
        )
    configs = [_config_of(config, _drawn(space, config.seed, number)) for number in range(trials)]
    with _journal(out):
        study = _study(out, config, space, manifest)
    elsewhere: set[int] = set()
    unprepared, looked_again = 0, False
    while True:
        with _journal(out):
            number = _next(study, trials, elsewhere)
        if number is None:
            if looked_again or not elsewhere:
                break
            looked_again = True  # who worked on them may have been killed meanwhile
            elsewhere.clear()
            continue
        run = out / f"trial-{number}"
        try:
            result = train(configs[number], manifest, run, device, workers, cache_folder=cache_folder or out / "cache")
        except FolderInUseError:
            elsewhere.add(number)
            continue
        except (DivergedError, torch.OutOfMemoryError) as error:
            logger.warning("trial %d has no score: %s", number, error)
            ended: dict[str, Any] = {"state": TrialState.FAIL}
        else:
            unprepared = max(unprepared, result.failed)
            ended = {"values": _score(run, configs[number])}
        with _journal(out):
            study.tell(number, **ended, skip_if_finished=True)
    return _summary(study, out, space, config.seed, top, unprepared)


def _drawn(space: Space, seed: int, number: int) -> dict[str, Any]:
    """The settings of a trial."""
    found: dict[str, Any] = {}
    for name, tried in space.items():
        rng = np.random.default_rng((seed, number, zlib.crc32(name.encode())))
        if isinstance(tried, list):
            found[name] = tried[int(rng.integers(len(tried)))]
        elif tried.log:
            found[name] = float(np.exp(rng.uniform(np.log(tried.low), np.log(tried.high))))
        else:
            found[name] = float(rng.uniform(tried.low, tried.high))
    return found


def _config_of(config: TrainConfig, values: Mapping[str, Any]) -> TrainConfig:
    return with_overrides(config, sets=[f"{name}={json.dumps(value)}" for name, value in values.items()])


def _next(study: optuna.Study, trials: int, elsewhere: set[int]) -> int | None:
    """The number of a trial that was stopped, or of a new one."""
    known = study.get_trials(deepcopy=False)
    for trial in known:
        if trial.state == TrialState.RUNNING and trial.number not in elsewhere and trial.number < trials:
            return trial.number
    return study.ask().number if len(known) < trials else None


@contextmanager
def _journal(out: Path) -> Iterator[None]:
    """Optuna says of a journal that it cannot read whatever its parser does."""
    try:
        yield
    except (SearchError, OSError, KeyboardInterrupt):
        raise
    except Exception as error:
        raise SearchError(
            f"{out / 'journal.log'}: damaged ({type(error).__name__}: {error}). Expected the journal of this search. Delete the "
            "file and give the same command again: trials that are finished are found in their folders."
        ) from None


def _study(out: Path, config: TrainConfig, space: Space, manifest: Manifest) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    settings = {
        "config": config.model_dump(mode="json", exclude=config.beside),
        "space": {name: of if isinstance(of, list) else of.model_dump() for name, of in space.items()},
        "manifest": manifest.sha256(splits=True),
        "init": open_checkpoint(Path(config.init.checkpoint)).sha256 if config.init else None,
        "pretrained": {part: ImageNetFile(file).sha256 for part, file in config.pretrained.items() if file},
    }
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
    out.mkdir(parents=True, exist_ok=True)
    file = str(out.absolute() / "journal.log")
    storage = JournalStorage(JournalFileBackend(file, JournalFileOpenLock(file, _GRACE)))
    study = optuna.create_study(study_name=NAME, storage=storage, direction="maximize", load_if_exists=True)
    if study.user_attrs.get(_DIGEST, digest) != digest:
        raise SearchError(
            f"{out}: holds a search with another recipe, space, manifest or start. Expected the same. Choose a new folder, or give "
            "the same arguments to join or continue that search."
        )
    study.set_user_attr(_DIGEST, digest)
    return study


def _score(run: Path, config: TrainConfig) -> float:
    """Of the best epoch of the last stage."""
    last = load_model_plugin(config.model).LEARNING.stages_of(config.network)[-1]
    return float(open_checkpoint(run / "stages" / last.name / "checkpoint").provenance["best"]["select"])


def _summary(study: optuna.Study, out: Path, space: Space, seed: int, top: int, unprepared: int) -> SearchResult:
    with alone_in(out, _PATIENCE), _journal(out):
        found = study.get_trials(deepcopy=False)
        done = [trial for trial in found if trial.state == TrialState.COMPLETE]
        done.sort(key=lambda trial: (-cast(float, trial.value), trial.number))
        settings = {trial.number: _drawn(space, seed, trial.number) for trial in done}
        rows = [{"trial": trial.number, "score": trial.value, **settings[trial.number]} for trial in done]
        table = out / "trials.csv"
        write_text(table, pd.DataFrame(rows, columns=["trial", "score", *space]).to_csv(index=False))
        if done:
            _put_together(out, [trial.number for trial in _distinct(done, settings)[:top]])
        count = {state: sum(trial.state == state for trial in found) for state in TrialState}
    ended, ensemble = (count[TrialState.FAIL], count[TrialState.RUNNING]), out / "ensemble" if done else None
    return SearchResult(table, ensemble, len(done), *ended, unprepared)


def _distinct(done: list[FrozenTrial], settings: Mapping[int, dict[str, Any]]) -> list[FrozenTrial]:
    """Of trials with the same settings, which are the same model, the first."""
    first: dict[str, FrozenTrial] = {}
    for trial in done:
        first.setdefault(json.dumps(settings[trial.number], sort_keys=True), trial)
    return list(first.values())


def _put_together(out: Path, numbers: list[int]) -> None:
    """A kill leaves the ensemble of before, this one, or none, which the next call makes."""
    new, ensemble = out / "ensemble.part", out / "ensemble"
    shutil.rmtree(new, ignore_errors=True)
    for place, number in enumerate(numbers, start=1):
        shutil.copytree(out / f"trial-{number}" / "checkpoint", new / str(place))
    shutil.rmtree(ensemble, ignore_errors=True)
    new.rename(ensemble)
