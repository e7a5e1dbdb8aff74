"""Ids: stable, short, different for different things, and not to be guessed without the salt."""

import hashlib
import hmac
import logging
import stat
from pathlib import Path

import pytest

from mammoseg.data.pseudonyms import SaltError, pseudonym, read_salt
from mammoseg.io.runs import is_safe_id


def test_an_id_is_the_stated_hash() -> None:
    digest = hmac.new(b"secret", b"patient\x00P1", hashlib.sha256).hexdigest()
    assert pseudonym(b"secret", "patient", "P1") == "p" + digest[:12]


def test_ids_differ_by_every_part() -> None:
    ids = [
        pseudonym(b"a", "exam", "1", "23"),
        pseudonym(b"b", "exam", "1", "23"),
        pseudonym(b"a", "patient", "1", "23"),
        pseudonym(b"a", "exam", "12", "3"),
        pseudonym(b"a", "exam", "Müller\udc80"),
    ]
    assert len(set(ids)) == len(ids)
    assert all(is_safe_id(name) for name in ids)


def test_a_salt_is_made_once_for_its_owner(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    salt = read_salt(tmp_path / "a" / "salt")
    assert len(salt) == 64
    assert stat.S_IMODE((tmp_path / "a" / "salt").stat().st_mode) == 0o600
    assert read_salt(tmp_path / "a" / "salt") == salt != read_salt(tmp_path / "b")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["salt"]
    assert not caplog.records


def test_a_salt_that_others_may_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "salt"
    path.write_text("0123456789abcdef\n")
    path.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        assert read_salt(path) == b"0123456789abcdef"
    assert "chmod 600" in caplog.text
    assert "0123" not in caplog.text


def test_a_salt_too_short(tmp_path: Path) -> None:
    path = tmp_path / "salt"
    path.write_text("brief\n")
    with pytest.raises(SaltError, match="has 5 characters") as error:
        read_salt(path)
    assert "brief" not in str(error.value)
    with pytest.raises(SaltError, match="cannot be read"):
        read_salt(tmp_path)
