"""`mammoseg compare`: what it prints, its files and exit codes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Two evaluations of 30 patients; one image failed in the second."""
    made = []
    for number, name in enumerate("ab"):
        folder = tmp_path / name
        folder.mkdir()
        rows = [
            {"image_id": f"i{i}", "patient_id": f"p{i}", "malignant": i % 2, "failed": int(i == 29 and number)}
            | {"score_final_malignant": "" if i == 29 and number else (i % 7) / 10 + 0.3 * number * (i % 2)}
            for i in range(30)
        ]
        pd.DataFrame(rows).to_csv(folder / "per_image.csv", index=False)
        (folder / "metrics.json").write_text('{"titles": {}}')
        made.append(folder)
    return made


def test_table_files_and_left_out_images(folders: list[Path], command: Callable[..., Any], tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = command("compare", *folders, "--out", out, "--margin", "0.05", "--bootstrap", "50")
    assert done.code == 3
    done.says("Scores by image:", "AUC", "29 images of 29 patients in both, 1 left out.")
    done.says(str(out / "compare.html"))
    assert {path.name for path in out.iterdir()} == {"compare.json", "compare.csv", "compare.html"}


def test_mistakes(folders: list[Path], command: Callable[..., Any], tmp_path: Path) -> None:
    a, b = folders
    assert command("compare", a, b, "--out", tmp_path / "out", "--margin", "0").code == 2
    assert command("compare", a, b, "--out", a).code == 2
    done = command("compare", a, tmp_path, "--out", tmp_path / "out")
    assert done.code == 1
    done.says("holds no evaluation")
    table = pd.read_csv(b / "per_image.csv")
    table[:-3].to_csv(b / "per_image.csv", index=False)
    done = command("compare", a, b, "--out", tmp_path / "out")
    assert done.code == 1
    done.says("27 are common, 3 only in the first (i27, i28, i29)")
    assert not (tmp_path / "out").exists()
