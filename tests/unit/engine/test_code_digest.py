"""A digest of code changes with what a function does, and with nothing else."""

import functools
import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from trimtab.engine.code_digest import code_digest, project_modules
from trimtab.rows.bundled_code import load_functions

PROJECT = '''
import functools
import math as maths
import polars as pl
import trimtab as tt
import helpers.time
from helpers import scale as scaling
from constants import *

LIMIT = 3
TABLE = {"a": 1}
TABLE.update(b=2)


def traced(function):
    @functools.wraps(function)
    def run(*given):
        return function(*given)
    return run


class Rounder:
    digits = 2
    def round(self, x):
        return round(x, self.digits)


def made(step):
    def stepped(x):
        return x + step
    return stepped


plus_one, plus_two = made(1), made(2)


@traced
def features(x, most=LIMIT):
    """What it says."""
    # why
    from helpers.late import offset
    known = TABLE["a"] + offset() + STARRED + maths.pi
    return Rounder().round(helpers.time.hour(x) + scaling.scaled(x) + known)


def unused(x):
    return 1
'''
FILES = {
    "project.py": PROJECT,
    "constants.py": "STARRED = 5\nOTHER = 6\n",
    "helpers/__init__.py": "",
    "helpers/time.py": "from .clock import ticks\ndef hour(x):\n    return ticks(x)\n"
    "def least():\n    return 60\n",
    "helpers/clock.py": "SPEED = 10\ndef ticks(x):\n    return x * SPEED\n",
    "helpers/scale.py": "def scaled(x):\n    return x * 2\n",
    "helpers/late.py": "def offset():\n    return 7\n",
    "helpers/stranger.py": "def alone():\n    return 1\n",
}
Make = Callable[..., tuple[ModuleType, Path]]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Write a project into a folder of its own and load its project file."""
    names = {name.removesuffix(".py").replace("/", ".").removesuffix(".__init__") for name in FILES}
    made = 0

    def load(**changed: str) -> tuple[ModuleType, Path]:
        nonlocal made
        made += 1
        root = tmp_path / f"checkout{made}"
        for name, text in FILES.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(changed.get(name.removesuffix(".py").replace("/", "_"), text))
        for name in names:
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        with monkeypatch.context() as patch:
            patch.syspath_prepend(str(root))
            spec = importlib.util.spec_from_file_location("project", root / "project.py")
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules["project"] = module
            spec.loader.exec_module(module)
        return module, root

    yield load
    for name in names:
        sys.modules.pop(name, None)


def digest(made: tuple[ModuleType, Path], name: str = "features") -> str:
    module, root = made
    return code_digest([getattr(module, name)], root)


SAME = {
    "a comment": {"project": PROJECT.replace("# why", "# because\n    # of that")},
    "a docstring": {"project": PROJECT.replace("What it says.", "Something else.")},
    "formatting": {"project": PROJECT.replace('"a": 1}', '"a":  1 ,\n}').replace("\n\n\n", "\n\n")},
    "an unused function": {"project": PROJECT.replace("return 1", "return 2")},
    "an unused function of a used module": {"helpers_time": FILES["helpers/time.py"].replace("60", "61")},
    "an unused constant of a starred module": {"constants": "STARRED = 5\nOTHER = 7\n"},
    "a module that nothing reaches": {"helpers_stranger": "def alone():\n    return 2\n"},
    "an unused import": {
        "project": PROJECT.replace("import functools\n", "import functools\nimport json\n", 1)
    },
}
OTHER = {
    "the function": {"project": PROJECT.replace("Rounder().round(", "Rounder().round(1 + ")},
    "a default that is a constant": {"project": PROJECT.replace("LIMIT = 3", "LIMIT = 4")},
    "a table's value": {"project": PROJECT.replace('"a": 1', '"a": 9')},
    "a later change of the table": {"project": PROJECT.replace("b=2", "a=2")},
    "its decorator": {"project": PROJECT.replace("return function(*given)", "return -function(*given)")},
    "a class attribute": {"project": PROJECT.replace("digits = 2", "digits = 3")},
    "which module a name means": {
        "project": PROJECT.replace("import math as maths", "import cmath as maths")
    },
    "a helper": {"helpers_scale": "def scaled(x):\n    return x * 3\n"},
    "a constant two modules away": {"helpers_clock": FILES["helpers/clock.py"].replace("10", "11")},
    "a helper imported inside the function": {"helpers_late": "def offset():\n    return 8\n"},
    "a starred constant": {"constants": "STARRED = 6\nOTHER = 6\n"},
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_what_changes_nothing_keeps_the_digest(make: Make, change: dict[str, str]) -> None:
    """In two checkouts, so that no path counts either."""
    assert digest(make()) == digest(make(**change))


@pytest.mark.parametrize("change", OTHER.values(), ids=OTHER)
def test_what_changes_the_answer_changes_the_digest(make: Make, change: dict[str, str]) -> None:
    assert any(
        text != FILES[name + ".py" if "_" not in name else name.replace("_", "/") + ".py"]
        for name, text in change.items()
    )
    assert digest(make()) != digest(make(**change))


def test_what_a_function_carries_along_counts(make: Make) -> None:
    """Two closures of one function, and the arguments of a partial."""
    module, root = make()
    assert digest((module, root), "plus_one") != digest((module, root), "plus_two")
    bound = [functools.partial(module.unused, x=value) for value in (1, 2)]
    assert code_digest([bound[0]], root) != code_digest([bound[1]], root)
    assert code_digest([functools.partial(module.unused, x=1)], root) == code_digest([bound[0]], root)
    assert code_digest([module.Rounder().round], root) != code_digest([module.unused], root)


def test_the_order_of_functions_counts(make: Make) -> None:
    module, root = make()
    pair = [module.features, module.unused]
    assert code_digest(pair, root) != code_digest(pair[::-1], root)


def test_versions_of_reached_packages_count(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    text = PROJECT.replace("def unused(x):\n    return 1", "def unused(x):\n    return pl.col(x)")
    before = digest(make(project=text), "unused"), digest(make(project=text))
    monkeypatch.setattr("trimtab.engine.project_source.metadata.version", lambda name: f"{name}-next")
    after = digest(make(project=text), "unused"), digest(make(project=text))
    assert before[0] != after[0]
    assert before[1] == after[1]


def test_functions_without_a_file_have_a_digest(tmp_path: Path) -> None:
    def built(text: str) -> Any:
        namespace: dict[str, Any] = {}
        exec(text, namespace)
        return namespace["f"]

    one, same, other = (
        built(f"def f(x):\n    {body}") for body in ("return x + 1", "# y\n    return x + 1", "return x + 2")
    )
    assert code_digest([one], tmp_path) == code_digest([same], tmp_path) != code_digest([other], tmp_path)


def test_modules_for_a_bundle_are_those_that_are_imported(make: Make) -> None:
    module, root = make()
    found = project_modules([module.features], root)
    assert {name: path.relative_to(root).as_posix() for name, path in found.items()} == {
        "constants": "constants.py",
        "helpers": "helpers/__init__.py",
        "helpers.clock": "helpers/clock.py",
        "helpers.late": "helpers/late.py",
        "helpers.scale": "helpers/scale.py",
        "helpers.time": "helpers/time.py",
        "project": "project.py",
    }


def test_these_modules_are_enough_to_run_the_features(make: Make) -> None:
    text = PROJECT.replace("@traced\n", "@tt.request_features\n@traced\n")
    module, root = make(project=text)
    files = {
        name: path.read_bytes() for name, path in project_modules([module.features.compute], root).items()
    }
    [features] = load_functions(files, "project", ["features"])
    assert features.compute(1) == module.features.compute(1)
