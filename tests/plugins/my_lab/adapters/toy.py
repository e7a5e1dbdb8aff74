"""The study of a lab: cases.csv (picture, patient, side, view, cancer) and its pictures -> a manifest."""

from pathlib import Path

from mammoseg.ingest.data_set import About, Adapted, DataSet

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
    data = DataSet(root, masks, ABOUT)
    table = data.table(["cases.csv"], ("picture", "patient", "side", "view", "cancer"))
    rows = [
        {
            "patient_id": case["patient"],
            "exam_id": case["patient"],
            "image_id": Path(case["picture"]).stem,
            "laterality": case["side"],
            "view": case["view"],
            "path": root / case["picture"],
            "malignant": int(case["cancer"]),
        }
        for case in table.rows.values()
    ]
    return data.manifest(rows, table=table.path)
