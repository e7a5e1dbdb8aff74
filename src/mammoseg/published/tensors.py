"""Weights in a file of torch.save, made by others: looked at before torch unpacks it, and read without running anything."""

import io
import pickletools
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from mammoseg.bounded import read_bounded
from mammoseg.nn.checkpoint import CheckpointError

MOST_BYTES = 4 * 2**30
"""Largest file read; the published ones have 60 to 130 MB."""
_MOST_STEPS = 5_000_000
"""Most instructions of a pickle looked at. A state dict takes about 40 for each tensor."""
_SAVED_BY_TORCH = (b"PK\x03\x04", b"\x80\x02\x8a\x0al\xfc\x9c")
"""First bytes of a file of torch.save: an archive, or before torch 1.6 a pickled number."""
_PICKLES_BEFORE_1_6 = 5
"""Such a file is so many pickles, of which the fourth holds the tensors, and then their values."""
_WRAPPERS = ("state_dict", "model")
"""Under which of its names a file holds the state dict, if it holds more."""
_PLAIN = re.compile(
    r"collections OrderedDict|torch._utils _rebuild_(tensor|tensor_v2|parameter)|torch(\.cuda)? \w+Storage"
    r"|torch.storage \w+Storage|torch Size|torch (device|b?float\d+|u?int\d+|bool)|_codecs encode|(__builtin__|builtins) set"
)
"""What a pickle of plain weights names. torch allows more, bytearray among it, of which a few bytes make gigabytes."""


def read_content(file: Path) -> bytes:
    try:
        return read_bounded(file, MOST_BYTES)
    except OSError as error:
        raise CheckpointError(
            f"{file}: the weights cannot be read ({error.strerror}). Expected a file such as sample_model_1.p or "
            "model_joint.ckpt. Check the path."
        ) from None
    except ValueError as error:
        raise CheckpointError(f"{file}: no weights: {error}. Expected a file of torch.save. Check the path.") from None


def state_dict_of(file: Path, content: bytes) -> Mapping[str, Tensor]:
    """The tensors of a file that torch has saved. Nothing but tensors and plain containers is unpickled.

    Raises CheckpointError for every other file, and for one that would take far more memory than it is large.
    """
    _check_bounds(file, content)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Detected pickle protocol")  # asks for an issue with PyTorch
            state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds on damaged files
        raise CheckpointError(f"{file}: {_why_refused(content, error)}") from None
    if isinstance(state, Mapping):
        state = next((state[name] for name in _WRAPPERS if isinstance(state.get(name), Mapping)), state)
    if not isinstance(state, Mapping) or not all(isinstance(k, str) for k in state):
        raise CheckpointError(f"{file}: holds {type(state).__name__}. Expected names with tensors (a state dict).")
    tensors = {name.removeprefix("module."): value for name, value in state.items() if isinstance(value, Tensor)}
    if len(tensors) < len(state) or not tensors:
        raise CheckpointError(
            f"{file}: {len(state) - len(tensors)} of {len(state)} entries are no tensors. Expected a state dict."
        )
    return tensors


def _why_refused(content: bytes, error: Exception) -> str:
    """What is wrong with a file that torch does not load, and what to do."""
    if content.lstrip().startswith(b"<"):
        return "a web page, not weights. Expected a file of torch.save. Download the file itself, not the page that shows it."
    if asked_for := re.search(r"GLOBAL ([\w.]+)", str(error)):
        return _asks_for(asked_for[1])
    if not content or content.startswith(_SAVED_BY_TORCH):
        return "cut short or damaged. Expected a whole file of torch.save. Download it again and compare its size."
    return "no file of torch.save. Expected weights as their authors give them. Check that it is this file, or download it again."


def _asks_for(name: str) -> str:
    shown = name[:80].encode("unicode_escape").decode()
    return (
        f"asks for {shown}, which is no part of plain weights. Expected tensors only; anything else could run code or fill the "
        "memory, and is refused. Download the file again from its authors."
    )


def _check_bounds(file: Path, content: bytes) -> None:
    """Raises CheckpointError for what is declared to be larger than the file, or made of more than tensors."""
    try:
        for step, (opcode, argument) in enumerate(_instructions(file, content)):
            if opcode in ("GLOBAL", "INST") and not _PLAIN.fullmatch(argument):
                raise CheckpointError(f"{file}: {_asks_for(argument.replace(' ', '.', 1))}")
            if step == _MOST_STEPS:
                raise CheckpointError(
                    f"{file}: more than {_MOST_STEPS} instructions. Expected some thousand tensors at most. Download it again "
                    "from its authors."
                )
    except CheckpointError:
        raise
    except Exception as error:  # pickletools and zipfile raise many kinds on damaged files
        raise CheckpointError(f"{file}: {_why_refused(content, error)}") from None


def _instructions(file: Path, content: bytes) -> Iterator[tuple[str, str]]:
    """The instructions of all pickles of the file, with their arguments as text."""
    if content.startswith(_SAVED_BY_TORCH[0]):
        archive = zipfile.ZipFile(io.BytesIO(content))
        members = archive.infolist()
        size = sum(member.file_size for member in members)
        if size > len(content) or any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise CheckpointError(
                f"{file}: a compressed archive that unpacks to {size} bytes. Expected a file of torch.save, which is not "
                "compressed. Download it again from its authors."
            )
        pickles = [archive.read(member) for member in members if member.filename.endswith("data.pkl")]
        streams = [io.BytesIO(pickle) for pickle in pickles]
    else:
        streams = [io.BytesIO(content)] * _PICKLES_BEFORE_1_6  # one after the other in the same stream
    for number, stream in enumerate(streams):
        for opcode, argument, _ in pickletools.genops(stream):
            if isinstance(argument, int) and argument > len(content) and (number == 3 or len(streams) == 1):
                raise CheckpointError(
                    f"{file}: cut short or damaged. It has {len(content)} bytes and names a size of {argument}. Expected a whole "
                    "file of torch.save. Download it again and compare its size."
                )
            yield opcode.name, str(argument)
