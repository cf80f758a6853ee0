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


def server_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--server` beside `--project` and `--store`; the command is called with all three.

    Asking a server in place of a store is one or the other: who names both on the command line is told so.
    """

    @functools.wraps(command)
    def told(*, server: str | None, **options: Any) -> Any:
        return command(server=_one_of(server, ("store", "project")), **options)

    return click.option(
        "--server",
        metavar="URL",
        envvar="TRIMTAB_SERVER",
        show_envvar=True,
        help="Ask the server at this address in place of a store; TRIMTAB_TOKEN holds a token for it.",
    )(told)


def asking(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--project`, `--store` and `--server`, and call the command with the `accounts` of what they name."""
    return _asking(command, lineage=False)


def asking_lineage(command: Callable[..., Any]) -> Callable[..., Any]:
    """As `asking`, for a command that asks for the edges between records."""
    return _asking(command, lineage=True)


def _asking(command: Callable[..., Any], *, lineage: bool) -> Callable[..., Any]:
    @functools.wraps(command)
    def opened(*, project: Path | None, store: str | None, server: str | None, **options: Any) -> Any:
        from trimtab.cli.account_source import served_accounts, stored_accounts

        if server is not None:
            with served_accounts(server) as accounts:
                return command(accounts=accounts, **options)
        with stored_accounts(project, store, lineage=lineage) as accounts:
            return command(accounts=accounts, **options)

    return common(server_option(opened))


def _one_of(server: str | None, others: tuple[str, ...]) -> str | None:
    """The server, where it is the one that was meant: what is typed goes before what the environment says."""
    context = click.get_current_context()
    typed = click.core.ParameterSource.COMMANDLINE
    named = [each for each in others if context.get_parameter_source(each) is typed]
    if server is None or not named:
        return server
    if context.get_parameter_source("server") is typed:
        raise click.UsageError(f"--server and --{named[0]} name two places: give one of them", context)
    return None
