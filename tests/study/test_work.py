"""A whole study on a few phantoms: trains, tests, goes on after an error, and does nothing twice."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mammoseg.data.manifest import Manifest
from mammoseg.study.work import Study

PLAN = """
title: A try
reference: gmic
arms:
  - {name: gmic, recipe: gmic_small, sets: [stages.joint.epochs=1], paper: [gmic_table1/GMIC-ResNet-18]}
  - {name: global, run: gmic, predict: [prediction=global]}
  - {name: noise, title: "<script>alert(1)</script>", run: gmic, score: null, map: random}
  - {name: broken, recipe: nothing_small}
seeds: [0]
phantoms: {exams: 15, splits: [0.5, 0.2, 0.3]}
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Any:
    root = tmp_path_factory.mktemp("study")
    (root / "plan.yaml").write_text(PLAN)
    return root


def test_a_study_from_the_command_line(
    done: Path, command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(done)
    first = command("study", "plan.yaml", "--out", "out", "--device", "cpu")
    assert first.code == 3, first.err
    assert "broken-0 failed: there is no recipe 'nothing_small'" in first.out
    out = done / "out"
    results = json.loads((out / "study.json").read_text())
    arms = results["arms"]
    assert {name: arm["seeds"] for name, arm in arms.items()} == {
        "gmic": [0],
        "global": [0],
        "noise": [0],
        "broken": [],
    }
    assert arms["gmic"]["costs"]["parameters"] > 0
    assert arms["gmic"]["training_minutes"] > 0
    assert arms["gmic"]["paper"]["gmic_table1/GMIC-ResNet-18"]["auc_malignant"] == 0.913
    assert "auc_malignant" not in arms["noise"]["numbers"]
    assert arms["global"]["numbers"]["auc_malignant"]["difference"] is not None
    assert sorted(path.name for path in (out / "runs").iterdir()) == ["gmic-0"]
    assert sorted(path.name for path in (out / "tested").iterdir()) == ["global-0", "gmic-0"], (
        "noise shares that of gmic"
    )
    table = pd.read_csv(out / "table.csv").set_index("arm")
    assert table.loc["gmic", "dice_malignant"] == pytest.approx(arms["gmic"]["numbers"]["dice_malignant"]["value"])
    page = (out / "study.html").read_text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert "data:image/svg+xml;base64," in page

    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.json") if path.name != "study.json"}
    assert results["plan"]["arms"][0]["sets"] == ["stages.joint.epochs=1"]
    assert "stages.joint.epochs=1" in page
    assert table.loc["gmic", "auc_malignant_n"] == arms["gmic"]["numbers"]["auc_malignant"]["n"]
    monkeypatch.setattr("mammoseg.study.work.train", None)
    again = command("study", "plan.yaml", "--out", "out", "--device", "cpu", "--arms", "global")
    assert again.code == 0, again.err
    after = json.loads((out / "study.json").read_text())
    assert after["arms"] == arms, "results are of all that was done before, and of what failed"
    other = command("study", "plan.yaml", "--out", "out", "--device", "cpu", "--arms", "gmic", "--set", "select_by=auc")
    assert other.code == 1
    assert "holds the arm gmic with other settings" in other.out
    assert not any(arm["seeds"] for arm in json.loads((out / "study.json").read_text())["arms"].values()), (
        "nothing there is of these settings"
    )
    assert {path: path.stat().st_mtime_ns for path in before if path.exists()} == {
        path: time for path, time in before.items() if path.exists()
    }


def test_mistakes(
    done: Path, command: Callable[..., Any], phantom_study: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(done)
    assert "no arm of this study is called x" in command("study", "plan.yaml", "--out", "new", "--arms", "x").err
    assert "whole numbers" in command("study", "plan.yaml", "--out", "new", "--seeds", "a").err
    assert "whole numbers" in command("study", "plan.yaml", "--out", "new", "--seeds", str(2**31)).err
    assert "is empty" in command("study", "plan.yaml", "--out", "new", "--arms", "").err
    assert "give --seeds" in command("study", "plan.yaml", "--out", "new", "--set", "seed=3").err
    assert "--exams 15" in command("study", "plan.yaml", "--out", "out", "--exams", "20").err
    other = command("study", "plan.yaml", "--out", "out", "--manifest", phantom_study.path)
    assert other.code == 1
    assert "holds a study of other images" in other.err
    (done / "own.yaml").write_text(PLAN.replace("phantoms: {exams: 15, splits: [0.5, 0.2, 0.3]}", ""))
    needs = command("study", "own.yaml", "--out", "own")
    assert needs.code == 1
    assert "Give one with --manifest" in needs.err


def test_folders_follow_the_plan(tmp_path: Path) -> None:
    from mammoseg.study.plan import load_plan

    (tmp_path / "plan.yaml").write_text(PLAN)
    plan = load_plan(str(tmp_path / "plan.yaml"))
    study = Study(plan, None, tmp_path, None)  # type: ignore[arg-type]  # neither is asked
    assert study.run_folder(plan.arms[1], 0) == tmp_path / "runs" / "gmic-0"
    assert study.tested_folder(plan.arms[2], 1) == tmp_path / "tested" / "gmic-1"


REFERENCES = """
title: A try
reference: noise
arms:
  - {name: noise, recipe: reference_small, sets: [network.kind=random]}
  - {name: bright, recipe: reference_small, sets: [network.kind=brightness]}
  - {name: stage, run: noise, stage: jiont}
  - {name: score, run: noise, score: nonsense}
seeds: [0]
"""


def test_what_cannot_be_is_told_before_anything_is_done(
    tmp_path: Path, command: Callable[..., Any], phantom_study: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plan.yaml").write_text(REFERENCES)
    found = command("study", "plan.yaml", "-m", phantom_study.path, "--out", "out")
    assert found.code == 3
    assert found.err.index("stage-0 is left out") < found.err.index("noise-0: 1 of")
    assert "nonsense is no score of its model" in found.out
    Path("plan.yaml").write_text(REFERENCES.replace("stage: jiont", "score: null").replace("brightness", "contrast"))
    found = command("study", "plan.yaml", "-m", phantom_study.path, "--out", "out", "--arms", "noise,stage")
    assert found.code == 0, "nothing was done for what could not be"
    arms = json.loads(Path("out/study.json").read_text())["arms"]
    assert arms["stage"]["seeds"] == [0]
    assert arms["bright"]["seeds"] == []
    assert "tested with other settings" in arms["bright"]["cautions"][0]
    Path("plan.yaml").write_text(
        REFERENCES.replace("recipe: reference_small, sets: [network.kind=brightness]", "recipe: gone_small")
    )
    found = command("study", "plan.yaml", "-m", phantom_study.path, "--out", "out", "--arms", "noise")
    assert found.code == 0, "what was tested and cannot be any more costs nothing else"


def test_images_that_cannot_be_predicted_are_told_and_tried_again(
    tmp_path: Path, command: Callable[..., Any], phantom_study: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plan.yaml").write_text("\n".join(REFERENCES.splitlines()[:-3]) + "\nseeds: [0]\n")
    table = phantom_study.table.copy()
    lost = tmp_path / "lost.png"
    whole = Path(table.loc[table["split"] == "test", "path"].iloc[0])
    whole = whole if whole.is_absolute() else phantom_study.path.parent / whole
    table["path"] = [str(phantom_study.path.parent / path) for path in table["path"]]
    table.loc[table["path"] == str(whole), "path"] = str(lost)
    table.to_csv("images.csv", index=False)
    first = command("study", "plan.yaml", "-m", "images.csv", "--out", "out", "--arms", "noise")
    assert first.code == 3
    cautions = json.loads(Path("out/study.json").read_text())["arms"]["noise"]["cautions"]
    assert cautions == ["seed 0: 1 test images could not be predicted"]
    lost.write_bytes(whole.read_bytes())
    second = command("study", "plan.yaml", "-m", "images.csv", "--out", "out")
    assert second.code == 0, second.err
    arms = json.loads(Path("out/study.json").read_text())["arms"]
    assert [arm["cautions"] for arm in arms.values()] == [[], []]
