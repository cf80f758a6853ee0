"""Free the bytes that nothing needs: safe beside uploads and running steps, finished by the next one when killed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta

from trimtab.assembly.upkeep.census import Census, Progress, silent
from trimtab.assembly.upkeep.deleted_owner import DeletedOwners
from trimtab.assembly.upkeep.retention import Condemned, condemn
from trimtab.assembly.upkeep.tracked import TrackedFiles
from trimtab.atoms.action import Action, Closing, Outcome, action_id
from trimtab.atoms.error import StoreError
from trimtab.atoms.instant import iso
from trimtab.engine.engine import LEASE_SECONDS, Engine
from trimtab.engine.forgetting import FORGET, STAGE
from trimtab.engine.store import Store
from trimtab.ports.blobs import StoredBlob

#: The lease of whoever takes bytes away, or must not have them taken away.
LEASE = "garbage"
#: The least time for which nobody may have put a blob that is to go.
IDLE_SECONDS = 3600.0
#: A put may look older than it is by this much: file systems and object stores write down coarse times.
COARSE_SECONDS = 2.0
#: By how much the clock of whoever opened an Action may be ahead of the blobs' clock.
SKEW_SECONDS = 60.0
#: Artifacts that one Action names.
_MOST_NAMED = 1000


@dataclass(slots=True)
class Freed:
    """What went, or would go."""

    dry_run: bool
    #: Blobs that nothing needs, and their bytes.
    blobs: int = 0
    bytes: int = 0
    #: Blobs that nothing needs but that were put too lately to go.
    young: int = 0
    young_bytes: int = 0
    #: Files that dead processes left half-written.
    temporaries: int = 0
    #: Artifacts whose parts were given up.
    forgotten: int = 0
    #: Blobs that stay, and their bytes.
    kept: int = 0
    kept_bytes: int = 0


def collect_garbage(
    store: Store,
    *,
    by: str,
    idle: timedelta = timedelta(seconds=IDLE_SECONDS),
    older: timedelta | None = None,
    dry_run: bool = False,
    progress: Progress = silent,
) -> Freed:
    """Discard every blob that nothing needs; with `older` first decide which artifacts need none any more.

    Needed is what an artifact names, and what a file of a run or of a logged model is: the stream of their events tells
    it. With `older`, files of runs that were deleted for so long go too.

    A blob goes only where nobody put it for `idle`, for as long as the oldest open Action has been at work, and
    since the ledger was read: what a step keeps now and records later is younger than all three.

    Args:
        by: The person who decides.
        older: Forget the parts of what nobody made or used for so long and nothing live needs (see `retention`).
        dry_run: Say what would go; nothing is changed.

    Raises:
        StoreError: Another one is at work, or a content cannot be read, so that nobody knows what it needs.
    """
    if dry_run:
        return _Collection(store, by, idle, True, progress).run(older)
    engine = Engine(store)
    with the_lease(engine, "`trimtab gc`"):
        engine.tidy()
        return _Collection(store, by, idle, False, progress).run(older)


@contextmanager
def the_lease(engine: Engine, what: str) -> Iterator[None]:
    """Hold the lease on taking bytes away; StoreError at once where another process has it."""
    store = engine.store
    holder = f"{store.holder}:{threading.get_ident()}"
    lease = store.ledger.take_lease(f"step:{LEASE}", holder, LEASE_SECONDS)
    if lease is None:
        raise StoreError(f"a gc or a backup of this store is at work already: run {what} when it has ended")
    with engine.claim(LEASE):
        yield


class _Collection:
    def __init__(self, store: Store, by: str, idle: timedelta, dry_run: bool, progress: Progress) -> None:
        self._store = store
        self._by = by
        self._idle_seconds = idle.total_seconds()
        self._progress = progress
        self._census = Census(store)
        self._tracked = TrackedFiles(store)
        #: Owners of files whose blobs may go: they were deleted long ago.
        self._given_up: set[str] = set()
        self._freed = Freed(dry_run=dry_run)

    def run(self, older: timedelta | None) -> Freed:
        condemned = self._condemned(older)
        self._freed.forgotten = len(condemned)
        if self._freed.dry_run:
            self._discard(gone={item.artifact for item in condemned})
            return self._freed
        key = f"{STAGE}/{FORGET}/{self._store.holder}/{action_id(self._store.now())}"
        # While the key is claimed, no other process takes the open Actions for a dead one's.
        with Engine(self._store).claim(key) if condemned else nullcontext():
            actions = self._decide(condemned, key, older)
            self._discard(gone=set())
            self._close(actions)
        self._freed.temporaries = self._store.blobs.sweep()
        return self._freed

    def _condemned(self, older: timedelta | None) -> list[Condemned]:
        if older is None:
            return []
        stored = {blob.key for blob in self._store.blobs.stored()}
        self._census.refresh()
        before = self._store.now() - older
        owners = DeletedOwners(self._store, self._census)
        self._given_up = owners.before(before)
        also = list(owners.outdated_seals(before))
        return condemn(
            self._census, self._store, stored, before, self._progress, also=also, tracked=self._roots()
        )

    def _decide(self, condemned: list[Condemned], key: str, older: timedelta | None) -> list[Action]:
        """Record what is given up before a byte of it goes."""
        now = self._store.now()
        actions = [
            Action(
                id=action_id(now),
                kind=FORGET,
                stage=STAGE,
                took=tuple(item.artifact for item in condemned[start : start + _MOST_NAMED]),
                by=self._by,
                key=key,
                note=f"not made or used for {older}, and nothing live needs it",
                at=iso(now),
            )
            for start in range(0, len(condemned), _MOST_NAMED)
        ]
        if actions:
            self._store.ledger.append(actions)
        return actions

    def _discard(self, gone: set[str]) -> None:
        """Discard what no whole artifact needs, but those of `gone`.

        The blobs are listed before the ledger is read: of a blob that is listed, every artifact that names it and
        is not in the ledger then is the work of a step that is under way.
        """
        begun = self._store.clock.monotonic()
        stored = list(self._store.blobs.stored())
        self._census.refresh()
        tracked = self._roots()
        least = COARSE_SECONDS + max(self._idle_seconds, self._open_seconds())
        whole = [artifact for artifact in self._census.whole() if artifact.id not in gone]
        needed = self._census.needed(whole, self._progress) | tracked
        for number, blob in enumerate(stored, start=1):
            self._progress("blobs", number, len(stored))
            if blob.key in needed:
                self._freed.kept += 1
                self._freed.kept_bytes += blob.size_bytes
            elif self._goes(blob, least + self._store.clock.monotonic() - begun):
                self._freed.blobs += 1
                self._freed.bytes += blob.size_bytes
            else:
                self._freed.young += 1
                self._freed.young_bytes += blob.size_bytes

    def _roots(self) -> set[str]:
        """Blobs of files that runs and logged models name, and of files on their way in."""
        self._tracked.refresh()
        named = {item.blob for item in self._tracked.needed(self._given_up)}
        return named | self._tracked.on_their_way(self._store.now())

    def _open_seconds(self) -> float:
        """For how long the oldest open Action may have been at work; 0 where none is open."""
        seconds = self._census.oldest_open_seconds(self._store.now())
        return seconds + SKEW_SECONDS if seconds is not None else 0.0

    def _goes(self, blob: StoredBlob, idle_seconds: float) -> bool:
        if self._freed.dry_run:
            return blob.idle_seconds >= idle_seconds
        return self._store.blobs.discard(blob.key, idle_seconds)

    def _close(self, actions: list[Action]) -> None:
        if not actions:
            return
        note = f"{self._freed.blobs:,} blobs, {self._freed.bytes:,} bytes freed"
        at = iso(self._store.now())
        self._store.ledger.append(
            [Closing(action=action.id, outcome=Outcome.DONE, note=note, at=at) for action in actions]
        )
