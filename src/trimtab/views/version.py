"""The versions of each source's data: every snapshot that an ingest made, in the order of the ledger."""

from bisect import bisect_right
from datetime import datetime

import msgspec

from trimtab.atoms.action import Action, Closing, Outcome
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.content.snapshot import Snapshot
from trimtab.atoms.entry import Record
from trimtab.atoms.instant import iso
from trimtab.engine.forgetting import Forgetting
from trimtab.ports.ledger import Ledger


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One snapshot as a source's history tells of it."""

    source: str
    #: From 1, by source.
    number: int
    #: Artifact id of the snapshot.
    snapshot: str
    #: Blob of the snapshot's content.
    content: str
    #: From when on the source was so: UTC, ISO 8601.
    at: str
    #: The Action that ingested it.
    action: str
    by: str
    #: What came with it, in a sentence.
    note: str


class Versions:
    """A fold over the ledger. An ingest that came upon an earlier state again makes a version of its own."""

    def __init__(self) -> None:
        self._versions: dict[str, list[Version]] = {}
        self._snapshots: dict[str, Artifact] = {}
        self._open: dict[str, Action] = {}
        #: Which snapshots are whole no more.
        self.forgetting = Forgetting()

    def take(self, record: Record) -> None:
        """Take the next record of the ledger."""
        self.forgetting.take(record)
        if isinstance(record, Artifact):
            if record.kind == Snapshot.kind:
                self._snapshots[record.id] = record
        elif isinstance(record, Action):
            if record.stage == "ingest":
                self._open[record.id] = record
        elif isinstance(record, Closing):
            action = self._open.pop(record.action, None)
            if action is not None and record.outcome is Outcome.DONE:
                self._add(action, record)

    def sources(self) -> list[str]:
        """Names of the sources that have versions, in the order of their first."""
        return list(self._versions)

    def of(self, source: str) -> list[Version]:
        """The versions of a source, oldest first."""
        return list(self._versions.get(source, ()))

    def at(self, source: str, moment: datetime) -> Version | None:
        """The version in force at a moment; None before the first."""
        versions = self._versions.get(source, [])
        place = bisect_right(versions, iso(moment), key=lambda version: version.at)
        return versions[place - 1] if place else None

    def _add(self, action: Action, closing: Closing) -> None:
        for made in closing.made:
            snapshot = self._snapshots.get(made)
            if snapshot is None:
                continue
            versions = self._versions.setdefault(action.subject, [])
            versions.append(
                Version(
                    source=action.subject,
                    number=len(versions) + 1,
                    snapshot=made,
                    content=snapshot.content,
                    at=closing.at,
                    action=action.id,
                    by=action.by,
                    note=closing.note,
                )
            )


def read_versions(ledger: Ledger) -> Versions:
    """The versions of all sources of a ledger."""
    versions = Versions()
    for entry in ledger.entries():
        versions.take(entry.record)
    return versions
