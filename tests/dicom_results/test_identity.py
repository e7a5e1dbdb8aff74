"""The same source, model and settings are the same object."""

from datetime import datetime

import pytest
from pydicom.dataset import Dataset

from mammoseg.dicom_results.identity import Series, derived_uid, series_of, settle

NOW = datetime(2024, 3, 5, 10, 11, 12)
RUN = {"mammoseg": "1", "model": "glam", "checkpoint_sha256": "ab" * 32, "prep": {"window": [2, 3]}}


def series(**more: object) -> Series:
    given = {"kind": "SEG", "number": 1, "study": "1.2", "exam": "e", "run": RUN, "settings": {"threshold": 0.5}}
    return series_of(**{**given, **more}, made=NOW)  # type: ignore[arg-type]


def test_uids_are_valid_and_follow_from_their_parts() -> None:
    uid = derived_uid("a", 1)
    assert uid.is_valid
    assert uid == derived_uid("a", "1")
    assert len({uid, derived_uid("a1"), derived_uid("a", 2), derived_uid(1, "a")}) == 4


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "SR"},
        {"study": "1.3"},
        {"exam": "f"},
        {"settings": {"threshold": 0.4}},
        {"run": RUN | {"checkpoint_sha256": "cd" * 32}},
        {"run": RUN | {"prep": {"window": [2, 4]}}},
    ],
)
def test_what_decides_the_content_decides_the_series(change: dict[str, object]) -> None:
    assert series().uid == series().uid
    assert series().uid != series(**change).uid


def test_times_and_made_up_uids_become_those_of_the_series_and_those_of_the_source_stay() -> None:
    made_up, source = "1.2.826.0.1.3680043.10.511.3.77", Dataset()
    source.FrameOfReferenceUID = made_up + ".1"
    dataset = Dataset()
    dataset.SOPInstanceUID = "2.25.1"
    dataset.ContentDate, dataset.ContentTime, dataset.StudyDate = "20300101", "000000", "20240101"
    dataset.FrameOfReferenceUID = made_up + ".1"
    item = Dataset()
    item.DimensionOrganizationUID = made_up
    dataset.DimensionOrganizationSequence = [item]
    settle(dataset, series(), source)
    assert (dataset.ContentDate, dataset.ContentTime, dataset.StudyDate) == ("20240305", "101112", "20240101")
    assert dataset.FrameOfReferenceUID == made_up + ".1"
    assert item.DimensionOrganizationUID == series().instance("2.25.1", 0)
