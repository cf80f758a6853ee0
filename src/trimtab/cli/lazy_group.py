"""A group of commands that are imported when they are run."""

import importlib
from typing import Any

import click


class LazyGroup(click.Group):
    """Knows its commands by name, place and one line of help; `--help` imports none of them."""

    def __init__(
        self, *arguments: Any, sections: dict[str, dict[str, tuple[str, str]]], **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self.sections = sections
        self._places = {
            name: place for commands in sections.values() for name, (place, _) in commands.items()
        }

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order in which help lists them."""
        return list(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in self._places:
            return None
        module, _, attribute = self._places[cmd_name].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one may have been meant."""
        if args and args[0] not in self._places and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], self._places, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"no command {args[0]!r}{meant}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections."""
        width = max(map(len, self._places))
        for title, commands in self.sections.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), line) for name, (_, line) in commands.items()])
