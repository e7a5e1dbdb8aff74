"""Plans are data: those that come with mammoseg can be run, those of users are checked before anything is."""

import json
from pathlib import Path

import pytest

from mammoseg.config import ConfigError
from mammoseg.papers import table_of
from mammoseg.plugins import STUDIES, PluginError, names
from mammoseg.study.plan import Arm, Plan, load_plan
from mammoseg.study.settings import config_of, own_settings
from mammoseg.training.recipes import list_recipes

ARMS = """
title: A try
reference: one
arms:
  - {name: one, recipe: gmic_small, sets: [network.num_patches=2]}
  - {name: two, run: one, predict: [prediction=global]}
  - {name: three, run: one, predict: [prediction=global], score: global, map: random}
"""


@pytest.mark.parametrize("name", names(STUDIES))
def test_every_study_that_comes_with_it_can_be_trained(name: str) -> None:
    plan = load_plan(name)
    for arm in plan.arms:
        if plan.trained_by(arm).recipe in list_recipes():
            assert config_of(plan, arm, 3).seed == 3
        for row in arm.paper:
            assert table_of(row).cite


@pytest.mark.parametrize("name", names(STUDIES))
def test_no_two_arms_are_the_same(name: str) -> None:
    plan = load_plan(name)
    arms = [arm for arm in plan.arms if plan.trained_by(arm).recipe in list_recipes()]
    said = [json.dumps([own_settings(plan, arm, 0), arm.score, arm.map], sort_keys=True) for arm in arms]
    assert len(set(said)) == len(said)


def test_arms_share_training_and_predictions(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(ARMS)
    plan = load_plan(str(tmp_path / "plan.yaml"))
    one, two, three = plan.arms
    assert plan.trained_by(three) is one
    assert [plan.tested_as(arm) for arm in plan.arms] == ["one", "two", "two"]
    assert plan.chosen(["three", "one"]) == (one, three)
    assert config_of(plan, two, 0) == config_of(plan, one, 0)
    with pytest.raises(ConfigError, match="no arm of this study is called four"):
        plan.chosen(["four"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("reference: one", "reference: four"), "the reference four is none of the arms"),
        (("name: two, run: one", "name: two, run: three"), "arm two: no arm three is trained"),
        (("name: two, run: one", "name: two, run: one, heatmaps: three"), "arm two: no arm three is trained"),
        (("name: two, run: one", "name: one, run: one"), "two arms are called one"),
        (("name: two, run: one", "name: two"), "a recipe, or the run of another arm"),
        (("name: two, run: one", "name: ../two, run: one"), "name"),
        (("sets: [network.num_patches=2]", "paper: [gmic_table1/ResNet-35]"), "is no row of a table of a paper"),
        (("recipe: gmic_small", "recipe: my_lab.recipe"), "outside mammoseg, which a file does not have imported"),
    ],
)
def test_what_is_no_plan_is_told(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    (tmp_path / "plan.yaml").write_text(ARMS.replace(*change))
    with pytest.raises(ConfigError, match=message):
        load_plan(str(tmp_path / "plan.yaml"))


def test_unknown_studies_are_told_with_the_known_ones() -> None:
    with pytest.raises(PluginError, match="Did you mean phantoms"):
        load_plan("phantom")


def test_a_module_of_others_may_bring_a_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lab_plan").mkdir()
    (tmp_path / "lab_plan" / "own.py").write_text("PLAN = 3\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigError, match="PLAN is a int"):
        load_plan("lab_plan.own")
    assert Plan(title="x", reference="a", arms=(Arm(name="a", recipe="gmic_small"),)).seeds == (0, 1, 2)
