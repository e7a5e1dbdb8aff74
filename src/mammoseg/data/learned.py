"""Which patients a model has learned from, so that nobody takes its scores on them for a test.

A checkpoint holds hashes of their ids with a salt of its own. They tell whoever has an id, or guesses it, whether that patient took
part: whoever passes a checkpoint on trains with pseudonyms (`scan --hash-ids`).
"""

import hashlib
from collections.abc import Iterable
from functools import cached_property
from typing import Annotated, Self

from pydantic import Field

from mammoseg.config import Config

_BYTES = 8
"""Of a hash: among a million patients in training and in the test, one is wrongly known with a probability below 1e-7 each."""


class Patients(Config):
    """The patients of the training images."""

    salt: str = Field(pattern=r"^[ -~]{0,64}$")
    hashes: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")], ...]
    """Sorted."""

    @classmethod
    def of(cls, patient_ids: Iterable[str], salt: str) -> Self:
        """`salt`: at most 64 characters of ASCII."""
        return cls(salt=salt, hashes=tuple(sorted({_hash(patient_id, salt) for patient_id in patient_ids})))

    def knows(self, patient_id: str) -> bool:
        return _hash(patient_id, self.salt) in self._known

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.hashes)


def _hash(patient_id: str, salt: str) -> str:
    return hashlib.blake2b(patient_id.encode(), digest_size=_BYTES, key=salt.encode()).hexdigest()
