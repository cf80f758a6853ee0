"""The verbs: what they are called with, and what they print, with a fake in the assembly's place."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from trimtab.assembly.outcome import Outcome
from trimtab.spec.source import Source

PROJECT = "import trimtab as tt\nrows = tt.source('rows', 'rows.csv')\n"


class FakeVerbs(ModuleType):
    """Records each call, and ends each as told."""

    def __init__(self) -> None:
        super().__init__("trimtab.assembly.verbs")
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.ok = True

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def verb(project: Any, *arguments: Any, **options: Any) -> Outcome:
            self.calls.append((name, arguments, options))
            return Outcome(name, lines=["rows: 3 [of 3] rows"], facts={"rows": 3}, ok=self.ok)

        return verb


@pytest.fixture
def verbs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeVerbs:
    (tmp_path / "project.py").write_text(PROJECT)
    monkeypatch.chdir(tmp_path)
    fake = FakeVerbs()
    monkeypatch.setitem(sys.modules, "trimtab.assembly.verbs", fake)
    monkeypatch.setattr("trimtab.assembly.verbs", fake, raising=False)
    return fake


CALLS: list[tuple[list[str], tuple[str, tuple[Any, ...], dict[str, Any]]]] = [
    (["ingest"], ("ingest_sources", ([Source("rows", "rows.csv")],), {})),
    (["ingest", "rows"], ("ingest_sources", ([Source("rows", "rows.csv")],), {})),
    (["validate", "rows"], ("validate", ("rows",), {})),
    (["featurize", "late"], ("featurize", ("late",), {})),
    (
        ["train", "late", "--set", "leaves=31", "--set", "loss=huber", "--trials", "5"],
        ("train", ("late", {"leaves": 31, "loss": "huber"}, 5), {}),
    ),
    (["evaluate"], ("evaluate", (None,), {})),
    (["register", "late"], ("register", ("late",), {})),
    (["release"], ("release", (None,), {"version": None, "to": None, "force": False, "note": ""})),
    (
        ["release", "late", "--version", "3", "--to", "canary", "--force", "--note", "urgent"],
        ("release", ("late",), {"version": 3, "to": "canary", "force": True, "note": "urgent"}),
    ),
    (["monitor"], ("monitor", (None,), {})),
    (["trigger", "late"], ("trigger", ("late",), {})),
]


@pytest.mark.parametrize(("arguments", "called"), CALLS, ids=lambda each: " ".join(map(str, each)))
def test_a_verb_calls_the_assembly(
    arguments: list[str], called: Any, verbs: FakeVerbs, trimtab: Callable[..., Any]
) -> None:
    ran = trimtab(*arguments)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == "rows: 3 [of 3] rows\n"
    assert verbs.calls == [called]


@pytest.mark.parametrize("name", ["ingest", "evaluate", "release", "monitor"])
def test_a_refusal_ends_with_one_and_still_prints(
    name: str, verbs: FakeVerbs, trimtab: Callable[..., Any]
) -> None:
    verbs.ok = False
    assert trimtab(name).status == 1
    ran = trimtab(name, "--json")
    assert ran.status == 1
    assert json.loads(ran.out) == {"verb": name, "ok": False, "rows": 3}


def test_a_project_file_that_raises_is_named_with_its_line(
    verbs: FakeVerbs, trimtab: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "project.py").write_text("import trimtab\n\n1 / 0\n")
    ran = trimtab("ingest")
    assert ran.status == 2
    assert ran.err == "trimtab: project.py:3: ZeroDivisionError: division by zero\n"
    assert verbs.calls == []
