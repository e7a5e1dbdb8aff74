"""Whether a model has learned from a patient."""

import pytest

from mammoseg.data.learned import Patients


def test_knows_its_patients_and_no_others() -> None:
    known = Patients.of(["007", "8", "8", "Patient ä"], "a run")
    assert len(known.hashes) == 3
    assert [known.knows(one) for one in ("007", "8", "Patient ä")] == [True] * 3
    assert [known.knows(one) for one in ("7", "008", "", "patient ä")] == [False] * 4


def test_says_nothing_without_an_id() -> None:
    """Neither the ids, nor whether two models have patients in common."""
    one, other = Patients.of(["007"], "one run"), Patients.of(["007"], "another run")
    assert "007" not in one.model_dump_json()
    assert one.hashes != other.hashes
    assert Patients.model_validate_json(one.model_dump_json()).knows("007")


@pytest.mark.parametrize("values", [{"salt": "é" * 40, "hashes": ()}, {"salt": "a", "hashes": ("short",)}])
def test_what_no_training_has_written_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="pattern"):
        Patients.model_validate(values)


def test_none_at_all() -> None:
    assert not Patients.of([], "").knows("007")
