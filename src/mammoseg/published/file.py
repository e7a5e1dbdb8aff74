"""How a published weight file relates to one of our models: which tensor is which, and which are not used.

A model folder lists the files it can take over in its `published.py` as `PUBLISHED`; nothing else has to know them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import Any

import torch
from torch import Tensor

from mammoseg.nn.contract import NetworkConfig

Renaming = tuple[str, str | Callable[[re.Match[str]], str]]
"""Regular expression over our names -> what stands there in the published name."""

RESNET: tuple[Renaming, ...] = ((r"\.groups\.(\d+)", lambda match: f".layer{int(match[1]) + 1}"),)
"""Groups of a ResNet as the usual ImageNet weights call them."""
SHORTCUTS: tuple[Renaming, ...] = ((r"\.shortcut\.weight", ".downsample.0.weight"), (r"\.shortcut", ".downsample"))
_COUNT = "num_batches_tracked"
"""Of a batch norm. Older files do not have them, and no prediction needs them."""


@dataclass(frozen=True)
class TensorNames:
    """How the tensors of a file are called."""

    renamings: tuple[Renaming, ...]
    """Applied one after the other to our name of a tensor, they give the published one."""
    unused: tuple[str, ...]
    """Shell patterns of tensors that may be in the file and that no forward pass uses."""
    copies: tuple[Renaming, ...] = field(default=(), kw_only=True)
    """Regular expression over the published name of a tensor that is there once more -> what stands there in the first name."""
    first_rows: tuple[str, ...] = field(default=(), kw_only=True)
    """Shell patterns of tensors of which only the first rows are used."""

    def published_name(self, ours: str) -> str:
        for pattern, replacement in self.renamings:
            ours = re.sub(pattern, replacement, ours)
        return ours

    def original_of(self, name: str) -> str:
        """The first name of a tensor that is there once more; of any other its own."""
        for pattern, replacement in self.copies:
            name = re.sub(pattern, replacement, name)
        return name

    def is_longer(self, name: str, value: Tensor, ours: Tensor) -> bool:
        """Whether only the first rows of a published tensor are used, and they have the shape of ours."""
        of_rows = any(fnmatch(name, pattern) for pattern in self.first_rows) and value.ndim == ours.ndim
        return of_rows and value.shape[1:] == ours.shape[1:] and len(value) > len(ours)

    def is_unused(self, name: str) -> bool:
        return any(fnmatch(name, pattern) for pattern in self.unused)


@dataclass(frozen=True)
class PublishedFile(TensorNames):
    """One kind of published weight file."""

    title: str
    """What it is, in a message."""
    config: NetworkConfig
    """The network these weights are for."""
    licence: str
    """Under which terms the weights are given, and where from."""
    prep: Mapping[str, Any] = field(default_factory=dict)
    """Preparation settings that differ from the published NYU pipeline."""
    settings: Callable[[str], Sequence[str]] | None = None
    """File name without ending -> settings (`a.b=value`) that are not in the file but follow from its name, if any do."""
    must_set: str | None = None
    """A setting that has to come from `settings` or from the user."""


@dataclass(frozen=True)
class Fit:
    """How well the tensors of a file fit a network."""

    found: Mapping[str, Tensor]
    """Our name -> tensor."""
    missing: tuple[str, ...]
    """Published names (and shapes, if only these differ) of what the network needs and the file does not have."""
    unexpected: tuple[str, ...]
    unused: tuple[str, ...]
    copies: Mapping[str, str] = field(default_factory=dict)
    """Published names of tensors that are there once more -> those that are found. Whether they are equal is not looked at."""


def fit(file: TensorNames, state: Mapping[str, Tensor], ours: Mapping[str, Tensor]) -> Fit:
    """Compare a published state dict with the state dict of our network (only its names and shapes are read).

    Counts of batches that are not in the file are 0.
    """
    found, missing, known, unused = {}, [], set(), []
    for name, value in ours.items():
        published = file.published_name(name)
        known.add(published)
        if published not in state and name.endswith(_COUNT):
            found[name] = torch.zeros((), dtype=torch.int64)
        elif published not in state:
            missing.append(published)
        elif file.is_longer(published, state[published], value):
            found[name] = state[published][: len(value)]
            unused.append(f"{published}, from row {len(value)} on")
        elif state[published].shape != value.shape:
            missing.append(f"{published} of shape {tuple(value.shape)} (it is {tuple(state[published].shape)})")
        else:
            found[name] = state[published]
    others = [name for name in state if name not in known]
    copies = {name: original for name in others if (original := file.original_of(name)) in known & state.keys()}
    unused += [name for name in others if file.is_unused(name)]
    unexpected = tuple(name for name in others if name not in unused and name not in copies)
    return Fit(found, tuple(missing), unexpected, tuple(unused), copies)
