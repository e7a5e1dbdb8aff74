"""Short ids that stand for patients and exams: hashes, with a salt that only the owner of the data has.

    id = first 12 hex digits of HMAC-SHA256(salt, kind | parts)

Without a salt the same text gives the same id everywhere, so whoever knows the text can recognise the id.
"""

import hashlib
import hmac
import logging
import os
import secrets
from pathlib import Path

from mammoseg.io.atomic import atomic_path

logger = logging.getLogger(__name__)

_DIGITS = 12  # two of 100,000 exams have the same id once in 60,000 data sets
_SHORTEST = 16  # characters of a salt


class SaltError(ValueError):
    """A salt file that cannot be used."""


def pseudonym(salt: bytes, kind: str, *parts: str) -> str:
    """The id of something that `parts` name; the first letter is that of its kind."""
    message = "\0".join((kind, *parts)).encode("utf-8", "surrogatepass")
    return kind[0] + hmac.new(salt, message, hashlib.sha256).hexdigest()[:_DIGITS]


def read_salt(path: Path) -> bytes:
    """The salt in a file; a missing file is written with a random one, for the owner's eyes only.

    Raises SaltError if the file cannot be read or holds too little.
    """
    if not path.exists():
        with atomic_path(path, mode=0o600) as temporary:
            temporary.write_text(secrets.token_hex(32) + "\n", encoding="ascii")
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
