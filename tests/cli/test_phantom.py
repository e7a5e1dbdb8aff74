"""`mammoseg phantom`: a study is written, continued, enlarged; other settings are refused."""

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from mammoseg.cli.app import app
from mammoseg.data.manifest import load_manifest
from mammoseg.ingest.synthetic import StudyExistsError

TINY = ["--set", "rows=104", "--set", "columns=80", "--set", "pixel_mm=2.24", "--workers", "1"]


def invoke(out: Path, exams: int, *options: str) -> Result:
    return CliRunner().invoke(app, ["phantom", "--exams", str(exams), "--out", str(out), *TINY, *options])


@pytest.fixture
def study(tmp_path: Path) -> Path:
    out = tmp_path / "my study"
    result = invoke(out, 2)
    assert (result.exit_code, result.stdout) == (0, f"2 exams: {out / 'manifest.csv'}\n")
    return out


def times(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in sorted((folder / "images").iterdir())}


def test_the_manifest_can_be_used(study: Path) -> None:
    manifest = load_manifest(study / "manifest.csv", check_files=True)
    assert len(manifest) == 8
    assert manifest.table["pixel_mm"].unique().tolist() == [2.24]


def test_the_same_command_continues(study: Path) -> None:
    before, manifest = times(study), (study / "manifest.csv").read_bytes()
    (study / "images" / "p00001_L-CC.png").unlink()
    (study / "manifest.csv").unlink()
    assert invoke(study, 2).exit_code == 0
    after = times(study)
    assert (study / "manifest.csv").read_bytes() == manifest
    assert {name for name in after if after[name] == before[name]} == {n for n in before if n.startswith("p00000")}


def test_more_exams_are_added(study: Path) -> None:
    before, splits = times(study), load_manifest(study / "manifest.csv").table.set_index("image_id")["split"]
    assert invoke(study, 3).exit_code == 0
    table = load_manifest(study / "manifest.csv").table.set_index("image_id")
    assert len(table) == 12
    pd.testing.assert_series_equal(table.loc[splits.index, "split"], splits)
    assert before.items() <= times(study).items()


@pytest.mark.parametrize(
    ("options", "change"),
    [
        (["--seed", "1"], "seed 0 (asked for: 1)"),
        (["--set", "noise=0.5"], "(asked for: 0.5)"),
        (["--set", "look=film"], "look digital (asked for: film)"),
    ],
)
def test_other_settings_are_refused(study: Path, options: list[str], change: str) -> None:
    before = times(study)
    result = invoke(study, 2, *options)
    assert isinstance(result.exception, StudyExistsError)
    assert change in str(result.exception)
    assert "choose another folder or the same settings, or --overwrite" in str(result.exception)
    assert times(study) == before


def test_overwrite_deletes_the_phantoms_and_nothing_else(study: Path) -> None:
    (study / "run").mkdir()
    (study / "run" / "mine.txt").write_text("of the user")
    assert invoke(study, 1, "--overwrite", "--seed", "1").exit_code == 0
    assert {name[:6] for name in times(study)} == {"p00000"}
    assert len(load_manifest(study / "manifest.csv", check_files=True)) == 4
    assert (study / "run" / "mine.txt").is_file()


def test_overwrite_spares_a_folder_that_is_no_study(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "mine.png").write_bytes(b"of the user")
    assert invoke(tmp_path, 1, "--overwrite").exit_code == 0
    assert (tmp_path / "images" / "mine.png").is_file()


@pytest.mark.parametrize("splits", ["0.5,0.5", "0.5,0.5,0.5", "-0.5,1,0.5", "a,b,c", "", "nan,0.5,0.5"])
def test_wrong_splits(tmp_path: Path, splits: str) -> None:
    result = invoke(tmp_path / "out", 1, "--splits", splits)
    assert result.exit_code == 2
    assert f"{splits!r}: expected three shares that sum to 1, such as 0.7,0.1,0.2" in result.output
    assert not (tmp_path / "out").exists()


def test_everything_in_one_split(tmp_path: Path) -> None:
    assert invoke(tmp_path, 2, "--splits", "0,0,1").exit_code == 0
    assert set(load_manifest(tmp_path / "manifest.csv").table["split"]) == {"test"}


def test_size_is_one_of_two() -> None:
    result = invoke(Path("x"), 1, "--size", "medium")
    assert result.exit_code == 2
    assert "'small'" in result.output
    assert "'full'" in result.output
