"""An engine: arrays in, arrays out, by whatever computes them. What it needs to know about images is beside it.

Shapes   B images of a batch | U units, V views of a unit | C image channel | K class | P patches | D boxes | H, W pixels of the
         window | h, w cells of a map
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mammoseg.data.domain import Domain
from mammoseg.data.learned import Patients
from mammoseg.prep.config import PrepConfig
from mammoseg.records.sees import Sees

Array = NDArray[np.float32]


class Inputs(NamedTuple):
    """Prepared windows, as in `nn.contract.Batch`."""

    image_BCHW: Array
    there_UV: NDArray[np.bool_] | None = None
    """Of models of several views: which are there."""
    displaced: Iterable[Array] = ()
    """Further windows (B, C, H, W) of the same images, made when they are asked for."""


class SeenPatches(NamedTuple):
    """`nn.contract.Patches` as arrays."""

    corners_BP2: NDArray[np.int64]
    size_px: int
    y_BPK: Array
    attention_BP: Array | None = None


class SeenBoxes(NamedTuple):
    """`nn.contract.Detections` as arrays."""

    boxes_BKD4: Array
    scores_BKD: Array


class Outputs(NamedTuple):
    """`nn.contract.ModelOutput` as arrays."""

    y_BK: Array
    maps: Mapping[str, Array]
    """Name -> (B, K, h, w); `saliency` is the final one."""
    parts: Mapping[str, Array] = {}
    patches: SeenPatches | None = None
    boxes: SeenBoxes | None = None
    """None: what it points at are the peaks of its final map."""


class Engine(ABC):
    """Computes predictions. Several threads may call it at once."""

    classes: tuple[str, ...]
    """K of all outputs, in this order."""
    prep: PrepConfig
    """How images are to be prepared."""
    sees: Sees = Sees()
    trained_on: Domain | None = None
    """Statistics of the images it was trained on; None: not known."""

    @property
    def learned_from(self) -> tuple[Patients, ...]:
        """The patients that it, or a part of it, was trained on, as far as known."""
        return self.trained_on.patients if self.trained_on else ()

    displaced: int = 0
    """How many `Inputs.displaced` it wants."""
    patches_of: str = ""
    """`Prediction.patches_of`."""

    at_once: int = 1
    """By how many threads it is called at once, best."""

    def enter_thread(self) -> None:  # noqa: B027  # most have nothing to do
        """Called once by each of these threads before the first call."""

    @abstractmethod
    def description(self) -> dict[str, Any]:
        """What decides the predictions, as plain values: `model`, `checkpoint_sha256`, `network`, `prep` and what else there is."""

    @abstractmethod
    def __call__(self, inputs: Inputs) -> Outputs:
        """Everything about a batch."""

    def scores(self, inputs: Inputs) -> Array:
        """`y_BK` alone, which may take less."""
        return self(inputs).y_BK
