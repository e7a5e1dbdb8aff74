"""What the name of a file of annotations tells: the image, and the label if there is a file for each.

    {image}    the image_id, or the name of the image's file without its suffix
    {label}    what was drawn
    {*}        anything, also nothing

Everything else stands for itself: `{image}_{label}`, `{image}-seg{*}`.
"""

import re

from pydantic import field_validator

from mammoseg.config import Config
from mammoseg.ingest.annotation import AnnotationError

_FIELDS = {"{image}": "(?P<image>.+)", "{label}": "(?P<label>.+)", "{*}": ".*"}
_LONGEST = 200


class NamedFiles(Config):
    pattern: str = "{image}"
    """How names of files are built, without their suffix, such as {image}_{label}."""

    @field_validator("pattern")
    @classmethod
    def _names_an_image(cls, pattern: str) -> str:
        known = pattern
        for name in _FIELDS:
            known = known.replace(name, "")
        once = pattern.count("{image}") == 1 and pattern.count("{label}") <= 1 and pattern.count("{*}") <= 2
        if not once or "{" in known or len(pattern) > _LONGEST:
            raise ValueError("expected {image} once, {label} or {*} where there is more, and nothing else in braces")
        return pattern

    def told(self, name: str) -> tuple[str, str | None]:
        """Image and label by the name of a file without its suffix. Raises AnnotationError if it is built in another way."""
        parts = re.split("|".join(map(re.escape, _FIELDS)), self.pattern)
        fields = re.findall("|".join(map(re.escape, _FIELDS)), self.pattern)
        built = re.escape(parts[0]) + "".join(_FIELDS[f] + re.escape(p) for f, p in zip(fields, parts[1:], strict=True))
        match = re.fullmatch(built, name[: 2 * _LONGEST])
        if match is None:
            raise AnnotationError(
                f"its name is not built like {self.pattern}. Expected one that is. Rename it, or set another pattern."
            )
        return match["image"], match.groupdict().get("label")
