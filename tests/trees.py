"""A tiny folder of every data set, as it is published: one or more tables, and images of a few pixels."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

TABLES = {
    "cbis_ddsm": "mass_case_description_train_set.csv",
    "cmmd": "CMMD_clinicaldata_revision.csv",
    "csaw_cc": "CSAW-CC_breast_cancer_screening_data.csv",
    "embed": "tables/EMBED_OpenData_metadata.csv",
    "inbreast": "INbreast.csv",
    "mini_mias": "Info.txt",
    "rsna_2022": "train.csv",
    "vindr_mammo": "breast-level_annotations.csv",
}
"""The table that says which images there are. Each has the rows of four images or, in CBIS-DDSM and CMMD, fewer."""
VIEWS = (("L", "CC"), ("L", "MLO"), ("R", "CC"), ("R", "MLO"))
_WORDS = {"L": "Left", "R": "Right"}

Rows = Sequence[dict[str, object]]
Dicom = Callable[..., Path]


def make_tree(name: str, root: Path, dicom: Dicom) -> Path:
    """The folder of the data set `name`; `dicom(path, side, view)` writes a DICOM file."""
    {**_MAKERS, "cmmd": lambda folder: _cmmd(folder, dicom)}[name](root)
    return root


def _cbis_ddsm(root: Path) -> None:
    for kind in ("mass", "calc"):
        for split, word in (("train", "Training"), ("test", "Test")):
            rows = [_abnormality(kind, word, number) for number in (1, 2)]
            _table(root / f"{kind}_case_description_{split}_set.csv", rows)
            for row in rows:
                _image(root / "images" / str(row["image file path"]).replace(".dcm", ".png"))
                _image(root / "images" / str(row["ROI mask file path"]).replace(".dcm", ".png"), mask=True)


def _abnormality(kind: str, word: str, number: int) -> dict[str, object]:
    patient = f"P_{10 * ('mass', 'calc').index(kind) + 100 * (word == 'Test') + number:05d}"
    film = f"{kind.title()}-{word}_{patient}_LEFT_CC"
    about = {"patient_id": patient, "left or right breast": "LEFT", "image view": "CC", "abnormality id": 1}
    found = {"abnormality type": kind, "assessment": 4, "pathology": "MALIGNANT"}
    places = {f"{part} file path": f"{film}_1/1.2/000001.dcm" for part in ("cropped image", "ROI mask")}
    return {**about, **found, "image file path": f"{film}/1.1/000000.dcm", **places}


def _cmmd(root: Path, dicom: Dicom) -> None:
    sides = {"D1-0001": "Benign", "D1-0002": "Malignant"}
    breasts = [{"ID1": p, "LeftRight": "L", "Age": 44, "classification": kind} for p, kind in sides.items()]
    _table(root / TABLES["cmmd"], breasts)
    for patient in sides:
        for number, (side, view) in enumerate(VIEWS, start=1):
            dicom(root / "CMMD" / patient / "study" / "series" / f"1-{number}.dcm", side, view)


def _csaw_cc(root: Path) -> None:
    names = [f"00002_20990909_{side}_{view}_1" for side, view in VIEWS]
    told = {"anon_patientid": 2, "exam_year": 2015, "x_case": 0, "x_cancer_laterality": "", "rad_timing": ""}
    rows = [
        {**told, "anon_filename": f"{name}.dcm", "imagelaterality": _WORDS[side], "viewposition": view}
        for name, (side, view) in zip(names, VIEWS, strict=True)
    ]
    _table(root / TABLES["csaw_cc"], rows)
    for name in names:
        _image(root / "images" / f"{name}.png")


def _embed(root: Path) -> None:
    folder = "images/cohort_1/11/1.2.3"
    ids = {"empi_anon": 11, "acc_anon": 7}
    rows = [
        {**ids, "anon_dicom_path": f"/mnt/{folder}/{side}_{view}.dcm", "FinalImageType": "2D"}
        | {"ImageLateralityFinal": side, "ViewPosition": view}
        for side, view in VIEWS
    ]
    _table(root / TABLES["embed"], rows)
    _table(root / "tables" / "EMBED_OpenData_clinical.csv", [{**ids, "side": "", "asses": "N", "path_severity": ""}])
    for side, view in VIEWS:
        _image(root / folder / f"{side}_{view}.png")


def _inbreast(root: Path) -> None:
    numbers = dict(enumerate(VIEWS, start=20586908))
    removed = {"Patient ID": "removed", "Patient age": "removed"}
    rows = [
        {**removed, "Laterality": side, "View": view, "Acquisition date": 201001, "File Name": number}
        | {"ACR": 2, "Bi-Rads": "4a"}
        for number, (side, view) in numbers.items()
    ]
    _table(root / TABLES["inbreast"], rows, ";")
    for number, (side, view) in numbers.items():
        _image(root / "AllDICOMs" / f"{number}_aa_MG_{side}_{view.replace('MLO', 'ML')}_ANON.png")


def _mini_mias(root: Path) -> None:
    root.mkdir(parents=True)
    films = ["mdb001 G CIRC B 535 425 197", "mdb002 G NORM", "mdb003 D CALC M 400 300 20", "mdb004 D NORM"]
    (root / TABLES["mini_mias"]).write_text("\n".join(films) + "\n")
    for film in films:
        _image(root / f"{film[:6]}.png", shape=(1024, 1024))


def _rsna_2022(root: Path) -> None:
    rows = [
        {"site_id": 2, "patient_id": 10006, "image_id": number, "laterality": side, "view": view}
        | {"cancer": 0, "biopsy": 1}
        for number, (side, view) in enumerate(VIEWS, start=1)
    ]
    _table(root / TABLES["rsna_2022"], rows)
    for row in rows:
        _image(root / "train_images" / "10006" / f"{row['image_id']}.png")


def _vindr_mammo(root: Path) -> None:
    rows = [
        {"study_id": "s1", "image_id": f"i{number}", "laterality": side, "view_position": view}
        | {"height": 12, "width": 9, "breast_birads": "BI-RADS 4", "breast_density": "DENSITY C", "split": "test"}
        for number, (side, view) in enumerate(VIEWS, start=1)
    ]
    box = {"finding_birads": "BI-RADS 4", "xmin": 2, "ymin": 3, "xmax": 5, "ymax": 6}
    _table(root / TABLES["vindr_mammo"], rows)
    _table(root / "finding_annotations.csv", [{"image_id": "i1", **box}])
    for row in rows:
        _image(root / "images" / "s1" / f"{row['image_id']}.png")


def _table(path: Path, rows: Rows, separator: str = ",") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys(), delimiter=separator, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _image(path: Path, mask: bool = False, shape: tuple[int, int] = (12, 9)) -> None:
    pixels = (np.arange(shape[0] * shape[1]) % 200).astype(np.uint8).reshape(shape)
    if mask:
        pixels = np.where(pixels < 20, 255, 0).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())


_MAKERS: dict[str, Callable[[Path], None]] = {
    **{"cbis_ddsm": _cbis_ddsm, "csaw_cc": _csaw_cc, "embed": _embed, "inbreast": _inbreast},
    **{"mini_mias": _mini_mias, "rsna_2022": _rsna_2022, "vindr_mammo": _vindr_mammo},
}
