"""Recipes are found by name, and a wrong name is met with the right one."""

import inspect
from pathlib import Path

import pytest

from mammoseg.config import ConfigError
from mammoseg.plugins import RECIPES, names
from mammoseg.recipes import glam, gmic
from mammoseg.training.config import TrainConfig
from mammoseg.training.recipes import list_recipes, load_recipe


def test_every_public_recipe_of_the_model_files_is_listed() -> None:
    public = {
        name
        for module, model in ((glam, "glam"), (gmic, "gmic"))
        for name, _ in inspect.getmembers(module, inspect.isfunction)
        if name.startswith(f"{model}_")
    }
    assert {"glam_paper", "glam_small", "gmic_paper", "gmic_cbis_paper", "gmic_small"} <= public
    assert public <= list_recipes().keys()
    assert list(list_recipes()) == sorted(list_recipes())


def test_only_recipes_are_listed() -> None:
    for name, function in list_recipes().items():
        assert not name.startswith("_")
        assert isinstance(function(), TrainConfig)


def test_every_file_of_the_folder_holds_recipes() -> None:
    written = {function.__module__.rpartition(".")[2] for function in list_recipes().values()}  # type: ignore[attr-defined]
    assert written == set(names(RECIPES))


def test_a_recipe_by_name() -> None:
    assert load_recipe("glam_small") == glam.glam_small()


def test_an_unknown_name() -> None:
    with pytest.raises(ConfigError, match=r"no recipe 'glam_smal'. Did you mean glam_small\? There are: .*glam_paper"):
        load_recipe("glam_smal")
    with pytest.raises(ConfigError, match=r"no recipe 'xyz'. There are: "):
        load_recipe("xyz")


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with recipes of others, which is the working directory."""
    (tmp_path / "lab_of_recipes").mkdir()
    (tmp_path / "one_recipe.py").write_text(_ONE)
    (tmp_path / "lab_of_recipes" / "two.py").write_text(_ONE + _ONE.partition("\n\n")[2].replace("first", "second"))
    (tmp_path / "lab_of_recipes" / "none.py").write_text("from mammoseg.recipes.gmic import gmic_small\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


_ONE = """from mammoseg.recipes.gmic import gmic_small
from mammoseg.training.config import TrainConfig

def first() -> TrainConfig:
    return gmic_small()

def not_a_recipe() -> int:
    return 5
"""


def test_recipes_of_others_have_dotted_names(lab: Path) -> None:
    """That of the function, or of its module if it is alone there."""
    for name in ("one_recipe.first", "lab_of_recipes.two.first", "lab_of_recipes.two.second"):
        assert load_recipe(name) == gmic.gmic_small()
    (lab / "lab_of_recipes" / "alone.py").write_text(_ONE)
    assert load_recipe("lab_of_recipes.alone") == gmic.gmic_small()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("one_recipe.frist", r"no recipe 'one_recipe.frist'\. Did you mean one_recipe\.first\? There are: one_recipe"),
        ("one_recipe.not_a_recipe", r"no recipe 'one_recipe\.not_a_recipe'"),
        ("lab_of_recipes.two", r"no recipe 'lab_of_recipes\.two'\..* There are: lab_of_recipes\.two\.first, lab_of_"),
        ("lab_of_recipes.none", r"no recipe 'lab_of_recipes\.none'\. There are: none that returns a TrainConfig"),
        ("lab_of_recipes.three", r"no module lab_of_recipes\.three for the recipe\. .*PYTHONPATH"),
        ("no_such_lab.toy", r"no module no_such_lab for the recipe\. .*PYTHONPATH"),
    ],
)
def test_a_name_that_is_none_of_theirs(lab: Path, name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_recipe(name)
