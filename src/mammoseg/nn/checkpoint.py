"""A trained model on disk: `weights.safetensors` and `checkpoint.json` (network, preparation, provenance).

Loading is strict: a missing or an extra tensor is an error. Nothing is unpickled. A seal, the hash of the description with
the hash of the weights in it, shows damage and changes made by hand; it does not keep off somebody who makes a new seal.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from mammoseg.bounded import read_json, sha256_of
from mammoseg.io.atomic import write_bytes
from mammoseg.plugins import is_foreign
from mammoseg.wording import LINES, listed

logger = logging.getLogger(__name__)

FORMAT = 2
_UNSEALED = 1
"""The format before: the same without a seal."""
WEIGHTS, DESCRIPTION = "weights.safetensors", "checkpoint.json"
_PACKAGED = Path(__file__).parents[1] / "weights"


class CheckpointError(ValueError):
    """A checkpoint that cannot be used."""


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint folder says about itself."""

    folder: Path
    model: str
    """Name of the model, as in `list_models()`."""
    network: Mapping[str, Any]
    """The model's configuration."""
    prep: Mapping[str, Any]
    """The preparation the model was trained with."""
    provenance: Mapping[str, Any]
    """Where the weights come from: versions, hashes, stage, recipe."""
    sha256: str
    """Of the weights file."""
    trained_on: Mapping[str, Any] | None
    """Statistics of the training images (`data.domain.Domain`); None: not known."""
    seal: str
    """Hash of the whole description, `sha256` included, in any layout: what one checkpoint has and no other."""

    def read_weights(self) -> dict[str, Tensor]:
        """All tensors by name. Raises CheckpointError if they cannot be read."""
        try:
            return load_file(self.folder / WEIGHTS)
        except (OSError, SafetensorError) as error:
            raise CheckpointError(f"{self.folder / WEIGHTS}: the weights cannot be read ({error})") from None

    def load_weights(self, model: nn.Module) -> None:
        """Fill `model`, strictly; one on the meta device takes the tensors as they are read.

        Raises CheckpointError naming the tensors that do not fit.
        """
        state = self.read_weights()
        expected = model.state_dict()
        problems = [f"missing {name}" for name in expected if name not in state]
        problems += [f"unexpected {name}" for name in state if name not in expected]
        problems += [
            f"{name} is {tuple(state[name].shape)}, expected {tuple(value.shape)}"
            for name, value in expected.items()
            if name in state and state[name].shape != value.shape
        ]
        if problems:
            raise CheckpointError(
                f"{self.folder}: the weights do not fit this {self.model}:\n  {listed(problems, 8, LINES)}\n"
                "Expected the layers these weights were trained in. A setting that changes layers needs a network trained "
                "with it (`mammoseg train --set network.NAME=VALUE`); leave it out here."
            )
        empty = any(value.is_meta for value in expected.values())
        model.load_state_dict({name: state[name].to(value.dtype) for name, value in expected.items()}, assign=empty)


def save_checkpoint(
    folder: Path,
    model_name: str,
    model: nn.Module,
    network: Mapping[str, Any],
    prep: Mapping[str, Any],
    provenance: Mapping[str, Any],
    trained_on: Mapping[str, Any] | None = None,
) -> Path:
    """Write a checkpoint folder. Each file appears whole, the description last."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = save({name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()})
    write_bytes(folder / WEIGHTS, weights)
    description = {
        "format": FORMAT,
        "model": model_name,
        "sha256": hashlib.sha256(weights).hexdigest(),
        "network": dict(network),
        "prep": dict(prep),
        "provenance": dict(provenance),
        "trained_on": trained_on,
    }
    description["seal"] = _seal(description)
    write_bytes(folder / DESCRIPTION, (json.dumps(description, indent=2) + "\n").encode())
    return folder


def packaged() -> dict[str, Path]:
    """The weights that come with mammoseg: name -> folder, which holds a model card, README.md."""
    return {path.parent.name: path.parent for path in sorted(_PACKAGED.glob(f"*/{DESCRIPTION}"))}


def members_of(path: Path) -> list[Path]:
    """The checkpoints of a folder of several, numbered from 1, as `mammoseg search` leaves them; none of any other."""
    if (path / DESCRIPTION).is_file():
        return []
    found: list[Path] = []
    while (path / str(len(found) + 1) / DESCRIPTION).is_file():
        found.append(path / str(len(found) + 1))
    return found


def home_of(path: Path) -> Path:
    """The folder in which the files of a checkpoint lie, or the members of an ensemble: that of a run, or of the weights of that
    name that come with mammoseg, unless there is a file or folder of that name."""
    if not path.exists():
        path = packaged().get(str(path), path)
    return path / "checkpoint" if (path / "checkpoint" / DESCRIPTION).is_file() else path


def open_checkpoint(path: Path) -> Checkpoint:
    """Read the description of a checkpoint folder, of the run folder that holds one as `checkpoint/`, or of the weights of
    that name that come with mammoseg, unless there is a file or folder of that name.

    Raises CheckpointError if there is none, or if the weights are not those it was written with.
    """
    folder = home_of(path)
    if not (folder / DESCRIPTION).is_file():
        unfinished = (
            " The run there has not finished: start the same `mammoseg train` again."
            if (path / "config.yaml").is_file()
            else ""
        )
        nothing = "" if path.exists() else "no such file or folder; "
        raise CheckpointError(
            f"{path}: {nothing}no checkpoint here. Expected a run folder of `mammoseg train`, a folder with {DESCRIPTION} and "
            f"{WEIGHTS}, or the name of weights that come with mammoseg ({', '.join(packaged())}).{unfinished}"
        )
    checkpoint = _described(folder)
    if is_foreign(checkpoint.model):
        raise CheckpointError(
            f"{folder}: is of the model {checkpoint.model!r}, a module outside mammoseg, which a checkpoint cannot have imported. "
            f"Expected a model of mammoseg. If you trust that module, say so: --set model={checkpoint.model} for `mammoseg "
            "predict`, an import of it in Python."
        )
    try:
        digest = sha256_of(folder / WEIGHTS)
    except OSError as error:
        raise CheckpointError(f"{folder / WEIGHTS}: the weights cannot be read ({error.strerror})") from None
    if digest != checkpoint.sha256:
        raise CheckpointError(
            f"{folder / WEIGHTS}: damaged or exchanged; its hash is not the one in {DESCRIPTION}. "
            "Expected the weights that were written with it. Restore both from a copy, or train or import them again."
        )
    return checkpoint


def _described(folder: Path) -> Checkpoint:
    path = folder / DESCRIPTION
    try:
        values = read_json(path)
        known = values["format"] in (_UNSEALED, FORMAT)
        if known:
            network, prep, provenance = (_of(dict, values[name]) for name in ("network", "prep", "provenance"))
            model, sha256 = (_of(str, values[name]) for name in ("model", "sha256"))
            trained_on = values.get("trained_on") and _of(dict, values["trained_on"])
            seal = _seal(values)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(
            f"{path}: damaged checkpoint description ({error!r}). Expected the file as mammoseg wrote it. Restore it from a "
            "copy, or train or import the weights again."
        ) from None
    if not known:
        raise CheckpointError(
            f"{folder}: checkpoint format {values['format']!r}; this version of mammoseg reads formats {_UNSEALED} and "
            f"{FORMAT}. Use the version of mammoseg that wrote it."
        )
    if values["format"] == _UNSEALED:
        logger.warning(
            "%s: written by an earlier version, without a seal: a change of its settings would not be noticed", path
        )
    elif values.get("seal") != seal:
        raise CheckpointError(
            f"{path}: changed since it was written; its seal does not fit. Expected the settings the weights were trained "
            "with. Restore the file from a copy; to predict with other settings, use `mammoseg predict --set NAME=VALUE`."
        )
    return Checkpoint(folder, model, network, prep, provenance, sha256, trained_on, seal)


def _of(kind: type, value: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"{type(value).__name__} where {kind.__name__} belongs")
    return value


def _seal(description: Mapping[str, Any]) -> str:
    """Hash of all that a description says, whatever keys it has, apart from the seal itself."""
    said = json.loads(json.dumps({name: value for name, value in description.items() if name != "seal"}))
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
