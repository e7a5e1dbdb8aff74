"""Pickles of strangers: what is plain comes back as it was, everything else ends in our own error and runs nothing."""

import builtins
import collections
import copyreg
import datetime
import functools
import os
import pickle
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mammoseg.io import pickles
from mammoseg.io.pickles import PickleReadError, load_plain

PROTOCOLS = range(6)
EXAMS = [
    {
        "horizontal_flip": "NO",
        "L-CC": ["0_L-CC"],
        "R-CC": [],
        "cancer_label": {"benign": 1, "left_benign": 0, "unknown": 0},
        "window_location": {"L-CC": [(np.int64(103), np.int64(2294), 0, 1024)]},
        "best_center": {"L-CC": [(1136.0, np.int32(-158))]},
    }
]


def lists(value: Any) -> Any:
    """The value with lists in place of its tuples."""
    if isinstance(value, dict):
        return {key: lists(item) for key, item in value.items()}
    return [lists(item) for item in value] if isinstance(value, list | tuple) else value


def stored(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "list.pkl"
    path.write_bytes(data)
    return path


def short(text: str) -> bytes:
    """SHORT_BINUNICODE"""
    return b"\x8c" + bytes([len(text)]) + text.encode()


class Calls:
    """Its pickle calls a function."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.function, self.arguments


class Ordinary:
    """A class of the program that reads the pickle."""


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_plain_values_come_back_as_they_were(tmp_path: Path, protocol: int) -> None:
    shared = ["twice"]
    value = [
        {"text": "ä€𝄞", 1: None, None: True, b"k": (), 0.5: {}},
        (shared, shared, (1, (2, [3]))),
        [0, -1, 255, 65536, -(2**40), 2**63, 1.5, float("inf"), False],
        [b"", b"\x00\xff", "", set(), {1, "a", b"b"}],
    ]
    result = load_plain(stored(tmp_path, pickle.dumps(value, protocol)))
    assert result == lists(value)
    assert result[1][0] is result[1][1]  # type: ignore[index]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_numbers_of_numpy_become_plain_ones(tmp_path: Path, protocol: int) -> None:
    kinds = ["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"]
    numbers = [np.dtype(kind).type(1) for kind in kinds] + [np.int64(-7), np.float32(0.1)]
    result = load_plain(stored(tmp_path, pickle.dumps(numbers, protocol)))
    assert result == [number.item() for number in numbers]
    assert [type(r) for r in result] == [type(number.item()) for number in numbers]  # type: ignore[attr-defined]


def test_both_names_of_the_numpy_module_and_both_byte_orders(tmp_path: Path) -> None:
    for module in (b"numpy.core.multiarray", b"numpy._core.multiarray"):
        for order, data in ((b"<", b"\x02\x01"), (b">", b"\x01\x02")):
            dtype = (
                b"cnumpy\ndtype\n"
                + short("i2")
                + b"\x89\x88\x87R(K\x03"
                + short(order.decode())
                + b"NNNJ\xff\xff\xff\xff"
            )
            dtype += b"J\xff\xff\xff\xffK\x00tb"
            number = b"\x80\x04c" + module + b"\nscalar\n" + dtype + b"C\x02" + data + b"\x86R."
            assert load_plain(stored(tmp_path, number)) == 0x0102


def test_a_pickle_of_python_2(tmp_path: Path) -> None:
    """Protocol 2, texts as bytes, a numpy number whose bytes are such a text; made by hand, byte for byte."""
    number = (
        b"cnumpy.core.multiarray\nscalar\nq\x05(cnumpy\ndtype\nq\x06(U\x02i8K\x00K\x01tRq\x07(K\x03U\x01<NNNJ\xff\xff\xff\xff"
        b"J\xff\xff\xff\xffK\x00tbU\x08\xfe\xff\xff\xff\xff\xff\xff\xfftRq\x08"
    )
    data = b"\x80\x02]q\x01}q\x02(U\x04L-CCq\x03]q\x04U\x060_L-CCaU\x01x" + number + b"U\x01yU\x02\xe9\xffua."
    assert load_plain(stored(tmp_path, data)) == [{"L-CC": ["0_L-CC"], "x": -2, "y": "éÿ"}]


def test_a_value_that_contains_itself(tmp_path: Path) -> None:
    value: list[Any] = [([],)]
    value[0][0].append(value[0])
    value.append(value)
    result: Any = load_plain(stored(tmp_path, pickle.dumps(value)))
    assert result[1] is result
    assert result[0][0][0] is result[0]


ATTACKS = {
    "system": Calls(os.system, "touch harmed"),
    "eval": Calls(builtins.eval, "open('harmed', 'w')"),
    "exec": Calls(builtins.exec, "open('harmed', 'w')"),
    "nested": [{"L-CC": [("0_L-CC", {"deep": Calls(os.mkdir, "harmed")})]}],
    "open": Calls(builtins.open, "harmed", "w"),
    "popen": Calls(subprocess.Popen, ["touch", "harmed"]),
    "partial": functools.partial(os.mkdir, "harmed"),
    "getattr": Calls(getattr, Calls(__import__, "os"), "mkdir"),
    "import": Calls(__import__, "this"),
    "numpy": Calls(np.load, "other.npy", None, True),
    "numpy array": np.zeros(3),
    "numpy text": np.str_("a"),
    "numpy type": np.dtype("i8"),
    "numpy objects": np.array([Calls(os.mkdir, "harmed")], dtype=object),
    "copyreg": Calls(copyreg.add_extension, "os", "mkdir", 1),  # type: ignore[attr-defined]
    "instance": Ordinary(),
    "class": Ordinary,
    "function": print,
    "ordered": collections.OrderedDict(a=1),
    "default": collections.defaultdict(list),
    "date": datetime.date(2020, 1, 1),
    "complex": 1j,
    "range": range(3),
    "bytearray": bytearray(b"a"),
    "frozenset": frozenset([1]),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", ATTACKS)
def test_objects_are_refused_and_nothing_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, protocol: int
) -> None:
    path = stored(tmp_path, pickle.dumps(ATTACKS[name], protocol))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PickleReadError, match=r"list\.pkl: this pickle holds .*nothing was executed"):
        load_plain(path)
    assert os.listdir(tmp_path) == ["list.pkl"]  # noqa: PTH208


def test_what_is_refused_is_named(tmp_path: Path) -> None:
    named = {"system": f"'{os.system.__module__}.system'", "partial": "'functools.partial'", "ordered": "OrderedDict"}
    for name, text in named.items():
        with pytest.raises(PickleReadError, match=text):
            load_plain(stored(tmp_path, pickle.dumps(ATTACKS[name])))
    with pytest.raises(PickleReadError, match=r"holds the Python object '\\x1b\[31mos\.x{72}'\.") as caught:
        load_plain(stored(tmp_path, b"\x80\x04" + short("\x1b[31mos") + short("x" * 200) + b"\x93."))
    assert len(str(caught.value)) < 400 + len(str(tmp_path))


@pytest.mark.parametrize(
    "data",
    [
        b"(ios\nsystem\n.",  # INST
        b"(cos\nsystem\nS'true'\no.",  # OBJ
        b"cbuiltins\nset\n)\x81.",  # NEWOBJ
        b"\x80\x04cbuiltins\nset\n)}\x92.",  # NEWOBJ_EX
        b"\x80\x02\x82\x01.",  # EXT1
        b"Pid\n.",  # PERSID
        b"I1\nQ.",  # BINPERSID
        b"\x80\x05\x97.",  # NEXT_BUFFER
        b"\x80\x05\x96" + (2**40).to_bytes(8, "little") + b".",  # BYTEARRAY8, would take the memory at once
        b"cbuiltins\nset\n.",  # an allowed name, but not as a value
        b"](cnumpy\ndtype\ne.",
        b"}I1\ncnumpy\ndtype\ns.",
        b"(cnumpy\ndtype\nt.",
        b"(cnumpy\ndtype\nl.",
        b"cnumpy\ndtype\n(S'O8'\nI0\nI1\ntR.",  # a type that holds objects
        b"cnumpy\ndtype\n(S'V9999999999'\nI0\nI1\ntR.",
        b"\x80\x04" + short("builtins set") + short("") + b"\x93.",
    ],
)
def test_other_ways_to_objects_are_closed(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(PickleReadError):
        load_plain(stored(tmp_path, data))


@pytest.mark.parametrize(
    "data",
    [
        b"cbuiltins\nset\n}(S'add'\nI1\nub.",  # BUILD on a name must not set its attributes
        b"cbuiltins\nset\n(](]et" + b"R.",  # a list as member
        b"](I1\nI2\nd.",
        b"}(I1\nu.",
        b"}(]I1\nu.",
        b"}(I1\nI2\nt" + b"I3\ns.",  # a tuple as key: its hash can take for ever
        b"I1\nI2\na.",
        b"I1\nI2\n.",
        b"(I1\n.",
        b"a.",
        b"R.",
        b"0.",
        b"g5\n.",
        b"\x80\x06K\x01.",
        b"\x80\x04K\x01.K\x01.",
        b"L" + b"9" * 40 + b"L\n.",
        b"c_codecs\nencode\n(S'a'\nS'hex'\ntR.",
        b"cnumpy.core.multiarray\nscalar\n(I1\nI2\ntR.",
        b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(S'i8'\nI0\nI1\ntRS'12345678'\ntR.",  # no byte order
        b"exam,view\n1,L-CC\n",
        b"\x1f\x8b\x08\x00",
    ],
)
def test_damaged_and_foreign_files(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(PickleReadError, match=r"damaged, cut short, or no pickle \(near byte \d+ of \d+\)"):
        load_plain(stored(tmp_path, data))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_cut_short_anywhere(tmp_path: Path, protocol: int) -> None:
    data = pickle.dumps(EXAMS, protocol)
    assert load_plain(stored(tmp_path, data)) == lists(EXAMS)
    for length in range(1, len(data)):
        with pytest.raises(PickleReadError):
            load_plain(stored(tmp_path, data[:length]))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_random_damage_gives_plain_values_or_our_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: int
) -> None:
    random = np.random.default_rng(protocol)
    monkeypatch.chdir(tmp_path)
    good = np.frombuffer(
        pickle.dumps([EXAMS, Calls(os.mkdir, "harmed")] if protocol % 2 else EXAMS, protocol), np.uint8
    )
    refused = 0
    for _ in range(1500):
        data = good.copy()
        at = random.integers(0, len(data), random.integers(1, 6))
        data[at] = random.integers(0, 256, len(at))
        cut, again = sorted(random.integers(0, len(data), 2))
        pieces = [data, np.delete(data, slice(cut, again)), np.insert(data, cut, data[cut:again])]
        try:
            only_plain(load_plain(stored(tmp_path, pieces[random.integers(3)].tobytes())))
        except PickleReadError:
            refused += 1
    assert refused > 500
    assert os.listdir(tmp_path) == ["list.pkl"]  # noqa: PTH208


def only_plain(value: Any) -> None:
    todo, seen = [value], set()
    while todo:
        item = todo.pop()
        assert type(item) in (dict, list, set, str, bytes, int, float, bool, type(None))
        if isinstance(item, dict | list | set) and id(item) not in seen:
            seen.add(id(item))
            todo += [*item, *item.values()] if isinstance(item, dict) else item


def test_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files that would fill the memory, or take for ever, in another reader."""
    assert load_plain(stored(tmp_path, b"\x80\x04]r\xff\xff\xff\xff.")) == []  # memo index of 4 billion
    for size in (2**33, 2**62, 2**64 - 1):
        for code in (b"\x8d", b"\x8e"):
            with pytest.raises(PickleReadError, match="cut short"):
                load_plain(stored(tmp_path, b"\x80\x05" + code + size.to_bytes(8, "little") + b"."))
    deep: Any = load_plain(stored(tmp_path, b"\x80\x04" + b"]" * 100_000 + b"a" * 99_999 + b"."))
    assert len(deep) == 1
    doubled = (
        b"\x80\x04)" + b"\x94h\x00\x86" + b"".join(b"q" + bytes([n]) + b"h" + bytes([n]) + b"\x86" for n in range(90))
    )
    with pytest.raises(PickleReadError):  # 2**90 leaves, if somebody counts them: hashing does
        load_plain(stored(tmp_path, b"\x80\x04}" + doubled[2:] + b"Ns."))
    monkeypatch.setattr(pickles, "MAX_STEPS", 1000)
    repeat = b"c_codecs\nencode\np0\n0(S'" + b"a" * 100 + b"'\nS'latin1'\ntp1\n0(" + b"g0\ng1\nR" * 50 + b"l."
    for bomb in (
        b"\x80\x04(" + b"]" * 150 + b"l.",
        b"\x80\x04(" + b"}" * 150 + b"l.",
        b"\x80\x04)" + b"\x85" * 150 + b".",
        b"\x80\x04(" + b"]" * 2000 + b"l.",
        b"\x80\x04(" + b"\x8f" * 300 + b"l.",
        repeat,
    ):
        with pytest.raises(PickleReadError, match="too much memory"):
            load_plain(stored(tmp_path, bomb))


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PickleReadError, match="No such file"):
        load_plain(tmp_path / "absent.pkl")
    with pytest.raises(PickleReadError, match="this is no file"):
        load_plain(tmp_path)
    with pytest.raises(PickleReadError, match=r"empty \(0 bytes\)"):
        load_plain(stored(tmp_path, b""))
    monkeypatch.setattr(pickles, "MAX_BYTES", 100)
    with pytest.raises(PickleReadError, match="more than 100 bytes"):
        load_plain(stored(tmp_path, pickle.dumps("a" * 200)))


def test_an_image_is_no_pickle(tmp_path: Path) -> None:
    with pytest.raises(PickleReadError, match="no pickle at all"):
        load_plain(stored(tmp_path, b"\x89PNG\r\n\x1a\n" + b"\x00" * 50))


def test_a_warning_made_an_error_changes_nothing(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_plain(stored(tmp_path, b"S'a\\q'\n.")) == "a\\q"


def test_the_error_quotes_no_content(tmp_path: Path) -> None:
    with pytest.raises(PickleReadError) as caught:
        load_plain(stored(tmp_path, b"SMiller, Anna\n."))
    assert "Miller" not in str(caught.value)


@pytest.mark.shared
def test_the_list_of_the_published_software(shared: Path) -> None:
    path = shared / "data" / "nyu_sample" / "exam_list_before_cropping.pkl"
    exams: Any = load_plain(path)
    assert [exam["L-CC"] for exam in exams] == [["0_L-CC"], ["1_L-CC"], ["2_L-CC"], ["3_L-CC"]]
    assert exams[0]["cancer_label"]["right_benign"] == 1
    assert {type(exam["horizontal_flip"]) for exam in exams} == {str}
