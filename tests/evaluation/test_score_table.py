"""Tables as people have them: each gives what scikit-learn gives for the cleaned arrays, or says file, column and row."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from mammoseg.evaluation.cells import ScoreTableError
from mammoseg.evaluation.join import Joined
from mammoseg.evaluation.method import Method, load_metrics
from mammoseg.evaluation.score_table import Columns, read_score_table
from mammoseg.evaluation.scores import level_tables, score_tables
from mammoseg.ingest.tables import read_table

METRICS = load_metrics()
N = 24
TRUTH = np.array([0, 0, 1] * (N // 3))
SCORES = np.round(np.random.default_rng(3).random(N) * 0.7 + 0.3 * TRUTH, 3)

LONG = "score " * 170
HTML = "<script>alert('x')</script>"

SCORE_STYLES: dict[str, Callable[[float], str]] = {
    "point": lambda p: f"{p:.3f}",
    "comma": lambda p: f"{p:.3f}".replace(".", ","),
    "percent": lambda p: f"{100 * p:.1f}%",
    "percent with comma and space": lambda p: f"{100 * p:.1f} %".replace(".", ","),
    "exponent": lambda p: f"{p:.6e}",
    "whole numbers": lambda p: f"{round(1000 * p)}",
    "negative": lambda p: f"{p - 1:.3f}",
    "with a sign and spaces": lambda p: f"  {p:+.3f} ",
    "without a zero": lambda p: f"{p:.3f}".removeprefix("0"),
    "ties": lambda p: f"{round(p)}",
}
LABEL_STYLES: dict[str, tuple[str, str, tuple[str, ...], tuple[str, ...]]] = {
    "0 and 1": ("0", "1", (), ()),
    "0.0 and 1.0": ("0.0", "1.0", (), ()),
    "true and false": ("False", "TRUE", (), ()),
    "1 and 2": ("1", "2", ("2",), ()),
    "2 is 2.0": ("1.0", "2.0", ("2",), ()),
    "yes and no": ("no", "Yes", ("yes",), ()),
    "turned": ("1", "0", ("0",), ()),
    "text with a comma": ("benign, biopsied", "malignant, DCIS", ("malignant, dcis",), ("benign, biopsied",)),
    "html": ("<b>no</b>", HTML, (HTML,), ()),
    "none is a word": ("none", "cancer", ("cancer",), ("none",)),
}
HEADERS = {
    "plain": ("score", "truth", "pid"),
    "upper case": ("SCORE", "Truth", "PID"),
    "spaces": ("p (malignant)", "ground truth", "patient no."),
    "html": (HTML, "<b>truth</b>", "<i>pid"),
    "long": (LONG.strip(), "truth", "pid"),
    "other letters": ("Wahrscheinlichkeit für Krebs", "Wahrheit", "Größe"),
    "formula": ("=SUM(A1)", "@truth", "+pid"),
}
WRITERS = [*itertools.product(",;\t|", ("utf-8", "utf-8-sig", "utf-16", "cp1252")), ("xlsx", "")]


def write(
    path: Path, header: Sequence[str], rows: Sequence[Sequence[str]], separator: str = ",", encoding: str = "utf-8"
) -> Path:
    if separator == "xlsx":
        book = openpyxl.Workbook()
        sheet: Any = book.active
        for row in (header, *rows):
            sheet.append(list(row))
            for cell in sheet[sheet.max_row]:
                cell.data_type = "s"  # also what looks like a formula
        book.save(path := path.with_suffix(".xlsx"))
        return path
    quoted = [['"' + cell.replace('"', '""') + '"' for cell in row] for row in (header, *rows)]
    path.write_bytes("\r\n".join(map(separator.join, quoted)).encode(encoding))
    return path


def read(path: Path, columns: Columns, **more: Any) -> Joined:
    return read_score_table([read_table(path)], columns, **more)[columns.scores[0]]


def numbers(joined: Joined) -> dict[str, Any]:
    """Of the images."""
    tables = level_tables(joined.images, joined.sources, joined.classes, ["image"])
    return score_tables(tables, joined.sources, Method(METRICS, joined.classes, 0))["image"][joined.classes[0]]["final"]


def good() -> list[Any]:
    """Every style of scores with every style of labels, and all headers and files in turn."""
    pairs = itertools.product(SCORE_STYLES, LABEL_STYLES)
    turns = zip(pairs, itertools.cycle(HEADERS), itertools.cycle(WRITERS), strict=False)
    return [
        pytest.param(*pair, header, writer, id=" ".join([*pair, header, *writer])) for pair, header, writer in turns
    ]


@pytest.mark.parametrize(("score_style", "label_style", "header", "writer"), good())
def test_the_numbers_are_those_of_the_cleaned_arrays(
    tmp_path: Path, score_style: str, label_style: str, header: str, writer: tuple[str, str]
) -> None:
    style = SCORE_STYLES[score_style]
    zero, one, positive, negative = LABEL_STYLES[label_style]
    names = HEADERS[header]
    rows = [[style(p), one if y else zero, f"{n:03d}"] for n, (p, y) in enumerate(zip(SCORES, TRUTH, strict=True))]
    rows += [["", one, "024"], [style(0.5), "", "025"]]  # no score; an unknown label
    path = write(tmp_path / "scores.csv", names, rows, *writer)
    asked = [name.lower() if header == "upper case" else name for name in names]
    joined = read(path, Columns((asked[0],), asked[1], asked[2], positive=positive, negative=negative))
    result = numbers(joined)
    scores = np.round(SCORES) if score_style == "ties" else SCORES
    assert result["auc"]["value"] == pytest.approx(roc_auc_score(TRUTH, scores))
    assert result["average_precision"]["value"] == pytest.approx(average_precision_score(TRUTH, scores))
    assert (result["n"], result["unknown"], len(joined.failed)) == (N, 1, 1)
    assert list(joined.images["patient_id"])[:2] == ["000", "001"]
    in_range = score_style not in {"whole numbers", "negative"}
    assert joined.about["table"]["probabilities"] is in_range


BAD_SCORES = (
    "high", "0.5x", "NaN0", "inf", "-inf", "Infinity", "1e999", "1_0", "0x1f", "1.2.3", "1,2,3", "1.234,5", "٠٫٥", "50%", "%",
    "=1/2", "0.5;", "--1", "e5", "<b>0.5</b>", "x" * 1000, "0,5", "0.5 0.6", "½", "+", "true", "\u202e0.5a", "5 %",
)  # fmt: skip


@pytest.mark.parametrize("text", BAD_SCORES)
@pytest.mark.parametrize("row", [0, N - 1])
def test_a_score_that_is_none_is_told_with_its_row(tmp_path: Path, text: str, row: int) -> None:
    rows = [[f"{p:.3f}", str(y), str(n)] for n, (p, y) in enumerate(zip(SCORES, TRUTH, strict=True))]
    rows[row][0] = text
    path = write(tmp_path / "scores.csv", ("score", "truth", "pid"), rows)
    with pytest.raises(ScoreTableError) as error:
        read(path, given())
    message = str(error.value)
    assert message.startswith(f"{path}: column 'score' holds ")
    assert f"row {row + 2}" in message or "all of the column" in message
    assert len(message) < 500


BAD_LABELS = {
    "two": ("2",), "text": ("maybe",), "a probability": ("0.5",), "minus": ("-1",), "percent": ("100%",), "html": (HTML,),
    "long": ("y" * 1000,), "yes": ("yes",), "several": ("2", "3", "yes", "maybe", "5", "6", "7", "8", "9", "10"), "sign": ("+",),
}  # fmt: skip


@pytest.mark.parametrize("texts", BAD_LABELS.values(), ids=BAD_LABELS)
@pytest.mark.parametrize("row", [0, 7])
def test_labels_that_are_not_0_and_1_demand_to_know_which_are_positive(
    tmp_path: Path, texts: tuple[str, ...], row: int
) -> None:
    rows = [[f"{p:.3f}", str(y), str(n)] for n, (p, y) in enumerate(zip(SCORES, TRUTH, strict=True))]
    for place, text in enumerate(texts):
        rows[row + place][1] = text
    path = write(tmp_path / "scores.csv", ("score", "truth", "pid"), rows)
    with pytest.raises(ScoreTableError, match=rf"column 'truth' holds .* in row {row + 2}.*--positive VALUE") as error:
        read(path, given())
    assert str(error.value).startswith(str(path))


def table_of(tmp_path: Path, header: Sequence[str], *rows: Sequence[str], name: str = "scores.csv") -> Path:
    return write(tmp_path / name, header, rows)


PLAIN = ("score", "truth", "pid")
FEW = (("0.1", "0", "a"), ("0.9", "1", "b"))
BAD_TABLES: dict[str, tuple[Sequence[str], Sequence[Sequence[str]], Columns, str]] = {
    "no such score": (PLAIN, FEW, Columns(("sore",), "truth", "pid"), r"no column 'sore'. Did you mean 'score'.*--score"),
    "no such label": (PLAIN, FEW, Columns(("score",), "label", "pid"), r"no column 'label'.*'truth'.*--label"),
    "no such patient": (PLAIN, FEW, Columns(("score",), "truth", "p"), r"no column 'p'.*--patient"),
    "no such exam": (PLAIN, FEW, given(exam="e"), r"no column 'e'.*--exam"),
    "no such breakdown": (PLAIN, FEW, given(by=("age",)), r"no column 'age'.*--by"),
    "no patient": (PLAIN, FEW, Columns(("score",), "truth"), r"no column 'patient_id'.*--patient"),
    "an empty patient": (PLAIN, (*FEW, ("0.5", "1", "")), given(), r"'pid' is empty in row 4"),
    "the same row": (PLAIN, (*FEW, FEW[0]), given(), r"more than once, by all cells: row 2, 4"),
    "the same image": (
        PLAIN, (*FEW, ("0.7", "1", "a")), given(image="pid"), r"'pid': row 2, 4.*each case once"
    ),
    "the same breast": (
        (*PLAIN, "laterality"), [(*row, "L") for row in (*FEW, ("0.7", "1", "a"))], given(),
        r"patient, exam and breast: row 2, 4.*--image or --view",
    ),
    "no side": ((*PLAIN, "side"), [(*row, "M") for row in FEW], given(breast="side"), r"'side' holds 'M'"),
    "no score at all": (PLAIN, [("", *row[1:]) for row in FEW], given(), r"'score' holds no number"),
    "only NaN": (PLAIN, [("nan", *row[1:]) for row in FEW], given(), r"'score' holds no number"),
    "no row": (PLAIN, (), given(), r"no rows"),
    "a class like a column": (PLAIN, FEW, given(about="patient_id"), r"cannot be called"),
    "a class of spaces": (PLAIN, FEW, given(about=" "), r"cannot be called ' '"),
    "a positive that is not there": (PLAIN, FEW, given(positive=("yes",)), r"holds no 'yes', as --positive"),
    "negative alone": (PLAIN, FEW, given(negative=("0",)), r"Add --positive"),
    "both": (PLAIN, FEW, given(positive=("1",), negative=("1.0",)), r"'1' is said to be positive and"),
    "a third value": (
        PLAIN, (*FEW, ("0.5", "9", "c")), given(positive=("1",)), r"'truth' holds 2 values beside.*row 2, 4"
    ),
    "a column twice": (("score", "score", "pid"), FEW, given(), r"score are there more than once"),
    "names alike": (("Score", "SCORE", "truth", "pid"), [("0", *r) for r in FEW], given(), r"no column 'score'"),
    "percent and not": (PLAIN, (("10%", "0", "a"), ("0.9", "1", "b")), given(), r"'0.9' in row 3.*row 2"),
    "comma and point": (PLAIN, (("0,1", "0", "a"), ("0.9", "1", "b")), given(), r"'0.9' in row 3.*row 2"),
    "a reserved column": (
        (*PLAIN, "exam_id", "e2"), [(*r, "x", "y") for r in FEW], given(exam="e2", by=("exam_id",)),
        r"'exam_id' has a name that results use",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("header", "rows", "columns", "message"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_what_cannot_be_evaluated_says_file_and_column(
    tmp_path: Path, header: Sequence[str], rows: Sequence[Sequence[str]], columns: Columns, message: str
) -> None:
    path = table_of(tmp_path, header, *rows)
    with pytest.raises(ValueError, match=message) as error:
        read(path, columns)
    assert str(error.value).startswith(str(path))


WORDS = ("", " ", "NA", "n/a", "nan", "NaN", "None", "NULL", "-", ".", "?", "unknown", "#N/A", "<NA>", "missing")


@pytest.mark.parametrize("word", WORDS)
def test_words_for_nothing_are_no_scores_and_no_negatives(tmp_path: Path, word: str) -> None:
    path = table_of(tmp_path, PLAIN, *FEW, (word, "1", "c"), ("0.5", word, "d"))
    joined = read(path, given())
    assert (numbers(joined)["n"], numbers(joined)["unknown"], list(joined.failed["patient_id"])) == (2, 1, ["c"])


def test_what_was_written_for_spreadsheets_is_read_as_it_was(tmp_path: Path) -> None:
    path = table_of(tmp_path, PLAIN, ("-0.1", "0", "'=1+1"), ("0.9", "1", "'quoted'"))
    assert list(read(path, given()).images["patient_id"]) == ["=1+1", "'quoted'"]


def test_values_that_are_neither_are_unknown_where_negatives_are_named(tmp_path: Path) -> None:
    path = table_of(tmp_path, PLAIN, *FEW, ("0.5", "9", "c"))
    joined = read(path, given(positive=("1",), negative=("0",)))
    assert numbers(joined)["unknown"] == 1
    assert joined.about["table"]["label_values"] == {"positive": {"1": 1}, "negative": {"0": 1}, "unknown": {"9": 1}}


@pytest.mark.parametrize("value", ["0", "1"])
def test_one_class_is_undefined_with_a_reason(tmp_path: Path, value: str) -> None:
    path = table_of(tmp_path, PLAIN, *[(p, value, n) for p, _, n in FEW])
    result = numbers(read(path, given()))
    assert np.isnan(result["auc"]["value"])
    assert result["reason"].startswith("no case with a ")


def test_one_patient_has_no_interval(tmp_path: Path) -> None:
    path = table_of(tmp_path, PLAIN, *[(p, y, "a") for p, y, _ in FEW])
    joined = read(path, given())
    table = score_tables({"image": joined.images}, ["final"], Method(METRICS, joined.classes, 50))
    assert table["image"]["malignant"]["final"]["auc"]["no_interval"] == "fewer than two patients"


def test_levels_need_a_column_of_breasts(tmp_path: Path) -> None:
    path = table_of(tmp_path, PLAIN, *FEW)
    joined = read(path, given())
    assert joined.levels == ("image",)
    assert any("no level of breasts" in note for note in joined.about["table"]["notes"])
    sided = table_of(tmp_path, (*PLAIN, "side"), ("0.2", "0", "a", "left"), ("0.4", "1", "a", "R"), name="sides.csv")
    joined = read(sided, given(breast="Side"))
    assert joined.levels == ("image", "breast", "exam")
    assert list(joined.images["laterality"]) == ["L", "R"]
    exams = level_tables(joined.images, joined.sources, joined.classes)["exam"]
    assert exams["score_final_malignant"].tolist() == [0.4]
    assert exams["malignant"].tolist() == [1]


def test_several_columns_are_several_models_and_several_tables_one(tmp_path: Path) -> None:
    header = ("a", "b", "truth", "patient_id")
    first = table_of(tmp_path, header, ("0.1", "10", "0", "p"), ("0.9", "20", "1", "q"))
    second = table_of(tmp_path, header, ("0.3", "30", "1", "r"), name="second.csv")
    joined = read_score_table([read_table(first), read_table(second)], Columns(("a", "b"), "truth"))
    assert list(joined) == ["a", "b"]
    assert joined["b"].images["score_final_malignant"].tolist() == [10, 20, 30]
    assert [each["file"] for each in joined["a"].about["table"]["files"]] == ["scores.csv", "second.csv"]
    third = table_of(tmp_path, header, ("0.3", "x", "1", "r"), name="third.csv")
    with pytest.raises(ScoreTableError, match=r"'b' holds 'x' in row 2 of third\.csv"):
        read_score_table([read_table(first), read_table(third)], Columns(("a", "b"), "truth"))
    with pytest.raises(ScoreTableError, match=r"row 2 of scores\.csv"):
        read_score_table([read_table(first), read_table(first)], Columns(("a",), "truth"))


SCORED = ("file", "score")
LABELLED = ("image", "patient_id", "truth", "density", "split")
CASES = (("1", "p", "0", "A", "train"), ("2", "q", "1", "B", "test"), ("3", "r", "0", "B", "test"))


def with_labels(
    tmp_path: Path, scores: Sequence[Sequence[str]], labels: Sequence[Sequence[str]], keys: Sequence[str], **more: Any
) -> Joined:
    ours = table_of(tmp_path, SCORED, *scores)
    theirs = table_of(tmp_path, LABELLED, *labels, name="labels.csv")
    columns = Columns(("score",), "truth", image="file", by=("density",))
    return read_score_table([read_table(ours)], columns, read_table(theirs), keys, **more)["score"]


def test_labels_in_a_table_of_their_own(tmp_path: Path) -> None:
    scores = [("3", "0.2"), ("2", "0.7"), ("1", "0.6")]
    joined = with_labels(tmp_path, scores, CASES, ["file=image"])
    assert joined.images[["image_id", "patient_id", "malignant", "density"]].to_numpy().tolist() == [
        ["3", "r", 0, "B"], ["2", "q", 1, "B"], ["1", "p", 0, "A"]
    ]  # fmt: skip
    part = with_labels(tmp_path, scores[:2], CASES, ["file=image"], split="test")
    assert list(part.images["image_id"]) == ["3", "2"]
    whole = with_labels(tmp_path, scores, CASES, ["file=image"], split="test")
    assert list(whole.images["image_id"]) == ["3", "2"]


@pytest.mark.parametrize(
    ("scores", "labels", "keys", "message"),
    [
        ([("1", "0.2")], CASES, [], r"labels\.csv: .*--key COLUMN"),
        ([("1", "0.2")], CASES, ["image"], r"scores\.csv: there is no column 'image'.*--key"),
        ([("1", "0.2")], CASES, ["file"], r"labels\.csv: there is no column 'file'"),
        (
            [("1", "0.2")],
            CASES,
            ["file=image"],
            r"labels\.csv: 2 cases of 3 \(row 3, 4\) have labels and no row in .*scores\.csv",
        ),
        ([("4", "0.2")], CASES, ["file=image"], r"scores\.csv: 1 case of 1 \(row 2\) is not in .*labels\.csv"),
        ([("1", "0.2")], [*CASES, CASES[0]], ["file=image"], r"labels\.csv: the same 'image' is in row 2, 5"),
        ([("1", "0.2"), ("1", "0.3")], CASES[:1], ["file=image"], r"scores\.csv: the same case .*row 2, 3"),
    ],
)
def test_tables_that_do_not_fit(
    tmp_path: Path, scores: Sequence[Sequence[str]], labels: Sequence[Sequence[str]], keys: Sequence[str], message: str
) -> None:
    with pytest.raises(ScoreTableError, match=message):
        with_labels(tmp_path, scores, labels, keys)


def test_a_split_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ScoreTableError, match=r"'split' has no row 'val'. Expected one of its values: 'train', 'test'"):
        with_labels(tmp_path, [("1", "0.2"), ("2", "0.7"), ("3", "0.6")], CASES, ["file=image"], split="val")


def test_rows_of_another_length_are_told(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("score,truth,pid\n0.1,0,a\n0.2,1,b,extra\n0.3,1,c\n")
    with pytest.raises(ScoreTableError, match=r"scores\.csv: row 3 is not as long as the header"):
        read(path, given())
