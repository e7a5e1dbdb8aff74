"""The numbers of the model card of `cam_cbis`, on real mammograms.

    python benchmarks/card_cbis.py OUT --cbis CBIS_MASS [--mias MINI_MIAS] [--rsna RSNA_SUBSET]

CBIS_MASS as benchmarks/films.py takes it: the films of split test, by density, view and margins of the mass. MINI_MIAS as
`mammoseg adapt mini_mias` takes it, and RSNA_SUBSET (labels.csv and images/ of 640 x 640 pixels, stretched from 640 x 512), show
what the weights do elsewhere. Malignant means biopsy-proven cancer; a breast's score is the mean of its images.
"""

import argparse
import logging
from collections.abc import Iterator
from pathlib import Path

import cv2
import pandas as pd

from by_breast import auc_of
from digital import rsna_subset
from films import cbis_masses
from mammoseg.data.manifest import Manifest, load_manifest
from mammoseg.evaluation.join import join
from mammoseg.evaluation.scores import BREAST, breast_table
from mammoseg.inference.batch import predict_images
from mammoseg.inference.predictor import Predictor, open_predictor
from mammoseg.ingest.adapters.mini_mias import make_manifest

WEIGHTS = Path("cam_cbis")
FILM_MM = 0.3
"""About the pixels of the CBIS-DDSM films here."""


def breasts_of(predictor: Predictor, manifest: Manifest, split: str | None, out: Path) -> pd.DataFrame:
    """A row for each breast, with its score and what the manifest says of its first image."""
    rows = list((manifest.subset(split) if split else manifest).rows())
    predict_images(predictor, rows, out)
    joined = join(out, manifest, split)
    breasts = breast_table(joined.images, ["final"], joined.classes)
    more = [name for name in joined.images if name not in breasts]
    return breasts.merge(joined.images[[*BREAST, *more]].drop_duplicates(BREAST), on=BREAST)


def of_cbis(predictor: Predictor, source: Path, out: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    breasts = breasts_of(predictor, cbis_masses(source, out / "cbis"), "test", out / "predictions-cbis")
    yield "CBIS-DDSM masses, test", breasts
    spiculated = breasts["mass_margins"].str.contains("SPICULATED").map({True: "spiculated", False: "not spiculated"})
    for column, values in {"density": breasts["density"], "margins": spiculated}.items():
        for value, part in breasts.groupby(values):
            if _enough(part):
                yield f"  {column} {value}", part


def of_mias(predictor: Predictor, source: Path, out: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    for name in ("masks", "images"):
        (out / "mias" / name).mkdir(parents=True, exist_ok=True)
    table = make_manifest(source, out / "mias" / "masks").table.drop(columns=["benign_mask", "malignant_mask"])
    for number, row in table.iterrows():
        path = out / "mias" / "images" / f"{row['image_id']}.png"
        pixels, scale = cv2.imread(row["path"], cv2.IMREAD_GRAYSCALE), row["pixel_mm"] / FILM_MM
        cv2.imwrite(str(path), cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
        table.loc[number, ["path", "pixel_mm"]] = [str(path), FILM_MM]
    table.to_csv(out / "mias.csv", index=False)
    breasts = breasts_of(predictor, load_manifest(out / "mias.csv"), None, out / "predictions-mias")
    yield "mini-MIAS, malignant against all others", breasts
    abnormal = (breasts["benign"] == 1) | (breasts["malignant"] == 1)
    yield (
        "mini-MIAS, abnormal (counted as malignant here) against normal",
        breasts.assign(malignant=abnormal.astype(int)),
    )
    yield "mini-MIAS, malignant against benign", breasts[abnormal]


def of_rsna(predictor: Predictor, source: Path, out: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    breasts = breasts_of(predictor, rsna_subset(source, out / "rsna"), None, out / "predictions-rsna")
    yield "RSNA 2022 subset, cancer", breasts
    for machine, part in breasts.groupby("machine_id"):
        if _enough(part):
            yield f"  machine {machine}", part


def _enough(breasts: pd.DataFrame) -> bool:
    """Whether there are five breasts with cancer and five without."""
    return min((breasts["malignant"] == 1).sum(), (breasts["malignant"] == 0).sum()) >= 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--cbis", type=Path)
    parser.add_argument("--mias", type=Path)
    parser.add_argument("--rsna", type=Path)
    given = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S", level=logging.ERROR)
    predictor = open_predictor(WEIGHTS, "cpu")
    sources = ((of_cbis, given.cbis), (of_mias, given.mias), (of_rsna, given.rsna))
    for parts, source in sources:
        for name, breasts in parts(predictor, source, given.out) if source else ():
            positive = int(breasts["malignant"].sum())
            print(f"| {name} | {len(breasts)} ({positive} malignant) | {auc_of(breasts)} |", flush=True)


if __name__ == "__main__":
    main()
