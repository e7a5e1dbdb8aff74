"""HTML files that need nothing beside them: templates, scripts and styles of this package in one page that may make no request.

Whatever comes from predictions or manifests is escaped by the templates. The Content-Security-Policy names the hashes of the script
and of the style, so that no other one runs, and allows no request at all.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from mammoseg import __version__
from mammoseg.io.atomic import plain

SCRIPTS = {
    "exam.html": ("pixels.js", "contour.js", "drawing.js", "views.js", "verdict.js", "exam.js"),
    "cohort.html": ("cohort.js",),
}
"""Template -> the files of its script, in their order."""
STYLES = {"exam.html": ("base.css", "exam.css"), "cohort.html": ("base.css", "cohort.css")}


def render(template: str, values: Mapping[str, Any]) -> str:
    """A page. `values` are those of the template (templates/)."""
    script, style = _joined(SCRIPTS[template]), _joined(STYLES[template])
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data: blob:; base-uri 'none'; "
        "form-action 'none'"
    )
    return (
        _environment()
        .get_template(template)
        .render(**values, policy=policy, script=script, style=style, version=__version__)
    )


@cache
def code_hash() -> str:
    """Of all that makes a page beside its data."""
    package = files("mammoseg.report")
    names = sorted(item.name for item in package.joinpath("templates").iterdir() if item.name.endswith(".html"))
    texts = [package.joinpath("templates", name).read_text("utf-8") for name in names]
    texts += [_joined(names) for kind in (SCRIPTS, STYLES) for names in kind.values()]
    return hashlib.sha256("\0".join([__version__, *texts]).encode()).hexdigest()


@cache
def _environment() -> Environment:
    loader = PackageLoader("mammoseg.report")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["as_json"] = _as_json
    environment.filters["jpeg"] = lambda content: f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"
    return environment


def _as_json(value: Any) -> str:
    """For a <script type="application/json">: no character in it can end the element or begin another one."""
    text = json.dumps(plain(value), allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


@cache
def _joined(names: tuple[str, ...]) -> str:
    return "\n".join(files("mammoseg.report").joinpath("viewer", name).read_text("utf-8") for name in names)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
