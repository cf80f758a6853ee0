"""`trimtab status`: where everything stands."""

from typing import TYPE_CHECKING, Any

import click

from trimtab.cli.option import as_json, asking, example
from trimtab.cli.screen import coloured, minute, number, plain, print_json, screen, table

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from trimtab.cli.account_source import Accounts


@click.command(
    epilog=example(
        "trimtab status", "trimtab status --json", "trimtab status --server http://models.example:8500"
    )
)
@as_json
@asking
def status(accounts: "Accounts", as_json: bool) -> None:
    """Show champions and their quality, open retrains and releases, alarms, and spans in quarantine."""
    account = accounts.status()
    if as_json:
        print_json(account)
        return
    paper = screen()
    if not account["head"]["entries"]:
        paper.print("Nothing is recorded yet: run `trimtab up`, or `trimtab ingest`.")
        return
    for name, model in account["models"].items():
        _model(paper, name, model)
    for name, source in account["sources"].items():
        _source(paper, name, source)
    paper.print(_stages(account["stages"]))
    for alarm in account["alarms"]:
        note = (alarm["closing"] or {}).get("note") or alarm["note"]
        paper.print(f"[red]alert[/]  {minute(alarm['at'])}  {plain(alarm['subject'])}  {plain(note)}")
    for action in account["running"]:
        paper.print(f"[cyan]runs[/]   {minute(action['at'])}  {action['kind']} {plain(action['subject'])}")
    head = account["head"]
    paper.print(f"[dim]{head['entries']:,} entries, head {head['chain'][:12]}[/]")


def _model(paper: "Console", name: str, model: dict[str, Any]) -> None:
    if model["champion"] is None:
        paper.print(f"[bold]{plain(name)}[/]  {model['versions']} registered, none released yet")
    else:
        split = "all requests"
        if model["stage"] == "canary":
            canary = f"[cyan]canary v{model['challenger']}[/] {model['share']:.0%}"
            split = f"{1 - model['share']:.0%} of requests; {canary}"
        elif model["stage"] == "shadow":
            split = f"all requests; [cyan]shadow v{model['challenger']}[/] beside it"
        since = minute(model["champion_since"])
        paper.print(
            f"[bold]{plain(name)}[/]  champion [bold green]v{model['champion']}[/] since {since}, {split}"
        )
    for word in ("loss", "bias"):
        point = model[word]
        if point:
            between = f"\\[{number(point['low'])}, {number(point['high'])}]"
            paper.print(
                f"  {word} {number(point['value'])} {between} limit {number(point['limit'])}  "
                f"{coloured(point['verdict'])}  window {point['span']}, n = {point['n']:,}"
            )
    for order in model["retrains"][-1:]:
        ended = f" {minute(order['ended_at'])}" if order["ended_at"] else ""
        paper.print(f"  retrain {order['number']} ({plain(order['reason'])}): {order['outcome']}{ended}")


def _source(paper: "Console", name: str, source: dict[str, Any]) -> None:
    paper.print(
        f"[bold]{plain(name)}[/]  {source['spans']} spans to {source['last_span']}, {source['rows']:,} rows"
    )
    for span in source["quarantined"]:
        why = "; ".join(check.get("says") or check["id"][:12] for check in span["because"])
        paper.print(f"  [red]quarantined[/] {span['span']}: {plain(why)}")
    if source["unvalidated"]:
        paper.print(f"  not validated yet: {', '.join(source['unvalidated'][:6])}")


def _stages(stages: dict[str, Any]) -> "Table":
    made = table("stage", "verdict", "last", "at", "done#", "failed#", "PASS#", "FAIL#", "UNSURE#", "BROKEN#")
    for verb, stage in stages.items():
        last = stage["last"] or {"kind": "-", "at": None}
        counts = [str(stage["checks"][verdict] or "-") for verdict in ("PASS", "FAIL", "UNSURE", "BROKEN")]
        ended = [str(stage["done"]), str(stage["failed"] + stage["abandoned"] or "-")]
        made.add_row(verb, coloured(stage["verdict"]), last["kind"], minute(last["at"]), *ended, *counts)
    return made
