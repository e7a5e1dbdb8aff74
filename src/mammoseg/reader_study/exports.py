"""The scores in the formats of other programs for reader studies, to have an analysis checked.

    imrmc.csv       iMRMC (R package and program of the FDA): readerID, caseID, modalityID, score; the rows of the reader `truth`
                    hold the labels. A model is a modality that one reader of its name has read.
    rjafroc.xlsx    RJafroc: sheets TRUTH, NL (scores of cases without the disease) and LL (with it). The readers alone; reader,
                    modality and case are numbers, whose names are in rjafroc_names.csv.

Both take every case for a patient of its own.
"""

import io
from pathlib import Path

import openpyxl
import pandas as pd

from mammoseg.io.atomic import write_bytes
from mammoseg.io.cells import write_csv
from mammoseg.reader_study.study import ReaderStudy

FILES = ("imrmc.csv", "rjafroc.xlsx", "rjafroc_names.csv")
_ODBC = 1_048_575
"""Rows of a sheet below its header."""


def write_imrmc(study: ReaderStudy, path: Path) -> None:
    """A row for each score, after one for each label."""
    names = [case.name for case in study.cases]
    parts = [("truth", "truth", study.labels.astype(int))]
    parts += [
        (reader, modality, scores)
        for modality in study.modalities
        for reader, scores in zip(study.readers, study.of(modality), strict=True)
    ]
    parts += [(model, model, scores) for model, scores in study.models.items()]
    rows = [
        pd.DataFrame(
            {"readerID": reader, "caseID": names, "modalityID": modality, "score": [repr(x) for x in values.tolist()]}
        )
        for reader, modality, values in parts
    ]
    write_csv(path, pd.concat(rows))


def write_rjafroc(study: ReaderStudy, folder: Path) -> bool:
    """The workbook and the names of its numbers; False: it has more scores than a sheet has rows, and is not written."""
    t, r, n = study.scores_TRN.shape
    if t * r * n > _ODBC:
        return False
    book = openpyxl.Workbook(write_only=True)
    truth, without, having = (book.create_sheet(name) for name in ("TRUTH", "NL", "LL"))
    readers, modalities = (", ".join(map(str, range(1, count + 1))) for count in (r, t))
    truth.append(["CaseID", "LesionID", "Weight", "ReaderID", "ModalityID", "Paradigm"])
    without.append(["ReaderID", "ModalityID", "CaseID", "NL_Rating"])
    having.append(["ReaderID", "ModalityID", "CaseID", "LesionID", "LL_Rating"])
    design = ["ROC", "FCTRL"]
    for case, label in enumerate(study.labels.tolist(), start=1):
        truth.append([case, int(label), 0, readers, modalities, design[case - 1] if case <= len(design) else None])
    for i in range(t):
        for j in range(r):
            for case, (label, score) in enumerate(
                zip(study.labels, study.scores_TRN[i, j].tolist(), strict=True), start=1
            ):
                of = [str(j + 1), str(i + 1), case]
                (having.append([*of, 1, score]) if label else without.append([*of, score]))
    content = io.BytesIO()
    book.save(content)
    write_bytes(folder / "rjafroc.xlsx", content.getvalue())
    names = [("reader", name) for name in study.readers], [("modality", name) for name in study.modalities]
    cases = [("case", case.name) for case in study.cases]
    rows = [
        {"what": what, "number": k, "name": name}
        for group in (*names, cases)
        for k, (what, name) in enumerate(group, start=1)
    ]
    write_csv(folder / "rjafroc_names.csv", pd.DataFrame(rows))
    return True
