"""A name is a file: listed, loaded, and refused with the names there are."""

from pathlib import Path

import pytest

from mammoseg import plugins


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with the plug-ins `circle`, `ellipse` and a folder `square`."""
    folder = tmp_path / "shapes_for_this_test"
    (folder / "square").mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "square" / "__init__.py").write_text("area = 4\n")
    (folder / "circle.py").write_text("area = 3\nname = 'circle'\n")
    (folder / "ellipse.py").write_text("import a_package_that_is_not_there\n")
    (folder / "notes.txt").touch()
    monkeypatch.syspath_prepend(tmp_path)
    return folder.name


def test_names_are_files_and_folders(package: str) -> None:
    assert plugins.names(package) == ["circle", "ellipse", "square"]


@pytest.mark.parametrize(("name", "area"), [("circle", 3), ("square", 4)])
def test_load(package: str, name: str, area: int) -> None:
    plugin = plugins.load(package, name, needs=("area",))
    assert plugin.area == area


def test_a_dotted_name_is_a_module_of_the_users(package: str) -> None:
    assert plugins.load("mammoseg.models", f"{package}.circle", needs=("area",)).area == 3


def test_an_unknown_name(package: str) -> None:
    with pytest.raises(
        ValueError, match=r"no 'circel' in .* Did you mean 'circle'\? There are: circle, ellipse, square"
    ):
        plugins.load(package, "circel", needs=())
    with pytest.raises(ValueError, match=r"no 'hyperboloid' in \w+\. There are: circle"):
        plugins.load(package, "hyperboloid", needs=())


@pytest.mark.parametrize(
    "name", ["no_such_package.model", "shapes_for_this_test.triangle", ".circle", "circle.", "", "a/b"]
)
def test_a_name_that_is_no_module(package: str, name: str) -> None:
    with pytest.raises(ValueError, match=r"there is no .* There are: circle, ellipse, square"):
        plugins.load(package, name, needs=())


def test_a_plugin_whose_own_import_fails(package: str) -> None:
    with pytest.raises(ModuleNotFoundError, match="a_package_that_is_not_there"):
        plugins.load(package, "ellipse", needs=())


def test_a_plugin_that_defines_too_little(package: str) -> None:
    with pytest.raises(ValueError, match=r"shapes_for_this_test\.square must define name, colour$"):
        plugins.load(package, "square", needs=("area", "name", "colour"))


def test_what_a_file_may_not_name(package: str) -> None:
    assert plugins.is_foreign("shapes_for_this_test.circle.of_nobody")
    assert plugins.is_foreign("antigravity.x")
    for name in ("glam", "", None, 5, ["a.b"], "mammoseg.plugins", "os.path"):
        assert not plugins.is_foreign(name)
