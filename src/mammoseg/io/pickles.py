"""Reading pickle files of others as data: nothing a file names is ever imported or called.

A pickle is a small program, and Python's unpickler runs it. Here it knows only the instructions that make plain values, and the
few names that stand for numpy's numbers, bytes and sets call what is written here. The size of the file and the number of
steps are limited, so that a small file cannot fill the memory: a megabyte of empty dicts takes 80 MB, and all steps together
less than a gigabyte beside what the file itself holds.
"""

import io
import pickle
import pickletools
import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
_KEYS = {
    "SETITEM": slice(-2, -1),
    "SETITEMS": slice(None, None, 2),
    "DICT": slice(None, None, 2),
    "ADDITEMS": slice(None),
}
"""Instruction -> where the keys or members lie among what is on the stack since the last mark."""
_NAMES = {opcode.code: opcode.name for opcode in pickletools.opcodes}
_FORMATS = {"b1": "?", "i1": "b", "i2": "h", "i4": "i", "i8": "q", "u1": "B", "u2": "H", "u4": "I", "u8": "Q"} | {
    "f2": "e",
    "f4": "f",
    "f8": "d",
}
"""numpy's name of a number type -> the format of `struct`."""
_NUMBER_BITS = 64
_SHOWN = 80


class PickleReadError(ValueError):
    """A pickle file that is not read; the message names the file and says what to do."""


class _ForeignError(Exception):
    """The pickle holds something else than plain values; the text names it."""


class _TooLargeError(Exception):
    """The pickle would take more memory or time than any honest file."""


def load_plain(path: Path) -> object:
    """The value in a pickle file: dict, list, tuple, set, str, bytes, int, float, bool and None; nothing is executed.

    numpy's numbers become plain ones, texts of Python 2 are read as latin1. Keys of dicts and members of sets are texts,
    bytes, numbers or None; whole numbers have at most 64 bits. A list or dict may contain itself.

    Raises PickleReadError for every other content (naming it), and for a file that is missing, empty, damaged, cut
    short, no pickle, or larger than `MAX_BYTES` or `MAX_STEPS`.
    """
    data = _read(path)
    stream = io.BytesIO(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of odd escapes in texts of protocol 0
            return _PlainUnpickler(stream).load()
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
    except (
        ValueError,
        ArithmeticError,
        TypeError,
        AttributeError,
        LookupError,
        EOFError,
        struct.error,
        pickle.UnpicklingError,
    ):
        raise PickleReadError(  # without their texts, which may quote patient data
            f"{path}: this file is damaged, cut short, or no pickle (near byte {stream.tell()} of {len(data)}). "
            "Expected a complete pickle of protocol 0 to 5. Copy or export it again."
        ) from None


class _PlainUnpickler(pickle._Unpickler):
    """The standard library's unpickler in Python: the one in C cannot count steps, and takes for ever to hash some tuples.

    Any built-in error means a damaged file.
    """

    stack: list[Any]
    metastack: list[list[Any]]

    def __init__(self, stream: io.BytesIO) -> None:
        super().__init__(stream, encoding="latin1")
        self._rest = stream
        self._steps = 0
        self.dispatch = _Instructions(self)  # type: ignore[misc]

    def load(self) -> object:
        value = super().load()
        if self.stack or self.metastack or self._rest.read(1):
            raise ValueError("more than one value")
        _check_plain(value)
        return value

    def before(self, instruction: str) -> None:
        if instruction not in _STEPS:
            raise _ForeignError(f"the instruction {instruction}, or is no pickle at all")
        self.spend(_STEPS[instruction])
        for key in self.stack[_KEYS.get(instruction, slice(0))]:
            _key(key)

    def spend(self, steps: int) -> None:
        self._steps += steps
        if self._steps > MAX_STEPS:
            raise _TooLargeError

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
        state = _of(tuple, self.stack.pop())
        _of(_Dtype, self.stack[-1]).order = {"<": "<", ">": ">", "|": "<"}[state[1]]

    def _bytes(self, text: str, encoding: str) -> bytes:
        if encoding != "latin1":
            raise ValueError(encoding)
        self.spend(len(text))
        return _of(str, text).encode(encoding)

    def _set(self, members: list[Any]) -> set[Any]:
        self.spend(len(_of(list, members)))
        return {_key(member) for member in members}


class _Instructions(dict[int, Callable[..., None]]):
    """In place of the unpickler's table from the code of an instruction to what does it."""

    def __init__(self, unpickler: _PlainUnpickler) -> None:
        super().__init__(pickle._Unpickler.dispatch)
        self[pickle.BUILD[0]] = _PlainUnpickler.build
        self._unpickler = unpickler

    def __getitem__(self, code: int) -> Callable[..., None]:
        self._unpickler.before(_NAMES[chr(code)])
        return super().__getitem__(code)


@dataclass
class _Dtype:
    """A number type of numpy."""

    code: str
    align: object
    copy: object
    order: str = ""

    def __post_init__(self) -> None:
        if _of(str, self.code) not in _FORMATS:
            raise _ForeignError(f"numpy values of type {self.code[:_SHOWN]!r}")


def _scalar(dtype: _Dtype, data: bytes | str) -> float:
    encoded = data.encode("latin1") if isinstance(data, str) else data
    if not _of(_Dtype, dtype).order:
        raise ValueError("no byte order")
    return struct.unpack(dtype.order + _FORMATS[dtype.code], encoded)[0]


def _of(kind: type, value: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError(kind)
    return value


def _key(value: Any) -> Any:
    """Tuples are refused because hashing them can take for ever."""
    return _of(str | bytes | int | float | None, value)  # type: ignore[arg-type]


def _check_plain(value: object) -> None:
    todo, seen = [value], set()
    while todo:
        item = todo.pop()
        if isinstance(item, int) and item.bit_length() > _NUMBER_BITS:
            raise ValueError("a number of more than 64 bits")
        if isinstance(item, dict | list | tuple | set):
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
