"""Real films: the masses of CBIS-DDSM, benign or malignant, from the label of the breast alone.

    python benchmarks/films.py OUT --source CBIS_MASS [--seeds 0] [--runs cam glam gmic] [--patients 100 200] [--device cpu]

CBIS_MASS holds a public export of the training part of the mass films, stretched to 800 x 800 pixels: images/, labels.csv (file,
patient_id, side, view, pathology_all, breast_density, split ...) and boxes.csv (file, x, y, w, h). Films are written with their
proportions, 800 x 480; boxes become masks, for evaluation. Masses of both kinds in a film have no mask: the boxes do not say which
is which. A breast has the label of a class if a mass of it in any of its films has it. The same command continues.

OUT/table.csv has a row for each arm, number of patients and seed, on the films of split test: AUC(malignant) by breast with 95 %
intervals over patients; the same within fifths of what the film beside the breast tells (below); its difference to that of the
frozen trunk, over the same resampled patients; peaks of the malignant map in the box.

Scanners and film copies differ between benign and malignant cases of this data set. How much they tell is measured by a logistic
regression on the grey levels outside of the breast, which no model here sees.
"""

import argparse
import itertools
import logging
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from by_breast import SCORE, auc_of, auc_within, with_interval
from mammoseg.data.manifest import Manifest, load_manifest
from mammoseg.evaluation.evaluate import evaluate
from mammoseg.evaluation.join import join
from mammoseg.evaluation.scores import BREAST, breast_table
from mammoseg.inference.batch import predict_images
from mammoseg.inference.predictor import open_predictor
from mammoseg.io.read import read_pixels
from mammoseg.metrics.auc import measure as auc
from mammoseg.prep.film import film_breast
from mammoseg.recipes.cam import cam_film
from mammoseg.recipes.glam import glam_film
from mammoseg.recipes.gmic import gmic_small
from mammoseg.records.label import CLASSES
from mammoseg.training.config import TrainConfig
from mammoseg.training.run import train
from study_arms import Arm

HEIGHT, WIDTH, SQUARE = 800, 480, 800
KEPT = {
    "breast_density": "density",
    "mass_shape": "mass_shape",
    "mass_margins": "mass_margins",
    "subtlety_min": "subtlety",
}
FIFTHS = 5


FLOOR = "frozen trunk"
ARMS = (
    Arm(FLOOR, "cam", "stages/head/checkpoint"),
    Arm("fine-tuned", "cam"),
    Arm("GLAM", "glam"),
    Arm("GMIC", "gmic"),
)


def cbis_masses(source: Path, out: Path) -> Manifest:
    """The manifest OUT/manifest.csv with its films and masks, written once."""
    if (out / "manifest.csv").is_file():
        return load_manifest(out / "manifest.csv")
    table = pd.read_csv(source / "labels.csv", dtype=str)
    boxes = pd.read_csv(source / "boxes.csv").groupby("file")
    for name in ("images", "masks"):
        (out / name).mkdir(parents=True, exist_ok=True)
    breast = [table["patient_id"], table["side"]]
    found = {
        name: table["pathology_all"].str.contains(name.upper()).groupby(breast).transform("max") for name in CLASSES
    }
    rows = []
    for number, row in table.iterrows():
        image_id = Path(row["file"]).stem
        film = cv2.imread(str(source / "images" / row["file"]), cv2.IMREAD_GRAYSCALE)
        path = out / "images" / f"{image_id}.png"
        cv2.imwrite(str(path), cv2.resize(film, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))
        kinds = [name for name in found if name.upper() in row["pathology_all"]]
        cells = {
            "patient_id": row["patient_id"],
            "exam_id": row["patient_id"],
            "image_id": image_id,
            "laterality": row["side"][0],
            "view": row["view"],
            "path": path.relative_to(out),
            **{name: int(found[name][number]) for name in found},
            "split": row["split"],
            **{ours: row[theirs] for theirs, ours in KEPT.items()},
        }
        if len(kinds) == 1:
            mask = np.zeros((HEIGHT, WIDTH), np.uint8)
            for x, y, w, h in boxes.get_group(row["file"])[["x", "y", "w", "h"]].to_numpy():
                left, right = (round(at * WIDTH / SQUARE) for at in (x, x + w))
                mask[round(y) : round(y + h), left:right] = 255
            cells[f"{kinds[0]}_mask"] = Path("masks") / f"{image_id}.png"
            cv2.imwrite(str(out / cells[f"{kinds[0]}_mask"]), mask)
        rows.append(cells)
    pd.DataFrame(rows).to_csv(out / "manifest.csv", index=False)
    return load_manifest(out / "manifest.csv")


def runs() -> dict[str, TrainConfig]:
    """The papers' models in their small sizes, from random weights; whole breasts resized to their windows."""
    film, gmic = glam_film(), gmic_small()
    prep = film.prep.model_copy(update={"fit": "resize", "pixel_mm": None, "opening_px": 23, "buffer_px": 17})
    glam = _shorter(film, 4).model_copy(update={"prep": prep, "select_by": "auc"})
    small = prep.model_copy(update={"window": gmic.prep.window})
    gmic = _shorter(gmic, 2).model_copy(update={"prep": small, "augment": film.augment, "select_by": "auc"})
    return {"cam": cam_film(), "gmic": gmic, "glam": glam}


def fewer(manifest: Manifest, patients: int, seed: int) -> Manifest:
    """That many patients of split train, drawn; all of the others."""
    table = manifest.table
    there = sorted(table.loc[table["split"] == "train", "patient_id"].unique())
    drawn = np.random.default_rng(seed).permutation(there)[:patients]  # the fewer are among the more
    return replace(manifest, table=table[(table["split"] != "train") | table["patient_id"].isin(drawn)])


def _shorter(config: TrainConfig, times: int) -> TrainConfig:
    stages = {name: stage.model_copy(update={"epochs": stage.epochs // times}) for name, stage in config.stages.items()}
    return config.model_copy(update={"stages": stages})


def beside_the_breast(manifest: Manifest) -> NDArray[np.float64]:
    """For each film the share of every other grey level outside of the breast."""
    found = []
    for row in manifest.rows():
        pixels = read_pixels(row.path)
        breast = film_breast(pixels, cam_film().prep.opening_px)
        outside = pixels if breast is None else pixels[~breast]
        found.append(np.histogram(outside, bins=128, range=(0, 256))[0] / max(1, outside.size))
    return np.array(found)


def scanner_score(manifest: Manifest) -> pd.Series:
    """image_id -> what the film beside the breast says for malignant, of a regression on split train."""
    features, table = beside_the_breast(manifest), manifest.table
    learns = (table["split"] == "train").to_numpy()
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    model.fit(features[learns], table.loc[learns, "malignant"])
    return pd.Series(model.decision_function(features), table["image_id"])


def tested(arm: Arm, run: Path, manifest: Manifest, device: str, workers: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The breasts of split test with their scores, and its films with where the maps peak."""
    folder = run / "predictions" / arm.checkpoint.replace("/", "-")
    predict_images(open_predictor(run / arm.checkpoint, device), list(manifest.subset("test").rows()), folder, workers)
    evaluate(folder, manifest, folder / "metrics", split="test", bootstrap=0)
    joined = join(folder, manifest, "test")
    return breast_table(joined.images, ["final"], joined.classes), pd.read_csv(folder / "metrics" / "per_image.csv")


def row_of(breasts: pd.DataFrame, films: pd.DataFrame, floor: pd.Series | None, scanner: pd.Series) -> dict[str, str]:
    """Everything about an arm. `floor` and `scanner`: breast -> score."""
    patients, labels = breasts["patient_id"].tolist(), breasts["malignant"].to_numpy()
    keys = pd.MultiIndex.from_frame(breasts[BREAST])
    scores, strata = breasts[SCORE].to_numpy(), pd.qcut(scanner[keys], FIFTHS, labels=False).to_numpy()

    def difference(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        assert floor is not None
        return auc(labels, scores, weights) - auc(labels, floor[keys].to_numpy(), weights)

    row = {
        "AUC(M) by breast": auc_of(breasts),
        "within fifths": with_interval(lambda w: auc_within(labels, scores, strata, w), patients),
        "above the frozen trunk": "" if floor is None else with_interval(difference, patients),
    }
    if len(films):
        peak = films[films["malignant_saliency_dice_soft"].notna()]
        inside = peak["malignant_saliency_pointing_inside"].fillna(0).to_numpy()  # a map of nothing has no peak
        row["malignant peak in the box"] = with_interval(lambda w: w @ inside / w.sum(1), peak["patient_id"].tolist())
    return row


def random_point(manifest: Manifest) -> float:
    """Mean share of the breast that the box of the malignant mass covers, on films of split test."""
    shares = []
    for row in manifest.subset("test").rows():
        if "malignant" in row.masks:
            breast = film_breast(read_pixels(row.path), cam_film().prep.opening_px)
            if breast is None:
                continue
            box = cv2.imread(str(row.masks["malignant"]), cv2.IMREAD_GRAYSCALE) > 0
            shares.append((breast & box).sum() / breast.sum())
    return float(np.mean(shares))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--runs", nargs="*", default=["cam", "glam", "gmic"])
    parser.add_argument("--patients", type=int, nargs="*", default=[])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("mammoseg").setLevel(logging.INFO)
    manifest = cbis_masses(given.source, given.out / "study")
    beside = manifest.table.assign(**{SCORE: manifest.table["image_id"].map(scanner_score(manifest))})
    beside = beside[beside["split"] == "test"]
    breasts = beside.groupby(BREAST)[[SCORE, "malignant"]].agg({SCORE: "mean", "malignant": "max"}).reset_index()
    scanner = breasts.set_index(BREAST)[SCORE]
    rows: list[dict[str, object]] = [
        {"arm": "film beside the breast", **row_of(breasts, pd.DataFrame(), None, scanner)}
    ]
    everyone = manifest.subset("train").table["patient_id"].nunique()
    asked = [(name, everyone) for name in given.runs] + [("cam", patients) for patients in given.patients]
    floors: dict[tuple[int, int], pd.Series] = {}
    for seed, (name, patients) in itertools.product(given.seeds, asked):
        run = given.out / (f"{name}-{seed}" if patients == everyone else f"{name}-{seed}-{patients}")
        config = runs()[name].model_copy(update={"seed": seed})
        learns = manifest if patients == everyone else fewer(manifest, patients, seed)
        device, cache = torch.device(given.device), given.out / f"cache-{name}"
        train(config, learns, run, device, given.workers, cache_folder=cache)
        for arm in (arm for arm in ARMS if arm.run == name):
            breasts, films = tested(arm, run, manifest, given.device, given.workers)
            what = {"arm": arm.name, "patients": patients, "seed": seed}
            rows.append(what | row_of(breasts, films, floors.get((seed, patients)), scanner))
            if arm.name == FLOOR:
                floors[seed, patients] = breasts.set_index(BREAST)[SCORE]
    table = pd.DataFrame(rows).astype(object).fillna("")
    table.to_csv(given.out / "table.csv", index=False)
    print(table.to_string(index=False))
    print(f"A random point of the breast is in the box of the malignant mass with {random_point(manifest):.3f}.")


if __name__ == "__main__":
    main()
