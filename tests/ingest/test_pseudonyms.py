"""Ids: stable, short, different for different things, and not to be guessed without the salt."""

import errno
import hashlib
import hmac
import logging
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from mammoseg.data.manifest import Manifest
from mammoseg.ingest.pseudonyms import SaltError, of_salt, pseudonym, read_salt, with_pseudonyms
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


def test_scans_that_make_a_salt_at_once_end_with_one(tmp_path: Path) -> None:
    for number in range(5):
        path, start = tmp_path / f"salt{number}", threading.Barrier(4)

        def make(path: Path = path, start: threading.Barrier = start) -> bytes:
            start.wait()
            return read_salt(path)

        with ThreadPoolExecutor(4) as pool:
            salts = {program.result() for program in [pool.submit(make) for _ in range(4)]}
        assert salts == {path.read_bytes().strip()}
    assert len(list(tmp_path.iterdir())) == 5


def test_the_loser_reads_the_salt_of_the_winner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other program writes its salt just before this one's is in place."""
    path = tmp_path / "salt"
    link = Path.hardlink_to

    def second(self: Path, target: Path) -> None:
        path.write_text("the salt of the other program\n")
        path.chmod(0o600)
        link(self, target)

    monkeypatch.setattr(Path, "hardlink_to", second)
    assert read_salt(path) == b"the salt of the other program"
    assert [entry.name for entry in tmp_path.iterdir()] == ["salt"]


def test_file_systems_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Path, target: Path) -> None:
        raise PermissionError(errno.EPERM, "no links here")

    monkeypatch.setattr(Path, "hardlink_to", refused)
    assert read_salt(tmp_path / "salt") == read_salt(tmp_path / "salt")
    assert [entry.name for entry in tmp_path.iterdir()] == ["salt"]


def test_links_that_lie_there_are_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    victim = tmp_path / "victim"
    monkeypatch.setattr("secrets.token_hex", lambda count: "0" * 2 * count)
    (tmp_path / f".salt.{'0' * 16}").symlink_to(victim)
    with pytest.raises(FileExistsError):
        read_salt(tmp_path / "salt")
    (tmp_path / "salt2").symlink_to(victim)
    with pytest.raises(SaltError, match="cannot be read"):
        read_salt(tmp_path / "salt2")
    assert not victim.exists()


def manifest(patients: list[str]) -> Manifest:
    rows = [
        {
            "patient_id": patient,
            "exam_id": f"{patient}_1",
            "image_id": f"{patient}_L-CC",
            "path": f"/a/{patient}.png",
            "malignant": 1,
        }
        for patient in patients
    ]
    return Manifest.from_table(pd.DataFrame(rows).assign(laterality="L", view="CC"), Path("/a/images.csv"))


def test_a_manifest_with_pseudonyms() -> None:
    given = manifest(["P1", "P2"])
    salted = with_pseudonyms(given, b"secret")
    first, second = salted.rows()
    assert first.patient_id == pseudonym(b"secret", "patient", "P1"), "as in a scan with this salt"
    assert (
        len({first.patient_id, second.patient_id, first.exam_id, second.exam_id, first.image_id, second.image_id}) == 6
    )
    assert all(is_safe_id(text) for text in (first.exam_id, first.image_id))
    assert (first.labels, first.path) == ({"malignant": 1}, Path("/a/P1.png"))
    assert first.salt == of_salt(b"secret")
    assert of_salt(b"secret") != of_salt(b"another")
    assert [row.patient_id for row in given.rows()] == ["P1", "P2"]
    assert [row.image_id for row in with_pseudonyms(manifest(["P2", "P1"]), b"secret").rows()] == [
        second.image_id,
        first.image_id,
    ], "whatever else there is"
    again = with_pseudonyms(salted, b"another")
    assert [row.patient_id for row in again.rows()] == [first.patient_id, second.patient_id]


def test_files_of_pseudonyms_are_not_told() -> None:
    for given, expected in ((manifest(["P1"]), "/a/P1.png: no file P1.png"), (None, "ID: no file ID")):
        [row] = (given or with_pseudonyms(manifest(["P1"]), b"secret")).rows()
        assert row.shown("/a/P1.png: no file P1.png") == expected.replace("ID", row.image_id)
