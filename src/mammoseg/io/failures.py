"""Images that failed, at which step and why. A long run goes on without them.

A failure is a file, `FOLDER/failures/<image_id>.json`, on the disk as soon as `add` returns, so that several processes may note
theirs. `errors.csv` is the table of them, written by whoever is ready.
"""

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from mammoseg.bounded import read_json
from mammoseg.io.atomic import write_json
from mammoseg.io.cells import write_csv
from mammoseg.io.errors import RunFileError

COLUMNS = ("image_id", "path", "step", "error", "message")


class Failures:
    """The failures of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "failures"
        self.table = folder / "errors.csv"

    def add(self, image_id: str, path: Path | str, step: str, error: BaseException, message: str = "") -> None:
        """Note that `step` (read, prepare, predict ...) failed for an image; its earlier failure is replaced.

        `message` stands for what the error says, where that must not be written.
        """
        texts = map(_one_line, (image_id, path, step, type(error).__name__, message or error))
        write_json(self._file(image_id), dict(zip(COLUMNS, texts, strict=True)))

    def remove(self, image_id: str, step: str | None = None) -> None:
        """Forget the failure of an image that has succeeded since (with `step`: only if it failed there)."""
        file = self._file(image_id)
        if file.is_file() and step in (None, self._read(file)["step"]):
            file.unlink(missing_ok=True)

    def __contains__(self, image_id: str) -> bool:
        return self._file(image_id).is_file()

    def image_ids(self) -> list[str]:
        """The images with a failure, sorted."""
        return sorted(file.stem for file in self.folder.glob("[!.]*.json"))

    def clear(self) -> None:
        """Forget all of them."""
        for image_id in self.image_ids():
            self._file(image_id).unlink(missing_ok=True)
        self.write_table()

    def read(self, only: Collection[str] | None = None) -> pd.DataFrame:
        """All of them, or those of images with these ids, as text, with the columns COLUMNS. Raises RunFileError for a file that
        holds none."""
        image_ids = self.image_ids() if only is None else sorted(image_id for image_id in only if image_id in self)
        found = [self._read(self._file(image_id)) for image_id in image_ids]
        return pd.DataFrame(found, columns=list(COLUMNS), dtype=object)

    def write_table(self) -> None:
        """Write errors.csv anew; without any failure it goes."""
        if self.image_ids():
            write_csv(self.table, self.read())
        else:
            self.table.unlink(missing_ok=True)

    def _file(self, image_id: str) -> Path:
        return self.folder / f"{image_id}.json"

    def _read(self, file: Path) -> dict[str, str]:
        try:
            values = read_json(file)
            return {name: str(values[name]) for name in COLUMNS}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunFileError(f"{file} is no failure ({error}). Delete it and start the command again.") from None


def _one_line(value: object) -> str:
    """No line breaks, and nothing that a terminal would follow as an instruction."""
    text = " ".join(str(value).split()).encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
