"""What holds for every module of the package: its examples run, and it touches no world."""

import ast
import doctest
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import trimtab.stats

FOLDER = Path(trimtab.stats.__path__[0])
MODULES = sorted(module.name for module in pkgutil.walk_packages(trimtab.stats.__path__, "trimtab.stats."))
#: numpy, and what of the standard library neither reads the world nor draws by itself.
ALLOWED = {"numpy", "math", "statistics", "dataclasses", "typing", "collections", "types", "trimtab"}


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name: str) -> None:
    """Documentation examples are tests."""
    found = doctest.testmod(importlib.import_module(name))
    assert found.failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_public_functions_say_what_they_return_and_give_an_example(name: str) -> None:
    """Google sections, a source and a doctest; a metric's `_resample` points to its Protocol instead."""
    tree = ast.parse(Path(importlib.import_module(name).__file__ or "").read_text())
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        said = ast.get_docstring(node) or ""
        if node.name.endswith("_resample") and "metric.Resample" in said:
            continue
        wanted = ["Args:", ">>>"]
        if name != "trimtab.stats.array":  # it checks shapes: nothing to cite
            wanted += ["Returns:", "Source:"]
        assert [section for section in wanted if section not in said] == [], node.name


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: path.stem)
def test_a_module_imports_numbers_only(path: Path) -> None:
    """No clock, no files, no randomness but a generator with a seed."""
    tree = ast.parse(path.read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} <= ALLOWED
    assert all(name.startswith("trimtab.stats") for name in imported if name.startswith("trimtab"))
    drawn = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "np.random"
    }
    assert drawn <= {"default_rng"}


def test_importing_the_package_imports_no_module_of_it() -> None:
    """`import trimtab.stats` costs nothing, numpy included."""
    code = (
        f"import sys; sys.path.insert(0, {str(FOLDER.parents[1])!r}); import trimtab.stats; "
        "assert not [m for m in sys.modules if m.startswith('trimtab.stats.') or m == 'numpy']"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
