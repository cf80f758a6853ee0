"""`trimtab sync`: bring to a server what runs kept on this machine while it was away."""

import click

from trimtab.cli.option import as_json, example
from trimtab.cli.screen import print_json


@click.command(epilog=example("trimtab sync", "trimtab sync --server http://127.0.0.1:8500 --json"))
@click.option(
    "--server",
    metavar="URL",
    envvar="TRIMTAB_SERVER",
    show_envvar=True,
    help="Where to; TRIMTAB_TOKEN holds a token for it.  [default: the only one that anything was kept for]",
)
@click.option(
    "--wait",
    "patience",
    default="60s",
    show_default=True,
    metavar="TIME",
    help="How long to try where the server is away or busy.",
)
@as_json
def sync(server: str | None, patience: str, as_json: bool) -> int:
    """Send what runs kept on this machine while their server was away.

    Ends with 1 where anything waits still, or was refused for good.
    """
    from trimtab.assembly.recording.sync import calls_waiting, chosen_server, refused_calls
    from trimtab.assembly.recording.sync import sync as send
    from trimtab.spec.duration import parse_duration

    patience_s = parse_duration(patience, "--wait").total_seconds()
    address = chosen_server(server)
    done = send(address, patience_s=patience_s)
    waiting = calls_waiting(address) if address and done.waits else 0
    letters = str(refused_calls(address)) if address and done.refused else None
    if as_json:
        counts = {"sent": done.sent, "waiting": waiting, "refused": done.refused}
        print_json({"server": address, **counts, "because": done.waits or None, "refused_calls": letters})
    elif address is None:
        click.echo("nothing was kept on this machine")
    else:
        click.echo(f"{address}: {_calls(done.sent)} sent, {waiting:,} waiting, {done.refused:,} refused")
        if done.waits:
            click.echo(f"waiting: {done.waits}", err=True)
        if letters:
            click.echo(f"what was refused, and why, is in {letters}", err=True)
    return 1 if done.waits or done.refused else 0


def _calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count:,} calls"
