"""Tables on the terminal and in a pipe."""

import pytest

from mammoseg.cli import tables
from mammoseg.cli.tables import print_table

ROW = {
    "metric": "Average precision", "of": "final, by breast", "class": "malignant", "value": "0.881",
    "interval": "0.801 to 0.934", "n": "1680 (402 positive)", "remark": "[b] 3 unknown :x:",
}  # fmt: skip


@pytest.mark.parametrize("columns", ["40", "200"])
def test_a_row_is_a_line_when_piped(
    columns: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    print_table([ROW, {**ROW, "metric": "AUC"}])
    header, first, second = capsys.readouterr().out.splitlines()
    assert header.split() == list(ROW)
    assert len(first.rstrip()) <= 120
    for name, value in ROW.items():
        assert first[f" {header} ".index(f" {name} ") :].startswith(value)
    assert second.startswith("AUC")
    assert "\x1b" not in header, "no colour codes in a file"


def test_what_does_not_fit_is_folded_not_cut_off(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "PIPED_WIDTH", 80)
    print_table([ROW])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    words = " ".join(lines[1:]).split()
    for value in ROW.values():
        for word in value.split():
            assert word in words


def test_no_rows(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([])
    assert not capsys.readouterr().out.strip()
