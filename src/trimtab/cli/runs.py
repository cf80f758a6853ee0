"""`trimtab runs`: what was trained, with what, and how it scored."""

from typing import TYPE_CHECKING

import click

from trimtab.cli.option import as_json, common, example, reading
from trimtab.cli.screen import coloured, minute, number, plain, print_json, screen, table

if TYPE_CHECKING:
    from trimtab.views.memory import Memory


@click.command(epilog=example("trimtab runs", "trimtab runs late_arrival --json"))
@click.argument("model", required=False)
@common
@as_json
@reading
def runs(memory: "Memory", model: str | None, as_json: bool) -> None:
    """List training runs, of MODEL or of all, oldest first, with parameters and metrics."""
    from trimtab.views.account import runs_account

    account = runs_account(memory, model)
    if as_json:
        print_json(account)
        return
    if not account["runs"]:
        screen().print("No training run has ended yet.")
        return
    metrics = sorted({metric for run in account["runs"] for metric in run["metrics"]})
    headings = [f"{metric}#" for metric in metrics]
    made = table("run", "model", "began", "outcome", "gate", "rows#", *headings, "parameters", "commit")
    for run in account["runs"]:
        scores = [number(run["metrics"].get(metric)) for metric in metrics]
        words = " ".join(f"{name}={value}" for name, value in run["parameters"].items())
        told = words if run["artifact"] else run["note"]
        rows = f"{run['rows_train']:,}" if run["artifact"] else "-"
        made.add_row(
            run["action"][:16],
            run["model"],
            minute(run["at"]),
            coloured(run["outcome"]),
            run["gate"] or "-",
            rows,
            *scores,
            plain(told),
            (run["commit"] or "-")[:10],
        )
    screen().print(made)
