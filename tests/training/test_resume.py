"""What a stopped stage has left is read whole, or refused with what to do."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mammoseg.training.module import TrainingError
from mammoseg.training.resume import LAST, best_file, load_best, next_epoch, run_digest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.save({"epoch": 3, "callbacks": {"Checkpoints": {"best": {"epoch": 2.0}, "run": "mine"}}}, tmp_path / LAST)
    torch.save({"weight": torch.ones(1000)}, best_file(tmp_path, 2))
    return tmp_path


def test_nothing_to_go_on_from(tmp_path: Path) -> None:
    assert next_epoch(tmp_path, "mine") == 0


def test_the_next_epoch(folder: Path) -> None:
    assert next_epoch(folder, "mine") == 4
    assert load_best(best_file(folder, 2))["weight"].sum() == 1000


@pytest.mark.parametrize("whose", ["another", ""])
def test_a_state_of_another_run(folder: Path, whose: str) -> None:
    with pytest.raises(TrainingError, match=r"last\.ckpt: is of another configuration or manifest.*--overwrite"):
        next_epoch(folder, whose)


def test_a_state_that_does_not_say_its_run(folder: Path) -> None:
    torch.save({"epoch": 3, "callbacks": {"Checkpoints": {"best": {"epoch": 2.0}}}}, folder / LAST)
    with pytest.raises(TrainingError, match="of a version that did not note them"):
        next_epoch(folder, "mine")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-300])


@pytest.mark.parametrize("name", [LAST, "best-2.ckpt"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\x80\x02nonsense"),
        cut,
        lambda path: torch.save([1], path),
        lambda path: torch.save({"epoch": "x"}, path),
    ],
    ids=["empty", "nonsense", "cut", "list", "other"],
)
def test_damage(folder: Path, name: str, damage: Callable[[Path], None]) -> None:
    damage(folder / name)
    with pytest.raises(
        TrainingError, match=rf"{name}: empty, cut short or damaged \(.*Delete last\.ckpt in that folder"
    ) as e:
        next_epoch(folder, "mine")
    assert "\n" not in str(e.value)


def test_best_weights_that_are_gone(folder: Path) -> None:
    best_file(folder, 2).unlink()
    with pytest.raises(TrainingError, match=r"best-2\.ckpt: empty, cut short or damaged \(.*No such file"):
        next_epoch(folder, "mine")


def test_the_digest_does_not_depend_on_the_order() -> None:
    assert run_digest({"a": 1, "b": {"c": 2, "d": 3}}) == run_digest({"b": {"d": 3, "c": 2}, "a": 1})
    assert run_digest({"a": 1}) != run_digest({"a": 2})
