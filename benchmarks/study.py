"""What each part is worth, on phantoms: the papers' models, ours, and a U-Net that is told where the lesions are.

    python benchmarks/study.py OUT [--exams 300] [--test-exams 100] [--seeds 0 1 2] [--runs gmic ours] [--ablation] [--device cpu]

Every arm learns from the same exams, and is tested on exams of another generator seed, which has chosen nothing. `--ablation` adds
GMIC with other pooling and GLAM with other numbers of patches. The same command continues a run that was stopped; several may
work in OUT at the same time, each on its own seeds or runs.

OUT/table.csv has a row for each arm, over the training seeds in OUT: the mean over seeds, for AUC with the lowest and the highest,
else with a 95 % interval over patients of the mean over seeds of each image; those of the ratio of an arm's Dice to that of GMIC
are from the same resampled patients. OUT/seeds.csv has a row for each arm and seed.
"""

import argparse
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from mammoseg.data.manifest import Manifest, load_manifest
from mammoseg.data.masks import image_masks
from mammoseg.evaluation.evaluate import evaluate
from mammoseg.inference.batch import predict_images
from mammoseg.inference.predictor import Predictor, open_predictor
from mammoseg.ingest.synthetic import MANIFEST, write_study
from mammoseg.io.runs import load_prediction
from mammoseg.phantom.config import PhantomConfig
from mammoseg.records.label import CLASSES
from mammoseg.statistics.bootstrap import patient_weights
from mammoseg.statistics.histogram import MapOnMask, to_levels
from mammoseg.training.run import train
from study_arms import ABLATION, ARMS, JOINT, REFERENCE, Arm, Grown, ablation_runs, runs

LEARN_SEED, TEST_SEED = 101, 202
REPLICATES = 2000
INSIDE, BESIDE = "pointing_inside", "pointing_distance"
MEASURES = {"Dice": "dice_soft", "Dice at threshold": "dice_at", "PxAP": "pxap", "peak inside": INSIDE}
_STEP = 64
"""Levels between the thresholds that are tried: a thousand of them."""


def phantoms(folder: Path, exams: int, seed: int, splits: tuple[float, float, float]) -> Manifest:
    """Written once: others may be reading them. Raises ValueError if there is another number of them."""
    if not (folder / MANIFEST).is_file():
        write_study(folder, exams, PhantomConfig.small(), seed, splits, 2)
    manifest = load_manifest(folder / MANIFEST)
    if (there := manifest.table["exam_id"].nunique()) != exams:
        raise ValueError(f"{folder} has {there} exams, not {exams}. Expected the same number. Choose another folder.")
    return manifest


def measured(arm: Arm, run: Path, learn: Manifest, held_out: Manifest, device: str, workers: int) -> pd.DataFrame:
    """A row for each held-out image with a lesion of a class: patient_id, image_id, class, every measure; and one for each class
    with its AUC by breast alone. Kept in a file."""
    path = run / "tested" / f"{arm.name}.csv"
    if path.is_file():
        return pd.read_csv(path)
    folder = run / "predictions" / arm.predictions
    predictor = open_predictor(run / arm.checkpoint, device, arm.sets)
    if arm.checkpoint == JOINT:
        predictor = Predictor(Grown(predictor.engine))
    val = learn.subset("val")
    predict_images(predictor, list(held_out.rows()), folder / "test", workers)
    predict_images(predictor, list(val.rows()), folder / "val", workers)
    metrics = evaluate(folder / "test", held_out, folder / "metrics", bootstrap=0)
    images = pd.read_csv(folder / "metrics" / "per_image.csv").set_index("image_id", drop=False)
    parts = []
    for name in CLASSES:
        named = {f"{name}_{arm.map}_{metric}": metric for metric in (*MEASURES.values(), BESIDE)}
        lesion = images[images[f"{name}_{arm.map}_dice_soft"].notna()]
        part = lesion.reindex(columns=["patient_id", "image_id", *named]).rename(columns=named)
        part[INSIDE] = part[INSIDE].fillna(0)  # a map of nothing has no peak
        if arm.part:
            on_val, on_test = (
                dice_at_levels(folder / of, rows, name, arm.map) for of, rows in (("val", val), ("test", held_out))
            )
            best = int(np.mean(list(on_val.values()), axis=0).argmax())
            part["dice_at"] = pd.Series({image_id: dice[best] for image_id, dice in on_test.items()})
            parts.append(
                pd.DataFrame({"auc": [metrics["scores"]["breast"][name][arm.part]["auc"]["value"]], "class": name})
            )
        parts.append(part.assign(**{"class": name}))
    found = pd.concat(parts, ignore_index=True)
    path.parent.mkdir(exist_ok=True)
    found.to_csv(path, index=False)
    return found


def dice_at_levels(predictions: Path, manifest: Manifest, name: str, which: str) -> dict[str, np.ndarray]:
    """image_id -> Dice of the map above each of the thresholds, for the images with a lesion of the class."""
    found = {}
    for row in manifest.rows():
        if name in row.masks:
            prediction = load_prediction(predictions, row.image_id)
            mask = image_masks({name: row.masks[name]}, prediction.grid, row.mask_frame)[name]
            levels = to_levels(np.clip(prediction.maps[which][CLASSES.index(name)], 0, 1))
            inside, outside = MapOnMask(prediction.grid.restore(levels), mask).histograms
            hit, called = (counts[::-1].cumsum()[::-1][1::_STEP] for counts in (inside, inside + outside))
            found[row.image_id] = 2 * hit / (called + inside.sum())
    return found


def table(tested: Mapping[tuple[str, int], pd.DataFrame], arms: Sequence[Arm]) -> pd.DataFrame:
    """A row for each arm, over its seeds. `tested`: (arm, seed) -> `measured`."""
    rows = []
    for arm in arms:
        seeds = [seed for name, seed in tested if name == arm.name]
        if not seeds:
            continue
        row = {"arm": arm.name, "seeds": len(seeds)}
        aucs = [[_auc(tested[arm.name, seed], name) for seed in seeds] for name in CLASSES]
        row["AUC by breast"] = " / ".join(map(_spread, aucs)) if arm.part else ""
        means = {name: _mean_image(tested, arm.name, seeds, name) for name in CLASSES}
        for title, metric in MEASURES.items():
            row[title] = " / ".join(_interval(means[name], metric) for name in CLASSES)
        row["distance of the peak (radii)"] = " / ".join(f"{means[name][BESIDE].median():.2f}" for name in CLASSES)
        if all((REFERENCE, seed) in tested for seed in seeds):
            reference = {name: _mean_image(tested, REFERENCE, seeds, name) for name in CLASSES}
            row["Dice / GMIC's"] = " / ".join(_ratio(means[name], reference[name]) for name in CLASSES)
        rows.append(row)
    return pd.DataFrame(rows)


def _auc(found: pd.DataFrame, name: str) -> float:
    return float(found.loc[found["class"] == name, "auc"].max()) if "auc" in found else float("nan")


def _spread(values: Sequence[float]) -> str:
    return f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def _mean_image(
    tested: Mapping[tuple[str, int], pd.DataFrame], arm: str, seeds: Sequence[int], name: str
) -> pd.DataFrame:
    """image_id -> patient_id and the mean over seeds of every measure."""
    images = pd.concat([tested[arm, seed] for seed in seeds])
    images = images[(images["class"] == name) & images["image_id"].notna()]
    return (
        images.drop(columns=["class", "auc"], errors="ignore")
        .groupby(["patient_id", "image_id"])
        .mean()
        .reset_index("patient_id")
    )


def _interval(images: pd.DataFrame, metric: str) -> str:
    known = images[["patient_id", metric]].dropna()
    if known.empty:
        return ""
    weights, values = _weights(known["patient_id"]), known[metric].to_numpy()
    low, high = np.percentile((weights @ values) / weights.sum(1), [2.5, 97.5])
    return f"{values.mean():.3f} ({low:.3f} to {high:.3f})"


def _ratio(images: pd.DataFrame, reference: pd.DataFrame) -> str:
    """Of the mean Dice to that of the reference, over the same images and resampled patients."""
    both = images.join(reference["dice_soft"].rename("theirs")).dropna(subset=["dice_soft", "theirs"])
    weights, ours, theirs = _weights(both["patient_id"]), both["dice_soft"].to_numpy(), both["theirs"].to_numpy()
    low, high = np.percentile((weights @ ours) / (weights @ theirs), [2.5, 97.5])
    return f"{ours.sum() / theirs.sum():.2f} ({low:.2f} to {high:.2f})"


def _weights(patients: pd.Series) -> np.ndarray:
    return np.concatenate(list(patient_weights(patients.tolist(), REPLICATES, seed=0)))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--exams", type=int, default=300)
    parser.add_argument("--test-exams", type=int, default=100)
    parser.add_argument(
        "--seeds", type=int, nargs="*", default=[0, 1, 2], help="to train; without any, table what is there"
    )
    parser.add_argument("--runs", nargs="*", default=[], help="only these; without any, all")
    parser.add_argument("--ablation", action="store_true")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args(arguments)
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("mammoseg").setLevel(logging.INFO)
    learn = phantoms(given.out / "learn", given.exams, LEARN_SEED, (0.9, 0.1, 0))
    held_out = phantoms(given.out / "test", given.test_exams, TEST_SEED, (0, 0, 1))
    arms = (*ARMS, *ABLATION) if given.ablation else ARMS
    for seed in given.seeds:
        for name, config in (runs() | ablation_runs() if given.ablation else runs()).items():
            if given.runs and name not in given.runs:
                continue
            run, device = given.out / f"{name}-{seed}", torch.device(given.device)
            train(
                config.model_copy(update={"seed": seed}),
                learn,
                run,
                device,
                given.workers,
                cache_folder=given.out / "cache",
            )
            for arm in arms:
                if arm.run == name:
                    measured(arm, run, learn, held_out, given.device, given.workers)
    tested = {}
    for arm in (*ARMS, *ABLATION):
        for path in sorted(given.out.glob(f"{arm.run}-[0-9]*/tested/{arm.name}.csv")):
            tested[arm.name, int(path.parts[-3].removeprefix(f"{arm.run}-"))] = pd.read_csv(path)
    every = table(tested, (*ARMS, *ABLATION))
    every.to_csv(given.out / "table.csv", index=False)
    by_seed = [
        table({key: value for key, value in tested.items() if key[1] == seed}, (*ARMS, *ABLATION)).assign(seed=seed)
        for seed in sorted({seed for _, seed in tested})
    ]
    pd.concat(by_seed).to_csv(given.out / "seeds.csv", index=False)
    print(every.to_string(index=False))


if __name__ == "__main__":
    main()
