"""The networks of mammoseg and of others, computed by PyTorch on any device that it knows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mammoseg.config import ConfigError, with_overrides
from mammoseg.inference.engine import Array, Engine, Inputs, Outputs, SeenBoxes, SeenPatches
from mammoseg.inference.trained import checkpoint_settings, training_images
from mammoseg.models import build_model, load_model_plugin, misfit, seen_by
from mammoseg.nn.checkpoint import Checkpoint, open_checkpoint
from mammoseg.nn.contract import ModelOutput, Network, NetworkConfig
from mammoseg.nn.device import device_from
from mammoseg.nn.inference import Precision, computing, speed_up

_AT_ONCE = 2
"""Images that a CPU computes at once, each with its share of the cores, which then have work where one image has none for all of
them; at half a gigabyte more for windows of 2944 x 1920."""


class TorchEngine(Engine):
    """A trained model on a device. Preparation comes from the checkpoint: what the model was trained with."""

    def __init__(
        self, checkpoint: Path, device: str = "auto", sets: Sequence[str] = (), precision: Precision = "32-true"
    ) -> None:
        """`sets` change the network's own settings, e.g. `num_patches=3`. `bf16-mixed` is faster and less exact.

        `model=my_lab.my_model` among `sets` lets a checkpoint of a model outside mammoseg be opened, which imports it.
        Raises CheckpointError for a folder that is no checkpoint or whose weights do not fit, ConfigError for `sets`.
        """
        named, sets = _named_model(sets)
        self.checkpoint: Checkpoint = open_checkpoint(checkpoint)
        name = self.checkpoint.model
        if named not in (None, name):
            raise ConfigError(
                f"--set model={named}: {checkpoint} is of the model {name}. Leave the setting out, or give a "
                "checkpoint of that model."
            )
        trained, self.prep = checkpoint_settings(self.checkpoint)
        self.network: NetworkConfig = with_overrides(trained, sets=sets)
        if problem := misfit(name, self.network, None, self.prep):
            raise ConfigError(
                f"--set: {problem}. Expected a network for the windows of the checkpoint. Give another value."
            )
        self.trained_on = training_images(self.checkpoint)
        self.classes, self.sees = self.network.classes, seen_by(name, self.network)
        self.precision = precision
        self.device = device_from(device)
        self._threads = torch.get_num_threads()
        self.at_once = min(_AT_ONCE, self._threads) if self.device.type == "cpu" else 1
        model = build_model(name, self.network, values=False)
        self.checkpoint.load_weights(model)
        self.model: Network = model.to(self.device).eval()
        speed_up(self.model, precision)

    def enter_thread(self) -> None:
        if self.device.type == "cpu":
            torch.set_num_threads(max(1, self._threads // self.at_once))  # of this thread

    def description(self) -> dict[str, Any]:
        return {
            "model": self.checkpoint.model,
            "checkpoint_sha256": self.checkpoint.sha256,
            "network": self.network.model_dump(mode="json"),
            "prep": self.prep.model_dump(mode="json"),
            "precision": self.precision,
        }

    def __call__(self, inputs: Inputs) -> Outputs:
        with computing(self.device, self.precision):
            out = cast(ModelOutput, self.model(*self._tensors(inputs)))
        patches, detections = out.patches, getattr(out, "detections", None)  # outputs of others may know none
        return Outputs(
            _array(out.y_BK),
            {name: _array(values) for name, values in out.maps.items()},
            {name: _array(values) for name, values in out.parts.items()},
            patches
            and SeenPatches(
                cast(NDArray[np.int64], patches.corners_BP2.cpu().numpy()),
                patches.size_px,
                _array(patches.y_BPK),
                None if patches.attention_BP is None else _array(patches.attention_BP),
            ),
            detections and SeenBoxes(*map(_array, detections)),
        )

    def scores(self, inputs: Inputs) -> Array:
        with computing(self.device, self.precision):
            return _array(self.model.predict(*self._tensors(inputs)))

    def _tensors(self, inputs: Inputs) -> list[Tensor]:
        image_BCHW = torch.from_numpy(inputs.image_BCHW).to(self.device)
        there = [] if inputs.there_UV is None else [torch.from_numpy(inputs.there_UV).to(self.device)]
        return [image_BCHW.contiguous(memory_format=torch.channels_last), *there]


def open_engine(
    checkpoint: Path, device: str = "auto", sets: Sequence[str] = (), precision: Precision = "32-true"
) -> TorchEngine:
    """Raises like `TorchEngine`."""
    return TorchEngine(checkpoint, device, sets, precision)


def _named_model(sets: Sequence[str]) -> tuple[str | None, list[str]]:
    """The model that `model=NAME` names, which is imported, and the other settings."""
    pairs = [(text.partition("=")[0].strip(), text) for text in sets]
    names = [text.partition("=")[2].strip() for name, text in pairs if name == "model"]
    for name in names:
        load_model_plugin(name)
    return (names[-1] if names else None), [text for name, text in pairs if name != "model"]


def _array(values: Tensor) -> Array:
    return cast(Array, values.float().cpu().numpy())
