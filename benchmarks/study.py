"""What each part is worth, on phantoms: the papers' models, ours, and a U-Net that is told where the lesions are.

    python benchmarks/study.py OUT [--exams 500] [--test-exams 100] [--seeds 1] [--device cpu] [--workers 1]

Every arm learns from the same exams, with as many epochs as `glam_demo` has in the same kind of stage, and is tested on exams of
another generator seed, which has chosen nothing. A row for each arm and training seed, benign / malignant, with 95 % intervals over
patients; those of the ratio of an arm's Dice to that of GMIC are from the same resampled patients.
The same command continues a run that was stopped.
"""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from mammoseg.data.manifest import Manifest, load_manifest
from mammoseg.evaluation.bootstrap import patient_weights
from mammoseg.evaluation.evaluate import evaluate
from mammoseg.inference.batch import predict_images
from mammoseg.inference.predictor import open_predictor
from mammoseg.ingest.synthetic import write_study
from mammoseg.models.glam.config import GlamConfig, GlobalConfig, LocalConfig, ObjectiveConfig
from mammoseg.phantom.config import PhantomConfig
from mammoseg.recipes.glam import glam_demo
from mammoseg.recipes.gmic import gmic_small
from mammoseg.recipes.unet import unet_small
from mammoseg.records.label import CLASSES
from mammoseg.training.config import TrainConfig
from mammoseg.training.run import train

LEARN_SEED, TEST_SEED = 101, 202
REFERENCE = "GMIC"
REPLICATES = 2000


@dataclass(frozen=True)
class Arm:
    """A row of the table: a run, where in it the checkpoint lies, and settings with which it predicts."""

    name: str
    run: str
    checkpoint: str = "checkpoint"
    sets: tuple[str, ...] = ()


ARMS = (
    Arm(REFERENCE, "gmic"),
    Arm("GLAM, the papers' heads", "papers"),
    Arm("our heads: global module, one pass", "ours", "stages/global/checkpoint", ("global_module.flips=false",)),
    Arm("our heads: global module", "ours", "stages/global/checkpoint"),
    Arm("our heads: GLAM", "ours", "stages/joint/checkpoint"),
    Arm("our heads: GLAM and student", "ours"),
    Arm("U-Net with masks", "unet"),
)


def papers_glam() -> TrainConfig:
    """`glam_demo` with the heads, pooling, aggregation and final map of the papers, at the rates that suited them best."""
    ours = glam_demo()
    assert isinstance(ours.network, GlamConfig)
    network = GlamConfig(
        global_module=GlobalConfig(widths=(16, 16, 32, 64, 128), strides=(2, 1, 1, 2, 2), stem_pool=False, top_t=0.1),
        local_module=LocalConfig(
            blocks=(1, 1, 1), widths=(16, 32, 64), strides=(1, 1, 1), stem_pool=False, channels_in=1, top_t=0.1
        ),
        patch_px=ours.network.patch_px,
    )
    stages = {name: stage for name, stage in ours.stages.items() if name != "student"}
    stages["global"] = stages["global"].model_copy(update={"learning_rate": 6e-4})
    objective = ObjectiveConfig(global_sparsity=0.01, local_sparsity=0.02, reduction="mean")
    return ours.model_copy(update={"network": network, "objective": objective, "stages": stages})


def runs() -> dict[str, TrainConfig]:
    """GMIC has as many epochs as all stages of GLAM without a student together, the U-Net as many as the student."""
    ours, gmic, unet = glam_demo(), gmic_small(), unet_small()
    epochs = {name: stage.epochs for name, stage in ours.stages.items()}
    for config, name, count in (
        (gmic, "joint", epochs["global"] + epochs["local"] + epochs["joint"]),
        (unet, "masks", epochs["student"]),
    ):
        config.stages[name] = config.stages[name].model_copy(update={"epochs": count})
    return {"gmic": gmic, "ours": ours, "unet": unet, "papers": papers_glam()}


def test(arm: Arm, run: Path, held_out: Manifest, device: str, workers: int) -> tuple[dict[str, str], pd.DataFrame]:
    """The row of the table, and the table per image."""
    folder = run / "test" / arm.name.replace(" ", "_").replace(":", "").replace(",", "").replace("'", "")
    predictor = open_predictor(run / arm.checkpoint, device, arm.sets)
    predict_images(predictor, list(held_out.rows()), folder / "predictions", workers)
    metrics = evaluate(folder / "predictions", held_out, folder / "metrics", seed=0)
    images = pd.read_csv(folder / "metrics" / "per_image.csv")
    row = {"AUC by breast": " / ".join(_of(metrics["scores"]["breast"][name]["final"]["auc"]) for name in CLASSES)}
    for title, column in (("Dice", "dice_soft"), ("PxAP", "pxap"), ("peak inside", "pointing_inside")):
        row[title] = " / ".join(_of(metrics["maps"][name]["maps"]["saliency"][column]) for name in CLASSES)
    beside = [images[f"{name}_saliency_pointing_distance"].median() for name in CLASSES]
    return row | {"median distance (radii)": " / ".join(f"{value:.2f}" for value in beside)}, images


def _of(estimate: dict[str, float]) -> str:
    return f"{estimate['value']:.3f} ({estimate['low']:.3f} to {estimate['high']:.3f})"


def ratio(images: pd.DataFrame, reference: pd.DataFrame) -> str:
    """Of the mean Dice to that of the reference, over the same images and resampled patients."""
    both = images.merge(reference, on="image_id", suffixes=("", "_reference"))
    parts = []
    for name in CLASSES:
        pair = both[["patient_id", f"{name}_saliency_dice_soft", f"{name}_saliency_dice_soft_reference"]].dropna()
        patients, ours, theirs = (pair[column].to_numpy() for column in pair)
        weights = np.concatenate(list(patient_weights(patients, REPLICATES, seed=0)))
        low, high = np.percentile((weights @ ours) / (weights @ theirs), [2.5, 97.5])
        parts.append(f"{ours.sum() / theirs.sum():.2f} ({low:.2f} to {high:.2f})")
    return " / ".join(parts)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--exams", type=int, default=500)
    parser.add_argument("--test-exams", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args(arguments)
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("mammoseg").setLevel(logging.INFO)
    small = PhantomConfig.small()
    learn = load_manifest(write_study(given.out / "learn", given.exams, small, LEARN_SEED, (0.9, 0.1, 0), 2))
    held_out = load_manifest(write_study(given.out / "test", given.test_exams, small, TEST_SEED, (0, 0, 1), 2))
    cache = given.out / "cache"
    rows: list[dict[str, str]] = []
    for seed in range(given.seeds):
        tested: dict[str, pd.DataFrame] = {}
        for name, config in runs().items():
            run = given.out / f"{name}-{seed}"
            train(
                config.model_copy(update={"seed": seed}),
                learn,
                run,
                torch.device(given.device),
                given.workers,
                cache_folder=cache,
            )
            for arm in ARMS:
                if arm.run == name:
                    row, tested[arm.name] = test(arm, run, held_out, given.device, given.workers)
                    row |= {"Dice / GMIC's": ratio(tested[arm.name], tested[REFERENCE])}
                    rows.append({"arm": arm.name, "seed": str(seed), **row})
                    pd.DataFrame(rows).to_csv(given.out / "table.csv", index=False)
    print(pd.DataFrame(rows).to_string(index=False))


if __name__ == "__main__":
    main()
