"""The settings of the arms of a study: what is trained, what of a plan cannot be, and what an arm has been tested with."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mammoseg.bounded import read_json
from mammoseg.config import ConfigError, with_overrides
from mammoseg.evaluation.results import Results, part
from mammoseg.io.atomic import plain, write_json
from mammoseg.study.plan import Arm, Plan
from mammoseg.training.config import TrainConfig
from mammoseg.training.recipes import load_recipe

OWN = "arm.json"


class StudyError(ValueError):
    """A study that cannot be begun or continued."""


def config_of(plan: Plan, arm: Arm, seed: int) -> TrainConfig:
    """What is trained for an arm. Raises like `load_recipe` and `with_overrides`."""
    trained = plan.trained_by(arm)
    config = load_recipe(str(trained.recipe))
    return with_overrides(config, sets=[*plan.sets, *trained.sets, f"seed={seed}"])


def faults(plan: Plan, arms: Sequence[Arm]) -> dict[str, ValueError]:
    """Arm -> what is wrong with its settings: what would be found only when its turn comes, after hours perhaps."""
    found: dict[str, ValueError] = {}
    for arm in arms:
        try:
            config = config_of(plan, arm, 0)
            with_overrides(config.network, sets=arm.predict)
            if arm.stage is not None and arm.stage not in config.stages:
                raise ConfigError(
                    f"arm {arm.name}: {arm.stage} is no stage of its training. Expected one of {', '.join(config.stages)}."
                )
        except ValueError as error:
            found[arm.name] = error
    return found


def check_shown(arm: Arm, results: Results) -> None:
    """Raises StudyError if the score or the map that the plan names is none of the evaluation's."""
    scores = {name for label in results.classes for name in part(results.metrics, "scores", "image", label)}
    maps = {name for label in results.classes for name in part(results.metrics, "maps", label, "maps")}
    usual = Arm.model_fields["map"].default  # which a model without maps has not, either
    for what, name, known in (("score", arm.score, scores), ("map", arm.map, maps)):
        if name not in (None, usual) and known and name not in known:
            raise StudyError(
                f"arm {arm.name}: {name} is no {what} of its model. Expected one of {', '.join(sorted(known))}."
            )


def own_settings(plan: Plan, arm: Arm, seed: int) -> Any:
    """All that decides the predictions of an arm, as JSON. Raises like `config_of`."""
    learned = [config_of(plan, each, seed) for each in (arm, plan.classifier_of(arm)) if each]
    trained = [config.model_dump(mode="json", exclude=config.beside) for config in learned]
    seen = plan.classifier_of(arm)
    heatmaps = {"heatmaps": [seen.stage, seen.predict]} if seen and (seen.stage or seen.predict) else {}
    return plain({"trained": trained, "stage": arm.stage, "predict": arm.predict, **heatmaps})


def costs_settings(plan: Plan, arm: Arm) -> Any:
    """All that decides what the network of an arm costs, as JSON."""
    config = config_of(plan, arm, 0)
    network, prep = config.network.model_dump(mode="json"), config.prep.model_dump(mode="json")
    return plain({"model": config.model, "network": network, "prep": prep, "predict": arm.predict, "stage": arm.stage})


def is_own(folder: Path, plan: Plan, arm: Arm, seed: int) -> bool:
    """Whether what is in the folder of a tested arm is of these settings."""
    path = folder / OWN
    try:
        return not path.exists() or bool(read_json(path) == own_settings(plan, arm, seed))
    except ValueError:  # of no settings at all, as the plan is now, or damaged
        return False


def claim(folder: Path, plan: Plan, arm: Arm, seed: int) -> None:
    """Note the settings of an arm that is about to be tested in this folder. Raises StudyError if there are results of others."""
    own = is_own(folder, plan, arm, seed)
    if not own and any((folder / name).exists() for name in ("predictions", "metrics")):
        whose = "its folders in runs/ and tested/" if arm.recipe else "its folder in tested/"
        raise StudyError(
            f"{folder}: holds the arm {arm.name} with other settings. Expected those of the plan and of --set. Choose a new folder "
            f"for the study, give the arm another name, or delete {whose}."
        )
    if not own or not (folder / OWN).exists():
        write_json(folder / OWN, own_settings(plan, arm, seed))
