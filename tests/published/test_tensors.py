"""A small file of weights never takes much memory: it is refused for what it declares, before anything is unpacked."""

import io
import pickle
import struct
import zipfile
from collections import Counter, OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from mammoseg.nn.checkpoint import CheckpointError
from mammoseg.published.tensors import read_content, state_dict_of

HUGE = 900_000_000


class Calls:
    """Pickled as a call of something that torch allows."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


def archive(state: Any, compression: int = zipfile.ZIP_STORED) -> bytes:
    """As torch.save writes it, apart from the pickle, which is of `state`."""
    plain, changed = io.BytesIO(), io.BytesIO()
    torch.save({"a": torch.zeros(100_000)}, plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(changed, "w", compression) as target:
        for name in source.namelist():
            is_pickle = name.endswith("data.pkl") and state is not None
            target.writestr(name, pickle.dumps(state, 2) if is_pickle else source.read(name))
    return changed.getvalue()


def before_1_6(size: int) -> bytes:
    """A tensor of `size` numbers, of which none is in the file."""
    content = io.BytesIO()
    torch.save({"a": torch.zeros(77_777)}, content, _use_new_zipfile_serialization=False)
    whole = content.getvalue().replace(struct.pack("<i", 77_777), struct.pack("<i", size))
    return whole[: -4 * 77_777]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (archive({"a": Calls(bytearray, HUGE)}), r"asks for \w+\.bytearray, which is no part of plain weights"),
        (archive({"a": Calls(torch.Tensor, HUGE)}), r"asks for torch\.Tensor, which is no part"),
        (archive({"a": Calls(Counter, {"a": HUGE})}), r"asks for collections\.Counter, which is no part"),
        (archive(None, zipfile.ZIP_DEFLATED), r"a compressed archive that unpacks to 40\d{4} bytes"),
        (
            before_1_6(HUGE),
            rf"cut short or damaged\. It has \d+ bytes and names a size of {HUGE}\. .*Download it again",
        ),
        (pickle.dumps({"a\x1b[2J": Calls(bytearray, HUGE)}, 2), r"asks for \w+\.bytearray"),
    ],
    ids=["bytearray", "tensor", "counter", "compressed", "declared", "plain pickle"],
)
def test_refused_for_what_is_declared(tmp_path: Path, content: bytes, message: str) -> None:
    assert len(content) < 1_000_000
    with pytest.raises(CheckpointError, match=message) as caught:
        state_dict_of(tmp_path / "weights.p", content)
    assert str(caught.value).startswith(f"{tmp_path / 'weights.p'}: ")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("zipped", [True, False])
def test_plain_weights_of_every_kind_of_number(tmp_path: Path, zipped: bool) -> None:
    kinds = (torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.uint8, torch.bool)
    state = OrderedDict((str(kind), torch.ones(3, 50, dtype=kind)) for kind in kinds)
    state["parameter"] = torch.nn.Parameter(torch.ones(2))
    state["view"] = torch.ones(4, 4).t()
    file = tmp_path / "weights.p"
    torch.save({"state_dict": state, "epoch": 3}, file, _use_new_zipfile_serialization=zipped)
    found = state_dict_of(file, read_content(file))
    assert all(torch.equal(value, found[name]) for name, value in state.items())


def test_a_device_is_no_file() -> None:
    with pytest.raises(CheckpointError, match=r"/dev/zero: the weights cannot be read \(no regular file"):
        read_content(Path("/dev/zero"))


def test_an_endless_file(tmp_path: Path) -> None:
    with (tmp_path / "sparse.p").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(CheckpointError, match=r"sparse\.p: no weights: it has more than \d+ bytes"):
        read_content(tmp_path / "sparse.p")
