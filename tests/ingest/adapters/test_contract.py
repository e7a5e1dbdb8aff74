"""What every adapter with a folder of its own promises: it says what it is about, and makes a manifest of two folders."""

import dataclasses
import inspect
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mammoseg import plugins
from mammoseg.data.manifest import load_manifest
from mammoseg.ingest.data_set import About, Adapted, AdapterError
from mammoseg.ingest.tables import TableError

PLUGINS = Path(__file__).parents[2] / "plugins"
TOY = "my_lab.adapters.toy"
NAMES = [*plugins.names(plugins.ADAPTERS), TOY]


@pytest.fixture(autouse=True)
def lab(monkeypatch: pytest.MonkeyPatch) -> None:
    """The working directory holds the plug-ins of others."""
    monkeypatch.chdir(PLUGINS)


def test_the_data_sets_are_found() -> None:
    assert {"cbis_ddsm", "inbreast", "mini_mias", "vindr_mammo"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_is_about(name: str) -> None:
    about = plugins.load(plugins.ADAPTERS, name).ABOUT
    assert isinstance(about, About)
    texts = [about.title, about.label_source, about.licence, about.url, about.holds, *about.defects]
    assert all(isinstance(text, str) and text.strip() == text and text for text in texts)
    assert about.defects
    assert [f.name for f in dataclasses.fields(about)] == [
        "title",
        "label_source",
        "licence",
        "defects",
        "url",
        "holds",
        "published",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_two_folders_are_enough(name: str) -> None:
    make = inspect.signature(plugins.load(plugins.ADAPTERS, name).make_manifest)
    needed = [p.name for p in make.parameters.values() if p.default is inspect.Parameter.empty]
    assert needed == ["root", "masks"]
    assert make.return_annotation is Adapted


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_folder_is_refused_and_stays_empty(name: str, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    with pytest.raises(ValueError, match=r"(?s)root.*Expected .*\. [A-Z]"):
        plugins.load(plugins.ADAPTERS, name).make_manifest(tmp_path / "root", tmp_path / "masks")
    assert not list((tmp_path / "root").iterdir())
    assert not (tmp_path / "masks").exists()


@dataclass(frozen=True)
class Tree:
    """A tiny folder as it is published (tests/trees.py)."""

    root: Path
    table: Path
    """The one that says which images there are."""
    images: int
    make: Callable[[], Adapted]

    def write(self, text: str) -> None:
        self.table.write_text(text, encoding="utf-8")

    @property
    def text(self) -> str:
        return self.table.read_text(encoding="utf-8")


TREES = {
    "cbis_ddsm": ("mass_case_description_train_set.csv", 8),
    "cmmd": ("CMMD_clinicaldata_revision.csv", 8),
    "csaw_cc": ("CSAW-CC_breast_cancer_screening_data.csv", 4),
    "embed": ("tables/EMBED_OpenData_metadata.csv", 4),
    "inbreast": ("INbreast.csv", 4),
    "mini_mias": ("Info.txt", 4),
    "rsna_2022": ("train.csv", 4),
    "vindr_mammo": ("breast-level_annotations.csv", 4),
}
"""The table and the number of images of each."""


@pytest.fixture
def tree(request: pytest.FixtureRequest, published: Callable[..., Path], tmp_path: Path) -> Tree:
    root = published(request.param, tmp_path / "root")
    make = plugins.load(plugins.ADAPTERS, request.param).make_manifest
    table, images = TREES[request.param]
    return Tree(root, root / table, images, lambda: make(root, tmp_path / "out" / "masks"))


every_tree = pytest.mark.parametrize("tree", sorted(TREES), indirect=True)


def test_every_data_set_with_a_table_is_here() -> None:
    assert set(TREES) == set(NAMES) - {"exam_list", TOY}


@every_tree
def test_a_whole_folder_has_nothing_left_out_but_what_is_published(tree: Tree) -> None:
    before = sorted(tree.root.rglob("*"))
    adapted = tree.make()
    assert len(adapted) == tree.images
    assert {entry.why for entry in adapted.left_out} <= {"published, not in the table"}
    assert sorted(tree.root.rglob("*")) == before


@every_tree
def test_a_table_of_a_header_is_refused_by_name(tree: Tree) -> None:
    header = tree.text.splitlines()[0] if tree.table.suffix == ".csv" else "1st column: MIAS reference number."
    tree.write(header + "\n")
    with pytest.raises(ValueError, match=rf"^{re.escape(str(tree.table))}: .*(no rows|no line).* Expected .*\. [A-Z]"):
        tree.make()


@every_tree
def test_a_table_that_is_cut_off_is_refused_or_costs_its_last_row(tree: Tree) -> None:
    tree.write(
        tree.text[: tree.text.rstrip().rfind("mdb004 D NO") + 11] if tree.table.suffix == ".txt" else cut(tree.text)
    )
    if tree.table.suffix == ".txt":  # lines of words: the others are not in doubt
        assert [entry.item for entry in tree.make().left_out if entry.source == tree.table] == ["mdb004"]
        return
    with pytest.raises(TableError, match=rf"^{re.escape(str(tree.table))}: .*ends in the middle of "):
        tree.make()


def cut(text: str) -> str:
    """Until the middle of the last row, and of its second cell."""
    start = text.rstrip("\n").rfind("\n")
    return text[: re.compile("[,;]").search(text, start).end() + 1]  # type: ignore[union-attr]


@every_tree
def test_a_row_that_stands_there_twice_counts_once(tree: Tree, caplog: pytest.LogCaptureFixture) -> None:
    expected = tree.make().table
    caplog.clear()
    last = tree.text.splitlines()[-1]
    tree.write(f"{tree.text}{last}\n")
    assert tree.make().table.equals(expected)
    if tree.table.name not in ("Info.txt", "CMMD_clinicaldata_revision.csv"):  # they have several rows of an image
        assert f"{tree.table}: 1 rows " in caplog.text
        assert f": rows {len(tree.text.splitlines())}" in caplog.text


@pytest.mark.parametrize("tree", ["csaw_cc", "inbreast", "rsna_2022", "vindr_mammo"], indirect=True)
def test_rows_of_an_image_that_differ_are_refused_by_number(tree: Tree) -> None:
    last = tree.text.splitlines()[-1]
    tree.write(f"{tree.text}{last}x\n")
    with pytest.raises(
        TableError, match=rf"^{re.escape(str(tree.table))}: rows 5, 6 have the same .* and differ\. Expected"
    ):
        tree.make()


@every_tree
def test_an_image_that_is_missing_is_left_out(tree: Tree) -> None:
    gone = Path(tree.make().table["path"].iloc[0])
    gone.unlink()
    adapted = tree.make()
    assert len(adapted) == tree.images - 1
    if tree.table.name != "CMMD_clinicaldata_revision.csv":  # its table does not name images, their number tells
        assert len(adapted.left_out) == len({entry.item for entry in adapted.left_out}) > 0


@every_tree
def test_an_image_without_a_row_is_left_out(tree: Tree) -> None:
    image = Path(tree.make().table["path"].iloc[0])
    folder = image.parents[1].name if tree.table.name.startswith("mass") else ""
    beside = {
        **{"Info.txt": "mdb322.png", "INbreast.csv": "7_aa_MG_L_CC_ANON.png"},
        **{"CMMD_clinicaldata_revision.csv": "1-9.dcm"},
    }.get(tree.table.name, "another.png")
    path = image.with_name(beside)
    if folder:
        path = image.parents[2] / "Mass-Training_P_09999_LEFT_CC" / "1.1" / "000000.png"
        path.parent.mkdir(parents=True)
    path.write_bytes(image.read_bytes() if "CMMD" not in str(tree.table) else b"no DICOM")
    adapted = tree.make()
    assert len(adapted) == tree.images
    assert any(entry.item in str(path) for entry in adapted.left_out)


@every_tree
def test_the_folder_above_and_the_one_below_are_told_from_it(tree: Tree, tmp_path: Path) -> None:
    name = next(n for n, (t, _) in TREES.items() if tree.table == tree.root / t)
    make = plugins.load(plugins.ADAPTERS, name).make_manifest
    below = next(path for path in tree.root.iterdir() if path.is_dir()) if tree.table.suffix == ".csv" else tree.root
    for wrong in {tmp_path, below} - {tree.root}:
        with pytest.raises(
            AdapterError, match=rf"(It is|The images are) in {re.escape(str(tree.root))}: give that folder"
        ):
            make(wrong, tmp_path / "out" / "masks")
    assert not (tmp_path / "out").exists()


@every_tree
def test_a_pipe_in_place_of_the_table_is_not_waited_for(tree: Tree) -> None:
    tree.table.unlink()
    os.mkfifo(tree.table)
    with pytest.raises((AdapterError, TableError), match=rf"{re.escape(str(tree.root))}.*Expected "):
        tree.make()


def test_one_of_others_through_the_command(tmp_path: Path, command: Callable[..., Any]) -> None:
    (tmp_path / "root").mkdir()
    lines = ["picture,patient,side,view,cancer", "1.png,7,L,CC,0", "2.png,7,R,CC,1"]
    (tmp_path / "root" / "cases.csv").write_text("\n".join(lines))
    for name in ("1.png", "2.png"):
        (tmp_path / "root" / name).write_bytes(b"a picture")
    done = command("adapt", TOY, tmp_path / "root", "--out", tmp_path / "images.csv")
    assert done.code == 0, done.err
    done.says("Biopsy within a year.", "2 images")
    assert [row.labels["malignant"] for row in load_manifest(tmp_path / "images.csv").rows()] == [0, 1]
