"""Real digital mammograms: does a breast have cancer (RSNA 2022 subset), beside what machine and age tell.

    python benchmarks/digital.py OUT --source RSNA_SUBSET [--starts imagenet cam_cbis] [--seeds 0] [--device cpu]

RSNA_SUBSET holds labels.csv (file, patient_id, side, view, age, label, machine_id, invert, blank, split ...) and images/ of
640 x 640 pixels, stretched from 640 x 512. A breast is malignant if its cancer was proven by biopsy; whether the others have a
benign finding is unknown, so that cancer is the only class. The same command continues.

OUT/table.csv has a row for each arm and seed, on the breasts of split test: AUC with 95 % intervals over patients, over all
pairs of breasts and over those of the same machine alone, and for each machine with at least ten breasts of either kind. Within
a machine the machine tells nothing (0.5), so what stands there is not it.
"""

import argparse
import logging
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from by_breast import SCORE, auc_of, auc_within, with_interval
from mammoseg.data.manifest import Manifest, load_manifest
from mammoseg.evaluation.join import join
from mammoseg.evaluation.scores import BREAST, breast_table
from mammoseg.inference.batch import predict_images
from mammoseg.inference.predictor import open_predictor
from mammoseg.models.cam import CamConfig
from mammoseg.recipes.cam import cam_film
from mammoseg.training.config import TrainConfig
from mammoseg.training.init import InitConfig
from mammoseg.training.run import train

HEIGHT, WIDTH = 640, 512
ENOUGH = 10
"""Breasts with and without cancer that a machine needs for a column."""
CHECKPOINTS = {"frozen trunk": "stages/head/checkpoint", "fine-tuned": "checkpoint"}
STARTS = ("imagenet", "cam_cbis")


def rsna_subset(source: Path, out: Path) -> Manifest:
    """Written once, with the proportions of the images."""
    path = out / "manifest.csv"
    if not path.is_file():
        (out / "images").mkdir(parents=True, exist_ok=True)
        rows = []
        for row in pd.read_csv(source / "labels.csv", dtype=str).query("blank == '0'").to_dict("records"):
            pixels = cv2.imread(str(source / "images" / row["file"]), cv2.IMREAD_GRAYSCALE)
            pixels = 255 - pixels if row["invert"] == "1" else pixels
            image = out / "images" / f"{row['image_id']}.png"
            cv2.imwrite(str(image), cv2.resize(pixels, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))
            ids = {"patient_id": row["patient_id"], "exam_id": row["patient_id"], "image_id": row["image_id"]}
            what = {"laterality": row["side"], "view": row["view"], "path": image.relative_to(out)}
            known = {"malignant": row["label"], "machine_id": row["machine_id"], "age": row["age"]}
            rows.append(ids | what | known | {"split": row["split"]})
        pd.DataFrame(rows).to_csv(path, index=False)
    return load_manifest(path)


def run_of(start: str, seed: int) -> TrainConfig:
    """Small images, of which the window cuts 384 of 512 columns; one class."""
    config = cam_film()
    prep = config.prep.model_copy(update={"window": (HEIGHT, 384), "background": "zero"})
    stages = {name: stage.model_copy(update={"epochs": 5}) for name, stage in config.stages.items()}
    changes = {"network": CamConfig(classes=("malignant",)), "prep": prep, "stages": stages, "seed": seed}
    if start != "imagenet":
        changes |= {"init": InitConfig(checkpoint=start), "pretrained": {}}
    return config.model_copy(update=changes)


def without_pixels(manifest: Manifest) -> dict[str, pd.DataFrame]:
    """Breasts of split test, with the scores of regressions that learn from split train."""
    breasts = manifest.table.drop_duplicates(BREAST)
    breasts = breasts.assign(age=breasts["age"].astype(float)).fillna({"age": breasts["age"].astype(float).median()})
    learns, held_out = breasts[breasts["split"] == "train"], breasts[breasts["split"] == "test"]
    models = {
        "machine": (["machine_id"], OneHotEncoder(handle_unknown="ignore")),
        "age": (["age"], StandardScaler()),
    }
    found = {}
    for name, (columns, features) in models.items():
        model = make_pipeline(features, LogisticRegression()).fit(learns[columns], learns["malignant"].astype(int))
        score = model.decision_function(held_out[columns])
        found[name] = held_out.assign(**{SCORE: score, "malignant": held_out["malignant"].astype(int)})
    return found


def tested(run: Path, checkpoint: str, manifest: Manifest, device: str, workers: int) -> pd.DataFrame:
    """Breasts of split test with their scores and machine."""
    folder = run / "predictions" / checkpoint.replace("/", "-")
    predict_images(open_predictor(run / checkpoint, device), list(manifest.subset("test").rows()), folder, workers)
    joined = join(folder, manifest, "test")
    machines = joined.images[[*BREAST, "machine_id"]].drop_duplicates(BREAST)
    return breast_table(joined.images, ["final"], joined.classes).merge(machines, on=BREAST)


def row_of(breasts: pd.DataFrame) -> dict[str, str]:
    labels, scores = breasts["malignant"].to_numpy(), breasts[SCORE].to_numpy()
    machines, patients = breasts["machine_id"].to_numpy(), breasts["patient_id"].tolist()
    row = {
        "AUC by breast": auc_of(breasts),
        "within machines": with_interval(lambda w: auc_within(labels, scores, machines, w), patients),
    }
    for machine in np.unique(machines):
        part = breasts[machines == machine]
        if min((part["malignant"] == 1).sum(), (part["malignant"] == 0).sum()) >= ENOUGH:
            row[f"machine {machine} ({len(part)})"] = auc_of(part)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--starts", nargs="*", default=list(STARTS), choices=STARTS)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("mammoseg").setLevel(logging.INFO)
    manifest = rsna_subset(given.source, given.out / "study")
    rows: list[dict[str, object]] = [
        {"arm": f"{name} alone", **row_of(x)} for name, x in without_pixels(manifest).items()
    ]
    for seed in given.seeds:
        for start in given.starts:
            run, device = given.out / f"{start}-{seed}", torch.device(given.device)
            train(run_of(start, seed), manifest, run, device, given.workers, cache_folder=given.out / "cache")
            for arm, checkpoint in CHECKPOINTS.items():
                breasts = tested(run, checkpoint, manifest, given.device, given.workers)
                rows.append({"arm": f"{arm}, from {start}", "seed": seed, **row_of(breasts)})
    table = pd.DataFrame(rows).astype(object).fillna("")
    table.to_csv(given.out / "table.csv", index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
