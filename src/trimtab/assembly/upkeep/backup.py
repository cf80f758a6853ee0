"""Copy a store as it is at one moment to another place, while it is in use; only what is missing there is copied."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from trimtab.adapters.store_file import StoreFile, store_files
from trimtab.assembly.part_list import parts_of
from trimtab.assembly.upkeep.backup_manifest import KeptFile, LedgerSegment, Manifest, read_manifest
from trimtab.assembly.upkeep.backup_place import BackupPlace
from trimtab.assembly.upkeep.census import Census, Progress, silent
from trimtab.assembly.upkeep.deleted_owner import DeletedOwners
from trimtab.assembly.upkeep.garbage import the_lease
from trimtab.assembly.upkeep.tracked import TrackedFiles
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.digest import digest_bytes
from trimtab.atoms.entry import GENESIS, RECORD_NAMES
from trimtab.atoms.error import Damaged, StoreError
from trimtab.atoms.instant import iso
from trimtab.atoms.law import label
from trimtab.atoms.proof import proven_bytes
from trimtab.engine.engine import Engine
from trimtab.engine.side_by_side import side_by_side
from trimtab.engine.store import Store

#: Entries of one segment of the ledger; all but the last have as many, so that later backups share them.
SEGMENT_ENTRIES = 4096


@dataclass(slots=True)
class Copied:
    """What a backup took."""

    #: Its name: `trimtab restore --at` takes it, or its beginning.
    name: str = ""
    entries: int = 0
    chain: str = ""
    #: All blobs that its ledger names, and their bytes.
    blobs: int = 0
    blob_bytes: int = 0
    #: Objects that were not there and had to be copied, and their bytes.
    new: int = 0
    new_bytes: int = 0
    signing_key: bool = False


def back_up(
    store: Store, folder: Path, place: BackupPlace, *, signing_key: bool, progress: Progress = silent
) -> Copied:
    """Take a backup of `store`; nothing that it acknowledged before the start is left out.

    Every byte is verified as it is read and as it is kept. A killed backup leaves no manifest; the next one goes on
    with what is there already.

    Args:
        folder: The store's folder, with streams, keys and online features.
        signing_key: Whether the private signing key goes along.

    Raises:
        StoreError: A gc or another backup is at work, something in the store is damaged or missing, or the place
            holds backups of another store.
    """
    with the_lease(Engine(store), "`trimtab backup`"):
        return _Backup(store, folder, place, progress).run(signing_key=signing_key)


@dataclass(slots=True)
class _Backup:
    store: Store
    folder: Path
    place: BackupPlace
    tell: Progress
    copied: Copied = field(default_factory=Copied)
    #: Blobs that are at the place, with their sizes.
    there: dict[str, int] = field(default_factory=dict)

    def run(self, *, signing_key: bool) -> Copied:
        self.there = {blob.key: blob.size_bytes for blob in self.place.blobs.stored()}
        head, chain = self.store.ledger.head()
        before = self._newest(head)
        census, segments = self._copy_ledger(head, before.ledger if before else ())
        # After the ledger: what it says of the streams is in them. Before the blobs: what they say of these is there.
        files = self._copy_files(signing_key, before)
        inventory = self._copy_blobs(census)
        manifest = Manifest(
            made_at=iso(self.store.now()),
            entries=head,
            chain=chain,
            ledger=tuple(segments),
            inventory=self._keep("".join(f"{key} {size}\n" for key, size in inventory.items()).encode()),
            blobs=len(inventory),
            blob_bytes=sum(inventory.values()),
            files=tuple(files),
            signing_key=signing_key and any(file.name == "keys/signing.key" for file in files),
        )
        self.place.manifests.create(manifest.name(), manifest.body())
        done = self.copied
        done.name, done.entries, done.chain = manifest.name().removesuffix(".json"), head, chain
        done.blobs, done.blob_bytes, done.signing_key = (
            manifest.blobs,
            manifest.blob_bytes,
            manifest.signing_key,
        )
        return done

    def _newest(self, head: int) -> Manifest | None:
        """The newest backup at the place, whose ledger must be the beginning of this one's."""
        names = self.place.manifests.names()
        if not names:
            return None
        newest = read_manifest(self.place.manifests, names[-1])
        if self._chain_at(min(newest.entries, head)) != newest.chain:
            raise StoreError(
                f"{self.place.shown} holds backups of another store, or of a later state of this one: "
                "name another place"
            )
        return newest

    def _chain_at(self, number: int) -> str:
        if number == 0:
            return GENESIS
        return next(entry.chain for entry in self.store.ledger.entries(after=number - 1, limit=1))

    def _copy_ledger(
        self, head: int, before: tuple[LedgerSegment, ...]
    ) -> tuple[Census, list[LedgerSegment]]:
        """Keep entries up to number `head`; whole segments of an earlier backup are taken over."""
        whole = [item for item in before if item.last % SEGMENT_ENTRIES == 0 and item.blob in self.there]
        segments = [item for place, item in enumerate(whole) if item.first == place * SEGMENT_ENTRIES + 1]
        kept = segments[-1].last if segments else 0
        census, chain = Census(self.store), GENESIS
        lines: list[bytes] = []
        for entry in self.store.ledger.entries(limit=head):
            census.take(entry)
            if entry.seq > kept:
                body = proven_bytes(chain, entry)
                if body is None:
                    raise Damaged(
                        f"entry {entry.seq} ({label(entry.record)}) breaks the chain: run `trimtab fsck`"
                    )
                lines.append(b"%s %s\n" % (RECORD_NAMES[type(entry.record)].encode(), body))
                if entry.seq % SEGMENT_ENTRIES == 0 or entry.seq == head:
                    segments.append(self._segment(entry.seq, lines))
                    self.tell("entries", entry.seq, head)
                    lines = []
            chain = entry.chain
        return census, segments

    def _segment(self, last: int, lines: list[bytes]) -> LedgerSegment:
        content = b"".join(lines)
        blob = self._keep(content)
        return LedgerSegment(first=last - len(lines) + 1, last=last, blob=blob, size_bytes=len(content))

    def _copy_blobs(self, census: Census) -> dict[str, int]:
        """Keep every blob that the artifacts need; returns their sizes by key."""
        inventory = self._inventory(census)
        missing = [key for key, size in inventory.items() if self.there.get(key) != size]
        threads = max(self.store.blobs.threads, self.place.blobs.threads)
        for number, size in enumerate(side_by_side(self._copy, missing, threads=threads), start=1):
            self.copied.new += 1
            self.copied.new_bytes += size
            self.tell("blobs", number, len(missing))
        return inventory

    def _inventory(self, census: Census) -> dict[str, int]:
        whole = {artifact.id for artifact in census.whole()}
        artifacts = list(census.artifacts.values())
        inventory: dict[str, int] = {}
        for number, (artifact, body) in enumerate(self._contents(artifacts), start=1):
            if number % 100 == 0 or number == len(artifacts):
                self.tell("artifacts", number, len(artifacts))
            inventory[artifact.content] = artifact.size_bytes
            if artifact.id in whole:
                inventory.update({part.blob: part.size_bytes for part in parts_of(artifact, body)})
        tracked, ever = TrackedFiles(self.store), DeletedOwners(self.store, census).ever
        tracked.refresh()
        for item in tracked.needed():
            if item.owner not in ever or self.store.blobs.find(item.blob) is not None:
                inventory[item.blob] = item.size_bytes
        return inventory

    def _contents(self, artifacts: list[Artifact]) -> Iterator[tuple[Artifact, bytes]]:
        keys = (each.content for each in artifacts)
        return zip(artifacts, side_by_side(self._read, keys, threads=self.store.blobs.threads), strict=True)

    def _read(self, key: str) -> bytes:
        try:
            return self.store.blobs.get(key)
        except KeyError:
            raise StoreError(
                f"blob {key} is missing, so this store cannot be backed up whole: run `trimtab fsck`"
            ) from None

    def _copy(self, key: str) -> int:
        content = self._read(key)
        if self.place.blobs.put(content) != key:
            raise Damaged(f"{self.place.shown} did not keep blob {key} as it was sent")
        return len(content)

    def _keep(self, content: bytes) -> str:
        """Keep bytes at the place, where they are not there yet."""
        key = digest_bytes(content)
        if self.there.get(key) != len(content):
            self.place.blobs.put(content)
            self.there[key] = len(content)
            self.copied.new += 1
            self.copied.new_bytes += len(content)
        return key

    def _copy_files(self, signing_key: bool, before: Manifest | None) -> list[KeptFile]:
        known = {file.name: file for file in before.files} if before else {}
        kept = []
        for number, file in enumerate(store_files(self.folder, signing_key=signing_key), start=1):
            self.tell("files", number, number)
            same = known.get(file.name)
            if same is None or not self._is_there(same, file):
                same = KeptFile(
                    name=file.name,
                    mode=file.mode,
                    size_bytes=file.size_bytes,
                    grows_only=file.grows_only,
                    pieces=tuple(self._keep(piece) for piece in file.pieces()),
                )
            kept.append(same)
        return kept

    def _is_there(self, known: KeptFile, file: StoreFile) -> bool:
        """Whether an earlier backup has exactly this file, which then need not be read."""
        same = known.grows_only and file.grows_only and known.size_bytes == file.size_bytes
        return same and all(piece in self.there for piece in known.pieces)
