"""`trimtab token`: who gets in from elsewhere."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trimtab.atoms.permission import Role
from trimtab.cli.option import as_json, common, example, server_option
from trimtab.cli.screen import minute, plain, print_json, screen, table

if TYPE_CHECKING:
    from trimtab.cli.token_source import TokenPlace

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


def _placed(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--project`, `--store`, `--server`; the command is called with the `tokens` of what they name."""

    @functools.wraps(command)
    def opened(*, project: Path | None, store: str | None, server: str | None, **options: Any) -> Any:
        from trimtab.cli.token_source import token_place

        with token_place(project, store, server) as tokens:
            return command(tokens=tokens, **options)

    return common(server_option(opened))


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
@as_json
@_placed
def create(tokens: "TokenPlace", name: str, roles: tuple[str, ...], expires: str, as_json: bool) -> None:
    """Make a token, and print it this once: the store keeps only what it is recognised by."""
    from trimtab.spec.duration import parse_duration

    lives = None if expires == "never" else parse_duration(expires, "--expires")
    secret, made = tokens.create(name, roles, expires_in=lives)
    if as_json:
        print_json({"token": secret, **_told(made)})
        return
    click.echo(secret)
    until = f"until {minute(made['expires_at'])}" if made["expires_at"] else "for ever"
    said = f"{name} of {made['project']}: {', '.join(made['roles'])}, {until}. It is not shown again."
    click.echo(said, err=True)


@token.command("list", epilog=example("trimtab token list --json"))
@as_json
@_placed
def list_(tokens: "TokenPlace", as_json: bool) -> None:
    """Show every token that was given, and how it stands."""
    known = tokens.all()
    if as_json:
        print_json({"tokens": list(map(_told, known))})
        return
    if not known:
        click.echo("no token was given: `trimtab token create NAME --role ROLE` makes one")
        return
    made = table("name", "state", "roles", "given", "by", "expires", "revoked")
    for each in known:
        facts = (
            *(each["name"], each["state"], ", ".join(each["roles"]), minute(each["given_at"])),
            *(each["given_by"], minute(each["expires_at"]), minute(each["revoked_at"])),
        )
        made.add_row(*map(plain, facts))
    screen().print(made)


@token.command(epilog=example("trimtab token revoke ci"))
@click.argument("name")
@as_json
@_placed
def revoke(tokens: "TokenPlace", name: str, as_json: bool) -> None:
    """Let a token's holder in no more; running servers know of it within a second."""
    gone = tokens.revoke(name)
    if as_json:
        print_json(_told(gone))
    else:
        click.echo(f"{name} is revoked since {minute(gone['revoked_at'])}")


def _told(token: dict[str, Any]) -> dict[str, Any]:
    """What `--json` prints: a moment that there is not is null."""
    moments = {name: token[name] or None for name in ("expires_at", "revoked_at")}
    return {**token, **moments}
