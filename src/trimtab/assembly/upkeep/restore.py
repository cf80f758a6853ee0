"""Bring a backed-up store back: every digest, the whole chain and the head are verified on the way."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field

from trimtab.adapters.sqlite_run_index import discard_run_index
from trimtab.adapters.store_file import bring_back
from trimtab.assembly.store_place import StorePlace
from trimtab.assembly.tracking_place import INDEX_FILE
from trimtab.assembly.upkeep.backup_manifest import KeptFile, Manifest, choose_manifest, read_manifest
from trimtab.assembly.upkeep.backup_place import BackupPlace
from trimtab.assembly.upkeep.census import Progress, silent
from trimtab.assembly.upkeep.fsck import fsck
from trimtab.assembly.upkeep.soundness import Soundness
from trimtab.atoms.action import Closing
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.entry import GENESIS, Record, chain_value, parse_record
from trimtab.atoms.error import Damaged, StoreError
from trimtab.atoms.law import references
from trimtab.engine.side_by_side import side_by_side
from trimtab.engine.store import Store

#: Records of one append at least, where there are as many.
_APPEND_RECORDS = 1000
#: Damaged things that a refusal names.
_MOST_NAMED = 20


@dataclass(slots=True)
class Restored:
    """What came back."""

    name: str
    made_at: str
    entries: int
    chain: str
    blobs: int
    #: Blobs that had to be copied, and their bytes.
    new: int = 0
    new_bytes: int = 0
    #: Whether the private signing key was in the backup.
    signing_key: bool = False
    #: Under `salvage`: what is damaged or missing in the backup, a sentence each.
    lost: list[str] = field(default_factory=list)
    soundness: Soundness = field(default_factory=Soundness)


def restore(
    backup: BackupPlace,
    target: StorePlace,
    *,
    at: str | None = None,
    salvage: bool = False,
    progress: Progress = silent,
) -> Restored:
    """Restore a backup into an empty store, or into an earlier state of the same one; ends with `fsck`.

    Blobs come first and the ledger last, in order: a killed restore leaves an earlier state of the store, and the
    next restore goes on from there.

    Args:
        at: The beginning of the backup's name; None: the newest.
        salvage: Restore what can be, and say what was lost; without it a damaged backup is refused.

    Raises:
        UsageError: There is no such backup.
        StoreError: The target holds another store.
        Damaged: Something in the backup is not as it was kept; the message names it.
    """
    name = choose_manifest(backup.manifests, at)
    manifest = read_manifest(backup.manifests, name)
    return _Restore(backup, target, manifest, salvage, progress).run(name.removesuffix(".json"))


class _Restore:
    def __init__(
        self, backup: BackupPlace, target: StorePlace, manifest: Manifest, salvage: bool, tell: Progress
    ) -> None:
        self._backup = backup
        self._target = target
        self._manifest = manifest
        self._salvage = salvage
        self._tell = tell
        self._lost: list[str] = []

    def run(self, name: str) -> Restored:
        manifest = self._manifest
        done = Restored(
            name=name,
            made_at=manifest.made_at,
            entries=manifest.entries,
            chain=manifest.chain,
            blobs=manifest.blobs,
            signing_key=manifest.signing_key,
            lost=self._lost,
        )
        chains = self._prove_ledger()
        with closing(self._target.open(copies=False)) as store:
            have = self._already(store, chains)
            self._copy_blobs(store, done)
        # The online features' file is replaced while nobody here has it open.
        for file in manifest.files:
            self._bring_back(file)
        # It may be of a later state than the one that comes back; whoever needs it makes it again.
        discard_run_index(self._target.folder / INDEX_FILE)
        with closing(self._target.open(copies=False)) as store:
            self._append(store, have)
            if store.ledger.head() != (manifest.entries, manifest.chain):
                raise Damaged(
                    f"the restored ledger ends at {store.ledger.head()}, which is not what was backed up"
                )
            done.soundness = fsck(store, on_progress=self._tell)
        return done

    def _prove_ledger(self) -> list[str]:
        """The chain value of every entry, computed from the backup's bytes; nothing has been changed yet."""
        chains = [GENESIS]
        for name, body in self._lines(0):
            chains.append(chain_value(chains[-1], name, body))
        if (len(chains) - 1, chains[-1]) != (self._manifest.entries, self._manifest.chain):
            raise Damaged(
                f"the ledger of this backup in {self._backup.shown} does not have the chain value that its manifest "
                "says: restore another one"
            )
        return chains

    def _lines(self, after: int) -> Iterator[tuple[str, bytes]]:
        """Name and bytes of each record of the backup after an entry's number."""
        for segment in self._manifest.ledger:
            if segment.last <= after:
                continue
            lines = self._get(segment.blob, f"entries {segment.first} to {segment.last}").split(b"\n")[:-1]
            for line in lines[max(after - segment.first + 1, 0) :]:
                name, _, body = line.partition(b" ")
                yield name.decode(), body

    def _already(self, store: Store, chains: list[str]) -> int:
        """How many entries the target has, which must be the first of the backup."""
        number, chain = store.ledger.head()
        if number >= len(chains) or chains[number] != chain:
            raise StoreError(
                f"{self._target.folder} holds another store, or a later state of this one: restore into an empty "
                "folder (--store DIR)"
            )
        return number

    def _copy_blobs(self, store: Store, done: Restored) -> None:
        inventory = dict(
            line.split(" ")
            for line in self._get(self._manifest.inventory, "its inventory").decode().splitlines()
        )
        there = {blob.key: blob.size_bytes for blob in store.blobs.stored()}
        missing = [key for key, size in inventory.items() if there.get(key) != int(size)]
        damaged: list[str] = []

        def copy(key: str) -> int:
            try:
                content = self._get(key, "a blob")
            except Damaged as damage:
                damaged.append(str(damage))
                return 0
            if store.blobs.put(content) != key:
                raise Damaged(f"the store did not keep blob {key} as it was sent")
            return len(content)

        threads = max(store.blobs.threads, self._backup.blobs.threads)
        for number, size in enumerate(side_by_side(copy, missing, threads=threads), start=1):
            self._tell("blobs", number, len(missing))
            done.new += size > 0
            done.new_bytes += size
        self._refuse(damaged)

    def _bring_back(self, file: KeptFile) -> None:
        pieces = (self._get(piece, f"file {file.name}") for piece in file.pieces)
        try:
            bring_back(self._target.folder, file.name, file.mode, pieces)
        except Damaged as damage:
            self._refuse([str(damage)])

    def _append(self, store: Store, have: int) -> None:
        """Append the rest as it was written: cut only where no record wants one that is still to come."""
        group: list[Record] = []
        wanting: set[str] = set()
        known: set[str] = set()
        for number, (name, body) in enumerate(self._lines(0), start=1):
            record: Record = parse_record(name, body)
            if not isinstance(record, Closing):
                known.add(record.id)
            if number <= have:
                continue
            group.append(record)
            if isinstance(record, Closing):
                wanting.difference_update(f"maker of {made}" for made in record.made)
            elif isinstance(record, Artifact):
                wanting.add(f"maker of {record.id}")
                wanting.discard(record.id)
            wanting.update(need.id for need in references(record) if need.id not in known)
            wanting -= known
            if len(group) >= _APPEND_RECORDS and not wanting:
                store.ledger.append(group)
                self._tell("entries", number, self._manifest.entries)
                group = []
        if group:
            store.ledger.append(group)

    def _get(self, key: str, what: str) -> bytes:
        try:
            return self._backup.blobs.get(key)
        except KeyError:
            raise Damaged(f"{what}: blob {key} is missing in {self._backup.shown}") from None
        except Damaged as damage:
            raise Damaged(f"{what}: {damage}") from damage

    def _refuse(self, damaged: list[str]) -> None:
        if damaged and not self._salvage:
            more = f", and {len(damaged) - _MOST_NAMED} more" if len(damaged) > _MOST_NAMED else ""
            raise Damaged(
                f"the backup is damaged: {'; '.join(sorted(damaged)[:_MOST_NAMED])}{more}: restore another one, or "
                "what can be with --salvage"
            )
        self._lost.extend(damaged)
