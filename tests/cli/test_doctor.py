"""`mammoseg doctor`: a line per check with its remedy; exit code 1 if something does not work."""

import pytest
from typer.testing import CliRunner, Result

from mammoseg.cli.app import app
from mammoseg.records.check import Check

FINE = Check("PASS", "Python", "3.12")
SLOW = Check("WARN", "threads", "1 for 8 cores: cores stay idle", "Unset OMP_NUM_THREADS")
BROKEN = Check("FAIL", "DICOM JPEG-LS", "other pixels come out than were put in (pyjpegls)", "pip install it again")


def doctor(monkeypatch: pytest.MonkeyPatch, *checks: Check) -> Result:
    for name in ("packages", "computing", "machine", "decoding"):
        found = list(checks) if name == "packages" else []
        monkeypatch.setattr(f"mammoseg.installation.{name}.check_{name}", lambda found=found: found)
    return CliRunner().invoke(app, ["doctor"])


def test_a_warning_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    done = doctor(monkeypatch, FINE, SLOW)
    assert done.exit_code == 0
    assert "WARN  threads  1 for 8 cores: cores stay idle. Unset OMP_NUM_THREADS." in done.stdout
    assert done.stdout.endswith("2 checks: 0 FAIL, 1 WARN\n")


def test_what_does_not_work_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    done = doctor(monkeypatch, FINE, BROKEN, SLOW)
    assert done.exit_code == 1
    assert "FAIL  DICOM JPEG-LS  other pixels" in done.stdout


def test_this_installation_works() -> None:
    done = CliRunner().invoke(app, ["doctor"])
    assert done.exit_code == 0, done.stdout
    assert "FAIL  " not in done.stdout
