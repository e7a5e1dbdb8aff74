"""The page of a run: curves and maps from the log files alone, whatever ids and names are."""

import re
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from mammoseg.training.module import Shown
from mammoseg.training.watch import PAGE, draw_maps, read_curves, write_page


def logged(folder: Path, attempt: int, rows: list[dict[str, float]]) -> None:
    (folder / f"version_{attempt}").mkdir(parents=True)
    pd.DataFrame(rows).to_csv(folder / f"version_{attempt}" / "metrics.csv", index=False)


def epoch(number: int, loss: float, **more: float) -> dict[str, float]:
    return {"epoch": number, "train/loss": loss, "val/loss": loss, "val/auc_malignant": 0.5, **more}


def test_an_epoch_that_was_done_twice_counts_once(tmp_path: Path) -> None:
    logged(tmp_path, 0, [epoch(1, 3.0), epoch(2, 2.0)])
    logged(tmp_path, 10, [epoch(2, 1.5), epoch(3, 1.0)])
    logged(tmp_path, 9, [epoch(2, 1.75)])
    (tmp_path / "version_11").mkdir()
    assert read_curves(tmp_path)[["epoch", "val/loss"]].to_numpy().tolist() == [[1, 3.0], [2, 1.5], [3, 1.0]]


def test_the_page_has_curves_of_stages_classes_and_parts(tmp_path: Path) -> None:
    logs = tmp_path / "run<b>" / "logs"
    logged(logs / "global", 0, [epoch(1, 3.0)])
    logged(logs / "joint", 0, [epoch(1, 3.0, **{"val/fusion/auc_malignant": 0.7, "val/peak_malignant": 0.1})])
    logged(logs / "empty", 0, [])
    (logs / "joint" / "maps").mkdir()
    (logs / "joint" / "maps" / ".0002.png.1f.part.png").touch()
    draw_maps(logs / "joint" / "maps" / "0001.png", [shown("a")], ["malignant"])
    write_page(logs)
    text = (tmp_path / "run<b>" / PAGE).read_text()
    HTMLParser().feed(text)
    assert re.findall("<h2>(.*?)</h2>", text) == ["global", "joint"]
    assert "run&lt;b&gt;" in text
    assert "run<b>" not in text
    assert re.findall("aria-label='(.*?) by epoch", text) == ["loss", "auc, validation"] * 2 + ["peak, validation"]
    assert "malignant, fusion" in text
    assert re.findall("<img src='(.*?)'", text) == ["logs/joint/maps/0001.png"]
    assert not re.search(r"(src|href)=['\"]http|url\(http|<script|@import", text), "nothing is fetched"


def shown(image_id: str, most: float = 0.4) -> Shown:
    image_HW, map_hw, mask_HW = (
        np.zeros((288, 192), np.float32),
        np.zeros((12, 8), np.float32),
        np.zeros((96, 64), bool),
    )
    image_HW[30:270, 15:150] = 1
    map_hw[6, 3] = most
    mask_HW[48:56, 24:32] = True
    return Shown(image_id, "malignant", image_HW, map_hw, mask_HW)


def test_a_map_is_scaled_to_its_maximum(tmp_path: Path) -> None:
    """So that a faint map can be seen; the maximum stands above it."""
    for name, most in (("faint", 0.01), ("strong", 0.9)):
        draw_maps(tmp_path / f"{name}.png", [shown("a", most)], ["malignant"])
    faint, strong = (cv2.imread(str(tmp_path / f"{name}.png"))[40:300] for name in ("faint", "strong"))
    assert np.array_equal(faint, strong)
    coloured = (np.ptp(strong.astype(int), axis=2) > 20).nonzero()
    assert len(coloured[0]) > 100
    draw_maps(tmp_path / "nothing.png", [shown("a", 0.0)], ["malignant"])
    assert np.ptp(cv2.imread(str(tmp_path / "nothing.png"))[40:300].astype(int), axis=2).max() <= 20
