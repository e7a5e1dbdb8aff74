"""Reading pickle files of others as data: nothing a file names is ever imported or called.

A pickle is a small program, and Python's unpickler runs it. Here its instructions are looked at before any is followed, none
but those that make plain values is, and the few names that stand for numpy's numbers, bytes and sets call what is written
here. The size of the file and the number of steps are limited, so that a small file cannot fill the memory: a megabyte of
empty dicts takes 80 MB, and all steps together less than a gigabyte beside what the file itself holds.
"""

import io
import pickle
import pickletools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

MAX_BYTES = 512 * 2**20
"""Largest file read. An exam takes about 600 bytes, so this is far above any exam list."""
MAX_STEPS = 100_000_000
"""Most steps: an instruction is one, and more if it makes a container, which is one byte of the file and some 70 of memory (an
empty set 220). An exam takes about 180 before cropping and 900 after it."""

_VALUES = """
FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING BINBYTES SHORT_BINBYTES BINBYTES8 UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8
NONE INT BININT BININT1 BININT2 LONG LONG1 LONG4 NEWTRUE NEWFALSE MARK POP POP_MARK APPEND APPENDS SETITEM SETITEMS ADDITEMS
PUT BINPUT LONG_BINPUT MEMOIZE GET BINGET LONG_BINGET GLOBAL STACK_GLOBAL BUILD PROTO FRAME STOP
"""
_CONTAINERS = "EMPTY_LIST EMPTY_DICT EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 LIST DICT"
_STEPS = dict.fromkeys(_VALUES.split(), 1) | dict.fromkeys(_CONTAINERS.split(), 9) | {"EMPTY_SET": 25, "REDUCE": 25}
"""The instructions that are followed, by their names in `pickletools` -> their steps. Every other one is refused."""
_NUMBERS = ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8")
"""numpy's names of the number types that are read."""
_NUMBER_BITS = 64
_SHOWN = 80


class PickleReadError(ValueError):
    """A pickle file that is not read; the message names the file and says what to do."""


class _ForeignError(Exception):
    """The pickle holds something else than plain values; the text names it."""


class _TooLargeError(Exception):
    """The pickle would take more memory or time than any honest file."""


def load_plain(path: Path) -> object:
    """The value in a pickle file: dict, list, set, str, bytes, int, float, bool and None; nothing is executed.

    Tuples become lists, numpy's numbers plain ones, texts of Python 2 are read as latin1. Keys of dicts and members of sets
    are texts, bytes, numbers or None; whole numbers have at most 64 bits. A list or dict may contain itself.

    Raises PickleReadError for every other content (naming it), and for a file that is missing, empty, damaged, cut
    short, no pickle, or larger than `MAX_BYTES` or `MAX_STEPS`.
    """
    data = _read(path)
    stream = io.BytesIO(data)
    try:
        steps = _count_steps(stream)
        stream.seek(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of odd escapes in texts of protocol 0
            return _PlainUnpickler(stream, steps).load()
    except _ForeignError as error:
        raise PickleReadError(
            f"{path}: this pickle holds {error}. Expected lists, dicts, texts and numbers only; nothing was executed. "
            "Do not open it with other software before you know who made it; ask for a file of plain values."
        ) from None
    except (_TooLargeError, MemoryError):
        raise PickleReadError(
            f"{path}: this pickle takes too much memory (byte {stream.tell()} of {len(data)}). Expected at most "
            f"{MAX_STEPS} steps. Split the list into several files; if it is a small list, the file is not to be trusted."
        ) from None
    except (ValueError, ArithmeticError, TypeError, AttributeError, LookupError, EOFError, pickle.UnpicklingError):
        raise PickleReadError(  # without their texts, which may quote patient data
            f"{path}: this file is damaged, cut short, or no pickle (near byte {stream.tell()} of {len(data)}). "
            "Expected a complete pickle of protocol 0 to 5. Copy or export it again."
        ) from None


def _count_steps(stream: io.BytesIO) -> int:
    """Every instruction of a pickle is followed once: there are no loops."""
    steps = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for instruction, _, _ in pickletools.genops(stream):
            if instruction.name not in _STEPS:
                raise _ForeignError(f"the instruction {instruction.name}, or is no pickle at all")
            steps += _STEPS[instruction.name]
            if steps > MAX_STEPS:
                raise _TooLargeError
    if stream.read(1):
        raise ValueError("something behind the value")
    return steps


class _PlainUnpickler(pickle._Unpickler):
    """The standard library's unpickler in Python, whose instructions can be replaced. Any built-in error means a damaged file."""

    stack: list[Any]
    metastack: list[list[Any]]

    def __init__(self, stream: io.BytesIO, steps: int) -> None:
        super().__init__(stream, encoding="latin1")
        self._steps = steps
        follow: dict[int, Any] = dict(pickle._Unpickler.dispatch)
        # Tuples become lists: hashing tuples in tuples can take for ever, and lists are refused as keys.
        self.dispatch = follow | {  # type: ignore[misc]
            pickle.BUILD[0]: _PlainUnpickler.build,
            pickle.TUPLE[0]: follow[pickle.LIST[0]],
            pickle.EMPTY_TUPLE[0]: follow[pickle.EMPTY_LIST[0]],
            pickle.TUPLE1[0]: lambda self: self.gather(1),
            pickle.TUPLE2[0]: lambda self: self.gather(2),
            pickle.TUPLE3[0]: lambda self: self.gather(3),
        }

    def load(self) -> object:
        value = super().load()
        if self.stack or self.metastack:
            raise ValueError("more than one value")
        _check_plain(value)
        return value

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        match module, name:
            case "numpy.core.multiarray" | "numpy._core.multiarray", "scalar":
                return _scalar
            case "numpy", "dtype":
                return _Dtype
            case "_codecs", "encode":  # bytes in protocol 2
                return self._bytes
            case "builtins" | "__builtin__", "bytes":  # empty bytes in protocol 2
                return lambda: b""
            case "builtins" | "__builtin__", "set":
                return self._set
        raise _ForeignError(f"the Python object {f'{module}.{name}'[:_SHOWN]!r}")

    def build(self) -> None:
        """What sets attributes in a pickle: here the byte order of a numpy type."""
        state = _of(list, self.stack.pop())
        _of(_Dtype, self.stack[-1]).order = {"<": "<", ">": ">", "|": "<"}[state[1]]

    def gather(self, length: int) -> None:
        """The last values as a list."""
        if length > len(self.stack):
            raise IndexError(length)
        self.stack[-length:] = [self.stack[-length:]]

    def _spend(self, steps: int) -> None:
        self._steps += steps
        if self._steps > MAX_STEPS:
            raise _TooLargeError

    def _bytes(self, text: str, encoding: str) -> bytes:
        if encoding != "latin1":
            raise ValueError(encoding)
        self._spend(len(text))
        return _of(str, text).encode(encoding)

    def _set(self, members: list[Any]) -> set[Any]:
        self._spend(len(_of(list, members)))
        return set(members)


@dataclass
class _Dtype:
    """A number type of numpy."""

    code: str
    align: object
    copy: object
    order: str = ""

    def __post_init__(self) -> None:
        if _of(str, self.code) not in _NUMBERS:
            raise _ForeignError(f"numpy values of type {self.code[:_SHOWN]!r}")


def _scalar(dtype: _Dtype, data: bytes | str) -> float:
    encoded = data.encode("latin1") if isinstance(data, str) else data
    if not _of(_Dtype, dtype).order:
        raise ValueError("no byte order")
    return np.frombuffer(encoded, dtype.order + dtype.code).item()


def _of(kind: type, value: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError(kind)
    return value


def _check_plain(value: object) -> None:
    todo, seen = [value], set()
    while todo:
        item = todo.pop()
        if isinstance(item, int) and item.bit_length() > _NUMBER_BITS:
            raise ValueError("a number of more than 64 bits")
        if isinstance(item, dict | list | set):
            if id(item) not in seen:
                seen.add(id(item))
                todo += [*item, *item.values()] if isinstance(item, dict) else item
        elif not isinstance(item, str | bytes | int | float | None):
            raise _ForeignError("a Python function or type where a value belongs")


def _read(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise PickleReadError(f"{path}: this is no file. Expected a pickle file. Check the path.")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PickleReadError(
            f"{path}: the file cannot be read ({error.strerror}). Expected a pickle file. "
            "Check the path and the access rights."
        ) from None
    if not data:
        raise PickleReadError(f"{path}: the file is empty (0 bytes). Expected a pickle. Copy or export it again.")
    if len(data) > MAX_BYTES:
        raise PickleReadError(
            f"{path}: the file has more than {MAX_BYTES} bytes. Expected an exam list or another small pickle. "
            "Split the list into several files."
        )
    return data
