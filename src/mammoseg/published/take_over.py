"""Published weights -> a checkpoint folder: read without running anything, recognised by its tensors, taken over strictly."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

import mammoseg
from mammoseg import plugins
from mammoseg.config import with_overrides
from mammoseg.nn.checkpoint import DESCRIPTION, CheckpointError, save_checkpoint
from mammoseg.nn.contract import NetworkConfig
from mammoseg.prep.config import PrepConfig
from mammoseg.published.file import Fit, PublishedFile, fit
from mammoseg.published.tensors import read_content, state_dict_of
from mammoseg.wording import LINES, listed


@dataclass(frozen=True)
class Imported:
    """What a file was, and what became of it."""

    title: str
    model: str
    network: NetworkConfig
    unused: tuple[str, ...]
    """Tensors of the file that no forward pass uses."""
    licence: str


def import_weights(file: Path, out: Path, sets: Sequence[str] = (), overwrite: bool = False) -> Imported:
    """Write the checkpoint folder `out` from a published weight file. `sets` change the network's settings.

    Raises CheckpointError if the file cannot be read safely, is none of the known ones, or lacks tensors; if a setting that
    is not in the file has to be given; or if `out` holds a checkpoint or a training run already. ConfigError for `sets`.
    """
    if (out / "checkpoint" / DESCRIPTION).exists():
        raise CheckpointError(
            f"{out}: holds a training run, whose checkpoint would be used in the place of this one. Expected a folder "
            "without a run. Choose a new folder."
        )
    if (out / DESCRIPTION).exists() and not overwrite:
        raise CheckpointError(f"{out}: holds a checkpoint already. Choose a new folder, or --overwrite to replace it.")
    content = read_content(file)
    state = state_dict_of(file, content)
    model_name, kind, found = _recognise(file, state)
    _check_copies(file, state, found.copies)
    network = _network(file, kind, sets)
    build = plugins.load(plugins.MODELS, model_name).build
    with torch.device("meta"):
        expected = build(network).state_dict()
    if {name: value.shape for name, value in expected.items()} != {
        name: value.shape for name, value in found.found.items()
    }:
        raise CheckpointError(
            f"{file}: with these settings the network has other tensors than the file ({kind.title}). Expected settings "
            "that leave the layers as they are, such as num_patches; any other needs a network trained with it (`mammoseg "
            "train --set network.NAME=VALUE`). Leave it out here."
        )
    model: nn.Module = build(network)
    model.load_state_dict(found.found)
    _check_finite(file, model)
    provenance = {
        "mammoseg": mammoseg.__version__,
        "source": {"file": file.name, "sha256": hashlib.sha256(content).hexdigest(), "kind": kind.title},
        "unused": list(found.unused),
        "licence": kind.licence,
    }
    prep = PrepConfig.model_validate(kind.prep).model_dump(mode="json")
    save_checkpoint(out, model_name, model, network.model_dump(mode="json"), prep, provenance)
    return Imported(kind.title, model_name, network, found.unused, kind.licence)


def _recognise(file: Path, state: Mapping[str, Tensor]) -> tuple[str, PublishedFile, Fit]:
    """The model whose tensors these are. The file with the fewest missing tensors wins, of these the one that uses most."""
    candidates = []
    for name in plugins.names(plugins.MODELS):
        plugin = plugins.load(plugins.MODELS, name)
        for kind in getattr(plugin, "PUBLISHED", ()):
            with torch.device("meta"):
                ours = plugin.build(kind.config).state_dict()
            candidates.append((name, kind, fit(kind, state, ours)))
    titles = ", ".join(kind.title for _, kind, _ in candidates)
    name, kind, best = min(candidates, key=lambda c: (len(c[2].missing) + len(c[2].unexpected), -len(c[2].found)))
    if not best.found or len(best.found) < len(best.missing):
        raise CheckpointError(
            f"{file}: these {len(state)} tensors (e.g. {', '.join(list(state)[:3])}) belong to no published model that is "
            f"known. Known are: {titles}."
        )
    if best.missing or best.unexpected:
        lines = [f"missing {key}" for key in best.missing] + [f"unexpected {key}" for key in best.unexpected]
        raise CheckpointError(
            f"{file}: like {kind.title}, but {len(best.missing)} tensors are missing and {len(best.unexpected)} are not "
            f"known:\n  {listed(lines, 8, LINES)}\n"
            "Expected the whole file as published. Download it again."
        )
    return name, kind, best


def _network(file: Path, kind: PublishedFile, sets: Sequence[str]) -> NetworkConfig:
    derived = kind.settings(file.stem) if kind.settings else ()
    given = {text.partition("=")[0].strip() for text in (*derived, *sets)}
    if kind.must_set is not None and kind.must_set not in given:
        by_name = ", or a name such as sample_model_1.p, from which it follows" if kind.settings else ""
        raise CheckpointError(
            f"{file}: {kind.title} needs {kind.must_set}, which is not in the file. Expected the value the weights were "
            f"trained with{by_name}. Give --set {kind.must_set}=VALUE{', or rename the file' if kind.settings else ''}."
        )
    return with_overrides(kind.config, sets=[*derived, *sets])


def _check_copies(file: Path, state: Mapping[str, Tensor], copies: Mapping[str, str]) -> None:
    other = [
        f"{name} is not {original}" for name, original in copies.items() if not _same(state[name], state[original])
    ]
    if other:
        raise CheckpointError(
            f"{file}: {len(other)} tensors that are there more than once differ:\n  {listed(other, 8, LINES)}\n"
            "Expected the copies of a network whose parts share their weights to be equal, as published: it is not clear which are "
            "right. Download the file again."
        )


def _same(one: Tensor, other: Tensor) -> bool:
    """Values that are no numbers count as equal here: they are told for what they are."""
    return one.shape == other.shape and torch.allclose(one, other, rtol=0, atol=0, equal_nan=True)


def _check_finite(file: Path, model: nn.Module) -> None:
    broken = [name for name, value in model.state_dict().items() if not torch.isfinite(value).all()]
    if broken:
        raise CheckpointError(
            f"{file}: {len(broken)} tensors hold values that are no numbers, e.g. {broken[0]}. Download the file again."
        )
