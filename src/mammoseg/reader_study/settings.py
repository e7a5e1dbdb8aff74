"""What is asked of a reader study."""

from dataclasses import dataclass
from typing import Literal

Covariance = Literal["jackknife", "delong", "bootstrap"]
"""How the covariance over cases is estimated."""


@dataclass(frozen=True)
class Settings:
    """All of it has a default that any study allows."""

    recall_at: float | None = None
    """A reader recalls what the own score is this or more; None: not known."""
    sensitivities: tuple[float, ...] = ()
    """Where specificities are compared; none given: at the readers' mean sensitivity, if `recall_at` says what it is."""
    reader_scale: float | None = 1.0
    """Score of a reader that means certainty: 1 for probabilities, 100 for percent; None: scores are no probabilities (BI-RADS)."""
    covariance: Covariance = "jackknife"
    bootstrap: int = 1000
    """Replicates of the intervals of single readers and models."""
    seed: int = 0
