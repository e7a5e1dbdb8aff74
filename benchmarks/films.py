"""The mass films of CBIS-DDSM as they stand in a public object-detection export, 800 x 800 pixels, as a manifest.

    labels.csv   file, patient_id, side, view, pathology_all, breast_density, split ...
    boxes.csv    file, x, y, w, h of each mass
    images/      the films, stretched to a square

The films are written with their proportions, 800 x 480; boxes become masks, for evaluation. Masses of both kinds in a film have no
mask: the boxes do not say which is which. A breast has the label of a class if a mass of it in any of its films has it.
"""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from mammoseg.data.manifest import Manifest, load_manifest

HEIGHT, WIDTH, SQUARE = 800, 480, 800
KEPT = {
    "breast_density": "density",
    "mass_shape": "mass_shape",
    "mass_margins": "mass_margins",
    "subtlety_min": "subtlety",
}


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
        name: table["pathology_all"].str.contains(name.upper()).groupby(breast).transform("max")
        for name in ("benign", "malignant")
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
