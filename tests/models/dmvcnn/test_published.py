"""Published weight files of DMV-CNN: every tensor has its place, copies are equal, and what is cut off is said."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from mammoseg.inference.predictor import open_predictor
from mammoseg.models import build_model, parameters
from mammoseg.models.dmvcnn.config import WINDOWS, DmvCnnConfig
from mammoseg.models.dmvcnn.published import PUBLISHED
from mammoseg.nn.checkpoint import CheckpointError
from mammoseg.published.file import PublishedFile
from mammoseg.published.take_over import import_weights

ENTRIES = {"view_wise": 794, "image_wise": 802}
every_file = pytest.mark.parametrize("file", PUBLISHED, ids=lambda file: file.title)
PublishedState = Callable[[PublishedFile], Any]


def of(file: PublishedFile) -> DmvCnnConfig:
    assert isinstance(file.config, DmvCnnConfig)
    return file.config


@pytest.mark.parametrize(("heatmaps", "count"), [(False, 6_132_592), (True, 6_135_728)])
def test_published_parameters(heatmaps: bool, count: int) -> None:
    with torch.device("meta"):
        assert parameters(build_model("dmvcnn", DmvCnnConfig(heatmaps=heatmaps))) == count


@every_file
def test_a_whole_file_is_taken_over(file: PublishedFile, published_state: PublishedState, tmp_path: Path) -> None:
    state = published_state(file)
    assert len(state) == ENTRIES[of(file).fusion]
    torch.save({"model": state}, tmp_path / "model.p")
    imported = import_weights(tmp_path / "model.p", tmp_path / "out")
    assert (imported.title, imported.network) == (file.title, file.config)
    heads = ["lcc", "rcc", "lmlo", "rmlo"] if of(file).fusion == "image_wise" else []
    cut = [f"output_layer_{name}.fc_layer.{kind}, from row 4 on" for name in heads for kind in ("weight", "bias")]
    assert sorted(imported.unused) == sorted(cut)
    predictor = open_predictor(tmp_path / "out", "cpu")
    assert predictor.prep.windows == WINDOWS == predictor.engine.sees.windows


@pytest.mark.shared
@every_file
def test_names_and_shapes_of_the_published_file(
    shared: Path, file: PublishedFile, published_state: PublishedState
) -> None:
    name = {"view_wise": "view_split", "image_wise": "image"}[of(file).fusion]
    column = "shape_image_and_heatmaps" if of(file).heatmaps else "shape_image_only"
    with (shared / "spec" / f"dmvcnn_{name}_keys.csv").open() as table:
        expected = {row["key"]: row[column].replace("scalar", "") for row in csv.DictReader(table)}
    assert {key: "x".join(map(str, value.shape)) for key, value in published_state(file).items()} == expected


def test_copies_that_differ_are_refused(published_state: PublishedState, tmp_path: Path) -> None:
    state = published_state(PUBLISHED[0])
    name = "four_view_resnet.r_mlo.layer_list.2.0.bn1.bias"
    state[name] = state[name] + 1e-3
    torch.save({"model": state}, tmp_path / "model.p")
    with pytest.raises(CheckpointError, match=r"1 tensors that are there more than once differ") as caught:
        import_weights(tmp_path / "model.p", tmp_path / "out")
    assert f"{name} is not four_view_resnet.mlo.layer_list.2.0.bn1.bias" in str(caught.value)
    assert not (tmp_path / "out").exists()
