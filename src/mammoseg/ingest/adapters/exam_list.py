"""The data folder of the published GMIC, GLAM and breast-cancer-classifier software: a list of exams beside its images."""

from pathlib import Path

from mammoseg.ingest import exam_list
from mammoseg.ingest.data_set import About, Adapted, DataSet

_USUAL = "exam_list_before_cropping.pkl"

ABOUT = About(
    title="Exam list and images of the published GMIC, GLAM and breast-cancer-classifier software",
    label_source="cancer_label of the list; a missing label is unknown.",
    licence="That of the images.",
    defects=(
        "The list does not tell which exams are of one patient: every exam is taken for a patient of its own.",
        "Masks have the pixels of the model window (mask_frame window), not those of the images.",
    ),
    url="docs/reference/exam_list.md",
    holds=f"{_USUAL}, or one .pkl of another name, beside images/ and perhaps segmentation/",
)


def make_manifest(root: Path, masks: Path) -> Adapted:
    """The exams of the list in `root`; `masks` stays empty, since those of segmentation/ are used where they are.

    Raises ExamListError for a list that cannot be used, and if it is not clear which file is the list.
    """
    lists = sorted(root.glob("*.pkl"))
    named = [path for path in lists if path.name == _USUAL] or lists
    if len(named) != 1:
        raise exam_list.ExamListError(
            f"{root}: {len(named)} files end in .pkl. Expected {_USUAL}, or one list under another name. Take the other "
            "lists out of the folder, or use the Python function in docs/reference/exam_list.md."
        )
    drawn = root / "segmentation"
    manifest = exam_list.make_manifest(named[0], root / "images", drawn if drawn.is_dir() else None)
    data = DataSet(root, masks, ABOUT)
    absent = [row.image_id for row in manifest.rows() if not row.path.is_file()]
    data.leave_out(named[0], "images have no file; their rows are kept", absent)
    return Adapted(manifest.table, manifest.path, left_out=tuple(data.left_out))
