"""`mammoseg doctor`: is everything here that mammoseg needs."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mammoseg.records.check import Check


def doctor() -> int:
    """Check the installation: PyTorch, GPU, memory, disk, decoders.

    A line per check. WARN: it works, but not as well as it could. FAIL: something does not work (exit code 1).
    """
    from mammoseg.cli.tables import print_table
    from mammoseg.installation.computing import check_computing
    from mammoseg.installation.decoding import check_decoding
    from mammoseg.installation.machine import check_machine
    from mammoseg.installation.packages import check_packages

    checks = [*check_packages(), *check_computing(), *check_machine(), *check_decoding()]
    print_table([{"": c.result, "what": c.subject, "found": _told(c)} for c in checks])
    failed, warned = (sum(check.result == result for check in checks) for result in ("FAIL", "WARN"))
    print(f"{len(checks)} checks: {failed} FAIL, {warned} WARN")
    return 1 if failed else 0


def _told(check: "Check") -> str:
    return f"{check.found}. {check.remedy}." if check.remedy else check.found
