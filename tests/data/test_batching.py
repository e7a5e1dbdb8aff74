"""The balanced sampler: which exams, how many, anew in each epoch, the same for the same seed and epoch."""

from collections import Counter
from pathlib import Path

import pytest

from mammoseg.data.batching import BalancedExamSampler, InOrder
from mammoseg.data.manifest import ImageRow
from mammoseg.records.label import CLASSES

Label = int | None


def image(exam: str, number: int, benign: Label, malignant: Label) -> ImageRow:
    labels = {name: v for name, v in zip(CLASSES, (benign, malignant), strict=True) if v is not None}
    return ImageRow("p" + exam, exam, f"{exam}_{number}", "L", "CC", Path("x.png"), labels)


def rows(exams: dict[str, list[tuple[Label, Label]]]) -> list[ImageRow]:
    """Exam -> (benign, malignant) of each image."""
    return [image(exam, number, *labels) for exam, images in exams.items() for number, labels in enumerate(images)]


NORMAL: list[tuple[Label, Label]] = [(0, 0), (0, 0)]
STUDY = rows({"b": [(1, 0), (0, 0)], "m": [(0, 0), (0, 1)], **{f"n{i}": NORMAL for i in range(6)}})


def drawn(sampler: BalancedExamSampler, table: list[ImageRow], epoch: int) -> list[str]:
    """The exam of each image of an epoch."""
    sampler.set_epoch(epoch)
    return [table[index].exam_id for index, _ in sampler]


def test_all_positive_exams_and_as_many_negative_ones() -> None:
    sampler = BalancedExamSampler(STUDY, seed=0)
    for epoch in range(20):
        exams = Counter(drawn(sampler, STUDY, epoch))
        assert exams["b"] == exams["m"] == 2
        assert len(exams) == 4
        assert set(exams.values()) == {2}
        assert sum(exams.values()) == len(sampler)


def test_negative_exams_and_order_are_drawn_anew_each_epoch() -> None:
    sampler = BalancedExamSampler(STUDY, seed=0)
    epochs = [drawn(sampler, STUDY, epoch) for epoch in range(20)]
    assert {exam for exams in epochs for exam in exams} == {row.exam_id for row in STUDY}
    assert len({tuple(exams) for exams in epochs}) == 20


def test_whole_exams_follow_each_other_in_an_order_drawn_anew() -> None:
    """The same images as when they are shuffled, exam by exam, positives among negatives."""
    together, shuffled = (BalancedExamSampler(STUDY, seed=0, whole_exams=whole) for whole in (True, False))
    orders = set()
    for epoch in range(20):
        exams = drawn(together, STUDY, epoch)
        assert Counter(exams) == Counter(drawn(shuffled, STUDY, epoch))
        assert exams[::2] == exams[1::2]
        orders.add(tuple(exams))
    assert len(orders) == 20
    assert len({order.index("b") for order in orders}) == 4


def test_seed_and_epoch_alone_decide() -> None:
    first, second = BalancedExamSampler(STUDY, seed=5), BalancedExamSampler(STUDY, seed=5)
    first.set_epoch(3)
    assert list(first) == list(first)
    list(second)
    second.set_epoch(3)
    assert list(first) == list(second)
    other = BalancedExamSampler(STUDY, seed=6)
    other.set_epoch(3)
    assert list(first) != list(other)


def test_yields_the_epoch_with_each_row() -> None:
    sampler = BalancedExamSampler(STUDY, seed=0)
    sampler.set_epoch(7)
    assert {epoch for _, epoch in sampler} == {7}


def test_images_without_any_known_label_are_left_out() -> None:
    table = rows({"a": [(1, None), (None, None)], "b": [(None, 0), (None, None)], "c": [(None, None)]})
    sampler = BalancedExamSampler(table, seed=0)
    assert sorted(index for index, _ in sampler) == [0, 2]
    assert len(sampler) == 2


def test_no_known_label_at_all() -> None:
    with pytest.raises(
        ValueError, match=r"none of the training images has a known label: the columns of all classes are empty"
    ):
        BalancedExamSampler(rows({"a": [(None, None)]}), seed=0)


def test_without_positives_all_negatives_are_used() -> None:
    table = rows({f"n{i}": NORMAL for i in range(3)})
    assert sorted(index for index, _ in BalancedExamSampler(table, seed=0)) == list(range(6))


def test_without_negatives_all_positives_are_used() -> None:
    table = rows({"a": [(1, 1)] * 3})
    assert sorted(index for index, _ in BalancedExamSampler(table, seed=0)) == [0, 1, 2]


def test_fewer_negatives_than_positives() -> None:
    table = rows({"a": [(1, 0)], "b": [(0, 1)], "n": NORMAL})
    assert sorted(index for index, _ in BalancedExamSampler(table, seed=0)) == [0, 1, 2, 3]


def test_every_epoch_has_as_many_images_whatever_the_size_of_the_exams() -> None:
    """A shorter epoch would end without its validation, and a rate schedule counts on the number of steps."""
    sizes = {f"n{i}": [(0, 0)] * (1 + i % 4) for i in range(12)}
    table = rows({"a": [(1, 0)] * 2, "b": [(0, 1)] * 4, "c": [(0, 1)], **sizes})  # type: ignore[dict-item]
    sampler = BalancedExamSampler(table, seed=0)
    for epoch in range(30):
        sampler.set_epoch(epoch)
        indices = [index for index, _ in sampler]
        assert len(indices) == len(set(indices)) == len(sampler)
        exams = {table[index].exam_id for index in indices}
        assert {"a", "b", "c"} <= exams
        assert 5 <= len(exams) <= 9  # three negative ones on average


def test_in_order() -> None:
    order = InOrder(3)
    assert list(order) == [(0, 0), (1, 0), (2, 0)]
    assert len(order) == 3
