"""A stack machine that follows the instructions of a pickle, reduced to plain values (used by io/pickles.py).

Python's own unpickler imports and calls what a pickle names. This machine knows containers, texts and numbers; a name is
only a text to it, and the few that stand for numpy's numbers, bytes and sets are replaced by what is written here.
Format: the standard library's `pickletools`, which also takes the instructions apart.
"""

import io
import pickletools
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

MAX_STEPS = 100_000_000
"""Most steps: an instruction is one, and 8 more if it makes a container. An exam takes about 180 before cropping and 900
after it."""
_CONTAINER_STEPS = 8
"""An empty container is one byte of the file and some 70 of memory, other values are less beside what the file has for them."""

_HIGHEST_PROTOCOL = 5
_NUMBER_BITS = 64
_SHOWN = 80
_NAMES = {
    "numpy.core.multiarray scalar": "scalar",
    "numpy._core.multiarray scalar": "scalar",
    "numpy dtype": "dtype",
    "_codecs encode": "encode",  # bytes in protocol 2
    "builtins bytes": "bytes",  # empty bytes in protocol 2
    "__builtin__ bytes": "bytes",
    "builtins set": "set",
    "__builtin__ set": "set",
}
"""`module name` as a pickle writes it -> what is done in its place. Everything else is refused."""
_FORMATS = {"b1": "?", "i1": "b", "i2": "h", "i4": "i", "i8": "q", "u1": "B", "u2": "H", "u4": "I", "u8": "Q"} | {
    "f2": "e",
    "f4": "f",
    "f8": "d",
}
"""numpy's name of a number type -> the format of `struct`."""


class ForeignError(Exception):
    """The pickle holds something else than plain values; the text names it."""


class TooLargeError(Exception):
    """The pickle would take more memory or time than any honest file."""


class _Token:
    """Stands for something that is no plain value and must not get into the result."""


@dataclass(slots=True)
class _Name(_Token):
    does: str


@dataclass(slots=True)
class _Dtype(_Token):
    code: str
    order: str = ""


@dataclass(slots=True)
class _Arguments(_Token):
    """A tuple with tokens in it."""

    items: tuple[Any, ...]


class Machine:
    """The stack machine of pickles, reduced to plain values. Any built-in error means a damaged file."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        """The stacks under the open marks."""
        self.memo: dict[int, Any] = {}
        self.steps = 0

    def run(self, stream: io.BytesIO) -> object:
        for opcode, argument, _ in pickletools.genops(stream):
            self.spend(1)
            handler = _HANDLERS.get(opcode.name)
            if handler is None:
                raise ForeignError(f"the instruction {opcode.name}, or is no pickle at all")
            handler(self, argument)
        [result] = self.stack
        if self.below or stream.read(1):
            raise ValueError("more than one value")
        return _plain(result)

    def spend(self, steps: int) -> None:
        self.steps += steps
        if self.steps > MAX_STEPS:
            raise TooLargeError

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def mark(self, _: None) -> None:
        self.below.append(self.stack)
        self.stack = []

    def since_mark(self) -> list[Any]:
        items, self.stack = self.stack, self.below.pop()
        return items

    def number(self, value: int) -> None:
        if value.bit_length() > _NUMBER_BITS:
            raise ValueError("a number of more than 64 bits")
        self.push(value)

    def extend(self, items: Iterable[Any]) -> None:
        _of(list, self.stack[-1]).extend(map(_plain, items))

    def update(self, items: Sequence[Any]) -> None:
        pairs = zip(items[::2], items[1::2], strict=True)
        _of(dict, self.stack[-1]).update({_key(key): _plain(value) for key, value in pairs})

    def new_dict(self, _: None) -> None:
        items = self.since_mark()
        self.empty_dict()
        self.update(items)

    def empty_dict(self, _: None = None) -> None:
        self.spend(_CONTAINER_STEPS)
        self.push({})

    def add_members(self, _: None) -> None:
        items = self.since_mark()
        _of(set, self.stack[-1]).update(map(_key, items))

    def new_list(self, items: list[Any]) -> None:
        self.spend(_CONTAINER_STEPS)
        self.push(items)

    def new_set(self, _: None) -> None:
        self.spend(3 * _CONTAINER_STEPS)  # an empty set is larger than other empty things
        self.push(set())

    def new_tuple(self, items: Sequence[Any]) -> None:
        self.spend(_CONTAINER_STEPS)
        values = tuple(items)
        self.push(_Arguments(values) if any(isinstance(value, _Token) for value in values) else values)

    def pop(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise IndexError(count)
        items = self.stack[-count:]
        del self.stack[-count:]
        return items

    def name(self, text: str) -> None:
        if text not in _NAMES:
            raise ForeignError(f"the Python object {_dotted(text)}")
        self.push(_Name(_NAMES[text]))

    def instance(self, text: str) -> None:
        raise ForeignError(f"an instance of {_dotted(text)}")

    def stack_name(self, _: None) -> None:
        module, name = self.pop(2)
        self.name(f"{_of(str, module)} {_of(str, name)}")

    def reduce(self, _: None) -> None:
        """What calls a function in a pickle: here one of the replacements of `_NAMES`."""
        function, arguments = self.pop(2)
        items = arguments.items if isinstance(arguments, _Arguments) else _of(tuple, arguments)
        match _of(_Name, function).does, *items:
            case "dtype", str(code), _, _:
                if code not in _FORMATS:
                    raise ForeignError(f"numpy values of type {code[:_SHOWN]!r}")
                self.push(_Dtype(code))
            case "scalar", _Dtype(code, order), bytes(data) | str(data) if order and len(data) <= 8:
                data = data.encode("latin1") if isinstance(data, str) else data
                self.push(struct.unpack(order + _FORMATS[code], data)[0])
            case "encode", str(text), "latin1":
                self.spend(len(text))
                self.push(text.encode("latin1"))
            case "set", list(members):
                self.spend(len(members) + 3 * _CONTAINER_STEPS)
                self.push({_key(member) for member in members})
            case "bytes", *nothing if not nothing:
                self.push(b"")
            case _:
                raise ValueError("unexpected arguments")

    def build(self, _: None) -> None:
        """What sets attributes in a pickle: here the byte order of a numpy type."""
        dtype, state = self.pop(2)
        order = _of(tuple, state)[1]
        _of(_Dtype, dtype).order = {"<": "<", ">": ">", "|": "<"}[order]
        self.push(dtype)


def _dotted(text: str) -> str:
    """`module name` for messages: short, control characters escaped."""
    return repr(text[:_SHOWN].replace(" ", ".", 1))


def _of(kind: type, value: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError(kind)
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, _Token):
        raise ForeignError("a Python function or type where a value belongs")
    return value


def _key(value: Any) -> Any:
    """Tuples are refused because hashing them can take for ever."""
    return _of(str | bytes | int | float | None, value)  # type: ignore[arg-type]


def _protocol(_: Machine, protocol: int) -> None:
    if protocol > _HIGHEST_PROTOCOL:
        raise ValueError(protocol)


_GROUPS: dict[str, Callable[[Machine, Any], object]] = {
    "FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING BINBYTES SHORT_BINBYTES BINBYTES8": Machine.push,
    "UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8 NONE": Machine.push,
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4": Machine.number,
    "NEWTRUE": lambda m, _: m.push(True),
    "NEWFALSE": lambda m, _: m.push(False),
    "EMPTY_LIST": lambda m, _: m.new_list([]),
    "EMPTY_DICT": Machine.empty_dict,
    "EMPTY_TUPLE": lambda m, _: m.push(()),
    "EMPTY_SET": Machine.new_set,
    "MARK": Machine.mark,
    "POP": lambda m, _: m.pop(1) if m.stack else m.since_mark(),
    "POP_MARK": lambda m, _: m.since_mark(),
    "TUPLE": lambda m, _: m.new_tuple(m.since_mark()),
    "TUPLE1": lambda m, _: m.new_tuple(m.pop(1)),
    "TUPLE2": lambda m, _: m.new_tuple(m.pop(2)),
    "TUPLE3": lambda m, _: m.new_tuple(m.pop(3)),
    "LIST": lambda m, _: m.new_list([_plain(item) for item in m.since_mark()]),
    "DICT": Machine.new_dict,
    "APPEND": lambda m, _: m.extend(m.pop(1)),
    "APPENDS": lambda m, _: m.extend(m.since_mark()),
    "SETITEM": lambda m, _: m.update(m.pop(2)),
    "SETITEMS": lambda m, _: m.update(m.since_mark()),
    "ADDITEMS": Machine.add_members,
    "PUT BINPUT LONG_BINPUT": lambda m, index: m.memo.update({index: m.stack[-1]}),
    "MEMOIZE": lambda m, _: m.memo.update({len(m.memo): m.stack[-1]}),
    "GET BINGET LONG_BINGET": lambda m, index: m.push(m.memo[index]),
    "GLOBAL": Machine.name,
    "INST": Machine.instance,
    "STACK_GLOBAL": Machine.stack_name,
    "REDUCE": Machine.reduce,
    "BUILD": Machine.build,
    "PROTO": _protocol,
    "FRAME STOP": lambda m, _: None,
}
_HANDLERS = {name: handler for names, handler in _GROUPS.items() for name in names.split()}
