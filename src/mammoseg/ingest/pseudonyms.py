"""Short ids that stand for patients, exams and images: hashes, with a salt that only the owner of the data has.

    id = first 12 hex digits of HMAC-SHA256(salt, kind | parts)

Without a salt the same text gives the same id everywhere, so whoever knows the text can recognise the id.
"""

import hashlib
import hmac
import logging
import os
import secrets
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from mammoseg.data.manifest import Manifest

logger = logging.getLogger(__name__)

_DIGITS = 12  # two of 100,000 exams have the same id once in 60,000 data sets
_SHORTEST = 16  # characters of a salt


class SaltError(ValueError):
    """A salt file that cannot be used."""


def pseudonym(salt: bytes, kind: str, *parts: str) -> str:
    """The id of something that `parts` name; the first letter is that of its kind."""
    message = "\0".join((kind, *parts)).encode("utf-8", "surrogatepass")
    return kind[0] + hmac.new(salt, message, hashlib.sha256).hexdigest()[:_DIGITS]


def with_pseudonyms(manifest: Manifest, salt: bytes) -> Manifest:
    """The same images with pseudonyms for patients, exams and images, whose files are then not to be told.

    A manifest that has pseudonyms, as `mammoseg scan` gives them, keeps its own. A patient has the same one in both.
    """
    table = manifest.table
    if not table["patient_id"].str.fullmatch(f"p[0-9a-f]{{{_DIGITS}}}").all():
        ids = {"patient_id": ["patient_id"], "exam_id": ["patient_id", "exam_id"], "image_id": ["image_id"]}
        shown = {
            name: [
                pseudonym(salt, name.removesuffix("_id"), *row) for row in table[of].itertuples(index=False, name=None)
            ]
            for name, of in ids.items()
        }
        table = table.assign(**shown)
    return replace(manifest, table=table, salt=of_salt(salt))


def of_salt(salt: bytes) -> str:
    """What tells one salt from another and does not give it away."""
    return pseudonym(salt, "salt")


def read_salt(path: Path) -> bytes:
    """The salt in a file; a missing file is written with a random one, for the owner's eyes only.

    Of several programs that find it missing one writes it, and all read what is there then.
    Raises SaltError if the file cannot be read or holds too little.
    """
    if not path.exists():
        _make_salt(path)
    try:
        salt = path.read_bytes().strip()
        open_to_others = os.name == "posix" and path.stat().st_mode & 0o077
    except OSError as error:
        raise SaltError(
            f"{path}: the salt cannot be read ({error.strerror}). Expected a file with a secret text. Check path and access "
            "rights; a missing file is made."
        ) from None
    if len(salt) < _SHORTEST:
        raise SaltError(
            f"{path}: the salt has {len(salt)} characters. Expected at least {_SHORTEST}. Delete the file to have one "
            "made, or write a long random text into it."
        )
    if open_to_others:
        logger.warning("%s: other users may read the salt: take their access rights away (chmod 600)", path)
    return salt


def _make_salt(path: Path) -> None:
    """Written under another name and given its own by a link, which fails if somebody else was first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary, salt = path.with_name(f".{path.name}.{secrets.token_hex(8)}"), secrets.token_hex(32)
    _write_new(temporary, salt)
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        with suppress(FileExistsError):
            _write_new(path, salt)
    finally:
        temporary.unlink(missing_ok=True)


def _write_new(path: Path, salt: str) -> None:
    """Raises FileExistsError if anything is there, a link to another file included."""
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(salt + "\n")
        file.flush()
        os.fsync(file.fileno())
