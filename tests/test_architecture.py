"""The rules of the house that a reader cannot see: what loads torch, where files are, what is public."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "src" / "mammoseg"
TESTS = ROOT / "tests"
MODULES = sorted(SOURCES.rglob("*.py"))
TEST_FILES = sorted(TESTS.rglob("test_*.py"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONTRACTS = {contract["name"]: contract for contract in PYPROJECT["tool"]["importlinter"]["contracts"]}
TORCH_FREE = CONTRACTS["no torch beside the network"]["source_modules"]

MAX_LINES = 300
JUNK_DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "tools", "lib"}

PUBLIC_NAMES = {"Finding", "Manifest", "Model", "Result", "evaluate", "load", "load_manifest", "load_recipe", "train"}
"""What `import mammoseg` promises beside `__version__`, at most ten names. A change here is a change for every user."""

LOAD_ALL = """
import importlib, pkgutil, sys
for root in sys.argv[1:]:
    package = importlib.import_module(root)
    below = pkgutil.walk_packages(getattr(package, "__path__", []), root + ".")
    for name in [root, *(m.name for m in below)]:
        importlib.import_module(name)
        if heavy := {"torch", "lightning"} & sys.modules.keys():
            sys.exit(f"import {name} loads {', '.join(sorted(heavy))}")
"""


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def in_new_process(code: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_torch_free_modules_load_without_torch() -> None:
    in_new_process(LOAD_ALL, *TORCH_FREE)


def test_import_mammoseg_loads_nothing_heavy() -> None:
    code = "import sys, json, mammoseg, mammoseg.config, mammoseg.records; print(json.dumps(list(sys.modules)))"
    heavy = {"torch", "lightning", "pandas", "sklearn", "scipy", "matplotlib", "cv2", "pyarrow"}
    assert not heavy & set(json.loads(in_new_process(code)))


def test_public_names_are_frozen() -> None:
    code = "import json, mammoseg; print(json.dumps([*dir(mammoseg), *getattr(mammoseg, '__all__', [])]))"
    names = {name for name in json.loads(in_new_process(code)) if not name.startswith("_")}
    assert names == PUBLIC_NAMES
    assert len(names) <= 10


def test_every_import_is_a_declared_dependency() -> None:
    """A package that is only there because another one needs it may be gone tomorrow."""
    extras = PYPROJECT["project"]["optional-dependencies"]
    requirements = [
        *PYPROJECT["project"]["dependencies"],
        *(r for name in extras if name != "dev" for r in extras[name]),
    ]
    declared = {distribution(requirement) for requirement in requirements}
    providers = packages_distributions()
    ours = {"mammoseg", *sys.stdlib_module_names}
    undeclared = {
        f"{relative(path)}: {package}"
        for path in MODULES
        for package in imported_packages(path) - ours
        if not declared & {distribution(provider) for provider in providers.get(package, [])}
    }
    assert not undeclared


def distribution(requirement: str) -> str:
    """`PyYAML>=6.0` -> `pyyaml`."""
    [name] = re.findall(r"^[\w.-]+", requirement)
    return re.sub(r"[-_.]+", "-", name).lower()


def imported_packages(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    imports = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    imports += [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
    return {name.partition(".")[0] for name in imports}


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_source_file_keeps_the_rules(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = len(text.splitlines())
    assert lines <= MAX_LINES, f"{lines} lines; a file has at most {MAX_LINES}"
    assert path.stem not in JUNK_DRAWERS, "a function lives with what it is about"
    if path.name == "__init__.py" and not may_have_content(path):
        assert not text.strip(), "this __init__.py is to be empty"
    if not text.strip():
        return
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "the module has no docstring"
    asserts = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    assert not asserts, f"assert in lines {asserts}: raise an error that says what to do"
    if path.parent != SOURCES / "cli":
        prints = [node.lineno for node in ast.walk(tree) if is_print(node)]
        assert not prints, f"print in lines {prints}: only cli/ prints, everything else logs"


def may_have_content(init: Path) -> bool:
    """The public names, the list of models, and what each model folder is known by."""
    models = SOURCES / "models"
    return init.parent in {SOURCES, models} or init.parent.parent == models


def is_print(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"


@pytest.mark.parametrize("folder", [p for p in sorted(SOURCES.rglob("*")) if p.is_dir()], ids=relative)
def test_folder_is_a_well_named_package(folder: Path) -> None:
    assert folder.name not in JUNK_DRAWERS
    if any(folder.glob("*.py")):
        assert (folder / "__init__.py").is_file()


@pytest.mark.parametrize("path", TEST_FILES, ids=relative)
def test_test_file_mirrors_a_source(path: Path) -> None:
    """src/mammoseg/a/b.py is tested by tests/a/test_b.py or, where it needs several files, by tests/a/b/test_*.py."""
    inside = path.relative_to(TESTS)
    if inside == Path("test_architecture.py") or inside.parts[0] in {"journey", "hostile", "examples", "benchmarks"}:
        return
    if path.name in {"test_contract.py", "test_golden.py"}:  # every plug-in of a kind; a package against stored numbers
        assert (SOURCES / inside.parent).is_dir(), f"there is no package src/mammoseg/{inside.parent}"
        return
    source = SOURCES / inside.parent / path.stem.removeprefix("test_")
    candidates = [source.with_suffix(".py"), source / "__init__.py", (SOURCES / inside.parent).with_suffix(".py")]
    expected = " or ".join(relative(c) for c in candidates)
    assert any(c.is_file() for c in candidates), f"no source for this test: expected {expected}"


def test_ci_runs_the_line_of_the_readme() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    [line] = [line for line in lines if line.startswith("python3 -m venv") and "-m pytest" in line]
    assert f"step '{line}'" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert f"run: {line}" in (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
