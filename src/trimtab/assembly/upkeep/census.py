"""A census of the artifacts: who made and took them and when, which were forgotten, and which blobs they need."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from trimtab.atoms.action import Action, Closing
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.entry import Entry
from trimtab.atoms.error import Damaged, StoreError
from trimtab.atoms.instant import parse_instant
from trimtab.atoms.law import label
from trimtab.engine.forgetting import FORGET, PIN, STAGE, UNPIN, Forgetting
from trimtab.engine.side_by_side import side_by_side
from trimtab.engine.store import Store
from trimtab.tracking.fold import is_run

#: What is told while it runs: the part of the work, how much is done, how much there is.
Progress = Callable[[str, int, int], None]

_DIGEST = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")

#: Actions that stay open while others work and keep nothing themselves.
_KEEPING_NOTHING = ("operate", FORGET)


def silent(part: str, done: int, whole: int) -> None:
    """For whoever does not want the progress."""


class Census:
    """A fold over the ledger, as far as `refresh` has read it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read = 0
        self.forgetting = Forgetting()
        self.artifacts: dict[str, Artifact] = {}
        #: Every Action by id.
        self.actions: dict[str, Action] = {}
        #: Ids of the Actions that made an artifact.
        self.makers: dict[str, list[str]] = {}
        #: When an artifact was last made or taken, UTC, ISO 8601.
        self.used_at: dict[str, str] = {}
        self._open: dict[str, Action] = {}

    def refresh(self) -> None:
        """Read what the ledger got since the last call."""
        for entry in self._store.ledger.entries(after=self._read):
            self.take(entry)

    def take(self, entry: Entry) -> None:
        """Take the next entry of the ledger."""
        self._read = entry.seq
        record = entry.record
        self.forgetting.take(record)
        if isinstance(record, Artifact):
            self.artifacts[record.id] = record
        elif isinstance(record, Action):
            self.actions[record.id] = self._open[record.id] = record
            if not (record.stage == STAGE and record.kind in (FORGET, PIN, UNPIN)):
                self.used_at.update(dict.fromkeys(record.took, record.at))
        elif isinstance(record, Closing):
            self._open.pop(record.action, None)
            self.used_at.update(dict.fromkeys(record.made, record.at))
            for made in record.made:
                self.makers.setdefault(made, []).append(record.action)

    def open_actions(self) -> list[Action]:
        """Actions that are under way and may take or keep something, oldest first.

        Runs that are logged by hand are none of them: what they keep is told by the stream of their events.
        """
        return [
            action
            for action in self._open.values()
            if not (action.stage == STAGE and action.kind in _KEEPING_NOTHING) and not is_run(action)
        ]

    def oldest_open_seconds(self, now: datetime) -> float | None:
        """For how long the oldest open Action has been at work; None where none is open."""
        ages = [(now - parse_instant(action.at)).total_seconds() for action in self.open_actions()]
        return max(ages, default=None)

    def whole(self) -> Iterator[Artifact]:
        """Artifacts that must have all their parts: not forgotten, or taken by what is under way."""
        taken = {item for action in self.open_actions() for item in action.took}
        for artifact in self.artifacts.values():
            if artifact.id in taken or self.forgetting.of(artifact.id) is None:
                yield artifact

    def digests_of(
        self, artifacts: Iterable[Artifact], progress: Progress = silent
    ) -> Iterator[tuple[Artifact, set[str]]]:
        """Each artifact with every digest that its content says, its parts among them.

        More than the parts, and so never less, whatever version wrote the content.

        Raises:
            StoreError: A content is missing or damaged, so that nobody knows what it needs.
        """
        wanted = list(artifacts)
        for number, found in enumerate(
            side_by_side(self._digests, wanted, threads=self._store.blobs.threads), start=1
        ):
            if number % 100 == 0 or number == len(wanted):
                progress("artifacts", number, len(wanted))
            yield wanted[number - 1], found

    def needed(self, artifacts: Iterable[Artifact], progress: Progress = silent) -> set[str]:
        """Every blob that these artifacts need, and the content of every artifact there is."""
        needed = {artifact.content for artifact in self.artifacts.values()}
        for _, found in self.digests_of(artifacts, progress):
            needed |= found
        return needed

    def _digests(self, artifact: Artifact) -> set[str]:
        try:
            body = self._store.blobs.get(artifact.content)
        except (KeyError, Damaged) as error:
            raise StoreError(
                f"the content of {label(artifact)} is missing or damaged, so nobody knows what it needs: "
                "run `trimtab fsck` and restore it from a backup first"
            ) from error
        return {found.decode() for found in _DIGEST.findall(body)}
