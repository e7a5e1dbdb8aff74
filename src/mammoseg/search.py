"""Random search over the settings of a recipe. Several processes or machines join by the same command, over a common folder.

    OUT/journal.log      the trials, in Optuna's journal
    OUT/cache/           prepared images; may be deleted
    OUT/trial-N/         a whole training run (training/run.py)
    OUT/trials.csv       settings and validation score of every finished trial, the best first
    OUT/ensemble/K/      the checkpoints of the best, K from 1: `predict --checkpoint OUT/ensemble` is their mean

The settings of a trial follow from the seed and its number alone. A trial that was killed is continued by the next process that
looks for work; one that diverges counts as done, without a score.

Source   Shen et al. 2021 (arXiv:2002.07613), Sec. 3.3: thirty random settings, the five best on validation, their mean.
"""

import hashlib
import json
import shutil
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import optuna
import pandas as pd
import torch
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.samplers import BaseSampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from mammoseg.config import Config, ConfigError, parse, with_overrides
from mammoseg.data.manifest import Manifest
from mammoseg.io.atomic import write_text
from mammoseg.io.outputs import FolderInUseError, writing_to
from mammoseg.models import load_model_plugin
from mammoseg.nn.checkpoint import members_of, open_checkpoint
from mammoseg.training.config import TrainConfig
from mammoseg.training.module import DivergedError
from mammoseg.training.run import train

NAME = "mammoseg"
DIGEST = "settings"


class Interval(Config):
    """Numbers from `low` to `high`; with `log` evenly on a logarithmic scale."""

    low: float
    high: float
    log: bool = False


Space = Mapping[str, Interval | list[Any]]
"""Name of a setting, as in `--set` -> what is tried."""


class SearchError(ValueError):
    """A search that cannot be begun or continued."""


@dataclass(frozen=True)
class Found:
    table: Path
    ensemble: Path | None
    """None: no trial has finished."""
    finished: int
    diverged: int
    elsewhere: int
    """Trials that other processes are working on."""


def read_space(values: Mapping[str, Any], where: str) -> dict[str, Interval | list[Any]]:
    """Lists are choices, `{low, high, log}` is an interval. Raises ConfigError for anything else."""
    found: dict[str, Interval | list[Any]] = {}
    for name, tried in values.items():
        if isinstance(tried, dict):
            found[name] = parse(Interval, tried, f"{where}: {name}")
        elif isinstance(tried, list) and tried:
            found[name] = tried
        else:
            raise ConfigError(
                f"{where}: {name} is {tried!r}. Expected a list of values, or low and high. Write for example "
                f"[0.01, 0.05] or {{low: 1e-5, high: 1e-3, log: true}}."
            )
    if not found:
        raise ConfigError(f"{where}: no setting to search. Expected a name as in --set, and what is to be tried.")
    return found


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
) -> Found:
    """Train until there are `trials` trials, and put the `top` best together.

    Raises ConfigError for settings that the configuration does not have, SearchError for a folder of another search, and like
    `train` for everything but a trial that diverges.
    """
    distributions = {name: _distribution(name, tried) for name, tried in space.items()}
    for name, tried in space.items():  # what cannot be is better known now
        for value in tried if isinstance(tried, list) else (tried.low, tried.high):
            _config_of(config, {name: value})
    study = _study(out, config, space, manifest)
    elsewhere: set[int] = set()
    while (trial := _next(study, distributions, trials, elsewhere)) is not None:
        run = out / f"trial-{trial.number}"
        try:
            own = _config_of(config, trial.params)
            train(own, manifest, run, device, workers, cache_folder=cache_folder or out / "cache")
        except FolderInUseError:
            elsewhere.add(trial.number)
        except DivergedError:
            study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)
        else:
            study.tell(trial.number, _score(run, own), skip_if_finished=True)
    return _summary(study, out, top, len(elsewhere))


def _next(
    study: optuna.Study, distributions: dict[str, BaseDistribution], trials: int, elsewhere: set[int]
) -> FrozenTrial | optuna.Trial | None:
    """One that was stopped, or a new one."""
    known = study.get_trials(deepcopy=False)
    for trial in known:
        if trial.state == TrialState.RUNNING and trial.number not in elsewhere:
            return trial
    return study.ask(distributions) if len(known) < trials else None


class _BySeedAndNumber(BaseSampler):
    """Random values that follow from the seed, the number of the trial and the name alone, whichever process draws them."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def value(self, name: str, of: BaseDistribution, number: int) -> Any:
        rng = np.random.default_rng((self.seed, number, zlib.crc32(name.encode())))
        if isinstance(of, FloatDistribution):
            if of.log:
                return float(np.exp(rng.uniform(np.log(of.low), np.log(of.high))))
            return float(rng.uniform(of.low, of.high))
        choices = cast(CategoricalDistribution, of).choices
        return choices[int(rng.integers(len(choices)))]

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self.value(param_name, param_distribution, trial.number)


def _distribution(name: str, tried: Interval | list[Any]) -> BaseDistribution:
    try:
        if isinstance(tried, list):
            return CategoricalDistribution(tried)
        return FloatDistribution(tried.low, tried.high, log=tried.log)
    except ValueError as error:
        raise ConfigError(f"{name}: {error}. Expected values to choose from, or low below high.") from None


def _study(out: Path, config: TrainConfig, space: Space, manifest: Manifest) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    tried = {name: of if isinstance(of, list) else of.model_dump() for name, of in space.items()}
    settings = {"config": config.model_dump(mode="json"), "space": tried, "manifest": manifest.sha256()}
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()
    out.mkdir(parents=True, exist_ok=True)
    storage = JournalStorage(JournalFileBackend(str(out / "journal.log")))
    study = optuna.create_study(
        study_name=NAME,
        storage=storage,
        sampler=_BySeedAndNumber(config.seed),
        direction="maximize",
        load_if_exists=True,
    )
    if study.user_attrs.setdefault(DIGEST, digest) != digest:
        raise SearchError(
            f"{out}: holds a search with another recipe, space or manifest. Expected the same. Choose a new folder, or give the "
            "same arguments to join or continue that search."
        )
    study.set_user_attr(DIGEST, digest)
    return study


def _config_of(config: TrainConfig, values: Mapping[str, Any]) -> TrainConfig:
    return with_overrides(config, sets=[f"{name}={json.dumps(value)}" for name, value in values.items()])


def _score(run: Path, config: TrainConfig) -> float:
    """Of the best epoch of the last stage."""
    last = load_model_plugin(config.model).LEARNING.stages_of(config.network)[-1]
    return float(open_checkpoint(run / "stages" / last.name / "checkpoint").provenance["best"]["select"])


def _summary(study: optuna.Study, out: Path, top: int, elsewhere: int) -> Found:
    found = study.get_trials(deepcopy=False)
    done = sorted((t for t in found if t.state == TrialState.COMPLETE), key=lambda t: (-cast(float, t.value), t.number))
    rows = [{"trial": trial.number, "score": trial.value, **trial.params} for trial in done]
    table, ensemble = out / "trials.csv", out / "ensemble"
    write_text(table, pd.DataFrame(rows).to_csv(index=False))
    if done:
        with writing_to(ensemble):
            for member in members_of(ensemble):
                shutil.rmtree(member)
            for number, trial in enumerate(done[:top], start=1):
                shutil.copytree(out / f"trial-{trial.number}" / "checkpoint", ensemble / str(number))
    diverged = sum(trial.state == TrialState.FAIL for trial in found)
    return Found(table, ensemble if done else None, len(done), diverged, elsewhere)
