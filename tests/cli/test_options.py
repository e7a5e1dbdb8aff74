"""Options of several verbs: the folder to write to is looked at before any work is done."""

import os
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from mammoseg.cli import options

app = typer.Typer(rich_markup_mode=None)


@app.command()
def verb(
    out: options.Out = Path("made-up"), workers: options.Workers = 1, seed: options.Seed = 0, sets: options.Sets = None
) -> None:
    typer.echo(f"{out} {workers} {seed} {sets}")


def test_a_folder_that_is_there_or_can_be_made(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "new" / "folder", Path("relative")):
        result = CliRunner().invoke(app, ["--out", str(folder)])
        assert (result.exit_code, result.stdout) == (0, f"{folder} 1 0 None\n")
    assert not list(tmp_path.iterdir()), "it is not made yet"


@pytest.mark.parametrize("below", ["", "folder/below"])
def test_a_file_is_no_folder(tmp_path: Path, below: str) -> None:
    file = tmp_path / "table.csv"
    file.write_text("")
    result = CliRunner().invoke(app, ["--out", str(file / below)])
    assert result.exit_code == 2
    assert f"Invalid value for '--out' / '-o': {file} is not a folder" in result.output


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_access(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    result = CliRunner().invoke(app, ["--out", str(tmp_path / "new")])
    tmp_path.chmod(0o700)
    assert result.exit_code == 2
    assert f"{tmp_path} may not be written to" in result.output


def test_settings_are_collected() -> None:
    result = CliRunner().invoke(app, ["--set", "a.b=1", "--set", "c=[1, 2]"])
    assert result.stdout == "made-up 1 0 ['a.b=1', 'c=[1, 2]']\n"


@pytest.mark.parametrize("arguments", [["--workers", "-1"], ["--seed", "-1"], ["--seed", "x"]])
def test_numbers_are_checked(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, arguments).exit_code == 2
