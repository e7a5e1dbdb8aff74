"""What can be wrong with a DICOM file."""

from collections.abc import Iterator
from contextlib import contextmanager

from mammoseg.io.errors import ImageReadError


class DicomReadError(ImageReadError):
    """A DICOM file that cannot be read or used, with the reason; the message holds no patient data."""


@contextmanager
def damage(what: str) -> Iterator[None]:
    """Gives everything that pydicom and the decoders raise on damaged files, panics of Rust too, one kind."""
    try:
        yield
    except (DicomReadError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        reasons: dict[type[BaseException], str] = {
            RecursionError: "nested too deep",
            MemoryError: "it takes more memory than there is",
        }
        reason = reasons.get(type(error), type(error).__name__)
        raise DicomReadError(f"{what} ({reason}). Expected a whole DICOM image. Copy or export it again.") from None
