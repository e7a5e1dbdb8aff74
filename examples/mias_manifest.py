"""Turn a copy of mini-MIAS (digitised films, research use only) into a mammoseg manifest with lesion masks.

    python examples/mias_manifest.py MIAS_FOLDER OUT_FOLDER [--seed 0] [--fractions 0.8 0.1 0.1]

MIAS_FOLDER holds `manifest.csv` (image_id, patient_id, laterality, view, density, benign, malignant, lesion_type,
image_path), `lesions.csv` (image_id, severity, lesion_type, x, y, radius; pixels from the top left corner) and the
images. OUT_FOLDER gets `manifest.csv` and `masks/<image_id>_<class>.png`; the images stay where they are.

The source marks a lesion by a circle around it, so a mask is larger than the lesion. Some lesions have no place: their
image then gets no mask of that class, because an unknown place is not an empty mask. Prepare these films with
`prep.background=film`.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mammoseg.data.manifest import Manifest
from mammoseg.data.splits import assign_splits, check_leaks, describe_splits
from mammoseg.io.atomic import atomic_path
from mammoseg.io.read import read_pixels
from mammoseg.records.label import CLASSES

PIXEL_MM = 0.2
FILMS = ["image_id", "patient_id", "laterality", "view", "density", "benign", "malignant", "lesion_type", "image_path"]
LESIONS = ["image_id", "severity", "lesion_type", "x", "y", "radius"]


def make_manifest(source: Path, out: Path, fractions: tuple[float, float, float], seed: int) -> Manifest:
    """Write OUT/manifest.csv and OUT/masks; the manifest is returned. Raises ValueError for tables of another form."""
    films = _table(source / "manifest.csv", FILMS)
    lesions = _table(source / "lesions.csv", LESIONS)
    if unknown := sorted(set(lesions["image_id"]) - set(films["image_id"])):
        raise ValueError(
            f"{source / 'lesions.csv'}: lesions of images that manifest.csv does not have, e.g. {unknown[:3]}"
        )
    table = films.drop(columns="image_path").assign(
        exam_id=films["patient_id"],
        path=[str((source / p).absolute()) for p in films["image_path"]],
        pixel_mm=PIXEL_MM,
        horizontal_flip="NO",
    )
    for name in CLASSES:
        drawn = lesions[lesions["severity"] == name].groupby("image_id")
        masks = {image_id: _write_mask(source, out, films, str(image_id), name, rows) for image_id, rows in drawn}
        table[f"{name}_mask"] = [masks.get(image_id) or "" for image_id in films["image_id"]]
    manifest = Manifest.from_table(table, out / "manifest.csv", check_files=True)
    manifest = assign_splits(manifest, fractions, seed)
    check_leaks(manifest)
    manifest.to_csv(manifest.path)
    return manifest


def circles(shape: tuple[int, int], lesions: pd.DataFrame) -> NDArray[np.bool_]:
    """(H, W) bool: the pixels within `radius` of (x, y) of any lesion; a circle may leave the film."""
    rows, cols = np.ogrid[: shape[0], : shape[1]]
    mask = np.zeros(shape, dtype=bool)
    for x, y, radius in lesions[["x", "y", "radius"]].astype(float).itertuples(index=False):
        mask |= (cols - x) ** 2 + (rows - y) ** 2 <= radius**2
    return mask


def _write_mask(
    source: Path, out: Path, films: pd.DataFrame, image_id: str, name: str, lesions: pd.DataFrame
) -> str | None:
    """The mask file of one image and class; None if the place of one of its lesions is unknown or off the film."""
    if (lesions[["x", "y", "radius"]] == "").to_numpy().any():
        return None
    image = source / films.loc[films["image_id"] == image_id, "image_path"].iloc[0]
    height, width = read_pixels(image).shape
    mask = circles((height, width), lesions)
    if not mask.any():
        return None
    path = out.absolute() / "masks" / f"{image_id}_{name}.png"
    with atomic_path(path) as temporary:
        temporary.write_bytes(cv2.imencode(".png", mask.astype(np.uint8) * 255)[1].tobytes())
    return str(path)


def _table(path: Path, columns: list[str]) -> pd.DataFrame:
    if not path.is_file():
        raise ValueError(f"{path} is missing. Expected the folder of a mini-MIAS copy with its tables.")
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    if missing := [c for c in columns if c not in table]:
        raise ValueError(f"{path}: the columns {missing} are missing, there are {list(table)}. Give a mini-MIAS copy.")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a mammoseg manifest of a mini-MIAS copy.")
    parser.add_argument("source", type=Path, metavar="MIAS_FOLDER")
    parser.add_argument("out", type=Path, metavar="OUT_FOLDER")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fractions", type=float, nargs=3, default=(0.8, 0.1, 0.1), metavar=("TRAIN", "VAL", "TEST"))
    given = parser.parse_args()
    try:
        manifest = make_manifest(given.source, given.out, tuple(given.fractions), given.seed)
    except ValueError as error:
        raise SystemExit(f"error: {error}") from None
    print(describe_splits(manifest).to_string())
    for name in CLASSES:
        positive = manifest.table[manifest.table[name] == 1]
        without = sorted(positive.loc[positive[f"{name}_mask"].isna(), "image_id"])
        print(f"{name}: {len(positive) - len(without)} masks; without a place: {', '.join(without) or 'none'}")
    print(f"wrote {manifest.path}; prepare these films with prep.background=film")


if __name__ == "__main__":
    main()
