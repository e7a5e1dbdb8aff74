"""Start from weights in the place of random ones: those of a checkpoint, of this software or imported, and for trunks those of
ImageNet; and what of all weights stays as it is.

Source   A model that is trained on from one hospital's weights at another one keeps what it has learned (GMIC abroad: AUC 0.76 as
         it is, 0.82 after transfer).
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from mammoseg.config import Config, parse
from mammoseg.data.domain import Domain
from mammoseg.data.learned import Patients
from mammoseg.models import build_model, network_of
from mammoseg.nn.checkpoint import Checkpoint, CheckpointError, open_checkpoint
from mammoseg.nn.contract import NetworkConfig
from mammoseg.published.imagenet import ImageNetFile
from mammoseg.wording import LINES, listed

logger = logging.getLogger(__name__)


class InitConfig(Config):
    """Where the first weights come from."""

    checkpoint: str
    """Folder of a run or a checkpoint."""
    parts: tuple[str, ...] = Field(("*",), min_length=1)
    """Shell patterns over the names of tensors that are taken; the others start from random values."""
    train: Literal["all", "batch_norm", "frozen"] = "all"
    """What is trained of the tensors that are taken: all, only those of batch norms, or none."""


@dataclass(frozen=True)
class PretrainedTrunk:
    """ImageNet weights and the part of the network whose trunk gets them."""

    part: str
    weights: ImageNetFile

    def fill(self, model: nn.Module) -> None:
        """Raises CheckpointError if they do not fit."""
        self.weights.fill(model.get_submodule("trunk" if self.part == "trunk" else f"{self.part}.trunk"), self.part)
        logger.info("pretrained.%s: the trunk starts from %s", self.part, self.weights.path)


def pretrained_trunks(given: Mapping[str, str | None], model: nn.Module) -> list[PretrainedTrunk]:
    """Raises CheckpointError for a file that cannot be read, and for a part that the model does not have."""
    parts = [name.removesuffix(".trunk") for name, _ in model.named_modules() if f".{name}".endswith(".trunk")]
    if unknown := sorted(set(given) - set(parts)):
        raise CheckpointError(
            f"pretrained.{unknown[0]}: {type(model).__name__} has no such part with a trunk. Expected "
            f"{' or '.join(parts) or 'nothing: it has none'}. Correct the name."
        )
    return [PretrainedTrunk(part, ImageNetFile(place)) for part, place in given.items() if place is not None]


def _frozen_parameters(model: nn.Module, patterns: Sequence[str]) -> frozenset[str]:
    """The parameters that one of the shell patterns fits. Raises CheckpointError for a pattern that fits none."""
    names = [name for name, _ in model.named_parameters()]
    for pattern in patterns:
        if not any(fnmatch(name, pattern) for name in names):
            raise CheckpointError(
                f"frozen: no parameter of {type(model).__name__} fits {pattern!r}. Expected "
                f"{f'names such as {names[0]}, or patterns over them' if names else 'nothing: it has none'}. Correct the pattern."
            )
    return frozenset(name for name in names if any(fnmatch(name, pattern) for pattern in patterns))


def _patients(checkpoint: Checkpoint) -> tuple[Patients, ...]:
    known = checkpoint.trained_on
    return parse(Domain, known, str(checkpoint.folder)).patients if known else ()


class Start:
    """The checkpoint that a run starts from."""

    def __init__(self, init: InitConfig, model_name: str, network: NetworkConfig) -> None:
        """Raises CheckpointError for a folder that is no checkpoint, or one of another model."""
        self._init, self._name, self._network = init, model_name, network
        self.checkpoint: Checkpoint = open_checkpoint(Path(init.checkpoint))
        if self.checkpoint.model != model_name:
            raise CheckpointError(
                f"{init.checkpoint}: is of the model {self.checkpoint.model}. Expected one of {model_name}, which is to be "
                "trained. Give another checkpoint, or a recipe of that model."
            )
        self.frozen: frozenset[str] = frozenset()
        """Parameters that no stage trains."""
        self.patients = _patients(self.checkpoint)
        """Whose images its weights have learned from, as far as it knows."""
        self.record: dict[str, Any] = {}
        """What has been taken, for the checkpoints of the run."""

    def fill(self, model: nn.Module) -> None:
        """Give `model` the weights, and say which.

        Of a checkpoint with other classes, the tensors whose shape follows from the classes stay as they are. Raises
        CheckpointError for tensors that do not fit otherwise, and if there is nothing to take.
        """
        own, theirs = model.state_dict(), self.checkpoint.read_weights()
        wanted = [name for name in own if any(fnmatch(name, part) for part in self._init.parts)]
        of_classes = self._of_classes() if self._other_classes() else set()
        taken = [name for name in wanted if name not in of_classes]
        if problems := [
            f"missing {name}"
            if name not in theirs
            else f"{name} is {tuple(theirs[name].shape)}, here {tuple(own[name].shape)}"
            for name in taken
            if name not in theirs or theirs[name].shape != own[name].shape
        ]:
            raise CheckpointError(
                f"{self._init.checkpoint}: these tensors do not fit the network that is to be trained:\n  "
                f"{listed(problems, 8, LINES)}\nExpected the same layers. Give the network the settings of the checkpoint, or take "
                "only what fits: --set 'init.parts=[PATTERN, ...]'."
            )
        if not taken:
            raise CheckpointError(
                f"{self._init.checkpoint}: nothing is taken: no tensor fits {', '.join(self._init.parts)}, or all are "
                f"about other classes. Expected {f'names such as {next(iter(own))}' if own else 'no start: it has none'}. Correct "
                "init.parts, or leave --init out."
            )
        model.load_state_dict({**own, **{name: theirs[name] for name in taken}})
        fresh = [name for name in own if name not in taken]
        self.frozen = self._kept(model, set(taken))
        self.record = {
            "checkpoint_sha256": self.checkpoint.sha256,
            "taken": len(taken),
            "fresh": fresh,
            "frozen": len(self.frozen),
        }
        logger.info(
            "Started from %s: %d of %d tensors are taken, %d of them stay as they are%s",
            *(self._init.checkpoint, len(taken), len(own), len(self.frozen)),
            f"; the others stay as they were: {listed(fresh, 4)}" if fresh else "",
        )

    def _other_classes(self) -> bool:
        theirs = network_of(self._name, self.checkpoint.network, self._init.checkpoint)
        return theirs.classes != self._network.classes

    def _of_classes(self) -> set[str]:
        """The tensors that have another shape in a network of one more class."""
        more = self._network.model_copy(update={"classes": (*self._network.classes, "one_more_class")})
        shapes = [
            {name: value.shape for name, value in build_model(self._name, network, values=False).state_dict().items()}
            for network in (self._network, more)
        ]
        return {name for name, shape in shapes[0].items() if shapes[1][name] != shape}

    def _kept(self, model: nn.Module, taken: set[str]) -> frozenset[str]:
        parameters = {name for name, _ in model.named_parameters()} & taken
        if self._init.train == "all":
            return frozenset()
        norms = {
            f"{place}.{name}"
            for place, module in model.named_modules()
            if isinstance(module, _BatchNorm)
            for name, _ in module.named_parameters(recurse=False)
        }
        return frozenset(parameters - norms if self._init.train == "batch_norm" else parameters)


def fill_start(
    model: nn.Module,
    start: Start | None,
    pretrained: Sequence[PretrainedTrunk],
    frozen: Sequence[str],
    *,
    keeps: Sequence[str] = (),
) -> frozenset[str]:
    """Give `model` the weights of both, and return the parameters that no stage trains: of `start`, and by the patterns `frozen`.

    What the model itself never trains, `keeps`, has random weights if there is neither, and a score of it looks like any other:
    a warning tells. Raises CheckpointError for weights that do not fit, and for a pattern that fits no parameter.
    """
    for trunk in pretrained:
        trunk.fill(model)
    if start is not None:
        start.fill(model)
    if keeps and not pretrained and start is None:
        logger.warning(
            "%s never trains %s, which has random weights. Expected weights to start from. Give them with pretrained or --init",
            *(type(model).__name__, " and ".join(keeps)),
        )
    return _frozen_parameters(model, frozen) | (start.frozen if start else frozenset())


def start_hashes(start: Start | None, pretrained: Sequence[PretrainedTrunk]) -> dict[str, Any]:
    """What was in the files that a run starts from."""
    return {
        "init": start.checkpoint.sha256 if start else None,
        "pretrained": {trunk.part: trunk.weights.sha256 for trunk in pretrained},
    }
