"""Images that failed, a file for each, so that several processes may note theirs: `FOLDER/failures/<image_id>.json`.

`errors.csv` is the table of them (io/ledger.py), written by whoever is ready.
"""

from pathlib import Path

from mammoseg.bounded import read_json
from mammoseg.io.atomic import write_json, write_text
from mammoseg.io.errors import RunFileError
from mammoseg.io.ledger import COLUMNS, table_of, texts_of


class Failures:
    """The failures of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "failures"
        self.table = folder / "errors.csv"

    def add(self, image_id: str, path: Path | str, step: str, error: BaseException, message: str = "") -> None:
        """Like `Ledger.add`."""
        texts = texts_of(image_id, path, step, error, message)
        write_json(self._file(image_id), dict(zip(COLUMNS, texts, strict=True)))

    def remove(self, image_id: str, step: str | None = None) -> None:
        """Forget the failure of an image that has succeeded since (with `step`: only if it failed there)."""
        file = self._file(image_id)
        if file.is_file() and step in (None, self._read(file)[2]):
            file.unlink(missing_ok=True)

    def __contains__(self, image_id: str) -> bool:
        return self._file(image_id).is_file()

    def image_ids(self) -> list[str]:
        """The images with a failure, sorted."""
        return sorted(file.stem for file in self.folder.glob("[!.]*.json"))

    def write_table(self) -> None:
        """Write errors.csv anew; without any failure it goes."""
        if files := sorted(self.folder.glob("[!.]*.json")):
            write_text(self.table, table_of(map(self._read, files)))
        else:
            self.table.unlink(missing_ok=True)

    def _file(self, image_id: str) -> Path:
        return self.folder / f"{image_id}.json"

    def _read(self, file: Path) -> tuple[str, ...]:
        try:
            values = read_json(file)
            return tuple(str(values[name]) for name in COLUMNS)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunFileError(f"{file} is no failure ({error}). Delete it and start the command again.") from None
