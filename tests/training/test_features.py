"""Features on disk."""

from pathlib import Path

import pytest
import torch

from mammoseg.training.features import FeatureFiles
from mammoseg.training.module import TrainingError


def test_what_is_stored_comes_back_whatever_the_id(tmp_path: Path) -> None:
    files = FeatureFiles(tmp_path / "features")
    names = ["1", "../../evil", "a/b\0c", "x" * 1000]
    for number, name in enumerate(names):
        assert name not in files
        files.save(name, torch.full((3, 2, 2), float(number)))
    assert [files(name).mean().item() for name in names] == [0, 1, 2, 3]
    assert files("1").dtype == torch.float32
    assert [path.name for path in tmp_path.iterdir()] == ["features"]
    files.forget()
    assert not any(tmp_path.iterdir())


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    files = FeatureFiles(tmp_path)
    files.save("1", torch.zeros(3))
    [path] = tmp_path.iterdir()
    for content in (b"", path.read_bytes()[:-1], b"\x80\x04K\x01."):
        path.write_bytes(content)
        with pytest.raises(TrainingError, match="computed anew"):
            files("1")
