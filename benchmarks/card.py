"""The numbers of the model card of `glam_phantom`, on exams of a generator seed that has chosen nothing.

    python benchmarks/card.py OUT [--checkpoint glam_phantom] [--exams 200] [--device cpu] [--workers 1]

Scores, maps and peaks of all breasts and images, then Dice and peak of each kind of lesion and breast density; then all of it on
the same exams with margins of masses that fade into the tissue, as none did in training. 95 % intervals over patients. The same
command continues a run that was stopped.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mammoseg.data.manifest import load_manifest
from mammoseg.evaluation.evaluate import evaluate
from mammoseg.inference.batch import predict_images
from mammoseg.inference.predictor import open_predictor
from mammoseg.ingest.synthetic import write_study
from mammoseg.phantom.config import PhantomConfig
from mammoseg.records.label import CLASSES
from mammoseg.statistics.bootstrap import mean_interval

SEED = 202
REPLICATES = 2000


def whole(metrics: dict[str, Any]) -> pd.DataFrame:
    """A row per measure and class."""
    rows = [("AUC by breast", name, metrics["scores"]["breast"][name]["final"]["auc"]) for name in CLASSES]
    for title, column in (
        ("Dice", "dice_soft"),
        ("Dice at 0.5", "dice_half"),
        ("PxAP", "pxap"),
        ("peak inside", "pointing_inside"),
    ):
        for which in ("saliency", "random"):
            maps = {name: metrics["maps"][name]["maps"][which][column] for name in CLASSES}
            rows += [(f"{title}{', random map' if which == 'random' else ''}", name, maps[name]) for name in CLASSES]
    values = [(title, name, *(round(found[key], 3) for key in ("value", "low", "high"))) for title, name, found in rows]
    return pd.DataFrame(values, columns=["measure", "class", "value", "low", "high"])


def subgroups(images: pd.DataFrame) -> pd.DataFrame:
    """A row per kind of lesion, or density, and class."""
    rows = []
    for column in ("lesion_kind", "density"):
        for name in CLASSES:
            for group, part in images[images[name] == 1].groupby(column):
                row = {"group": f"{column} {group}", "class": name}
                for title, metric in (("Dice", "dice_soft"), ("peak inside", "pointing_inside")):
                    known = part[["patient_id", f"{name}_saliency_{metric}"]].dropna()
                    values = known.iloc[:, 1].to_numpy(np.float64)
                    if values.size:
                        found = mean_interval(values, known["patient_id"].tolist(), REPLICATES, seed=0)
                        row |= {
                            "images": len(values),
                            title: f"{values.mean():.2f} ({found.low:.2f} to {found.high:.2f})",
                        }
                rows.append(row)
    return pd.DataFrame(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--checkpoint", type=Path, default=Path("glam_phantom"))
    parser.add_argument("--exams", type=int, default=200)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args(arguments)
    predictor = open_predictor(given.checkpoint, given.device)
    for title, share in (("as in training", 0), ("ill-defined", 1)):
        out = given.out / title.replace(" ", "_")
        study = write_study(
            out / "study", given.exams, PhantomConfig.small(ill_defined_share=share), SEED, (0, 0, 1), 2
        )
        manifest, predictions = load_manifest(study), out / "predictions"
        predict_images(predictor, list(manifest.rows()), predictions, given.workers)
        print(f"\nMargins of masses: {title}")
        print(whole(evaluate(predictions, manifest, out / "metrics", bootstrap=REPLICATES)).to_string(index=False))
        print(subgroups(pd.read_csv(out / "metrics" / "per_image.csv")).to_string(index=False))


if __name__ == "__main__":
    main()
