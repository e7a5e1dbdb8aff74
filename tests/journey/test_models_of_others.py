"""A segmentation model trained from masks and a model of two views, each one file outside the package: from the command that
trains them to a predictions folder, without an edit inside."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mammoseg.data.manifest import Manifest
from mammoseg.io.failures import Failures
from mammoseg.io.runs import load_prediction, predicted_ids

Mammoseg = Callable[..., Any]


@pytest.fixture(autouse=True)
def lab(monkeypatch: pytest.MonkeyPatch) -> None:
    """The working directory holds the plug-ins of the lab."""
    monkeypatch.chdir(Path(__file__).parents[1] / "plugins")


def trained(mammoseg: Mammoseg, recipe: str, manifest: Path, out: Path, *more: str) -> Any:
    options = ("--manifest", manifest, "--out", out / "run", "--device", "cpu", *more)
    done = mammoseg("train", "--recipe", f"my_lab.recipes.tiny.{recipe}", *options)
    assert done.code in (0, 3), done.err
    return done


def predicted(mammoseg: Mammoseg, model: str, manifest: Path, out: Path) -> Path:
    named = ("--set", f"model=my_lab.models.{model}")
    done = mammoseg(
        "predict", "--checkpoint", out / "run", *named, "--manifest", manifest, "--split", "test", "--out", out / "p"
    )
    assert done.code == 0, done.err
    return out / "p"


@pytest.mark.slow
def test_a_segmentation_model_from_masks(mammoseg: Mammoseg, phantom_study: Manifest, tmp_path: Path) -> None:
    """One training mask cannot be read: its image is noted and left out."""
    table = phantom_study.table.copy()
    broken = table.index[(table["split"] == "train") & table["malignant_mask"].notna()][0]
    (tmp_path / "broken.png").write_bytes(b"no picture")
    table.loc[broken, "malignant_mask"] = str(tmp_path / "broken.png")
    table.to_csv(tmp_path / "images.csv", index=False)
    done = trained(mammoseg, "unet", tmp_path / "images.csv", tmp_path)
    done.says("Epochs are chosen by dice")
    errors = Failures(tmp_path / "run").read()
    assert errors[["image_id", "step"]].to_numpy().tolist() == [[table.loc[broken, "image_id"], "mask"]]
    checkpoint = json.loads((tmp_path / "run" / "checkpoint" / "checkpoint.json").read_text())
    assert checkpoint["network"] == {"classes": ["benign", "malignant"], "width": 8}, (
        "and nothing that only training needs"
    )
    table.loc[broken, "malignant_mask"] = phantom_study.table.loc[broken, "malignant_mask"]
    table.to_csv(tmp_path / "images.csv", index=False)
    trained(mammoseg, "unet", tmp_path / "images.csv", tmp_path, "--overwrite")
    assert Failures(tmp_path / "run").read().empty, "the mask is mended"
    folder = predicted(mammoseg, "unet", tmp_path / "images.csv", tmp_path)
    found = load_prediction(folder, predicted_ids(folder)[0])
    assert found.maps["saliency"].shape == (2, 96, 64)
    assert found.patches == ()


@pytest.mark.slow
def test_a_model_of_two_views(mammoseg: Mammoseg, phantom_study: Manifest, tmp_path: Path) -> None:
    trained(mammoseg, "two_views", phantom_study.path, tmp_path)
    folder = predicted(mammoseg, "two_views", phantom_study.path, tmp_path)
    rows = list(phantom_study.subset("test").rows())
    assert predicted_ids(folder) == sorted(row.image_id for row in rows)
    breasts: dict[Any, list[Any]] = {}
    for row in rows:
        breasts.setdefault(row.breast_key, []).append(load_prediction(folder, row.image_id))
    for both in breasts.values():
        first, second = both
        assert dict(first.scores) == dict(second.scores), "one score for the breast"
        assert dict(first.parts["view"]) != dict(second.parts["view"])
        assert not np.array_equal(first.maps["saliency"], second.maps["saliency"]), "a map for each view"


@pytest.mark.slow
def test_a_view_that_is_not_there(mammoseg: Mammoseg, phantom_study: Manifest, tmp_path: Path) -> None:
    """Of one breast only the CC can be read, and an image of another view cannot be predicted."""
    trained(mammoseg, "two_views", phantom_study.path, tmp_path)
    table = phantom_study.table[phantom_study.table["split"] == "test"].head(4).copy()
    table = table.sort_values(["laterality", "view"])
    assert table["view"].tolist() == ["CC", "MLO", "CC", "MLO"]
    table.iloc[1, table.columns.get_loc("path")] = str(tmp_path / "none.png")
    table.iloc[3, table.columns.get_loc("view")] = "ML"
    table.to_csv(tmp_path / "some.csv", index=False)
    options = ("--set", "model=my_lab.models.two_views", "--manifest", tmp_path / "some.csv", "--out", tmp_path / "p")
    done = mammoseg("predict", "--checkpoint", tmp_path / "run", *options)
    assert done.code == 3, done.err
    ids = table["image_id"].tolist()
    assert predicted_ids(tmp_path / "p") == sorted([ids[0], ids[2]])
    alone = load_prediction(tmp_path / "p", ids[0])
    assert dict(alone.scores) == pytest.approx(dict(alone.parts["view"]))
    messages = Failures(tmp_path / "p").read().set_index("image_id")["message"]
    assert "Expected one of the views that the model sees: CC, MLO" in messages[ids[3]]
