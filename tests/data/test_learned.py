"""Whether a model has learned from a patient."""

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


def test_none_at_all() -> None:
    assert not Patients.of([], "").knows("007")
