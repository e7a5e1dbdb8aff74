import numpy as np
import pytest

from mammoseg.statistics.clusters import patient_numbers, patient_sums


def test_names_and_numbers_name_the_same_patients() -> None:
    number, count = patient_numbers(["b", "a", "b", "c"], 4)
    assert (number.tolist(), count) == ([1, 0, 1, 2], 3)
    number, count = patient_numbers(np.array([7, 3, 7, 9]), 4)
    assert (number.tolist(), count) == ([1, 0, 1, 2], 3)
    assert patient_numbers([], 0)[1] == 0


def test_one_patient_for_each_case() -> None:
    with pytest.raises(ValueError, match=r"patients of shape \(2,\) for 3 cases"):
        patient_numbers(["a", "b"], 3)


def test_sums_by_patient() -> None:
    number, count = patient_numbers(["b", "a", "b"], 3)
    assert patient_sums(np.array([[1.0, 2.0, 3.0], [0.0, 5.0, 1.0]]), number, count).tolist() == [[2, 4], [5, 1]]
