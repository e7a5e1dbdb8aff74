"""What is to be said about many images, without saying it many times: each message once, and how many images it is about."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

_NAMED = 3  # images that are named in a line about many


@dataclass
class _Message:
    text: str
    images: list[str]


class Repeats:
    """Collects messages about images. Two are the same if they differ in names of images and files and in numbers only."""

    def __init__(self, subject: str, log: Callable[..., None]) -> None:
        """`subject` begins every line, such as "not prepared"; `log` takes them, such as `logger.warning`."""
        self._subject, self._log = subject, log
        self._messages: dict[str, _Message] = {}

    def add(self, image_id: str, path: Path, text: object) -> None:
        """Note a message; it is logged when it comes first, since a run may take hours."""
        line = " ".join(str(text).split()).removeprefix(f"{image_id}: ")
        key = re.sub(r"\d+", "#", renamed(line, [path, Path(image_id)], "#"))
        message = self._messages.setdefault(key, _Message(line, []))
        message.images.append(image_id)
        if len(message.images) == 1:
            self._log("%s: image %s: %s", self._subject, image_id, line)

    def log_counts(self) -> None:
        """A line for every message that came more than once."""
        for message in self._messages.values():
            if (count := len(message.images)) > 1:
                named = ", ".join(message.images[:_NAMED]) + (", ..." if count > _NAMED else "")
                self._log("%s: %d images (%s): %s", self._subject, count, named, message.text)


def renamed(text: str, files: Iterable[Path], name: str) -> str:
    """A text in which files have another name, whether it calls them by their path or their name."""
    names = [re.escape(each) for file in files for each in (str(file), file.name) if each]
    return re.sub(rf"(?<!\w)({'|'.join(names)})(?!\w)", lambda _: name, text) if names else text
