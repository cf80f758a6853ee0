"""Which version of which data a person means, and what the log says of them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

from trimtab.atoms.content.snapshot import Snapshot
from trimtab.atoms.digest import SHORT
from trimtab.atoms.error import UsageError
from trimtab.atoms.instant import parse_instant
from trimtab.engine.store import Store
from trimtab.views.version import Version, Versions, read_versions

_NUMBER = re.compile(r"v(\d+)")
_DIGEST = re.compile(r"[0-9a-f]{6,64}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Chosen:
    """Data that was asked for."""

    version: Version
    snapshot: Snapshot
    #: Only this span of a table.
    span: str | None = None
    #: Only rows that were known at this moment, of a table that has a known time.
    known_by: datetime | None = None

    @property
    def label(self) -> str:
        """The version for people: `images@v3`, with span or moment."""
        more = f", span {self.span}" if self.span else ""
        more += f", known by {self.known_by:%Y-%m-%d %H:%M:%S} UTC" if self.known_by else ""
        return f"{self.version.source}@v{self.version.number}{more}"


def choose(store: Store, versions: Versions, name: str) -> Chosen:
    """The data that NAME[@WHICH] means.

    Args:
        name: A source; behind `@` a version (`v3`), a span, the first 6 or more digits of a snapshot's id, or a
            date or moment (UTC where it has no offset; a date alone is the end of that day). `span:` or `at:`
            before it tells a span that is called like a date from the date. Without `@` the newest version.

    Raises:
        UsageError: Nothing is called so, there was no version yet, or it was forgotten; the message says what there is.
    """
    chosen = _chosen(store, versions, name)
    decision = versions.forgetting.of(chosen.version.snapshot)
    if decision is not None:
        raise UsageError(
            f"{chosen.label} was {decision.says}, and what it held is gone: `trimtab data log` tells which are whole"
        )
    return chosen


def _chosen(store: Store, versions: Versions, name: str) -> Chosen:
    source, _, which = name.partition("@")
    known = versions.of(source)
    if not known:
        there = ", ".join(versions.sources()) or "none was ingested yet"
        raise UsageError(f"no version of {source!r}: there are {there}")
    if not which:
        return _of(store, known[-1])
    if found := _NUMBER.fullmatch(which):
        if not 1 <= int(found[1]) <= len(known):
            raise UsageError(f"{source!r} has no version {which}: it has v1 to v{len(known)}")
        return _of(store, known[int(found[1]) - 1])
    newest = _of(store, known[-1])
    spans = [span.name for span in newest.snapshot.spans]
    if which.removeprefix("span:") in spans:
        return Chosen(newest.version, newest.snapshot, span=which.removeprefix("span:"))
    if _DIGEST.fullmatch(which):
        return _of(store, _with_digest(known, which))
    moment = _moment(which.removeprefix("at:"))
    if moment is None:
        few = f"{spans[0]} ... {spans[-1]}" if spans else "none"
        raise UsageError(
            f"{source!r} has no {which!r}: give v1 to v{len(known)}, a span ({few}), 6 or more digits of a "
            "snapshot's id, or a date such as 2024-05-31 or 2024-05-31T12:00"
        )
    return _at(store, versions, source, moment)


def choose_pair(store: Store, before: str, after: str | None) -> tuple[Chosen, Chosen]:
    """The two versions that are to be compared.

    Args:
        after: By default the newest; of a source without `@` alone the newest is held against the one before it.

    Raises:
        UsageError: See `choose`; or there is only one version.
    """
    versions = read_versions(store.ledger)
    if after is not None:
        return choose(store, versions, before), choose(store, versions, after)
    source, at, _ = before.partition("@")
    newest = choose(store, versions, source)
    if at:
        return choose(store, versions, before), newest
    if newest.version.number == 1:
        raise UsageError(f"{source!r} has one version only: there is nothing to compare it with yet")
    return choose(store, versions, f"{source}@v{newest.version.number - 1}"), newest


def log_account(store: Store, source: str | None) -> list[dict[str, Any]]:
    """The versions of a source, or of all, oldest first, as JSON values.

    Raises:
        UsageError: The source has none.
    """
    versions = read_versions(store.ledger)
    if source is not None and not versions.of(source):
        choose(store, versions, source)
    names = [source] if source is not None else versions.sources()
    return [_line(store, versions, version) for name in names for version in versions.of(name)]


def _line(store: Store, versions: Versions, version: Version) -> dict[str, Any]:
    snapshot = _of(store, version).snapshot
    folder = snapshot.folder
    decision = versions.forgetting.of(version.snapshot)
    return {
        "source": version.source,
        "version": f"v{version.number}",
        "at": version.at,
        "snapshot": version.snapshot,
        "sort": "folder" if folder is not None else "table",
        "files": folder.files if folder is not None else len(snapshot.files),
        "size_bytes": folder.size_bytes
        if folder is not None
        else sum(span.table.size_bytes for span in snapshot.spans),
        "rows": None if folder is not None else sum(span.rows for span in snapshot.spans),
        "spans": len(snapshot.spans),
        "by": version.by,
        "action": version.action,
        "note": version.note,
        "forgotten": decision.says if decision is not None else None,
    }


def _of(store: Store, version: Version) -> Chosen:
    return Chosen(version, store.read(version.snapshot, Snapshot))


def _with_digest(known: list[Version], digest: str) -> Version:
    found = {version.snapshot: version for version in known if version.snapshot.startswith(digest)}
    if len(found) != 1:
        what = "no version has" if not found else f"{len(found)} versions have"
        raise UsageError(f"{what} a snapshot whose id begins with {digest}: see `trimtab data log`")
    return next(iter(found.values()))


def _moment(text: str) -> datetime | None:
    try:
        if _DAY.fullmatch(text):
            return datetime.combine(datetime.fromisoformat(text), time.max, UTC)
        return parse_instant(text)
    except ValueError:
        return None


def _at(store: Store, versions: Versions, source: str, moment: datetime) -> Chosen:
    version = versions.at(source, moment)
    first = versions.of(source)[0]
    chosen = _of(store, version or first)
    if chosen.snapshot.known_time is not None:
        # Also before the first ingest: the rows themselves say since when they were known.
        return Chosen(chosen.version, chosen.snapshot, known_by=moment)
    if version is None:
        raise UsageError(
            f"{source!r} has no version of {moment:%Y-%m-%d %H:%M:%S} UTC: "
            f"the first, {first.snapshot[:SHORT]}, is of {first.at}"
        )
    return chosen
