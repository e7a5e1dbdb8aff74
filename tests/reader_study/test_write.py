"""The files of a study: complete, the same again, none of an earlier one, readable by other programs, safe with any names."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

from mammoseg.ingest.tables import read_table
from mammoseg.reader_study.errors import StudyError
from mammoseg.reader_study.exports import write_rjafroc
from mammoseg.reader_study.long import read_long
from mammoseg.reader_study.settings import Settings
from mammoseg.reader_study.study import Case, ReaderStudy
from mammoseg.reader_study.wide import Columns
from mammoseg.reader_study.write import write_study

QUICK = Settings(recall_at=0.3, bootstrap=0)
FIGURES = ("readers", "hybrids_1", "hybrids_2", "lambda")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "table.csv"
    path.write_text("a table")
    return path


@pytest.fixture(scope="module")
def written(small_study: ReaderStudy, table: Path) -> tuple[Path, dict[str, Any]]:
    """The folder of a study, in which an earlier one had been, and the results."""
    out = table.parent / "out"
    out.mkdir()
    (out / "hybrids_9.png").write_text("of an earlier study")
    return out, write_study(small_study, QUICK, table, out)


def test_all_files(written: tuple[Path, dict[str, Any]]) -> None:
    out, results = written
    figures = {f"{name}.{kind}" for name in FIGURES for kind in ("png", "pdf", "svg", "csv")}
    others = {"reader_study.json", "reader_study.csv", "imrmc.csv", "rjafroc.xlsx", "rjafroc_names.csv"}
    assert {path.name for path in out.iterdir()} == figures | others
    stored = json.loads((out / "reader_study.json").read_text())
    mean = results["modalities"]["alone"]["mean"]["auc"]["value"]
    assert stored["modalities"]["alone"]["mean"]["auc"]["value"] == mean
    assert stored["table"]["file"] == "table.csv"


def test_the_table_has_every_number(written: tuple[Path, dict[str, Any]]) -> None:
    out, results = written
    rows = pd.read_csv(out / "reader_study.csv")
    row = rows[(rows["table"] == "readers") & (rows["of"] == "B") & (rows["metric"] == "auc")].iloc[0]
    assert row["value"] == pytest.approx(results["modalities"]["alone"]["readers"]["B"]["auc"]["value"])
    assert {"models", "consensus", "ensembles", "readers minus model", "best lambda with net"} <= {*rows["table"]}
    assert rows["value"].notna().all()


def test_the_points_of_a_figure(written: tuple[Path, dict[str, Any]]) -> None:
    points = pd.read_csv(written[0] / "readers.csv")
    assert {*points["of"]} == {"A", "B", "C", "net", "other net", "average of readers"}
    assert points[["x", "y"]].min().min() >= 0
    assert points[["x", "y"]].max().max() <= 1
    assert len(pd.read_csv(written[0] / "lambda.csv")) == 2 * 2 * 101


def test_imrmc_is_read_back_as_the_same_study(small_study: ReaderStudy, written: tuple[Path, dict[str, Any]]) -> None:
    rows = pd.read_csv(written[0] / "imrmc.csv")
    assert list(rows) == ["readerID", "caseID", "modalityID", "score"]
    assert (rows["readerID"] == "truth").sum() == 120
    again = read_long(read_table(written[0] / "imrmc.csv"), Columns(), ["*net"])
    np.testing.assert_array_equal(again.scores_TRN, small_study.scores_TRN)
    np.testing.assert_array_equal(again.labels, small_study.labels)
    np.testing.assert_array_equal(again.models["other net"], small_study.models["other net"])


def test_same_study_same_bytes(small_study: ReaderStudy, table: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_study(replace(small_study, models={}), QUICK, table, tmp_path / name)
    for path in (tmp_path / "a").iterdir():
        if path.suffix != ".xlsx":  # says when it was written
            assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_rjafroc_workbook(van_dyke: SimpleNamespace, tmp_path: Path) -> None:
    """Sheets, columns and cells as RJafroc's description of its format has them."""
    cases = tuple(Case(patient, patient) for patient in van_dyke.patients)
    study = ReaderStudy(cases, van_dyke.labels, ("se", "cine"), tuple("ABCDE"), van_dyke.scores_TRN, {})
    assert write_rjafroc(study, tmp_path)
    book = openpyxl.load_workbook(tmp_path / "rjafroc.xlsx")
    truth, without, having = (pd.DataFrame(book[name].values) for name in ("TRUTH", "NL", "LL"))
    assert book.sheetnames == ["TRUTH", "NL", "LL"]
    assert truth.iloc[0].tolist() == ["CaseID", "LesionID", "Weight", "ReaderID", "ModalityID", "Paradigm"]
    assert truth.iloc[1].tolist() == [1, 0, 0, "1, 2, 3, 4, 5", "1, 2", "ROC"]
    assert truth.iloc[2, 5] == "FCTRL"
    assert (len(truth), len(without), len(having)) == (1 + 114, 1 + 69 * 10, 1 + 45 * 10)
    assert (truth[1] == 1).sum() == 45
    ratings = without.iloc[1:].set_index([0, 1, 2])[3]
    assert ratings["5", "2", 62] == van_dyke.scores_TRN[1, 4, 61]
    assert having.iloc[1].tolist() == ["1", "1", 70, 1, 5]
    names = pd.read_csv(tmp_path / "rjafroc_names.csv")
    assert names[names["what"] == "modality"]["name"].tolist() == ["se", "cine"]


def test_names_of_any_kind_and_several_modalities(
    small_study: ReaderStudy, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mammoseg.io.figures.FIGURE_KINDS", ("svg",))
    names = ("=HYPERLINK(1)", "<script>$\\frac{$", "_x\n" + "y" * 900)
    two = np.concatenate([small_study.scores_TRN, small_study.scores_TRN[:, ::-1]])
    models = {names[0] + "!": small_study.models["net"]}
    study = replace(small_study, readers=names, modalities=("../../=up", "b"), scores_TRN=two, models=models)
    write_study(study, replace(QUICK, reader_scale=1), table, tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".csv", ".xlsx", ".svg"}
    assert {path.name for path in tmp_path.glob("*.svg")} == {
        f"{name}_{modality}{number}.svg"
        for name, number in (("readers", ""), ("hybrids", "_1"), ("lambda", ""))
        for modality in (1, 2)
    }
    assert "\n=" not in (tmp_path / "imrmc.csv").read_text()
    book = openpyxl.load_workbook(tmp_path / "rjafroc.xlsx")
    assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)


def test_the_table_is_not_overwritten_by_its_results(small_study: ReaderStudy, table: Path, tmp_path: Path) -> None:
    own = tmp_path / "readers.csv"
    own.write_bytes(table.read_bytes())
    with pytest.raises(StudyError, match="would be overwritten"):
        write_study(small_study, Settings(bootstrap=0), own, tmp_path)
    assert own.read_bytes() == table.read_bytes()
