"""What objects say of the model that made them."""

import highdicom as hd
from pydicom.sr.codedict import codes

import mammoseg
from mammoseg.dicom_results.identity import MANUFACTURER, NOTE, Series, derived_uid


def algorithm_version(series: Series) -> str:
    """Of the software, and which weights."""
    return f"{mammoseg.__version__}, weights {series.checkpoint[:16]}"


def algorithm_parameters(series: Series) -> list[str]:
    return [NOTE, *(f"{name}: {value}" for name, value in series.settings.items())]


def algorithm(series: Series) -> hd.AlgorithmIdentificationSequence:
    """For images."""
    return hd.AlgorithmIdentificationSequence(
        name=series.algorithm,
        family=codes.DCM.ArtificialIntelligence,
        version=algorithm_version(series),
        source=MANUFACTURER,
        parameters={name: str(value) for name, value in series.settings.items()},
    )


def algorithm_of_report(series: Series) -> hd.sr.AlgorithmIdentification:
    """For structured reports (TID 4019)."""
    return hd.sr.AlgorithmIdentification(series.algorithm, algorithm_version(series), algorithm_parameters(series))


def observer(series: Series) -> hd.sr.ObservationContext:
    """The software, not a person (TID 1002, 1004)."""
    device = hd.sr.DeviceObserverIdentifyingAttributes(
        uid=derived_uid(MANUFACTURER, series.checkpoint),
        name=MANUFACTURER,
        manufacturer_name=MANUFACTURER,
        model_name=series.algorithm,
        serial_number=series.checkpoint[:16],
    )
    return hd.sr.ObservationContext(
        observer_device_context=hd.sr.ObserverContext(
            observer_type=codes.DCM.Device, observer_identifying_attributes=device
        )
    )
