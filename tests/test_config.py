"""Configurations: read, overridden, refused with the field at fault, and written so that reading gives them back."""

import math
from pathlib import Path
from typing import Literal

import pytest
import yaml
from pydantic import Field, ValidationError

from mammoseg.config import Config, ConfigError, parse, to_yaml, with_overrides


class Inner(Config):
    size: tuple[int, int] = (3, 4)
    kind: Literal["a", "b"] = "a"
    rate: float | None = Field(None, gt=0)
    """Something per second."""


class Outer(Config):
    epochs: int = Field(5, ge=1)
    name: str = "first"
    inner: Inner = Inner()
    stages: dict[str, Inner] = Field(default_factory=lambda: {"one": Inner(rate=1.0)})
    limit: float = math.inf


def yaml_file(folder: Path, text: str | bytes) -> Path:
    path = folder / "config.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_frozen_and_closed() -> None:
    with pytest.raises(ValidationError):
        Outer().epochs = 3  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Outer(epoch=3)  # type: ignore[call-arg]
    assert Inner.model_fields["rate"].description == "Something per second."


def test_nothing_to_override_changes_nothing() -> None:
    assert with_overrides(Outer()) == Outer()


def test_a_file_changes_only_what_it_names(tmp_path: Path) -> None:
    path = yaml_file(tmp_path, "epochs: 7\ninner:\n  rate: 1e-3\n  size: [5, 6]\n")
    changed = with_overrides(Outer(name="kept"), path)
    assert changed == Outer(name="kept", epochs=7, inner=Inner(rate=0.001, size=(5, 6)))


def test_sets_come_after_the_file_in_their_order(tmp_path: Path) -> None:
    path = yaml_file(tmp_path, "epochs: 7\nname: file\n")
    assert with_overrides(Outer(), path, ["epochs=8", "epochs=9"]) == Outer(epochs=9, name="file")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("inner.rate=1e-3", Outer(inner=Inner(rate=0.001))),
        ("inner.rate=null", Outer()),
        ("epochs=1e3", Outer(epochs=1000)),
        ("limit=-2E+2", Outer(limit=-200.0)),
        ("inner.size=[1, 2]", Outer(inner=Inner(size=(1, 2)))),
        ("inner={kind: b}", Outer(inner=Inner(kind="b"))),
        ("name=a=b", Outer(name="a=b")),
        ("name='7'", Outer(name="7")),
        ("name='1e3'", Outer(name="1e3")),
        (" inner.kind =b", Outer(inner=Inner(kind="b"))),
        ("stages.one.kind=b", Outer(stages={"one": Inner(rate=1.0, kind="b")})),
        ("stages.two.rate=2", Outer(stages={"one": Inner(rate=1.0), "two": Inner(rate=2.0)})),
    ],
)
def test_set(text: str, expected: Outer) -> None:
    assert with_overrides(Outer(), sets=[text]) == expected


def test_two_sets_of_one_new_name() -> None:
    changed = with_overrides(Outer(), sets=["stages.two.rate=2", "stages.two.kind=b"])
    assert changed.stages["two"] == Inner(rate=2.0, kind="b")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("epochs", r"expected NAME=VALUE"),
        ("=3", r"expected NAME=VALUE"),
        ("epoch=3", r"--set 'epoch=3': there is no field 'epoch'; there are: epochs, name"),
        ("inner.rat=3", r"there is no field 'rat'; there are: size, kind, rate"),
        ("epochs=0", r"epochs: .*greater than or equal to 1"),
        ("epochs=many", r"epochs: .*integer"),
        ("epochs=", r"epochs: .*integer"),
        ("epochs.more=3", r"epochs: .*integer"),
        ("inner.rate=nan", r"inner\.rate: .*greater than 0"),
        ("inner.kind=c", r"inner\.kind: .*'a' or 'b'"),
        ("inner.size=[1]", r"inner\.size\.1: "),
        ("inner=[", r"not valid YAML"),
        ("inner={rate: 1, rate: 2}", r"rate: given twice"),
        ("stages.two.wrong=2", r"stages\.two\.wrong: "),
    ],
)
def test_what_cannot_be_set(text: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        with_overrides(Outer(), sets=[text])


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("epoch: 3", "there is no field 'epoch'"),
        ("1: 3", "there is no field 1"),
        ("- 1", "expected names with values, found list"),
        ("", "expected names with values, found NoneType"),
        ("epochs: {", "not valid YAML"),
        ("epochs: 1\nepochs: 2", "epochs: given twice"),
        ("? [1, 2]\n: 3", "not valid YAML"),
        ("epochs: !!python/name:os.system", "not valid YAML"),
        (b"name: \xfc", "not UTF-8 text"),
        (b"name: \x00", "not valid YAML"),
    ],
)
def test_files_that_are_no_configuration(tmp_path: Path, data: str | bytes, expected: str) -> None:
    path = yaml_file(tmp_path, data)
    with pytest.raises(ConfigError, match=expected) as caught:
        with_overrides(Outer(), path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read \\(No such file"):
        with_overrides(Outer(), tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        with_overrides(Outer(), tmp_path)


def test_every_problem_is_told() -> None:
    with pytest.raises(ConfigError) as caught:
        parse(Outer, {"epochs": 0, "inner": {"kind": "c"}, "more": 1}, where="checkpoint.json")
    assert str(caught.value).startswith("checkpoint.json does not fit Outer:\n")
    for name in ("  epochs: ", "  inner.kind: ", "  more: "):
        assert name in str(caught.value)


def test_written_and_read_back(tmp_path: Path) -> None:
    config = Outer(epochs=3, name="no", inner=Inner(rate=1e-5), limit=math.inf)
    text = to_yaml(config)
    assert parse(Outer, yaml.safe_load(text), where="") == config
    assert with_overrides(Outer(), yaml_file(tmp_path, text)) == config
    assert text.splitlines()[0] == "epochs: 3"


DEEP = "[" * 10_000
BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"name: {DEEP}", "nested too deeply"),
        ("name: " + "{a: " * 10_000, "nested too deeply"),
        ("name:\n" + "".join(f"{' ' * depth}- \n" for depth in range(1, 500)), "nested too deeply"),
        (BOMB, r"aliases \(\*name\) are not read; write the values out"),
        ("name: &a [*a]", "aliases"),
        ("inner: &a {kind: b}\nstages: {one: {<<: *a}}", "aliases"),
        ("name: " + "9" * 5000, "not valid YAML"),
        ("name: 2001-99-99", "not valid YAML"),
        ("a: 1\n" * 2000, "given twice"),
        ("#" * 2**18 + "\nepochs: 3", "more than 262144 bytes"),
        ("? [a, b]\n: 1\n", "not valid YAML"),
    ],
    ids=lambda text: text[:20],
)
def test_files_made_to_exhaust_the_program(tmp_path: Path, text: str, expected: str) -> None:
    path = yaml_file(tmp_path, text)
    with pytest.raises(ConfigError, match=expected) as caught:
        with_overrides(Outer(), path)
    assert str(path) in str(caught.value)


def test_settings_made_to_exhaust_the_program() -> None:
    for text in (f"name={DEEP}", "inner=" + "{a: " * 10_000, "name=" + "9" * 5000):
        with pytest.raises(ConfigError, match=r"nested too deeply|not valid YAML") as caught:
            with_overrides(Outer(), sets=[text])
        assert len(str(caught.value)) < 500
        assert "\n" not in str(caught.value)
    for name in ("inner." * 5000 + "kind", "stages." * 5000 + "kind"):
        with pytest.raises(ConfigError, match=r"there is no field|does not fit|nested too deeply"):
            with_overrides(Outer(), sets=[f"{name}=1"])


def test_a_configuration_that_is_no_regular_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"/dev/zero: the configuration cannot be read \(no regular file"):
        with_overrides(Outer(), Path("/dev/zero"))


class Named(Outer):
    fixed = frozenset({"name"})


def test_what_the_other_settings_are_about_stays(tmp_path: Path) -> None:
    """The same value may be said again, as the file that a run writes does."""
    path = yaml_file(tmp_path, "name: other\n")
    for arguments in ((path, ()), (None, ("name=other",))):
        with pytest.raises(ConfigError, match=r"name 'other' in the place of .*, which the other settings are for"):
            with_overrides(Named(), *arguments)
    assert with_overrides(Named(), sets=[f"name={Named().name}"]) == Named()
    assert with_overrides(Outer(), path).name == "other"
