"""Several processes train as one does."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from torch.distributed import TCPStore

from mammoseg.data.batching import BalancedExamSampler, InOrder
from mammoseg.data.manifest import Manifest
from mammoseg.training import distributed
from mammoseg.training.config import TrainConfig
from mammoseg.training.distributed import Share
from mammoseg.training.recipes import load_recipe
from mammoseg.training.run import train

PLUGINS = Path(__file__).parents[1] / "plugins"
UNET = "my_lab.recipes.tiny.unet"
"""Without batch normalisation, which sees other batches in two processes."""

Together = Callable[..., list[tuple[int | None, str]]]


@pytest.fixture
def together(
    processes: Callable[..., list[int | None]],
    phantom_study: Manifest,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Together:
    """`together(config, out, ends=("", "kill"))` trains in two processes; the exit code and standard error of each."""
    monkeypatch.syspath_prepend(PLUGINS)

    def run(config: TrainConfig, out: Path, ends: tuple[str, ...] = ("", "")) -> list[tuple[int | None, str]]:
        store = TCPStore("localhost", 0, is_master=True, wait_for_workers=False)
        logs = [tmp_path_factory.mktemp("log") / "err" for _ in ends]
        what = (config.model_dump_json(), phantom_study.path, out)
        codes = processes(
            "trains_with_others",
            [
                (rank, len(ends), store.port, log, *what, how)
                for rank, (log, how) in enumerate(zip(logs, ends, strict=True))
            ],
        )
        return [(code, log.read_text()) for code, log in zip(codes, logs, strict=True)]

    return run


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "checkpoint" / "weights.safetensors")


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(together: Together, phantom_study: Manifest, tmp_path: Path) -> None:
    config = load_recipe(UNET)
    (first, told), (second, others) = together(config, tmp_path / "two")
    assert (first, second, others) == (0, 0, "")  # one of them tells
    assert told.count("pixels 2/2") == 1
    train(config, phantom_study, tmp_path / "one", torch.device("cpu"))
    one, two = (weights(tmp_path / name) for name in ("one", "two"))
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=1e-5, atol=1e-6, msg=name)
    rows = [pd.read_csv(tmp_path / name / "logs/pixels/version_0/metrics.csv") for name in ("one", "two")]
    assert list(rows[0]["epoch"]) == list(rows[1]["epoch"]) == [1, 2]
    for column in ("train/loss", "val/loss", "val/dice_malignant", "val/auc_benign", "val/select"):
        np.testing.assert_allclose(rows[0][column], rows[1][column], rtol=1e-5, atol=1e-7, err_msg=column)


@pytest.mark.parametrize(("ends", "hit"), [("error", 1), ("kill", 0)])
def test_the_end_of_one_is_the_end_of_all_and_the_same_call_continues(
    together: Together, tmp_path: Path, ends: str, hit: int
) -> None:
    config = load_recipe(UNET)
    out = tmp_path / "ended"
    result = together(config, out, tuple(ends if rank == hit else "" for rank in (0, 1)))
    assert all(code != 0 for code, _ in result)
    code, left = result[1 - hit]
    # Seldom, gloo does not notice that a process was killed; then torchrun ends the others, as `together` does.
    unnoticed = ends == "kill" and code == -signal.SIGTERM
    assert unnoticed or f"process {1 - hit}: another process of this training has ended" in left
    assert not (out / "checkpoint" / "checkpoint.json").exists()
    assert [code for code, _ in together(config, out)] == [0, 0]
    assert [code for code, _ in together(config, tmp_path / "whole")] == [0, 0]
    continued, whole = weights(out), weights(tmp_path / "whole")
    assert all(torch.equal(continued[name], value) for name, value in whole.items())


def test_every_stage_of_glam(
    together: Together, tiny_config: TrainConfig, phantom_study: Manifest, tmp_path: Path
) -> None:
    assert [code for code, _ in together(tiny_config, tmp_path)] == [0, 0]
    patches = pd.read_csv(tmp_path / "stages" / "local" / "patches.csv", dtype={"image_id": str})
    splits = phantom_study.table["split"].isin(["train", "val"])
    assert set(patches["image_id"]) == set(phantom_study.table.loc[splits, "image_id"])
    assert not patches.duplicated(["image_id", "rank"]).any()


def test_what_the_first_refuses_all_refuse(together: Together, tiny_config: TrainConfig, tmp_path: Path) -> None:
    stages = {name: stage.model_copy(update={"batch_size": 7}) for name, stage in tiny_config.stages.items()}
    for config, why in [
        (tiny_config.model_copy(update={"stages": stages}), r"2 processes share batches of 7.*batch_size=6"),
        (tiny_config, "holds a run with another configuration"),
    ]:
        for code, told in together(config, tmp_path):
            assert code == 1
            assert re.search(why, told)


@pytest.mark.slow
def test_torchrun(phantom_study: Manifest, tmp_path: Path) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--no-python"]
    command = [Path(sys.executable).parent / "mammoseg", "train", "--recipe", "my_lab.recipes.tiny.two_views"]
    done = subprocess.run(
        [*torchrun, *command, "--manifest", phantom_study.path, "--out", tmp_path / "run", "--device", "cpu"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(PLUGINS), os.environ.get("PYTHONPATH", "")])},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"Checkpoint: {tmp_path / 'run' / 'checkpoint'}\n"
    assert done.stderr.count("breasts 2/2") == 1


@pytest.mark.parametrize(("count", "size"), [(8, 2), (7, 2), (7, 3), (1, 2), (5, 1)])
def test_shares(monkeypatch: pytest.MonkeyPatch, count: int, size: int) -> None:
    def shares(whole: Any, even: bool) -> list[list[tuple[int, int]]]:
        parts = []
        for rank in range(size):
            monkeypatch.setattr(distributed, "rank", lambda rank=rank: rank)
            share = Share(whole, even)
            parts.append(list(share))
            assert len(share) == len(parts[-1])
        return parts

    monkeypatch.setattr(distributed, "size", lambda: size)
    exact = shares(InOrder(count), even=False)
    assert sorted(item for part in exact for item in part) == [(index, 0) for index in range(count)]
    even = shares(InOrder(count), even=True)
    assert {len(part) for part in even} == {-(-count // size)}
    assert {item for part in even for item in part} == {(index, 0) for index in range(count)}
    together = [item for batch in zip(*even, strict=True) for item in batch]
    assert together[:count] == [(index, 0) for index in range(count)]  # step by step what one process sees


def test_shares_of_an_epoch(monkeypatch: pytest.MonkeyPatch, phantom_study: Manifest) -> None:
    monkeypatch.setattr(distributed, "size", lambda: 2)
    sampler = BalancedExamSampler(list(phantom_study.rows()), seed=1)
    share = Share(sampler, even=True)
    share.set_epoch(3)
    assert {epoch for _, epoch in share} == {3}
