"""`trimtab runs`: what was tried, with what, and what came of it."""

import click

from trimtab.cli.option import example
from trimtab.cli.run_chart import chart
from trimtab.cli.run_compare import compare_runs
from trimtab.cli.run_list import list_runs
from trimtab.cli.run_show import show


class _ListingGroup(click.Group):
    """A group whose own name lists: what is no command is what `list` takes."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = args[0] if args else ""
        if first not in self.commands and first not in ("-h", "--help"):
            args = self._command_first(ctx, args)
        return super().parse_args(ctx, args)

    def _command_first(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As it was meant where options come before a command: `--server URL show brave-otter-12`."""
        try:
            named = self.commands["list"].make_parser(ctx).parse_args(list(args))[0].get("experiment")
        except click.UsageError:  # an option of that command, or none of all
            named = next((each for each in args if each in self.commands), None)
        if named not in self.commands:
            return ["list", *args]
        place = args.index(str(named))
        return [str(named), *args[:place], *args[place + 1 :]]


@click.group(
    cls=_ListingGroup,
    epilog=example(
        "trimtab runs",
        "trimtab runs late_arrival --order metrics.log_loss",
        "trimtab runs compare 0198c1a2 brave-otter-12",
        "trimtab runs chart loss brave-otter-12 calm-heron-7 --log",
    ),
)
def runs() -> None:
    """Runs: list, filter, compare, chart. Without a command: list them (see `trimtab runs list --help`)."""


for command in (list_runs, show, compare_runs, chart):
    runs.add_command(command)
