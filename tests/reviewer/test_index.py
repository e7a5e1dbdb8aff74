"""The index follows a folder: what is new, changed, gone, damaged; and reads nothing twice."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from mammoseg.report.exams import exams_of
from mammoseg.reviewer import index as module
from mammoseg.reviewer.index import ExamIndex, Wanted
from mammoseg.reviewer.store import VerdictStore
from mammoseg.reviewer.verdict import Posted


@pytest.fixture
def index_of(study: Any, tmp_path: Path) -> Callable[..., ExamIndex]:
    """`index_of(order)`: the index of the study, brought up to date."""

    def make(order: Sequence[str] | None = None) -> ExamIndex:
        store = VerdictStore(tmp_path / "verdicts.sqlite")
        index = ExamIndex(tmp_path / "index.sqlite", study.folder, store.path, order)
        index.refresh()
        return index

    return make


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The records that were read."""
    ids: list[str] = []
    before = module.read_record
    monkeypatch.setattr(
        module, "read_record", lambda folder, image_id: (ids.append(image_id), before(folder, image_id))[1]
    )
    return ids


def names(index: ExamIndex, wanted: Wanted | None = None, reader: str = "") -> list[str]:
    return [exam["exam_id"] for exam in index.listed(reader, wanted or Wanted())[0]]


def test_scores_are_those_of_the_report(study: Any, index_of: Callable[..., ExamIndex], tmp_path: Path) -> None:
    exams, _ = exams_of(study.predictions(tmp_path))
    listed, n = index_of().listed("", Wanted())
    assert n == 2
    assert {exam["exam_id"]: exam["scores"] for exam in listed} == {exam.exam_id: exam.scores for exam in exams}
    assert [exam["images"] for exam in listed] == [4, 4]


def test_only_what_has_changed_is_read(study: Any, index_of: Callable[..., ExamIndex], read: list[str]) -> None:
    index = index_of()
    assert len(read) == 8
    study.add("a_L-CC", "L", "CC", "e1", "NAME^OF", malignant=0.95)
    study.add("c", "L", "CC", "e3", "p3")
    read.clear()
    index.refresh()
    assert sorted(read) == ["a_L-CC", "c"]
    assert names(index) == ["e1", "e2", "e3"]
    assert index.listed("", Wanted(by="malignant"))[0][0]["scores"]["malignant"] == pytest.approx((0.95 + 0.8765) / 2)
    read.clear()
    index.refresh()
    index_of()
    assert read == [], "also after a restart"


def test_what_is_gone_or_damaged_goes(study: Any, index_of: Callable[..., ExamIndex]) -> None:
    index = index_of()
    key = index.listed("", Wanted(text="e2"))[0][0]["key"]
    for record in (study.folder / "records").glob("b_*"):
        record.unlink()
    (study.folder / "records" / "a_R-CC.json").write_text("{")
    assert index.refresh() == {key}
    assert names(index) == ["e1"]
    assert index.unread_images() == 1
    assert index.find(key) is None
    (study.folder / "records").rename(study.folder / "elsewhere")
    index.refresh()
    assert names(index) == []


def test_an_image_that_moves_to_another_exam(study: Any, index_of: Callable[..., ExamIndex]) -> None:
    index = index_of()
    study.add("a_L-CC", "L", "CC", "e9", "p9")
    index.refresh()
    assert [exam["images"] for exam in index.listed("", Wanted())[0]] == [3, 4, 1]


def test_the_order_is_that_of_the_work_list(index_of: Callable[..., ExamIndex]) -> None:
    assert names(index_of(["e2", "e1", "e2", "none"])) == ["e2", "e1"]
    assert names(index_of(["e1"])) == ["e1"]
    assert names(index_of()) == ["e1", "e2"]


def test_what_is_wanted_of_the_list(
    index_of: Callable[..., ExamIndex], verdict: Callable[..., Any], tmp_path: Path
) -> None:
    index = index_of()
    key = index.listed("", Wanted())[0][1]["key"]
    VerdictStore(tmp_path / "verdicts.sqlite").add(key, "e2", Posted(**verdict("AB")), "ab", blinded=False)
    assert names(index, Wanted(done=True), "AB") == ["e2"]
    assert names(index, Wanted(done=False), "AB") == ["e1"]
    assert names(index, Wanted(done=True), "CD") == []
    assert names(index, Wanted(text="E2%")) == []
    assert names(index, Wanted(text="E2")) == ["e2"]
    assert names(index, Wanted(by="malignant")) == ["e1", "e2"]
    assert names(index, Wanted(by='no such "class')) == ["e1", "e2"]
    assert names(index, Wanted(start=1)) == ["e2"]
    assert (index.progress("AB"), index.progress("CD")) == ((1, 2), (0, 2))


def test_an_index_of_another_folder_or_a_damaged_one_is_made_anew(
    index_of: Callable[..., ExamIndex], tmp_path: Path
) -> None:
    index_of()
    (tmp_path / "index.sqlite").write_bytes(b"no database" * 100)
    assert names(index_of()) == ["e1", "e2"]
    other = ExamIndex(tmp_path / "index.sqlite", tmp_path / "other", tmp_path / "verdicts.sqlite", None)
    assert names(other) == []
