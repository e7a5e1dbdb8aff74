"""Packages that are missing or of another version, without touching what is installed."""

from importlib.metadata import PackageNotFoundError

import pytest

from mammoseg.installation import packages
from mammoseg.installation.packages import check_packages


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Package -> version of a made-up environment, in which everything is right."""
    there = {"torch": "2.11.1+cpu", "numpy": "2.4.0rc1"}

    def version(name: str) -> str:
        if name not in there:
            raise PackageNotFoundError(name)
        return there[name]

    monkeypatch.setattr(packages, "version", version)
    monkeypatch.setattr(
        packages,
        "requires",
        lambda name: ["torch>=2.11", "numpy>=2.0", 'pytest>=8; extra == "dev"', "x; python_version<'3'"],
    )
    monkeypatch.setattr(packages, "metadata", lambda name: {"Requires-Python": ">=3.11,<3.14"})
    monkeypatch.setattr(packages.platform, "python_version", lambda: "3.12.1")
    return there


def results() -> dict[str, str]:
    return {check.subject: check.result for check in check_packages()}


def test_only_what_is_needed_is_asked_for() -> None:
    assert results() == {"Python": "PASS", "packages": "PASS"}
    assert check_packages()[1].found.startswith("2 of 2 ")


def test_a_package_is_missing_or_too_old(installed: dict[str, str]) -> None:
    del installed["torch"]
    installed["numpy"] = "1.26.4"
    assert results() == {"Python": "PASS", "packages": "PASS", "torch": "FAIL", "numpy": "WARN"}
    *_, torch, numpy = check_packages()
    assert (torch.found, numpy.found) == ("missing, expected >=2.11", "1.26.4, expected >=2.0")
    assert numpy.remedy == 'pip install "numpy>=2.0"'


def test_another_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages.platform, "python_version", lambda: "3.14.0")
    assert results()["Python"] == "FAIL"


def test_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def requires(name: str) -> list[str]:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(packages, "requires", requires)
    assert results() == {"packages": "WARN"}
