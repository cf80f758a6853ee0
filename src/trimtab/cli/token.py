"""`trimtab token`: who gets in from elsewhere."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trimtab.atoms.permission import Role
from trimtab.cli.option import as_json, common, example
from trimtab.cli.screen import minute, plain, print_json, screen, table

if TYPE_CHECKING:
    from trimtab.atoms.token import Token

_ROLES = {
    Role.VIEWER: "reads pages, runs, models and files",
    Role.RUNNER: "reads, and logs experiments, runs and models",
    Role.RELEASER: "reads, and decides about traffic: aliases, stages, releases",
    Role.ADMIN: "reads, logs, releases, and gives tokens",
    Role.PREDICTOR: "asks for predictions and reports outcomes",
    Role.AUDITOR: "reads, also the list of tokens and the whole ledger",
}


@click.group(
    epilog=example(
        "trimtab token create ci --role runner --expires 90d",
        "trimtab token list",
        "trimtab token revoke ci",
    )
)
def token() -> None:
    """Create, list and revoke the tokens that let people and programs in from elsewhere.

    On this machine none is needed unless trimtab.toml says auth = "always".
    """


def _held(command: Callable[..., Any]) -> Callable[..., Any]:
    """Open the store that the options name; the command is called with it, and with the project's name."""

    @functools.wraps(command)
    def opened(*, project: Path | None, store: str | None, **options: Any) -> Any:
        from trimtab.assembly.project import open_project

        chosen = open_project(project, store, declarations=False)
        held = chosen.open_store()
        try:
            return command(held=held, project=chosen.name, **options)
        finally:
            held.close()

    return opened


@token.command(epilog=example("trimtab token create ci --role runner --expires 90d"))
@click.argument("name")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice([role.value for role in Role]),
    help=f"What it may do: {'; '.join(f'{role.value} {says}' for role, says in _ROLES.items())}. May be repeated.",
)
@click.option(
    "--expires", default="90d", show_default=True, metavar="TIME", help="How long it lives, or `never`."
)
@common
@as_json
@_held
def create(held: Any, project: str, name: str, roles: tuple[str, ...], expires: str, as_json: bool) -> None:
    """Make a token, and print it this once: the store keeps only what it is recognised by."""
    from trimtab.assembly.session import person
    from trimtab.assembly.token import create_token
    from trimtab.atoms.actor import Actor
    from trimtab.spec.duration import parse_duration

    lives = None if expires == "never" else parse_duration(expires, "--expires")
    secret, made = create_token(held, name, roles, project=project, expires_in=lives, by=Actor(by=person()))
    if as_json:
        print_json({"token": secret, **_told(made, "living")})
        return
    click.echo(secret)
    until = f"until {minute(made.expires_at)}" if made.expires_at else "for ever"
    click.echo(f"{name} of {project}: {', '.join(made.roles)}, {until}. It is not shown again.", err=True)


@token.command("list", epilog=example("trimtab token list --json"))
@common
@as_json
@_held
def list_(held: Any, project: str, as_json: bool) -> None:
    """Show every token that was given, and how it stands."""
    from trimtab.assembly.token import all_tokens
    from trimtab.atoms.instant import iso

    now = iso(held.now())
    known = [(each, each.state(now).value) for each in all_tokens(held, project=project)]
    if as_json:
        print_json({"tokens": [_told(each, state) for each, state in known]})
        return
    if not known:
        click.echo("no token was given: `trimtab token create NAME --role ROLE` makes one")
        return
    made = table("name", "state", "roles", "given", "by", "expires", "revoked")
    for each, state in known:
        facts = (each.name, state, ", ".join(each.roles), minute(each.given_at), each.given_by)
        made.add_row(*map(plain, facts), minute(each.expires_at), minute(each.revoked_at))
    screen().print(made)


@token.command(epilog=example("trimtab token revoke ci"))
@click.argument("name")
@common
@as_json
@_held
def revoke(held: Any, project: str, name: str, as_json: bool) -> None:
    """Let a token's holder in no more; running servers know of it within a second."""
    from trimtab.assembly.session import person
    from trimtab.assembly.token import revoke_token
    from trimtab.atoms.actor import Actor

    gone = revoke_token(held, name, project=project, by=Actor(by=person()))
    if as_json:
        print_json(_told(gone, "revoked"))
    else:
        click.echo(f"{name} is revoked since {minute(gone.revoked_at)}")


def _told(token: "Token", state: str) -> dict[str, Any]:
    return {
        "name": token.name,
        "state": state,
        "roles": list(token.roles),
        "project": token.project,
        "given_at": token.given_at,
        "given_by": token.given_by,
        "expires_at": token.expires_at or None,
        "revoked_at": token.revoked_at or None,
        "action": token.action,
    }
