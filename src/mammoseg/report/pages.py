"""HTML files that need nothing beside them: templates, scripts and styles in one page that may make no request.

Whatever comes from predictions or manifests is escaped by the templates. The Content-Security-Policy names the hashes of the script
and of the style, so that no other one runs, and allows no request at all, unless the pages are of a server of ours.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from mammoseg import __version__
from mammoseg.io.atomic import plain

EXAM_SCRIPT = ("pixels.js", "contour.js", "drawing.js", "views.js", "verdict.js", "exam.js")
EXAM_STYLE = ("base.css", "exam.css")
_OWN_SERVER = "connect-src 'self'; "


@dataclass(frozen=True)
class Kind:
    """What a page is made of beside its template: files of the folder `viewer`, in their order."""

    script: tuple[str, ...]
    style: tuple[str, ...]


class Pages:
    """The pages of one package, in its folders templates/ and viewer/, or in those of packages that it builds on."""

    def __init__(self, packages: tuple[str, ...], kinds: Mapping[str, Kind], connects: bool = False) -> None:
        """`packages`: what the first one lacks is of the next. `kinds`: by template. `connects`: scripts may ask the server that
        the page is from."""
        self.packages, self.kinds, self.connects = packages, kinds, connects
        self.environment = _environment(packages)

    def render(self, template: str, values: Mapping[str, Any]) -> str:
        """A page. `values` are those of the template."""
        script, style = self.script(template), self.style(template)
        policy = (
            f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data: blob:; "
            f"{_OWN_SERVER if self.connects else ''}base-uri 'none'; form-action 'none'"
        )
        made = self.environment.get_template(template)
        return made.render(**values, policy=policy, script=script, style=style, version=__version__)

    def script(self, template: str) -> str:
        return _joined(self.packages, self.kinds[template].script)

    def style(self, template: str) -> str:
        return _joined(self.packages, self.kinds[template].style)

    @cached_property
    def code_hash(self) -> str:
        """Of all that makes a page beside its data."""
        texts = [_text(self.packages, "templates", name) for name in sorted(self.environment.list_templates([".html"]))]
        texts += [text for name in self.kinds for text in (self.script(name), self.style(name))]
        return hashlib.sha256("\0".join([__version__, *texts]).encode()).hexdigest()


def _environment(packages: tuple[str, ...]) -> Environment:
    loader = ChoiceLoader([PackageLoader(package) for package in packages])
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
def _joined(packages: tuple[str, ...], names: tuple[str, ...]) -> str:
    return "\n".join(_text(packages, "viewer", name) for name in names)


def _text(packages: tuple[str, ...], folder: str, name: str) -> str:
    places = [files(package).joinpath(folder, name) for package in packages]
    return next((place for place in places if place.is_file()), places[-1]).read_text("utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


REPORT = Pages(
    ("mammoseg.report",),
    {"exam.html": Kind(EXAM_SCRIPT, EXAM_STYLE), "cohort.html": Kind(("cohort.js",), ("base.css", "cohort.css"))},
)
"""The pages of `mammoseg report`."""
