"""`trimtab models`: versions, and what became of each."""

from typing import TYPE_CHECKING, Any

import click

from trimtab.cli.option import as_json, asking, example
from trimtab.cli.screen import coloured, minute, plain, print_json, screen, table

if TYPE_CHECKING:
    from rich.table import Table

    from trimtab.cli.account_source import Accounts


@click.command(epilog=example("trimtab models", "trimtab models --json"))
@as_json
@asking
def models(accounts: "Accounts", as_json: bool) -> None:
    """List every version of every model with its status, bundle and trained model.

    Models that clients registered stand below: they are compared, and not served until they are converted or trusted.
    """
    account = accounts.models()
    if as_json:
        print_json(account)
        return
    if not account["models"] and not account["stored"]:
        screen().print("No model is registered yet.")
        return
    if account["models"]:
        screen().print(_pipeline(account["models"]))
    if account["stored"]:
        screen().print(_stored(account["stored"]))


def _pipeline(models: dict[str, Any]) -> "Table":
    made = table("model", "version#", "status", "registered", "bundle", "trained")
    for name, model in models.items():
        for version in model["versions"]:
            ids = (version["bundle"][:12], version["model"][:12])
            status = coloured(version["status"])
            made.add_row(plain(name), str(version["number"]), status, minute(version["registered_at"]), *ids)
    return made


def _stored(models: dict[str, Any]) -> "Table":
    made = table("model", "version#", "status", "registered", "by", "aliases", "stage")
    for name, model in models.items():
        for version in model["versions"] or [{}]:
            stage = version.get("stage", "None")
            facts = (
                name,
                str(version.get("number", "-")),
                version.get("status", "stored: no version yet"),
                minute(version.get("registered_at")),
                version.get("by", model["by"]),
                ", ".join(version.get("aliases", ())) or "-",
                "-" if stage == "None" else stage,
            )
            made.add_row(*map(plain, facts))
    return made
