"""What training and inference know about a model, and all that a model brings.

A plug-in of the kind "model" is a module that defines

    Config     its network: a `NetworkConfig`, which a checkpoint stores
    build      a `Config` -> a `Network`
    LEARNING   one `Learning`: what it sees, what it learns from, and in which stages
    TINY       a `Config` that is quick on a window of 96 x 64 pixels, for tests and checks
    NEEDS      if it takes a package that mammoseg does not come with: (its name, our extra that brings it)

Shapes   B images of a batch | U units, V views of a unit | C image channel | K class | P patches | D boxes | H, W model pixels |
         h, w cells of a map
Units    y and maps are probabilities in [0, 1]; labels are 0, 1 or NaN (unknown)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator
from torch import Tensor, nn

from mammoseg.config import Config
from mammoseg.records.finding import Box
from mammoseg.records.label import CLASSES
from mammoseg.records.sees import Sees

Target = Literal["labels", "masks", "boxes"]
Criterion = Literal["dice", "auc", "loss"]


class NetworkConfig(Config):
    """Base of the configurations of networks: what decides a prediction, and nothing else."""

    retired: ClassVar[Mapping[str, Any]] = {}
    """Fields that earlier versions had, with the only value that a checkpoint may still give them; `...`: any value."""

    classes: tuple[str, ...] = CLASSES
    """What is predicted, under names of columns of the manifest. K of every output and label, in this order."""

    @field_validator("classes")
    @classmethod
    def _names(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        if not classes or len(set(classes)) < len(classes) or not all(name.isidentifier() for name in classes):
            raise ValueError(f"classes are names such as {' and '.join(CLASSES)}, at least one, each once")
        return classes


class Network(nn.Module):
    """Base of what `build` returns. Its forward pass takes windows (B, C, H, W), and with `Sees.views` the mask `there_UV`."""

    def predict(self, image_BCHW: Tensor, *there: Tensor) -> Tensor:
        """y_BK of the forward pass; a model that needs less for it than for its maps says how."""
        y_BK: Tensor = self(image_BCHW, *there).y_BK
        return y_BK


class Batch(NamedTuple):
    """Prepared images. Of a model of V views B = U x V, unit by unit in the order of `Sees.views`; a view that is not there is
    black, and unknown in every other field. Windows of several sizes (`Sees.windows`) lie in the upper left corner."""

    image_BCHW: Tensor
    """Windows, float32: channel 0 is the mammogram; the heatmaps of models that see them follow."""
    label_BK: Tensor
    """0, 1 or NaN, of the model's own classes."""
    corners_BP2: Tensor | None = None
    """Patches chosen by an earlier stage, as (row, column) of their upper left pixel."""
    there_UV: Tensor | None = None
    """Which views are there, of models of several views."""
    mask_BKHW: Tensor | None = None
    """Lesions in the pixels of the window: 0, 1 or NaN; of models that learn from masks."""
    outline_BKHW: Tensor | None = None
    """Lesions as an earlier stage has outlined them, in the pixels of the window: 0, 1 or NaN."""
    boxes: tuple[Mapping[str, tuple[Box, ...]], ...] | None = None
    """For each image class -> boxes in pixels of the window; not there: unknown. Of models that learn from boxes."""
    features: Tensor | None = None
    """(B, ...), what a frozen part of the model says of the undisplaced windows; of stages for which it is computed once."""
    progress: float = 1.0
    """Share of the steps of its stage that training has done."""


class Patches(NamedTuple):
    """Squares that a model looked at closely."""

    corners_BP2: Tensor
    """(row, column) of the upper left pixel."""
    size_px: int
    """Their side."""
    y_BPK: Tensor
    """Prediction from each patch."""
    attention_BP: Tensor | None = None
    """Their weights, if the model weighs them."""


class Detections(NamedTuple):
    """Boxes that a model gives itself, D of each class, the highest scores first."""

    boxes_BKD4: Tensor
    """(top, left, bottom, right) in pixels of the window."""
    scores_BKD: Tensor
    """In [0, 1]; 0: there is no further one."""


class ModelOutput(Protocol):
    """What inference reads off the forward pass of any model; `Output` is enough for one that says nothing more.

    One that also has `detections`, and not None, gives boxes that are its findings; else they are the peaks of its final map.
    """

    @property
    def y_BK(self) -> Tensor:
        """The prediction."""

    @property
    def maps(self) -> Mapping[str, Tensor]:
        """Name -> (B, K, h, w) map covering the window of each image; `saliency` is the final one."""

    @property
    def parts(self) -> Mapping[str, Tensor]:
        """Name -> (B, K) prediction of a part of the model; NaN where it has nothing to say, since a view is not there."""

    @property
    def patches(self) -> Patches | None:
        """None: the model does not look at patches."""


class Output(NamedTuple):
    """A `ModelOutput`."""

    y_BK: Tensor
    maps: Mapping[str, Tensor]
    parts: Mapping[str, Tensor] = {}
    patches: Patches | None = None
    detections: Detections | None = None


class StepOutput(NamedTuple):
    """One training or validation step of a stage."""

    losses: Mapping[str, Tensor]
    """Named terms; their sum is minimised."""
    y_BK: Tensor
    """The prediction this stage is judged by."""
    saliency_BKhw: Tensor
    """The map this stage is judged by."""
    parts: Mapping[str, Tensor] = {}
    """Name -> (B, K) prediction of a part of the model, for the curves."""


@dataclass(frozen=True)
class Stage:
    """One step of a training plan."""

    name: str
    trains: tuple[str, ...]
    """Shell patterns over parameter names; everything else is frozen, batch-norm statistics included."""
    step: Callable[[Any, Batch, Any, bool], StepOutput]
    """(model, batch, objective, training) -> losses and what the stage is judged by."""
    extracts: Callable[[Any, Tensor, Any], tuple[Tensor, int]] | None = None
    """(model, images, objective) -> corners (B, P, 2) and the side of patches. If given, the frozen model first chooses
    patches for every image, and the batches of this stage carry their corners."""
    outlines: Callable[[Any, Tensor, Tensor, Any], list[list[NDArray[np.float64] | None]]] | None = None
    """(model, images, labels, objective) -> for each image and class the outline of a lesion, corners (N, 2) as (row, column) in
    pixels of the window, or None. If given, the frozen model first outlines the lesions of every image, and the batches of this
    stage carry them as masks."""
    precomputes: Callable[[Any, Tensor], Tensor] | None = None
    """(model, images) -> (B, ...), what the part of the model that this stage does not train says of them. If given, it is computed
    once for every image, its windows are not displaced, and the batches of this stage carry it as features."""
    wanted: Callable[[Any], bool] = lambda config: True
    """`Config` of a network -> whether it has this stage."""
    leaves: Callable[[Any], Any] = lambda config: config
    """`Config` of a network -> that with which its checkpoint after this stage predicts: by the parts that have learned by then."""
    judged_by: tuple[Criterion, ...] = ("dice", "auc", "loss")
    """What may choose its best epoch; the first that the validation images allow."""

    def trained_parameters(self, model: nn.Module) -> list[str]:
        """Names of the parameters this stage trains. Raises ValueError for a pattern that fits none."""
        names = [name for name, _ in model.named_parameters()]
        for pattern in self.trains:
            if not any(fnmatch(name, pattern) for name in names):
                raise ValueError(f"stage {self.name!r}: no parameter of {type(model).__name__} fits {pattern!r}")
        return [name for name in names if any(fnmatch(name, pattern) for pattern in self.trains)]


class NoObjective(Config):
    """Nothing to choose."""


@dataclass(frozen=True)
class Learning:
    """What a model sees, what it learns from, and how."""

    stages: tuple[Stage, ...]
    """The training plan, each stage from the best epoch of the one before. None: of a model that learns nothing; its training run
    prepares the images and leaves a checkpoint with the settings."""
    keeps: tuple[str, ...] = ()
    """Shell patterns over names of parameters that no stage trains: they stay as a run starts with them, as ImageNet weights."""
    objective: type[Config] = NoObjective
    """What only training needs: weights of losses, patches in training. A run has it as `TrainConfig.objective`."""
    sees: Callable[[Any], Sees] = lambda config: Sees()
    """`Config` -> what the network looks at."""
    learns_from: tuple[Target, ...] = ("labels",)
    """What the batches of training carry."""
    collate: Callable[[Sequence[Any]], Batch] | None = None
    """Samples (data/dataset.py) -> batch; None: the usual one."""
    misfit: Callable[[Any, Any, tuple[int, int]], str | None] = lambda config, objective, window: None
    """(`Config`, objective or None, (rows, columns) of a window) -> why they do not fit together, if they do not. That windows are
    those of `Sees.windows` is checked for all models."""

    def stages_of(self, config: NetworkConfig) -> tuple[Stage, ...]:
        """The stages of one network."""
        return tuple(stage for stage in self.stages if stage.wanted(config))
