"""`mammoseg bench`: which models at which size, the table and the file, and what does not fit into memory."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner, Result

from mammoseg.bench.table1 import SYSTEMS, paper_of
from mammoseg.bench.timing import Load, MeasuringError, Pass
from mammoseg.cli.app import app
from mammoseg.cli.main import main
from mammoseg.models import MissingPackageError, build_model, check_installed, list_models
from mammoseg.nn.checkpoint import save_checkpoint
from mammoseg.training.config import TrainConfig


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What the verb hands to `measure`, and what it gets for it."""
    seen = SimpleNamespace(
        loads=[],
        results={"forward": Pass(1.5, 3 * 2**30), "backward": Pass(3.25, None)},
    )

    def measure(load: Load, direction: str) -> Pass:
        seen.loads.append((load, direction))
        result = seen.results[direction]
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr("mammoseg.bench.timing.measure", measure)
    return seen


@pytest.fixture
def checkpoint(tiny_config: TrainConfig, tmp_path: Path) -> Path:
    network, prep = tiny_config.network, tiny_config.prep.model_dump(mode="json")
    model = build_model("glam", network)
    return save_checkpoint(tmp_path / "run" / "checkpoint", "glam", model, network.model_dump(mode="json"), prep, {})


def is_installed(name: str) -> bool:
    try:
        check_installed(name)
    except MissingPackageError:
        return False
    return True


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["bench", "--device", "cpu", *arguments])


def test_every_model_as_published(calls: SimpleNamespace) -> None:
    result = invoke()
    assert result.exit_code == 0
    header, *rows = result.stdout.splitlines()
    assert header.split()[:2] == ["model", "parameters"]
    here = [name for name in list_models() if is_installed(name)]
    assert [row.split()[0] for row in rows[: len(here)]] == here
    without_weights = [row.split()[0] for row in rows if row.split()[1:2] == ["0"]]
    assert without_weights == ["reference"], "they have no backward pass"
    measured = [name for name in here for _ in range(1 if name in without_weights else 2)]
    assert len(calls.loads) == len(measured)
    for load, _ in calls.loads:
        own = (2974, 1942) if load.views else (2944, 1920)
        assert (load.image_shape, load.batch, load.repeats, load.precision) == (own, 4, 3, "32-true")


def test_the_papers_table_beside_ours(calls: SimpleNamespace, tmp_path: Path) -> None:
    result = invoke("--table1", "--out", str(tmp_path / "costs.json"))
    assert result.exit_code == 0
    written = json.loads((tmp_path / "costs.json").read_text())["models"]
    for row, (model, _) in SYSTEMS.items():
        if is_installed(model):
            printed = paper_of(row)
            assert written[row]["parameters"] / 1e6 == pytest.approx(printed["parameters"], rel=0.08), row
            assert written[row]["macs_per_exam"] / 1e9 == pytest.approx(printed["macs"], rel=0.08), row
            assert f"{printed['parameters']:g}" in result.stdout
    assert invoke("glam", "--table1").exit_code == 2


def test_the_numbers_of_glam(calls: SimpleNamespace, tmp_path: Path) -> None:
    out = tmp_path / "new" / "costs.json"
    result = invoke("glam", "--batch", "2", "--repeats", "5", "--precision", "bf16-mixed", "--out", str(out))
    assert result.exit_code == 0
    row = result.stdout.splitlines()[1]
    for cell in ("365 G", "1460 G", "1.500 s", "3.00 GiB", "3.250 s", "not measured"):
        assert cell in row
    written = json.loads(out.read_text())
    glam = written["models"]["glam"]
    assert f"{glam['parameters']:,}" in row
    assert set(glam["macs_per_image"]) == {"global_module", "local_module", "fusion", "total"}
    assert glam["macs_per_exam"] == 4 * glam["macs_per_image"]["total"]
    assert glam["forward"] == {"seconds_per_exam": 1.5, "peak_bytes": 3 * 2**30}
    assert glam["backward"] == {"seconds_per_exam": 3.25, "peak_bytes": None}
    assert glam["network"]["patch_px"] == 512
    conditions = written["conditions"]
    assert {
        "rows": 2944,
        "columns": 1920,
        "batch": 2,
        "repeats": 5,
        "precision": "bf16-mixed",
        "device": "cpu",
    }.items() <= (conditions.items())
    assert {"processor", "threads", "torch", "mammoseg"} <= conditions.keys()


def test_settings_and_size(calls: SimpleNamespace) -> None:
    patches = [invoke("glam", "--size", "1024x512", "--no-backward", "--set", f"num_patches={n}") for n in (1, 2)]
    assert [direction for _, direction in calls.loads] == ["forward", "forward"]
    assert calls.loads[0][0].image_shape == (1024, 512)
    assert calls.loads[1][0].build().config.num_patches == 2
    assert all("backward" not in result.stdout for result in patches)
    assert patches[0].stdout != patches[1].stdout


def test_a_checkpoint_at_its_own_size_for_real(checkpoint: Path) -> None:
    out = checkpoint / "costs.json"
    result = invoke("--checkpoint", str(checkpoint.parent), "--repeats", "1", "--out", str(out))
    assert result.exit_code == 0, result.output
    written = json.loads(out.read_text())
    assert (written["conditions"]["rows"], written["conditions"]["columns"]) == (96, 64)
    glam = written["models"]["glam"]
    assert glam["forward"]["seconds_per_exam"] > 0
    assert glam["backward"]["seconds_per_exam"] > 0
    assert glam["problem"] is None


@pytest.mark.parametrize(("fails", "measured"), [("forward", 1), ("backward", 2)])
def test_what_does_not_fit_into_memory_is_reported(
    calls: SimpleNamespace, tmp_path: Path, fails: str, measured: int
) -> None:
    out = tmp_path / "costs.json"
    calls.results[fails] = MeasuringError(f"{fails} pass: out of memory. Use less.")
    result = invoke("glam", "--out", str(out))
    assert result.exit_code == 1
    assert f"mammoseg: glam, {fails} pass: out of memory. Use less.\n" in result.stderr
    assert len(calls.loads) == measured, "where one image after the other is too much, gradients are, too"
    assert ("1.500 s" in result.stdout) is (fails == "backward")
    glam = json.loads(out.read_text())["models"]["glam"]
    assert glam[fails] is None
    assert glam["problem"] == f"{fails} pass: out of memory. Use less."


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["glan"], 2, "Did you mean glam?"),
        (["glam", "--checkpoint", "run"], 2, "give names of models, --checkpoint or --table1, one of them"),
        (["--size", "2944"], 2, "'2944': expected rows and columns of at least 32 pixels, such as 2944x1920"),
        (["--size", "16x64"], 2, "expected rows and columns of at least 32 pixels"),
        (["--batch", "0"], 2, "Invalid value for '--batch'"),
        (["--precision", "64"], 2, "Invalid value for '--precision'"),
        (["--out", "."], 2, "is a directory"),
        (["glam", "--set", "patches=2"], 2, "there is no field 'patches'"),
        (["--checkpoint", "run"], 1, "run: no such file or folder; no checkpoint here"),
        (["glam", "--size", "96x64"], 1, "glam: patches of 512 pixels do not fit into an image of 96 x 64"),
        (["glam", "--out", "file/costs.json"], 1, "mammoseg: file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_use_is_told_before_anything_is_measured(
    calls: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    monkeypatch.setattr(sys, "argv", ["mammoseg", "bench", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == code
    assert message in " ".join(capsys.readouterr().err.split())
    assert not calls.loads
