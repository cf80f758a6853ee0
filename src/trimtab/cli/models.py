"""`trimtab models`: versions, and what became of each."""

from typing import TYPE_CHECKING

import click

from trimtab.cli.option import as_json, asking, example
from trimtab.cli.screen import coloured, minute, print_json, screen, table

if TYPE_CHECKING:
    from trimtab.cli.account_source import Accounts


@click.command(epilog=example("trimtab models", "trimtab models --json"))
@as_json
@asking
def models(accounts: "Accounts", as_json: bool) -> None:
    """List every version of every model with its status, bundle and trained model."""
    account = accounts.models()
    if as_json:
        print_json(account)
        return
    if not account["models"]:
        screen().print("No model is registered yet.")
        return
    made = table("model", "version#", "status", "registered", "bundle", "trained")
    for name, model in account["models"].items():
        for version in model["versions"]:
            ids = (version["bundle"][:12], version["model"][:12])
            status = coloured(version["status"])
            made.add_row(name, str(version["number"]), status, minute(version["registered_at"]), *ids)
    screen().print(made)
