"""Who a DICOM object is: the same source, model and settings give the same object, byte by byte, in every export."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import UID

import mammoseg

MANUFACTURER = "mammoseg"
NOTE = "Research use only. Not for diagnosis."
_UUID_BITS = 128


def derived_uid(*parts: object) -> UID:
    """`2.25.` and a number of 128 bits that follows from the parts (PS3.5, B.2)."""
    digest = hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).digest()
    return UID(f"2.25.{int.from_bytes(digest[: _UUID_BITS // 8], 'big')}")


@dataclass(frozen=True)
class Series:
    """The objects of one kind that are made of an exam."""

    kind: str
    """Such as `SEG`."""
    number: int
    uid: UID
    model: str
    """Name of the model, such as `glam`."""
    checkpoint: str
    """SHA-256 of its weights."""
    settings: Mapping[str, Any]
    """Options of the exporter."""
    made: datetime
    """When the images were predicted."""

    @property
    def algorithm(self) -> str:
        """Its name."""
        return f"mammoseg {self.model}"

    @property
    def equipment(self) -> dict[str, Any]:
        """Arguments that all objects of highdicom take."""
        return {
            "series_instance_uid": self.uid,
            "series_number": self.number,
            "manufacturer": MANUFACTURER,
            "manufacturer_model_name": self.algorithm,
            "software_versions": mammoseg.__version__,
            "device_serial_number": self.checkpoint[:16],
        }

    def instance(self, *of: object) -> UID:
        """SOP Instance UID of an object of this series about `of`."""
        return derived_uid(self.uid, *of)


def series_of(
    kind: str, number: int, study: str, exam: str, run: Mapping[str, Any], settings: Mapping[str, Any], made: datetime
) -> Series:
    """`run`: what run.json says of the model."""
    model, checkpoint = str(run.get("model", "model")), str(run.get("checkpoint_sha256", ""))
    decisive = {name: value for name, value in run.items() if name != "mammoseg"}
    uid = derived_uid(
        *("mammoseg", mammoseg.__version__, kind, study, exam, made.isoformat()),
        json.dumps([decisive, dict(settings)], sort_keys=True),
    )
    return Series(kind, number, uid, model, checkpoint, settings, made)


_DATES = ("ContentDate", "SeriesDate", "InstanceCreationDate", "PresentationCreationDate", "DateOfSecondaryCapture")
_TIMES = ("ContentTime", "SeriesTime", "InstanceCreationTime", "PresentationCreationTime", "TimeOfSecondaryCapture")
_MADE_UP = "1.2.826.0.1.3680043.10.511.3."
"""With this, UIDs begin that highdicom makes up."""


def settle(dataset: Dataset, series: Series, source: Dataset) -> None:
    """Give an object the time and the UIDs of its series in the place of those of the moment, and say what it is."""
    for keywords, form in ((_DATES, "%Y%m%d"), (_TIMES, "%H%M%S")):
        for keyword in keywords:
            if keyword in dataset:
                setattr(dataset, keyword, series.made.strftime(form))
    for equipment in dataset.get("ContributingEquipmentSequence", ()):
        if "ContributionDateTime" in equipment:
            del equipment.ContributionDateTime
    dataset.SeriesDescription = f"{NOTE} {series.kind} of {series.algorithm}"[:64]
    known = _uids(source)
    made: dict[str, UID] = {}

    def renamed(_: Dataset, element: DataElement) -> None:
        value = str(element.value)
        if element.VR == "UI" and value.startswith(_MADE_UP) and value not in known:
            element.value = made.setdefault(value, series.instance(dataset.SOPInstanceUID, len(made)))

    dataset.walk(renamed)


def _uids(source: Dataset) -> set[str]:
    return {str(element.value) for element in source.iterall() if element.VR == "UI"}
