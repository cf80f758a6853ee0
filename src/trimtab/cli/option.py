"""Options that commands share, and the project they name."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def store_option(command: Command) -> Command:
    """Add `--store`; the command is called with `store`."""
    return click.option(
        "--store",
        metavar="URL",
        envvar="TRIMTAB_STORE",
        show_envvar=True,
        help="Where Trimtab remembers: a folder, postgresql://... for the ledger, s3://... for the blobs, or several "
        "with spaces between them.  [default: trimtab.toml's, else .trimtab in the project]",
    )(command)


def common(command: Command) -> Command:
    """Add `--project` and `--store`; the command is called with `project` and `store`."""
    return click.option(
        "--project",
        metavar="DIR",
        type=click.Path(path_type=Path),
        help="The project's folder.  [default: the nearest one upwards with trimtab.toml, else here]",
    )(store_option(command))


def as_json(command: Command) -> Command:
    """Add `--json`; the command is called with `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")(command)


def example(*lines: str) -> str:
    """An epilog that shows how a command is called."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


def acting(command: Callable[..., Any]) -> Callable[..., Any]:
    """Open the project that the options name, and call the command with it as `project`."""

    @functools.wraps(command)
    def opened(*, project: Path | None, store: str | None, **options: Any) -> Any:
        from trimtab.assembly.project import open_project

        return command(project=open_project(project, store), **options)

    return opened


def reading(command: Callable[..., Any]) -> Callable[..., Any]:
    """Open the store that the options name, and call the command with its `memory` in their place."""
    return _reading(command, lineage=False)


def reading_lineage(command: Callable[..., Any]) -> Callable[..., Any]:
    """As `reading`, for a command that asks for the edges between records."""
    return _reading(command, lineage=True)


def _reading(command: Callable[..., Any], *, lineage: bool) -> Callable[..., Any]:
    @functools.wraps(command)
    def opened(*, project: Path | None, store: str | None, **options: Any) -> Any:
        from trimtab.assembly.project import open_project
        from trimtab.views.memory import Memory

        held = open_project(project, store, declarations=False).open_store(create=False)
        try:
            memory = Memory(held, lineage=lineage)
            memory.refresh()
            return command(memory=memory, **options)
        finally:
            held.close()

    return opened
