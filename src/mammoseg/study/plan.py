"""A plan: which systems ("arms") a study trains and tests, and what the papers print of them. Data, and nothing else.

One that comes with mammoseg is a file in studies/, one of a user a YAML file:

    title: What the share of cells does
    reference: two
    arms:
      - {name: two, recipe: gmic_small, sets: [network.global_module.top_t=0.02]}
      - {name: ten, recipe: gmic_small, sets: [network.global_module.top_t=0.1], paper: [gmic_table7/t=10%]}
      - {name: ten_global, run: ten, predict: [prediction=global]}

Arms that name the `run` of another one share its training: they differ in the checkpoint, in settings at prediction, or in whose
score and which map of it count.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from mammoseg.config import Config, ConfigError, parse, read_yaml
from mammoseg.papers import table_of
from mammoseg.plugins import STUDIES, is_foreign, load

MOST_SEEDS = 100
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,59}$")]
"""A part of names of folders."""
Text = Annotated[str, Field(max_length=2000)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]


class Arm(Config):
    """A row of the table."""

    name: Name
    title: Text = ""
    """What people read; empty: the name."""
    recipe: Text | None = None
    """What is trained; None: nothing, `run` is."""
    run: Name | None = None
    """The arm whose training this one shares."""
    sets: tuple[Text, ...] = ()
    """Settings of the training, after those of the plan, as in `train --set`."""
    predict: tuple[Text, ...] = ()
    """Settings with which the checkpoint predicts, as in `predict --set`."""
    heatmaps: Name | None = None
    """The arm with the patch classifier whose heatmaps this one sees beside the mammogram; it is trained first."""
    stage: Name | None = None
    """The stage of training whose checkpoint predicts; None: the result."""
    score: Text | None = "final"
    """Whose score counts: `final`, or a part of the model; None: it has none of its own."""
    map: Text = "saliency"
    """Which map counts; `random` is the floor of noise."""
    paper: tuple[Text, ...] = ()
    """Rows of papers.py that are about this system."""
    differs: Text = ""
    """What is different from there, beside what the plan says of all."""

    @field_validator("paper")
    @classmethod
    def _rows(cls, paper: tuple[str, ...]) -> tuple[str, ...]:
        for reference in paper:
            table_of(reference)
        return paper

    @model_validator(mode="after")
    def _trains_or_shares(self) -> Self:
        if (self.recipe is None) == (self.run is None):
            raise ValueError("an arm has a recipe, or the run of another arm: one of the two")
        if self.run is not None and self.sets:
            raise ValueError(
                "settings of the training belong to the arm whose run this is; `predict` has those of prediction"
            )
        return self

    @property
    def shown(self) -> str:
        return self.title or self.name

    @property
    def checkpoint(self) -> str:
        """Its place in the folder of the run."""
        return f"stages/{self.stage}/checkpoint" if self.stage else "checkpoint"


class Phantoms(Config):
    """Exams that are generated if no manifest is given, in their small size."""

    exams: int = Field(380, ge=6, le=100_000)
    seed: Seed = 101
    splits: tuple[float, float, float] = (0.71, 0.08, 0.21)
    """Shares of train, val and test."""


class Plan(Config):
    """A study."""

    title: Text
    about: Text = ""
    """What is asked, and in what all arms differ from the papers."""
    reference: Name
    """The arm that the others are compared with."""
    arms: tuple[Arm, ...] = Field(min_length=1, max_length=200)
    seeds: tuple[Seed, ...] = Field((0, 1, 2), min_length=1, max_length=MOST_SEEDS)
    sets: tuple[Text, ...] = ()
    """Settings of every training, before those of the arms."""
    phantoms: Phantoms | None = None
    """None: a manifest is needed."""
    level: Literal["image", "breast"] = "breast"
    """The cases of the AUC. Source: both papers count breasts, and images of CBIS-DDSM."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        known = [arm.name for arm in self.arms]
        if twice := sorted({name for name in known if known.count(name) > 1}):
            raise ValueError(f"two arms are called {', '.join(twice)}")
        trained = {arm.name for arm in self.arms if arm.recipe}
        for arm in self.arms:
            if missing := [name for name in (arm.run, arm.heatmaps) if name is not None and name not in trained]:
                raise ValueError(
                    f"arm {arm.name}: no arm {missing[0]} is trained; there are: {', '.join(sorted(trained))}"
                )
        if self.reference not in known:
            raise ValueError(f"the reference {self.reference} is none of the arms: {', '.join(known)}")
        return self

    def chosen(self, names: Sequence[str]) -> tuple[Arm, ...]:
        """The arms of these names, in the order of the plan; all without any. Raises ConfigError for a name that is none."""
        known = [arm.name for arm in self.arms]
        if unknown := sorted(set(names) - set(known)):
            raise ConfigError(
                f"--arms: no arm of this study is called {', '.join(unknown)}. There are: {', '.join(known)}."
            )
        return tuple(arm for arm in self.arms if not names or arm.name in names)

    def trained_by(self, arm: Arm) -> Arm:
        """The arm whose training is that of `arm`."""
        return next(other for other in self.arms if other.name == (arm.run or arm.name))

    def classifier_of(self, arm: Arm) -> Arm | None:
        """The arm whose heatmaps the training of `arm` sees; None: it sees none."""
        named = self.trained_by(arm).heatmaps
        return next((other for other in self.arms if other.name == named), None)

    def tested_as(self, arm: Arm) -> str:
        """The first arm whose predictions are those of `arm`: they differ in whose score and which map count, at most."""
        return next(other.name for other in self.arms if _predicts(other) == _predicts(arm))


def _predicts(arm: Arm) -> tuple[object, ...]:
    return arm.run or arm.name, arm.stage, arm.predict


def load_plan(name: str) -> Plan:
    """One of mammoseg by its name, one of others by the dotted name of its module, or a YAML file.

    Raises ConfigError for a plan that cannot be, and PluginError for a module that is none. A file has no module imported.
    """
    if Path(name).suffix.lower() in (".yaml", ".yml"):
        values = read_yaml(Path(name))
        plan = parse(Plan, values, name)
        foreign = sorted({str(arm.recipe) for arm in plan.arms if is_foreign(arm.recipe)})
        if foreign:
            raise ConfigError(
                f"{name}: the recipe {foreign[0]} is a module outside mammoseg, which a file does not have imported. Expected the "
                "name of a recipe. Write the plan as a module with PLAN, and give its dotted name."
            )
        return plan
    plan = load(STUDIES, name).PLAN
    if not isinstance(plan, Plan):
        raise ConfigError(f"{name}: PLAN is a {type(plan).__name__}. Expected a Plan of mammoseg.study.plan.")
    return plan
