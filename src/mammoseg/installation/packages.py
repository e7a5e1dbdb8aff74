"""Python and the packages that mammoseg is built on: are they there, in versions it works with."""

import platform
from importlib.metadata import PackageNotFoundError, metadata, requires, version

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from mammoseg.records.check import Check

_INSTALL_AGAIN = "Install mammoseg anew in a fresh environment, as its README says"


def check_packages() -> list[Check]:
    """Python, every direct dependency that is missing or of another version, and how many are right."""
    try:
        wanted = [Requirement(line) for line in requires("mammoseg") or []]
        python = SpecifierSet(metadata("mammoseg")["Requires-Python"] or "")
    except PackageNotFoundError:
        return [Check("WARN", "packages", "mammoseg runs without being installed", _INSTALL_AGAIN)]
    needed = [one for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})]
    problems = [check for one in needed if (check := _problem(one)) is not None]
    right = f"{len(needed) - len(problems)} of {len(needed)} direct dependencies are there in the expected versions"
    return [_python(python), Check("PASS", "packages", right), *problems]


def _python(expected: SpecifierSet) -> Check:
    there = platform.python_version()
    if there in expected:
        return Check("PASS", "Python", there)
    return Check("FAIL", "Python", f"{there}, expected {expected}", "Make the environment with another Python")


def _problem(wanted: Requirement) -> Check | None:
    try:
        there = version(wanted.name)
    except PackageNotFoundError:
        return Check("FAIL", wanted.name, f"missing, expected {wanted.specifier}", _INSTALL_AGAIN)
    if wanted.specifier.contains(there, prereleases=True):
        return None
    return Check("WARN", wanted.name, f"{there}, expected {wanted.specifier}", f'pip install "{wanted}"')
