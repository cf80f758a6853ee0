"""The URL of a database, read once, and shown without its password ever after."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote

from trimtab.atoms.error import UsageError

#: The schema that the tables lie in where the URL names none.
DEFAULT_SCHEMA = "trimtab"

_FORM = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE?schema=NAME"
_NAME = re.compile(r"(?!pg_)[a-z_][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class PostgresUrl:
    """Where a ledger is; its text form holds no secret."""

    #: What `psycopg.connect` takes, the password too.
    parameters: dict[str, str] = field(repr=False)
    schema: str
    #: The URL without its password and its options.
    shown: str


def read_url(url: str) -> PostgresUrl:
    """Read `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?schema=NAME&sslmode=...`.

    Every part may be missing: libpq's own defaults (`PGHOST`, `PGPASSWORD`, `~/.pgpass` ...) then hold. The part
    before the last `@` is user and password, percent-encoded.

    Raises:
        UsageError: It is no such URL; the message shows none of it that could be a secret.
    """
    scheme, found, rest = url.partition("://")
    if not found or scheme not in ("postgresql", "postgres") or "#" in rest:
        raise UsageError(f"the ledger's URL has the form {_FORM}; write special characters as %XX")
    rest, _, options = rest.partition("?")
    # By hand and from the right: a password that was not percent-encoded must not end up in a host's name.
    credentials, _, place = rest.rpartition("@")
    hosts, _, database = place.partition("/")
    user, _, password = credentials.partition(":")
    parameters = {name: unquote(value) for name, value in (("user", user), ("password", password)) if value}
    if database:
        parameters["dbname"] = unquote(database)
    parameters |= _hosts(hosts)
    schema = DEFAULT_SCHEMA
    for name, value in parse_qsl(options, keep_blank_values=True):
        if name == "schema":
            schema = value
        else:
            parameters[name] = value
    if not _NAME.fullmatch(schema):
        raise UsageError(
            f"the schema {schema!r} of the ledger's URL is no name: lower-case letters, digits and _, not pg_..."
        )
    named = f"{quote(parameters['user'])}@" if "user" in parameters else ""
    shown = f"postgresql://{named}{hosts}/{database}"
    return PostgresUrl(parameters, schema, shown if schema == DEFAULT_SCHEMA else f"{shown}?schema={schema}")


def _hosts(hosts: str) -> dict[str, str]:
    """Hosts and ports of `host:port,host:port`."""
    if not hosts:
        return {}
    names, ports = [], []
    for each in hosts.split(","):
        found = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]@]*)(?::(\d+))?", each)
        if found is None:
            raise UsageError(f"the ledger's URL has the form {_FORM}; write special characters as %XX")
        names.append(unquote(found[1]).strip("[]"))
        ports.append(found[2] or "")
    parameters = {"host": ",".join(names)}
    if any(ports):
        parameters["port"] = ",".join(ports)
    if len(names) > 1:
        parameters["target_session_attrs"] = "read-write"
    return parameters
