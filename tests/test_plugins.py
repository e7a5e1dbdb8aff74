"""A name is a file: listed, loaded, and refused with the names there are."""

import sys
from pathlib import Path

import pytest

from mammoseg import plugins
from mammoseg.plugins import Kind, PluginError


@pytest.fixture
def shapes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kind:
    """A package with the plug-ins `circle`, `ellipse` and a folder `square`."""
    folder = tmp_path / "shapes_for_this_test"
    (folder / "square").mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "square" / "__init__.py").write_text("area = 4\n")
    (folder / "circle.py").write_text("area = 3\nname = 'circle'\n")
    (folder / "ellipse.py").write_text("\nimport a_package_that_is_not_there\n")
    (folder / "notes.txt").touch()
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.startswith(folder.name)]:
        monkeypatch.delitem(sys.modules, name)  # that of the test before
    return Kind("shape", folder.name, ("area",))


def test_names_are_files_and_folders(shapes: Kind) -> None:
    assert plugins.names(shapes) == ["circle", "ellipse", "square"]


@pytest.mark.parametrize(("name", "area"), [("circle", 3), ("square", 4), ("shapes_for_this_test.circle", 3)])
def test_load(shapes: Kind, name: str, area: int) -> None:
    assert plugins.load(shapes, name).area == area


def test_every_plugin_of_every_kind_defines_what_it_must() -> None:
    for kind in (
        plugins.MODELS,
        plugins.RECIPES,
        plugins.METRICS,
        plugins.EXPORTERS,
        plugins.ADAPTERS,
        plugins.ANNOTATIONS,
    ):
        assert plugins.names(kind)
        for name in plugins.names(kind):
            plugins.load(kind, name)


def test_an_unknown_name(shapes: Kind) -> None:
    with pytest.raises(
        PluginError, match=r"no shape 'circel'\. Did you mean circle\? There are: circle, ellipse, square"
    ):
        plugins.load(shapes, "circel")
    for name in ("hyperboloid", "", "a/b"):
        with pytest.raises(PluginError, match=rf"no shape '{name}'\. There are: circle"):
            plugins.load(shapes, name)


@pytest.mark.parametrize(
    "name", ["no_such_package.model", "shapes_for_this_test.triangle", ".circle", "circle.", "a/b.c"]
)
def test_a_module_that_is_not_found_tells_where_it_was_looked_for(shapes: Kind, tmp_path: Path, name: str) -> None:
    expected = rf"there is no module {name} for the shape\. .*{tmp_path}.* Start the command in .*PYTHONPATH"
    with pytest.raises(PluginError, match=expected) as told:
        plugins.load(shapes, name)
    assert "site-packages" not in str(told.value)


def test_the_folder_of_the_command_is_searched_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with `python -m`, but so that no file there takes the place of an installed package."""
    (tmp_path / "lab_in_this_folder").mkdir()
    (tmp_path / "lab_in_this_folder" / "circle.py").write_text("area = 5\n")
    (tmp_path / "json.py").write_text("raise SystemExit('this is not the standard library')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    assert plugins.load(Kind("shape", "no_matter"), "lab_in_this_folder.circle").area == 5
    assert sys.path[-1] == str(tmp_path)


@pytest.mark.parametrize(
    ("code", "why", "line"),
    [
        (
            "\nimport a_package_that_is_not_there\n",
            "ModuleNotFoundError: No module named 'a_package_that_is_not_there'",
            2,
        ),
        ("x = 1\n\ny = x + z\n", "NameError: name 'z' is not defined", 3),
        ("def f(:\n", "SyntaxError: invalid syntax", 1),
        ("import sys\nsys.exit('usage')\n", "SystemExit: usage", 2),
        ("from mammoseg.nn.contract import Nothing\n", "ImportError: cannot import name 'Nothing'", 1),
    ],
)
def test_a_plugin_whose_own_import_fails_is_named_with_its_line(
    shapes: Kind, tmp_path: Path, code: str, why: str, line: int
) -> None:
    file = tmp_path / "shapes_for_this_test" / "ellipse.py"
    file.write_text(code)
    with pytest.raises(PluginError) as told:
        plugins.load(shapes, "ellipse")
    text = str(told.value)
    assert text.startswith(f"shapes_for_this_test.ellipse: importing this shape ends in {why}")
    assert f"({file}, line {line})" in text
    assert "\n" not in text


def test_a_plugin_that_defines_too_little(shapes: Kind) -> None:
    drawn = Kind("shape", shapes.folder, ("area", "name", "colour"))
    with pytest.raises(
        PluginError, match=r"shapes_for_this_test\.square is no shape: it does not define name, colour\. "
    ):
        plugins.load(drawn, "square")


def test_what_a_file_may_not_name(shapes: Kind) -> None:
    assert plugins.is_foreign("shapes_for_this_test.circle.of_nobody")
    assert plugins.is_foreign("antigravity.x")
    for name in ("glam", "", None, 5, ["a.b"], "mammoseg.plugins", "os.path"):
        assert not plugins.is_foreign(name)
