"""`mammoseg import-weights`: what it hands over, and what it says about the weights."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner, Result

from mammoseg.cli.app import app
from mammoseg.models.gmic.config import GmicConfig
from mammoseg.nn.checkpoint import CheckpointError
from mammoseg.published.take_over import Imported


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What the verb hands to `import_weights`, and what that returns."""
    seen = SimpleNamespace(
        result=Imported("GMIC (NYU)", "gmic", GmicConfig(), ("a.weight", "b.bias"), "Research only.")
    )

    def import_weights(file: Path, out: Path, sets: Sequence[str], overwrite: bool) -> Imported:
        seen.given = (file, out, sets, overwrite)
        return seen.result

    monkeypatch.setattr("mammoseg.published.take_over.import_weights", import_weights)
    return seen


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["import-weights", *arguments])


def test_it_says_what_the_weights_are_and_on_which_terms(calls: SimpleNamespace) -> None:
    result = invoke("sample_model_1.p", "--out", "out")
    assert (result.exit_code, result.stdout) == (
        0,
        "GMIC (NYU): out\nNot used by the network: a.weight, b.bias\nResearch only.\n",
    )
    assert calls.given == (Path("sample_model_1.p"), Path("out"), [], False)


def test_a_file_of_which_all_is_used(calls: SimpleNamespace) -> None:
    calls.result = replace(calls.result, unused=())
    assert invoke("sample_model_1.p", "--out", "out").stdout == "GMIC (NYU): out\nResearch only.\n"


def test_every_option(calls: SimpleNamespace) -> None:
    options = ("--set", "global_module.top_t=0.03", "--set", "num_patches=3", "--overwrite")
    assert invoke("cbis.p", "-o", "out", *options).exit_code == 0
    assert calls.given == (Path("cbis.p"), Path("out"), ["global_module.top_t=0.03", "num_patches=3"], True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "out"], "Missing argument 'file'"),
        (["sample_model_1.p"], "Missing option '--out'"),
        (["one.p", "two.p", "--out", "out"], "unexpected extra argument"),
        (["sample_model_1.p", "--out", f"{__file__}/below"], "is not a folder"),
    ],
)
def test_wrong_usage(calls: SimpleNamespace, arguments: list[str], message: str) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert re.sub(r"\s+", " ", message).casefold() in re.sub(r"\s+", " ", result.output).casefold()
    assert not hasattr(calls, "given"), "nothing is read"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    result = invoke(str(tmp_path / "sample_model_1.p"), "--out", str(tmp_path / "out"))
    assert isinstance(result.exception, CheckpointError), "main() makes a message and exit code 1 of it"
    assert not list(tmp_path.iterdir())
