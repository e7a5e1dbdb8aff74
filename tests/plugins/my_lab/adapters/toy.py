"""The study of a lab: cases.csv (picture, patient, side, view, cancer) and its pictures -> a manifest."""

from pathlib import Path

import pandas as pd

from mammoseg.ingest.about import About
from mammoseg.ingest.adapted import Adapted, find_table, to_manifest
from mammoseg.ingest.omissions import Omissions

ABOUT = About(
    title="The study of a lab",
    label_source="Biopsy within a year.",
    licence="Not to be passed on.",
    defects=("Benign findings were not written down.",),
    url="https://my-lab.example/study",
    holds="cases.csv, and the pictures that it names",
)


def make_manifest(root: Path, masks: Path) -> Adapted:
    """The pictures below `root`; nobody has drawn masks. Raises AdapterError without cases.csv or without any picture."""
    table = find_table(root, ["cases.csv"], ABOUT.holds)
    rows = [
        {
            "patient_id": case["patient"],
            "exam_id": case["patient"],
            "image_id": Path(case["picture"]).stem,
            "laterality": case["side"],
            "view": case["view"],
            "path": str((root / case["picture"]).absolute()),
            "malignant": int(case["cancer"]),
        }
        for case in pd.read_csv(table, dtype=str).to_dict("records")
    ]
    return to_manifest(rows, root, masks, Omissions(), table=table)
