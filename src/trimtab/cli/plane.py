"""`trimtab serve` and `trimtab server`: the two planes, one at a time."""

from pathlib import Path

import click

from trimtab.cli.option import common, example

host_option = click.option("--host", help="Address to listen on.  [default: trimtab.toml's, else 127.0.0.1]")
port_option = click.option(
    "--port", type=click.IntRange(0, 65535), help="Port of the page.  [default: trimtab.toml's, else 8500]"
)
serve_port_option = click.option(
    "--serve-port",
    type=click.IntRange(0, 65535),
    help="Port of the predictions.  [default: trimtab.toml's, else 8600]",
)
detach_option = click.option("--detach", is_flag=True, help="Return when ready; `trimtab down` stops it.")


@click.command(epilog=example("trimtab serve", "trimtab serve --serve-port 8601"))
@host_option
@serve_port_option
@common
def serve(host: str | None, serve_port: int | None, project: Path | None, store: str | None) -> None:
    """Answer predictions over HTTP under the traffic plan, until Ctrl-C.

    Learns of releases by itself; needs no control plane. A bind elsewhere than on this machine is refused.
    """
    from trimtab.assembly.prediction_plane import serve as answer
    from trimtab.assembly.project import open_project

    answer(open_project(project, store, declarations=False), host=host, port=serve_port)


@click.command(epilog=example("trimtab server", "trimtab server --port 8501 --detach"))
@host_option
@port_option
@detach_option
@click.option("--no-controller", is_flag=True, help="Show only: judge and decide nothing.")
@common
def server(
    host: str | None,
    port: int | None,
    detach: bool,
    no_controller: bool,
    project: Path | None,
    store: str | None,
) -> None:
    """Show the page and the API, and keep the loop turning, until Ctrl-C."""
    from trimtab.assembly.control_plane import server as show
    from trimtab.assembly.project import open_project

    opened = open_project(project, store, declarations=False)
    show(opened, host=host, port=port, detach=detach, controller=not no_controller, say=click.echo)
