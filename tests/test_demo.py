"""The demonstration from beginning to end, on a study and with a network that are tiny."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pandas as pd
import pytest
import torch

from mammoseg import demo
from mammoseg.ingest.synthetic import StudyExistsError
from mammoseg.phantom.config import PhantomConfig
from mammoseg.training.config import TrainConfig


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tiny_config: TrainConfig, tmp_path: Path) -> SimpleNamespace:
    """`run(seed, overwrite)` trains and returns the metrics; `folder` and `said` tell what came of it."""
    small = PhantomConfig.small(rows=104, columns=80, pixel_mm=2.24)
    monkeypatch.setattr(demo, "TRAIN_EXAMS", 8)
    monkeypatch.setattr(demo, "TRAIN_SPLITS", (0.5, 0.25, 0.25))
    monkeypatch.setattr(demo, "SHOWN", 4)
    monkeypatch.setattr(demo, "PhantomConfig", SimpleNamespace(small=lambda: small))
    monkeypatch.setattr(demo, "glam_demo", lambda: tiny_config)
    said: list[str] = []
    folder = tmp_path / "my demo"

    def run(seed: int = 0, overwrite: bool = False) -> dict[str, Any]:
        said.clear()
        return demo.run_demo(folder, torch.device("cpu"), 1, seed, overwrite, True, said.append)

    return SimpleNamespace(run=run, folder=folder, said=said)


class Links(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.targets += [value for name, value in attrs if name in ("href", "src") and value]


def test_demo_from_beginning_to_end(run: SimpleNamespace) -> None:
    metrics = run.run()
    folder, page = run.folder, (run.folder / "index.html").read_text(encoding="utf-8")
    assert len(run.said) == 8, "a line when a step begins and one when it ends"
    assert run.said[0] == "1. Phantoms: 8 synthetic screening exams with known lesions"

    targets = Links(page).targets
    assert len([target for target in targets if target.endswith(".png")]) >= 2 * (1 + 3)
    for target in targets:
        assert (folder / unquote(target)).exists(), target
    stored = json.loads((folder / "metrics" / "metrics.json").read_text())
    assert stored["n_images"] == metrics["n_images"] == 8
    value = metrics["scores"]["breast"]["malignant"]["final"]["auc"]["value"]
    assert f"<td>{value:.3f}</td>" in page
    assert "the software works, not how well it reads mammograms" in page
    predicted = pd.read_csv(folder / "predictions" / "predictions.csv")
    assert (predicted["level"] == "image").sum() == 8
    truth = pd.read_csv(folder / "study" / "manifest.csv").set_index("image_id")
    for image_id, caption in re.findall(r"<figcaption>(p\w+-\w+): (.*?) lesion<", page):
        assert truth.loc[image_id, "split"] == "test", "only held-out exams are shown"
        assert ("malignant" in caption) == truth.loc[image_id, "malignant"]
        assert ("benign" in caption) == truth.loc[image_id, "benign"]


@pytest.mark.slow
def test_a_second_call_continues(run: SimpleNamespace) -> None:
    first = run.run()
    kept = [run.folder / name for name in ("study/images", "run/checkpoint/weights.safetensors", "predictions/maps")]
    before = [path.stat().st_mtime_ns for path in kept]
    (run.folder / "index.html").unlink()
    again = run.run()
    assert json.dumps(again["scores"]) == json.dumps(first["scores"])
    assert [path.stat().st_mtime_ns for path in kept] == before
    assert (run.folder / "index.html").is_file()


@pytest.mark.slow
def test_another_seed_needs_overwrite(run: SimpleNamespace) -> None:
    run.run()
    page = (run.folder / "index.html").read_text(encoding="utf-8")
    with pytest.raises(StudyExistsError, match="seed 0"):
        run.run(seed=1)
    run.run(seed=1, overwrite=True)
    assert json.loads((run.folder / "study" / "phantom.json").read_text())["seed"] == 1
    assert json.loads((run.folder / "run" / "run.json").read_text())["config"]["seed"] == 1
    assert (run.folder / "index.html").read_text(encoding="utf-8") != page


@pytest.mark.slow
def test_with_the_weights_that_come_with_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is trained, and the maps of a few exams that the weights have never seen hit their lesions."""
    monkeypatch.setattr(demo, "EXAMS", 5)
    monkeypatch.setattr(demo, "train", None)
    said: list[str] = []
    metrics = demo.run_demo(tmp_path, torch.device("cpu"), 1, 0, False, False, said.append)
    assert [line.split(":")[0] for line in said if not line.startswith(" ")] == [
        "1. Phantoms",
        "2. Prediction",
        "3. Evaluation",
    ]
    assert not (tmp_path / "run").exists()
    assert metrics["n_images"] == 20
    maps = [metrics["maps"][name]["maps"]["saliency"] for name in ("benign", "malignant")]
    assert max(of_class["dice_soft"]["value"] for of_class in maps) > 0.3


def test_exams_that_the_weights_have_learned_from_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="seed 101: glam_phantom has learned from these exams"):
        demo.run_demo(tmp_path, torch.device("cpu"), 1, 101, False, False, print)
    assert not list(tmp_path.iterdir())
