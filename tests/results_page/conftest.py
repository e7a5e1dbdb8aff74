"""An evaluation of the small study of predicted_study.py, and one whose every text is hostile."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

HOSTILE = "=\"><script>window.hit=1</script><img src=x onerror='window.hit=2'>{{ 7 * 7 }}\u202e" + "x" * 1000


@pytest.fixture(scope="session")
def evaluated(new_study_in: Callable[[Path], Any], tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Twelve patients, every third with a malignant left breast; the file of one image is gone."""
    from mammoseg.evaluation.evaluate import evaluate
    from mammoseg.io.scores_table import write_predictions_csv

    root = tmp_path_factory.mktemp("evaluated")
    study = new_study_in(root / "study")
    for patient in range(12):
        for side in "RL":
            positive = side == "L" and patient % 3 == 0
            score = 0.35 + 0.05 * patient if positive else 0.05 * patient
            ids = (f"p{patient}_{side}-CC", side, "CC", f"e{patient}", f"p{patient}")
            study.add(*ids, label=int(positive), malignant=score)
    write_predictions_csv(study.folder)
    manifest = study.manifest()
    (study.root / "images" / "p0_L-CC.png").unlink()
    folder = root / "metrics"
    evaluate(study.folder, manifest, folder, bootstrap=50, by=["view"])
    return SimpleNamespace(folder=folder, predictions=study.folder, manifest=manifest)


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """The folder of an evaluation by somebody who means no good."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    metrics = {
        "version": HOSTILE,
        "date": HOSTILE,
        "split": HOSTILE,
        "n_images": 3,
        "n_failed": 1,
        "failed": [HOSTILE, "\ud800"],
        "bootstrap": HOSTILE,
        "titles": {HOSTILE: HOSTILE},
        "manifest": {"file": HOSTILE, "sha256": HOSTILE},
        "predictions": {
            "run": {"model": HOSTILE, "prep": {"window": [HOSTILE, HOSTILE]}, "num_tta": {}},
            "run_sha256": HOSTILE,
        },
        "scores": {HOSTILE: {HOSTILE: {"final": {"unknown": 2, HOSTILE: {"value": "x"}}}}, "breast": [], "image": None},
        "maps": {HOSTILE: {"maps": {"saliency": {HOSTILE: {}}}, "images_with_mask": HOSTILE}},
        "by": {HOSTILE: {}},
    }
    (folder / "metrics.json").write_text(json.dumps(metrics))
    row = dict.fromkeys(
        ("table", "level", "class", "of", "metric", "caution", "reason", "value", "low", "high", "n"), HOSTILE
    )
    pd.DataFrame([row]).to_csv(folder / "metrics.csv", index=False)
    image = {"image_id": HOSTILE, "laterality": HOSTILE, "view": HOSTILE, HOSTILE: 1, f"score_final_{HOSTILE}": 0.5}
    pd.DataFrame([image, image | {HOSTILE: "?"}]).to_csv(folder / "per_image.csv", index=False)
    (folder / "roc.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>window.hit=3</script></svg>")
    return folder
