"""What training and inference know about a model: its output, and the stages in which it learns.

Shapes   B batch | C image channel | K class (0 benign, 1 malignant) | P patches | H, W model pixels | h, w cells of a map
Units    y and maps are probabilities in [0, 1]; labels are 0, 1 or NaN (unknown)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import Any, NamedTuple, Protocol

from torch import Tensor, nn


class Batch(NamedTuple):
    """Images of several exams, prepared."""

    image_BCHW: Tensor
    """Prepared windows, float32: channel 0 is the mammogram; the heatmaps of models that see them follow."""
    label_BK: Tensor
    """0, 1 or NaN."""
    corners_BP2: Tensor | None = None
    """Patches chosen by an earlier stage, as (row, column) of their upper left pixel."""


class Classifier(Protocol):
    """What a model has beside its parameters and its forward pass."""

    @property
    def classes(self) -> tuple[str, ...]:
        """What it predicts: `CLASSES` of records/label.py or a part of them, in that order. K of every output and label."""

    @property
    def image_channels(self) -> int:
        """C of the windows: 1, or 3 if it wants heatmaps of both classes behind the mammogram."""

    def predict(self, image_BCHW: Tensor) -> Tensor:
        """y_BK of the forward pass, without what only maps and figures need."""


class ModelOutput(Protocol):
    """What inference reads off any model."""

    @property
    def y_BK(self) -> Tensor:
        """The prediction."""

    @property
    def maps(self) -> Mapping[str, Tensor]:
        """Name -> (B, K, h, w) map covering the window; `saliency` is the final one."""

    @property
    def parts(self) -> Mapping[str, Tensor]:
        """Name -> (B, K) prediction of a part of the model."""

    @property
    def corners_BP2(self) -> Tensor | None:
        """Patches the model looked at."""

    @property
    def y_patch_BPK(self) -> Tensor | None:
        """Prediction from each patch."""

    @property
    def attention_BP(self) -> Tensor | None:
        """Weights of the patches, if the model weighs them."""


class StepOutput(NamedTuple):
    """One training or validation step of a stage."""

    losses: Mapping[str, Tensor]
    """Named terms; their sum is minimised."""
    y_BK: Tensor
    """The prediction this stage is judged by."""
    saliency_BKhw: Tensor
    """The map this stage is judged by."""


@dataclass(frozen=True)
class Stage:
    """One step of a training plan."""

    name: str
    trains: tuple[str, ...]
    """Shell patterns over parameter names; everything else is frozen, batch-norm statistics included."""
    step: Callable[[Any, Batch, bool], StepOutput]
    """(model, batch, training) -> losses and what the stage is judged by."""
    extracts: Callable[[Any, Tensor], Tensor] | None = field(default=None)
    """(model, images) -> patch corners (B, P, 2). If given, the frozen model first chooses patches for every image, and the
    batches of this stage carry them."""

    def trained_parameters(self, model: nn.Module) -> list[str]:
        """Names of the parameters this stage trains. Raises ValueError for a pattern that fits none."""
        names = [name for name, _ in model.named_parameters()]
        for pattern in self.trains:
            if not any(fnmatch(name, pattern) for name in names):
                raise ValueError(f"stage {self.name!r}: no parameter of {type(model).__name__} fits {pattern!r}")
        return [name for name in names if any(fnmatch(name, pattern) for pattern in self.trains)]
