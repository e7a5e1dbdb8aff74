"""Configurations: frozen pydantic models, read from YAML, overridden by `a.b=1`, written back as YAML."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError


class Config(BaseModel):
    """Base of every configuration: frozen, and an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ConfigError(ValueError):
    """A configuration that cannot be used, with the fields at fault."""


C = TypeVar("C", bound=Config)


def with_overrides(base: C, file: Path | None = None, sets: Iterable[str] = ()) -> C:
    """`base` changed by a YAML file (nested, only the fields to change) and then by `a.b=value` strings.

    Values are read as YAML: `1e-3`, `[1, 2]`, `true`, `null`, text. Raises ConfigError naming each wrong field.
    """
    values = base.model_dump(mode="json")
    if file is not None:
        _merge(values, _read_yaml(file), str(file))
    for text in sets:
        path, equals, value = text.partition("=")
        if not equals or not path.strip():
            raise ConfigError(f"--set {text!r}: expected NAME=VALUE, for example --set training.epochs=5")
        nested: Any = _parse(value, f"--set {text!r}")
        for name in reversed(path.strip().split(".")):
            nested = {name: nested}
        _merge(values, nested, f"--set {text!r}")
    return parse(type(base), values, where="configuration")


def parse(kind: type[C], values: Mapping[str, Any], where: str) -> C:
    """Check plain values against a configuration class; ConfigError lists every problem."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        problems = [f"  {'.'.join(map(str, e['loc'])) or kind.__name__}: {e['msg']}" for e in error.errors()]
        raise ConfigError(f"{where} does not fit {kind.__name__}:\n" + "\n".join(problems)) from None


def to_yaml(config: Config) -> str:
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)


def _read_yaml(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{file}: the configuration cannot be read ({error.strerror})") from None
    values = _parse(text, str(file))
    if not isinstance(values, dict):
        raise ConfigError(f"{file}: expected names with values, found {type(values).__name__}")
    return values


def _parse(text: str, where: str) -> Any:
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}: not valid YAML: {error}") from None
    if isinstance(value, str):  # YAML 1.1 takes 1e-3 for text
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _merge(into: dict[str, Any], changes: Mapping[str, Any], where: str) -> None:
    for name, value in changes.items():
        if name not in into:
            raise ConfigError(f"{where}: there is no field {name!r}; there are: {', '.join(into)}")
        if isinstance(value, Mapping) and isinstance(into[name], dict):
            _merge(into[name], value, where)
        else:
            into[name] = value
