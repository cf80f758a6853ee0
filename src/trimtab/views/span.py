"""The spans of each source: which were validated, which are in quarantine and why."""

from dataclasses import dataclass, field

import msgspec

from trimtab.atoms.action import Closing, Outcome
from trimtab.atoms.content.snapshot import Snapshot
from trimtab.engine.store import Store
from trimtab.views.book import Book


class SpanState(msgspec.Struct, frozen=True, kw_only=True):
    """One span as it stands in the newest snapshot."""

    span: str
    rows: int
    #: Artifact id of the span's profile, None before it was validated.
    profile: str | None
    #: True where the rows that are there now were judged; late rows make a span unvalidated again.
    validated: bool
    #: Blob of the rows that were judged, None before.
    table: str | None
    quarantined: bool
    #: The Checks for which it was quarantined.
    because: tuple[str, ...] = ()


class _ProfileHead(msgspec.Struct, frozen=True):
    subject: str
    span: str


class _TableHead(msgspec.Struct, frozen=True):
    blob: str


class _SpanHead(msgspec.Struct, frozen=True):
    name: str
    table: _TableHead


class _SnapshotHead(msgspec.Struct, frozen=True):
    spans: tuple[_SpanHead, ...]


class _SchemaHead(msgspec.Struct, frozen=True):
    source: str


@dataclass
class _Judged:
    profile: str
    table: str
    because: tuple[str, ...] | None = None


@dataclass
class _Source:
    snapshots: list[str] = field(default_factory=list)
    schema: str | None = None
    judged: dict[str, _Judged] = field(default_factory=dict)


class Spans:
    """A done `validate` Action that made its profile validates a span; a new profile ends its quarantine."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sources: dict[str, _Source] = {}
        self._newest: dict[str, Snapshot] = {}
        #: The snapshot validated last and its tables: the next Action mostly takes the same one.
        self._tables: tuple[str, dict[str, str]] = ("", {})

    def on_closing(self, closing: Closing, book: Book) -> None:
        """Take the end of an ingest, a validation or a quarantine."""
        action = book.open_action(closing.action)
        if action is None or closing.outcome is not Outcome.DONE:
            return
        if action.stage == "ingest":
            made = book.of_kind(closing.made, "snapshot")
            if made:
                self._source(action.subject).snapshots.extend(made)
                self._newest.pop(action.subject, None)
        elif action.stage == "validate" and action.kind == "validate":
            for schema in book.of_kind(closing.made, "schema"):
                self._source(book.head(schema, _SchemaHead).source).schema = schema
            tables = self._tables_of(book.of_kind(action.took, "snapshot"), book)
            for profile in book.of_kind(closing.made, "profile"):
                head = book.head(profile, _ProfileHead)
                judged = self._source(head.subject).judged
                known, table = judged.get(head.span), tables.get(head.span, "")
                if known is None or (known.profile, known.table) != (profile, table):
                    judged[head.span] = _Judged(profile=profile, table=table)
        elif action.kind == "quarantine":
            source, _, span = action.subject.partition("/")
            judged = self._source(source).judged
            judged.setdefault(span, _Judged(profile="", table="")).because = action.because

    def sources(self) -> list[str]:
        """Names of the sources that were ingested."""
        return [name for name, source in self._sources.items() if source.snapshots]

    def snapshot(self, source: str) -> str | None:
        """Artifact id of the newest snapshot."""
        known = self._sources.get(source)
        return known.snapshots[-1] if known and known.snapshots else None

    def snapshots(self, source: str) -> list[str]:
        """Artifact ids of all snapshots, oldest first."""
        return list(self._sources[source].snapshots) if source in self._sources else []

    def schema(self, source: str) -> str | None:
        """Artifact id of the schema in force."""
        return self._sources[source].schema if source in self._sources else None

    def state(self, source: str) -> dict[str, SpanState]:
        """Every span of the newest snapshot by name, in order of time."""
        newest = self._content(source)
        if newest is None:
            return {}
        judged = self._sources[source].judged
        states = {}
        for span in newest.spans:
            known = judged.get(span.name)
            states[span.name] = SpanState(
                span=span.name,
                rows=span.rows,
                profile=known.profile or None if known else None,
                validated=known is not None and known.table == span.table.blob,
                table=known.table or None if known else None,
                quarantined=known is not None and known.because is not None,
                because=known.because or () if known else (),
            )
        return states

    def first_with(self, source: str, span: str) -> str | None:
        """Artifact id of the oldest snapshot that holds the span."""
        for snapshot in self.snapshots(source):
            if any(held.name == span for held in self._store.read(snapshot, Snapshot).spans):
                return snapshot
        return None

    def _source(self, name: str) -> _Source:
        return self._sources.setdefault(name, _Source())

    def _tables_of(self, snapshots: list[str], book: Book) -> dict[str, str]:
        if not snapshots:
            return {}
        if self._tables[0] != snapshots[0]:
            spans = book.head(snapshots[0], _SnapshotHead).spans
            self._tables = (snapshots[0], {span.name: span.table.blob for span in spans})
        return self._tables[1]

    def _content(self, source: str) -> Snapshot | None:
        newest = self.snapshot(source)
        if newest is None:
            return None
        if source not in self._newest:
            self._newest[source] = self._store.read(newest, Snapshot)
        return self._newest[source]
