"""What every exporter promises, also one of others: it needs the folder alone, changes nothing in it, and goes on after what
is broken."""

import csv
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mammoseg import plugins
from mammoseg.config import Config
from mammoseg.data.manifest import Manifest

TOY = "my_lab.export.toy"
NAMES = [*plugins.names(plugins.EXPORTERS), TOY]
NEED_PIXELS = {"figures", "page"}


@pytest.fixture(scope="module")
def predicted(
    phantom_study: Manifest,
    tiny_gmic: Callable[..., Path],
    mammoseg: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """study/ with images and manifest, and predictions/ of 8 of them. Not to be changed."""
    folder = tmp_path_factory.mktemp("exported")
    shutil.copytree(phantom_study.path.parent, folder / "study")
    manifest = ("--manifest", folder / "study" / "manifest.csv", "--split", "val")
    done = mammoseg(
        "predict", "--checkpoint", tiny_gmic(1), *manifest, "--no-overlays", "--out", folder / "predictions"
    )
    assert done.code == 0, done.err
    return folder


@pytest.fixture
def mine(predicted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy to spoil; the working directory holds the plug-ins of the lab."""
    monkeypatch.chdir(Path(__file__).parents[1] / "plugins")
    return Path(shutil.copytree(predicted, tmp_path / "mine"))


@pytest.fixture
def export(mine: Path, command: Callable[..., Any]) -> Callable[..., Any]:
    """`export(name, ...)` with the manifest into the folder `out` beside the predictions."""

    def run(name: str, *arguments: object, manifest: bool = True) -> Any:
        table = ("--manifest", mine / "study" / "manifest.csv") if manifest else ()
        arguments = (*arguments, *(["--make-source"] if name.startswith("dicom") else []))  # the images are pictures
        return command("export", name, "--predictions", mine / "predictions", "--out", mine / "out", *table, *arguments)

    return run


def content(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_list_names_each_with_what_it_is(command: Callable[..., Any]) -> None:
    done = command("export")
    assert done.code == 0
    listed = [line.partition(" ")[0] for line in done.out.splitlines()]
    assert listed == [name.replace("_", "-") for name in plugins.names(plugins.EXPORTERS)]


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_is_and_what_can_be_chosen(name: str, mine: Path) -> None:
    plugin = plugins.load(plugins.EXPORTERS, name)
    assert len(str(plugin.__doc__).splitlines()[0]) < 120
    assert issubclass(plugin.Options, Config)
    plugin.Options()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("manifest", [True, False])
def test_it_writes_the_same_again_and_changes_nothing_else(
    name: str, manifest: bool, mine: Path, export: Callable[..., Any]
) -> None:
    before = content(mine)
    done = export(name, manifest=manifest)
    assert done.code == 0, done.err
    written = content(mine / "out")
    assert written
    assert "errors.csv" not in written
    shutil.rmtree(mine / "out")
    assert content(mine) == before
    export(name, manifest=manifest)
    assert content(mine / "out") == written


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_record_costs_one_image(name: str, mine: Path, export: Callable[..., Any]) -> None:
    record, *_ = sorted((mine / "predictions" / "records").iterdir())
    record.write_text("{")
    done = export(name)
    done.says(*([record.stem, "damaged"] if done.code else []))
    assert done.code == (0 if name == "published" else 3)
    assert content(mine / "out")


@pytest.mark.parametrize("name", sorted(NEED_PIXELS))
@pytest.mark.parametrize("what", ["missing", "changed", "cut short"])
def test_a_file_that_is_no_more_what_was_predicted_costs_one_image(
    name: str, what: str, mine: Path, export: Callable[..., Any]
) -> None:
    one = sorted((mine / "predictions" / "records").iterdir())[2].stem
    [file] = (mine / "study").rglob(f"{one}.png")
    if what == "missing":
        file.unlink()
    else:
        others = sorted(path for path in file.parent.iterdir() if path != file)
        file.write_bytes(others[0].read_bytes() if what == "changed" else file.read_bytes()[:1000])
    done = export(name)
    assert done.code == 3
    [entry] = csv.DictReader((mine / "out" / "errors.csv").open())
    assert entry["image_id"] == one
    assert file.name in entry["message"]
    assert len(list((mine / "out").rglob("*.png"))) == 7
    if what != "missing":
        assert export(name, manifest=False).code == 0, "the record names the file that was predicted"
        return
    for other in file.parent.iterdir():
        other.unlink()
    assert export(name).code == 1, "nothing worked"


@pytest.mark.parametrize("name", sorted(NEED_PIXELS))
def test_a_broken_mask_costs_its_outline_and_nothing_else(name: str, mine: Path, export: Callable[..., Any]) -> None:
    for mask in (mine / "study" / "masks").iterdir():
        mask.write_bytes(b"no picture")
    done = export(name)
    assert done.code == 0
    done.says("without its true lesion", "mask")
    assert len(list((mine / "out").rglob("*.png"))) == 8


@pytest.mark.parametrize("name", NAMES)
def test_what_is_typed_wrong_is_told(name: str, mine: Path, export: Callable[..., Any]) -> None:
    done = export(name, "--set", "colour=blue")
    assert done.code == 2
    done.says("there is no field 'colour'")
    assert not (mine / "out").exists()


def test_wrong_folders_and_names(mine: Path, export: Callable[..., Any], command: Callable[..., Any]) -> None:
    for wrong in ("figurs", "my_lab.export.toi"):
        assert export(wrong).code == 2
    export("figurs").says("Did you mean figures?", "page, published")
    export("my_lab.export.toi").says("no module my_lab.export.toi for the exporter", "PYTHONPATH")
    for given in (
        (),
        ("--predictions", mine / "predictions"),
        ("--predictions", mine / "predictions", "--out", mine / "predictions"),
    ):
        assert command("export", "figures", *given).code == 2
    assert command("export", "figures", "--predictions", mine / "study", "--out", mine / "out").code == 1
    assert not (mine / "out").exists()


def test_an_exporter_of_others_through_the_installed_command(mine: Path, mammoseg: Callable[..., Any]) -> None:
    done = mammoseg("export", TOY, "--predictions", mine / "predictions", "--out", mine / "out", "--set", "least=0")
    assert done.code == 0, done.err
    lines = list(csv.DictReader((mine / "out" / "findings.csv").open()))
    assert len({line["image_id"] for line in lines}) == 8
    assert {line["class"] for line in lines} == {"benign", "malignant"}
    for line in lines:
        assert 0 <= float(line["top"]) < float(line["bottom"]) <= 208
        assert 0 <= float(line["left"]) < float(line["right"]) <= 160
