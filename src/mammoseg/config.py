"""Configurations: frozen pydantic models, read from YAML, overridden by `a.b=1`, written back as YAML."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from mammoseg.bounded import read_bounded

MOST_BYTES = 2**18
"""Largest configuration file; a full one has some kilobytes."""
_SHOWN = 200


class Config(BaseModel):
    """Base of every configuration: frozen, and an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    fixed: ClassVar[frozenset[str]] = frozenset()
    """Fields that nothing overrides: they say what the others are about."""


class ConfigError(ValueError):
    """A configuration that cannot be used, with the fields at fault."""


C = TypeVar("C", bound=Config)


def with_overrides(base: C, file: Path | None = None, sets: Iterable[str] = ()) -> C:
    """`base` changed by a YAML file (nested, only the fields to change) and then by `a.b=value` strings.

    Values are read as YAML: `1e-3`, `[1, 2]`, `true`, `null`, text. Raises ConfigError naming each wrong field.
    """
    changes = [] if file is None else [(str(file), read_yaml(file))]
    changes += [(_shown(text), _nested(text)) for text in sets]
    values = base.model_dump(mode="json")
    for where, change in changes:
        for name in sorted(base.fixed & change.keys()):
            if change[name] != values[name]:
                raise ConfigError(
                    f"{where}: {name} {str(change[name])[:_SHOWN]!r} in the place of {values[name]!r}, which the other settings "
                    f"are for. Expected the {name} they were written for. Leave it out, or choose a recipe of that {name}."
                )
        _merge(values, change, where, base)
    return parse(type(base), values, where="configuration")


def _nested(text: str) -> dict[str, Any]:
    """`a.b=value` -> {"a": {"b": value}}."""
    path, equals, value = text.partition("=")
    if not equals or not path.strip():
        raise ConfigError(f"{_shown(text)}: expected NAME=VALUE, for example --set stages.joint.epochs=5")
    nested: Any = _parse(value, _shown(text))
    for name in reversed(path.strip().split(".")):
        nested = {name: nested}
    return cast(dict[str, Any], nested)


def _shown(text: str) -> str:
    return f"--set {text[:_SHOWN]!r}{'...' if len(text) > _SHOWN else ''}"


def parse(kind: type[C], values: Mapping[str, Any], where: str) -> C:
    """Check plain values against a configuration class; ConfigError lists every problem."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        problems = [f"  {'.'.join(map(str, e['loc'])) or kind.__name__}: {e['msg']}" for e in error.errors()]
        raise ConfigError(f"{where} does not fit {kind.__name__}:\n" + "\n".join(problems)) from None


def to_yaml(config: Config) -> str:
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)


def read_yaml(file: Path) -> dict[str, Any]:
    """Names with values. Raises ConfigError for a file that is no YAML of this kind."""
    try:
        text = read_bounded(file, MOST_BYTES).decode("utf-8")
    except OSError as error:
        raise ConfigError(f"{file}: the configuration cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    except ValueError as error:
        raise ConfigError(f"{file}: no configuration: {error}. Expected some lines of YAML. Check the path.") from None
    values = _parse(text, str(file))
    if not isinstance(values, dict):
        raise ConfigError(f"{file}: expected names with values, found {type(values).__name__}")
    return values


def _parse(text: str, where: str) -> Any:
    try:
        return yaml.load(text, _Loader)
    except (
        yaml.YAMLError,
        ValueError,
    ) as error:  # ValueError: a date that there is not, a number of thousands of digits
        raise ConfigError(f"{where}: not valid YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise ConfigError(f"{where}: nested too deeply. Expected a few levels of names. Check the brackets.") from None


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, but of two equal names it refuses the second, and 1e-3 is a number (to YAML 1.1, text).

    Aliases are refused: a few lines of them can stand for more values than any memory holds.
    """

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not read; write the values out", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = Counter(str(key.value) for key, _ in node.value)
        if twice := sorted(name for name, count in names.items() if count > 1):
            raise yaml.constructor.ConstructorError(None, None, f"{', '.join(twice)}: given twice", node.start_mark)
        return super().construct_mapping(node, deep)


_EXPONENT = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$")
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _EXPONENT, list("+-0123456789"))


def _merge(into: dict[str, Any], changes: Mapping[str, Any], where: str, shape: object) -> None:
    """`shape` is what `into` was made from: a Config has the fields it has, any other mapping takes new names."""
    for name, value in changes.items():
        if isinstance(shape, Config) and name not in (fields := type(shape).model_fields):
            raise ConfigError(f"{where}: there is no field {name!r}; there are: {', '.join(fields)}")
        if isinstance(value, Mapping) and isinstance(into.get(name), dict):
            inner = (
                getattr(shape, name)
                if isinstance(shape, Config)
                else shape.get(name)
                if isinstance(shape, Mapping)
                else None
            )
            _merge(into[name], value, where, inner)
        else:
            into[name] = value
