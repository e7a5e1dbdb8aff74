"""Random search: the same trials whoever draws them, continued after any stop, the best put together."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from typer.testing import CliRunner

import mammoseg.search as search_module
from mammoseg.cli.app import app
from mammoseg.config import ConfigError, to_yaml
from mammoseg.data.manifest import Manifest
from mammoseg.inference.predictor import open_predictor
from mammoseg.io.outputs import writing_to
from mammoseg.nn.checkpoint import members_of, open_checkpoint
from mammoseg.search import SearchError, SearchResult, read_space, search
from mammoseg.training.config import TrainConfig
from mammoseg.training.module import DivergedError
from mammoseg.training.run import train

CPU = torch.device("cpu")
SPACE = read_space(
    {
        "stages.joint.learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
        "network.global_module.top_t": [0.02, 0.1, 0.3],
    },
    "space.yaml",
)


@pytest.fixture(scope="module")
def config(tiny_config: TrainConfig) -> TrainConfig:
    once = {name: stage.model_copy(update={"epochs": 1}) for name, stage in tiny_config.stages.items()}
    return tiny_config.model_copy(update={"stages": once})


def run(config: TrainConfig, study: Manifest, out: Path, **options: Any) -> SearchResult:
    return search(config, SPACE, study, out, CPU, **{"trials": 3, "top": 2, **options})


@pytest.fixture(scope="module")
def finished(
    config: TrainConfig, phantom_study: Manifest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, SearchResult]:
    out = tmp_path_factory.mktemp("search")
    return out, run(config, phantom_study, out)


def test_trials_stand_in_a_table_and_the_best_are_one_ensemble(
    finished: tuple[Path, SearchResult], config: TrainConfig, phantom_study: Manifest
) -> None:
    out, found = finished
    assert (found.finished, found.without_score, found.elsewhere) == (3, 0, 0)
    table = pd.read_csv(found.table)
    assert sorted(table["trial"]) == [0, 1, 2]
    assert table["score"].is_monotonic_decreasing
    assert table["stages.joint.learning_rate"].between(1e-4, 1e-2).all()
    assert table["stages.joint.learning_rate"].nunique() == 3
    for trial in table.itertuples():
        provenance = open_checkpoint(out / f"trial-{trial.trial}" / "checkpoint").provenance
        assert provenance["training"]["stages"]["joint"]["learning_rate"] == table.loc[trial.Index].iloc[2]
    assert found.ensemble is not None
    members = [open_checkpoint(path).sha256 for path in members_of(found.ensemble)]
    best = [open_checkpoint(out / f"trial-{number}").sha256 for number in table["trial"][:2]]
    assert members == best
    row = next(phantom_study.rows())
    assert open_predictor(found.ensemble, "cpu", displaced=2).of_several
    assert not open_predictor(members_of(found.ensemble)[0], "cpu").of_several
    together = open_predictor(found.ensemble, "cpu").predict(row).scores["malignant"]
    alone = [open_predictor(path, "cpu").predict(row).scores["malignant"] for path in members_of(found.ensemble)]
    assert together == pytest.approx(np.mean(alone))


def test_the_same_command_goes_on(
    finished: tuple[Path, SearchResult], config: TrainConfig, phantom_study: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is done is not done again; more trials are added; fewer in the ensemble leave no old member."""
    out, found = finished
    before = pd.read_csv(found.table)
    with monkeypatch.context() as patch:
        patch.setattr(search_module, "train", None)
        assert run(config, phantom_study, out) == found
    more = run(config, phantom_study, out, trials=4, top=1)
    assert more.finished == 4
    assert more.ensemble is not None
    assert len(members_of(more.ensemble)) == 1
    after = pd.read_csv(found.table)
    assert set(before["trial"]) < set(after["trial"])


def test_a_trial_that_was_stopped_is_continued_and_one_that_diverged_is_not(
    finished: tuple[Path, SearchResult],
    config: TrainConfig,
    phantom_study: Manifest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the settings of the trials of any other process."""
    calls: list[Path] = []

    def stops(config: TrainConfig, manifest: Manifest, out: Path, *further: Any, **named: Any) -> Any:
        calls.append(out)
        if out.name == "trial-1":
            raise DivergedError("the loss is nan")
        if len(calls) == 3:
            raise KeyboardInterrupt
        return train(config, manifest, out, *further, **named)

    monkeypatch.setattr(search_module, "train", stops)
    with pytest.raises(KeyboardInterrupt):
        run(config, phantom_study, tmp_path)
    found = run(config, phantom_study, tmp_path)
    assert [path.name for path in calls] == ["trial-0", "trial-1", "trial-2", "trial-2"]
    assert (found.finished, found.without_score) == (2, 1)
    columns = list(SPACE)
    expected = pd.read_csv(finished[1].table).set_index("trial")[columns]
    own = pd.read_csv(found.table).set_index("trial")[columns]
    pd.testing.assert_frame_equal(own.sort_index(), expected.loc[own.index].sort_index())


def test_a_trial_of_another_process_is_left_to_it(config: TrainConfig, phantom_study: Manifest, tmp_path: Path) -> None:
    with writing_to(tmp_path / "trial-0"):
        found = run(config, phantom_study, tmp_path, trials=1)
    assert (found.finished, found.elsewhere, found.ensemble) == (0, 1, None)
    assert run(config, phantom_study, tmp_path, trials=1).finished == 1


def test_another_search_is_not_mixed_in(
    finished: tuple[Path, SearchResult], config: TrainConfig, phantom_study: Manifest
) -> None:
    out, _ = finished
    with pytest.raises(SearchError, match="holds a search with another recipe, space, manifest or start"):
        search(config, {"network.global_module.top_t": [0.5]}, phantom_study, out, CPU)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"stages.joint.rate": [1e-3]}, "rate"),
        ({"network.global_module.top_t": [0.1, 7]}, "less than or equal to 1"),
        ({"objective.global_sparsity": {"low": 1, "high": 0.1}}, "low below high"),
        ({"objective.global_sparsity": {"low": 0.1}}, "high"),
        ({"objective.global_sparsity": 0.1}, "Expected a list of values, or low and high"),
        ({"objective.global_sparsity": {"low": 0, "high": 1, "log": True}}, "with log both above 0"),
        ({"objective.global_sparsity": {"low": 0, "high": float("inf")}}, "finite"),
        ({"stages.joint.batch_size": {"low": 2, "high": 8}}, "fractional part"),
        ({"seed": [{1, 2}]}, "Expected a list of values"),
        ({"prep.pixel_mm": [0.1, 0.2]}, "prep.pixel_mm cannot be searched"),
        ({"network.combine": ["mean"], "network.prediction": ["student"]}, "there is no student"),
        ({}, "no setting to search"),
    ],
)
def test_spaces_that_cannot_be(
    config: TrainConfig, phantom_study: Manifest, tmp_path: Path, space: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        search(config, read_space(space, "space.yaml"), phantom_study, tmp_path / "out", CPU)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["[1]", "null", "{}", '{"op_code": 99, "worker_id": "x"}', "no json"])
def test_a_damaged_journal_is_no_traceback(
    config: TrainConfig, phantom_study: Manifest, tmp_path: Path, text: str
) -> None:
    (tmp_path / "journal.log").write_text(f"{text}\n")
    with pytest.raises(SearchError, match=r"journal.log: damaged.*Delete the file"):
        run(config, phantom_study, tmp_path)


def test_without_its_journal_a_search_finds_its_trials(
    config: TrainConfig, phantom_study: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are finished runs, and have the same scores."""
    before = run(config, phantom_study, tmp_path, trials=1)
    table = before.table.read_text()
    (tmp_path / "journal.log").unlink()
    monkeypatch.setattr("mammoseg.training.run._train", None)
    assert run(config, phantom_study, tmp_path, trials=1) == before
    assert before.table.read_text() == table


def test_the_lock_of_a_killed_process_does_not_stop_others(
    config: TrainConfig, phantom_study: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the folder was given by a relative path."""
    monkeypatch.setattr(search_module, "_GRACE", 3)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "journal.log.lock").touch()
    with writing_to(tmp_path / "out" / "trial-0"):
        assert run(config, phantom_study, Path("out"), trials=1).elsewhere == 1


def test_trials_of_the_same_settings_are_one_member(
    config: TrainConfig, phantom_study: Manifest, tmp_path: Path
) -> None:
    space = read_space({"network.global_module.top_t": [0.1]}, "space.yaml")
    found = search(config, space, phantom_study, tmp_path, CPU, trials=2)
    assert found.finished == 2
    assert found.ensemble is not None
    assert len(members_of(found.ensemble)) == 1


def test_processes_of_torchrun_are_refused(
    config: TrainConfig, phantom_study: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(SearchError, match="Start the command without torchrun"):
        run(config, phantom_study, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_from_the_command_line(config: TrainConfig, phantom_study: Manifest, tmp_path: Path) -> None:
    settings, space = tmp_path / "tiny.yaml", tmp_path / "space.yaml"
    settings.write_text(to_yaml(config))
    space.write_text(yaml.safe_dump({"network.global_module.top_t": [0.1, 0.3]}))
    command = ("search", "--recipe", "glam_small", "--config", settings, "--space", space, "--trials", 2, "--top", 2)
    where = ("--manifest", phantom_study.path, "--out", tmp_path / "out", "--device", "cpu")
    done = CliRunner().invoke(app, [str(part) for part in (*command, *where)])
    assert done.exit_code == 0, done.output
    assert "2 trials finished, 0 without a score, 0 running elsewhere" in done.output


def test_a_model_that_learns_nothing_is_not_searched(phantom_study: Manifest, tmp_path: Path) -> None:
    with pytest.raises(SearchError, match="reference learns nothing"):
        search(TrainConfig(model="reference"), {}, phantom_study, tmp_path / "search", CPU)
    assert not (tmp_path / "search").exists()
