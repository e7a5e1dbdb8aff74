"""A folder to work in, a table to spoil, and a training of seconds."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

if TYPE_CHECKING:
    from mammoseg.data.manifest import Manifest
    from mammoseg.training.config import TrainConfig


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def table(phantom_study: "Manifest") -> pd.DataFrame:
    """A manifest to spoil: text, with absolute paths."""
    table = pd.read_csv(phantom_study.path, dtype=str, keep_default_na=False)
    for name in ("path", "benign_mask", "malignant_mask"):
        table[name] = [str(phantom_study.path.parent / value) if value else "" for value in table[name]]
    return table


@pytest.fixture
def train(here: Path, tiny_config: "TrainConfig", command: Callable[..., Any]) -> Callable[..., Any]:
    """`train(table, *options)` into the folder `run`."""
    from mammoseg.config import to_yaml

    one = {name: stage.model_copy(update={"epochs": 1}) for name, stage in tiny_config.stages.items()}
    (here / "tiny.yaml").write_text(to_yaml(tiny_config.model_copy(update={"stages": one})))

    def run(table: pd.DataFrame, *options: object) -> Any:
        table.to_csv(here / "manifest.csv", index=False)
        required = ("train", "--recipe", "glam_small", "--config", "tiny.yaml", "--manifest", "manifest.csv")
        return command(*required, "--out", "run", "--device", "cpu", *options)

    return run
