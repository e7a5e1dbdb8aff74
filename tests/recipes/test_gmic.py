"""Every recipe of GMIC: the published network and preparation, and patches that fit the grid of the map."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mammoseg.config import ConfigError, with_overrides
from mammoseg.models import build_model
from mammoseg.models.gmic.config import GmicConfig
from mammoseg.models.gmic.published import CBIS
from mammoseg.prep.config import PrepConfig
from mammoseg.recipes.glam import glam_paper, glam_small
from mammoseg.recipes.gmic import gmic_cbis_paper, gmic_paper, gmic_small
from mammoseg.training.config import StageConfig, TrainConfig
from mammoseg.training.recipes import list_recipes

Recipe = Callable[[], TrainConfig]


@pytest.mark.parametrize(
    ("recipe", "classes", "grid"),
    [(gmic_paper, 2, (46, 30)), (gmic_small, 2, (46, 30)), (gmic_cbis_paper, 1, (92, 60))],
)
def test_the_grid_is_the_documented_one_and_patches_fit_it(recipe: Recipe, classes: int, grid: tuple[int, int]) -> None:
    config = recipe()
    assert isinstance(config.network, GmicConfig)
    with torch.device("meta"):
        model = build_model(config.model, config.network)
        coarse = model.global_module(torch.empty(1, 1, *config.prep.window))  # type: ignore[operator]
    assert coarse.saliency_BKhw.shape == (1, classes, *grid)
    cells = {divmod(pixels, number) for pixels, number in zip(config.prep.window, grid, strict=True)}
    [(cell, rest)] = cells
    assert (rest, config.network.patch_px % cell) == (0, 0), "square cells, and whole cells in a patch"


def test_the_paper_is_the_published_network_and_preparation() -> None:
    paper = gmic_paper()
    assert (paper.model, paper.network, paper.prep) == ("gmic", GmicConfig(), PrepConfig(pixel_mm=0.07))
    assert paper.stages == {"joint": StageConfig(epochs=50, learning_rate=4.134479e-6, batch_size=16)}
    assert paper.select_by == "auc"


def test_cbis_is_the_paper_with_the_published_variant() -> None:
    cbis = gmic_cbis_paper()
    assert cbis.network == CBIS
    assert cbis.prep == PrepConfig(fit="resize", intensity="unit")
    assert cbis.model_copy(update={"network": GmicConfig(), "prep": gmic_paper().prep}) == gmic_paper()


def test_another_model_starts_from_its_published_network(tmp_path: Path) -> None:
    """Whoever writes `model: gmic` over a recipe of GLAM keeps the data handling, and none of GLAM's settings."""
    file = tmp_path / "own.yaml"
    file.write_text("model: gmic\nnetwork: {patch_px: 48}\nseed: 3\n")
    changed = with_overrides(glam_small(), file, ["stages.joint.epochs=2", "network.num_patches=4"])
    assert changed.network == GmicConfig(patch_px=48, num_patches=4)
    assert changed.stages == {"joint": StageConfig(epochs=2)}
    assert (changed.prep, changed.augment, changed.seed) == (glam_small().prep, glam_small().augment, 3)
    back = ["seed=3", "model=gmic", "network.patch_px=48", "model=glam", "network.patch_px=32"]
    assert with_overrides(glam_small(), sets=back).network.model_dump()["patch_px"] == 32
    with pytest.raises(ConfigError, match=r"there is no field 'overlap'; there are: .*rois"):
        with_overrides(glam_small(), sets=["model=gmic", "stages.joint.epochs=2", "network.overlap=max"])
    with pytest.raises(ConfigError, match=r"there is no model 'gmik'.*Did you mean gmic"):
        with_overrides(glam_small(), sets=["model=gmik"])


def test_another_model_does_not_drop_the_stages_of_a_recipe_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ConfigError) as error:
        with_overrides(glam_small(), sets=["model=gmic", "network.patch_px=48"])
    for part in ("recipe are for glam and would be dropped", "begin with gmic_", "--set stages.joint.epochs=N"):
        assert part in str(error.value)
    assert not caplog.messages
    with_overrides(glam_small(), sets=["model=gmic", "stages.joint.epochs=2", "network.patch_px=48"])
    assert not caplog.messages
    assert with_overrides(glam_paper(), sets=["stages.joint.epochs=2", "model=gmic"]).network == GmicConfig()
    assert caplog.messages == [
        "model gmic: its network has the published settings, not those of the recipe for glam. Change them with "
        "--set network.NAME=VALUE"
    ]


def test_recipes_of_a_model_begin_with_its_name() -> None:
    """The message about another model rests on it."""
    for name, recipe in list_recipes().items():
        assert name.startswith(f"{recipe().model}_")
