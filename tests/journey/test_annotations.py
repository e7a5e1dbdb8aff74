"""Masks that come in from another tool are worth the same as our own: they train, and evaluation gives the same Dice."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml

if TYPE_CHECKING:
    from mammoseg.data.manifest import Manifest

TINY = {
    "network": {"widths": [4, 6]},
    "prep": {"window": [96, 64], "pixel_mm": 2.24, "opening_px": 3, "buffer_px": 2},
    "augment": {"location_px": [4, 4], "size_px": 4},
    "stages": {"masks": {"epochs": 1, "batch_size": 8}},
}


@pytest.fixture
def annotated(phantom_study: "Manifest", here: Path, command: Callable[..., Any]) -> Path:
    """The phantoms without masks, given to somebody who drew the very same ones; what they sent, imported."""
    table = phantom_study.table.drop(columns=["benign_mask", "malignant_mask"])
    table.to_csv(here / "images.csv", index=False)
    images, annotations = [], []
    for number, row in enumerate(phantom_study.rows()):
        for name, path in row.masks.items():
            mask = np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)) > 0
            flat = mask.T.ravel()
            edges = np.flatnonzero(np.diff(flat.astype(int))) + 1
            counts = np.diff([0, *edges, flat.size]).tolist()
            rle = {"size": [*mask.shape], "counts": [0, *counts] if flat[0] else counts}
            annotations.append(
                {"image_id": number, "category_id": ("benign", "malignant").index(name), "segmentation": rle}
            )
        images.append({"id": number, "file_name": row.path.name, "height": 208, "width": 160})
    categories = [{"id": 0, "name": "Benign mass"}, {"id": 1, "name": "malignant"}]
    (here / "sent").mkdir()
    (here / "sent" / "all.json").write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": categories})
    )
    done = command(
        "import-annotations", "--format", "coco", "sent", "--manifest", "images.csv", "--out", "annotated.csv"
    )
    assert done.code == 0, done.err
    done.says(f"{len(annotations)} annotations of 1 files", "written: annotated.csv")
    return here / "annotated.csv"


@pytest.mark.slow
def test_evaluation_gives_the_same_dice(
    annotated: Path, phantom_study: "Manifest", trained_run: Path, command: Callable[..., Any]
) -> None:
    study = ("--manifest", phantom_study.path, "--split", "test")
    assert command("predict", "--checkpoint", trained_run, *study, "--no-overlays", "--out", "predictions").code == 0
    for manifest, out in ((phantom_study.path, "ours"), (annotated, "theirs")):
        done = command(
            "evaluate",
            "--predictions",
            "predictions",
            "--manifest",
            manifest,
            "--split",
            "test",
            "--out",
            out,
            "--bootstrap",
            20,
        )
        assert done.code == 0, done.err
    ours, theirs = (pd.read_csv(f"{out}/per_image.csv") for out in ("ours", "theirs"))
    assert ours.filter(like="dice").notna().any(axis=None)
    pd.testing.assert_frame_equal(ours, theirs)


def test_a_model_learns_from_them(annotated: Path, here: Path, command: Callable[..., Any]) -> None:
    (here / "tiny.yaml").write_text(yaml.safe_dump(TINY))
    arguments = ("--recipe", "unet_small", "--config", "tiny.yaml", "--manifest", annotated, "--device", "cpu")
    done = command("train", *arguments, "--out", "run")
    assert done.code == 0, done.err
    masks = pd.read_csv(here / "run" / "manifest.csv")["malignant_mask"].dropna()
    assert len(masks)
    assert masks.str.contains("annotated_masks/malignant").all()
