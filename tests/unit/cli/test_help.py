"""Help: every command says what it does, shows an example and its options, and loads nothing for it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from trimtab.cli.program import COMMANDS, program

#: Children find the package where this process found it.
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

VERBS = {
    path.name
    for path in (Path(__file__).parents[3] / "src/trimtab/loop").iterdir()
    if (path / "__init__.py").exists()
}


def command(name: str) -> click.Command:
    """A command by name; `data log` is one of a group."""
    found: click.Command = program
    for word in name.split():
        assert isinstance(found, click.Group)
        inner = found.get_command(click.Context(found), word)
        assert inner is not None
        found = inner
    return found


def names() -> list[str]:
    """Every command, those of groups in the group's place."""
    listed = []
    for name in (name for section in COMMANDS.values() for name in section):
        found = command(name)
        within = found.list_commands(click.Context(found)) if isinstance(found, click.Group) else []
        listed += [f"{name} {inner}" for inner in within] or [name]
    return listed


NAMES = names()


@pytest.mark.parametrize("name", NAMES)
def test_a_command_shows_a_sentence_an_example_and_its_options(
    name: str, trimtab: Callable[..., Any]
) -> None:
    ran = trimtab(*name.split(), "--help")
    assert ran.status == 0
    assert f"Example:\n    trimtab {name}" in ran.out
    for parameter in command(name).params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.opts}"
            assert parameter.opts[0] in ran.out
    help_text = command(name).help
    assert help_text is not None
    assert help_text.split("\n")[0].endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_a_command_that_works_on_a_project_can_be_told_where_it_is(name: str) -> None:
    options = {option for parameter in command(name).params for option in parameter.opts}
    if name in ("new", "demo", "sync"):
        assert "--project" not in options
    else:
        assert {"--project", "--store"} <= options


@pytest.mark.parametrize(
    "name", ["status", "models", "runs list", "lineage", "fsck", *sorted(VERBS - {"serve"})]
)
def test_what_reads_or_reports_takes_json(name: str) -> None:
    assert "--json" in {option for parameter in command(name).params for option in parameter.opts}


def test_the_verbs_of_the_loop_are_the_folders_of_the_loop() -> None:
    assert set(COMMANDS["The loop"]) == VERBS


def test_help_lists_every_command_with_its_line(trimtab: Callable[..., Any]) -> None:
    ran = trimtab("--help")
    assert ran.status == 0
    for section in COMMANDS.values():
        for name, (_, line) in section.items():
            assert f"  {name} " in ran.out
            assert line in ran.out


def test_help_imports_no_command() -> None:
    """Held by the list of modules, not by a clock."""
    code = (
        "import sys; from trimtab.cli.program import main; main(['--help']); "
        "own = ('trimtab', 'rich', 'msgspec'); "
        "print('LOADED', *sorted(name for name in sys.modules if name.startswith(own)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True, env=ENVIRONMENT
    )
    loaded = set(ran.stdout.partition("LOADED")[2].split())
    assert loaded == {"trimtab", "trimtab.cli", "trimtab.cli.program", "trimtab.cli.lazy_group"}


def test_python_m_trimtab_is_the_program() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "trimtab", "--version"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
        env=ENVIRONMENT,
    )
    assert ran.stdout.startswith("trimtab 0.")
