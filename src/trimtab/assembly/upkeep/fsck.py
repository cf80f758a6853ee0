"""Prove that a store is whole: chain, ids, laws, blobs and streams, each fault named."""

from collections.abc import Iterator

from trimtab.adapters.local_blobs import LocalBlobs
from trimtab.assembly.part_list import parts_of
from trimtab.assembly.upkeep.census import Census, Progress, silent
from trimtab.assembly.upkeep.deleted_owner import DeletedOwners
from trimtab.assembly.upkeep.ledger_proof import LedgerProof
from trimtab.assembly.upkeep.list_proof import ListProof
from trimtab.assembly.upkeep.soundness import Soundness
from trimtab.assembly.upkeep.tracked import TrackedFiles
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.content.content import Part
from trimtab.atoms.content.snapshot import Snapshot
from trimtab.atoms.digest import SHORT
from trimtab.atoms.error import Damaged, StoreError
from trimtab.atoms.law import label
from trimtab.atoms.run_event import STREAM
from trimtab.engine.side_by_side import side_by_side
from trimtab.engine.store import Store
from trimtab.ports.self_examination import SelfExamining
from trimtab.tracking.fold import is_run

#: Seconds for which the lease of a silent Action is tried.
_TRY_SECONDS = 1.0


def fsck(store: Store, *, strict: bool = False, on_progress: Progress | None = None) -> Soundness:
    """Read everything in `store` and hold it against what it must be; changes nothing.

    Args:
        store: An open store; others may work in it meanwhile: what comes after the start is not looked at.
        strict: Whether orphan blobs and what dead processes left are problems too: for a store nobody works in.
        on_progress: Told from time to time.
    """
    return _Examination(store, strict, on_progress or silent).run()


class _Examination:
    def __init__(self, store: Store, strict: bool, tell: Progress) -> None:
        self._store = store
        self._strict = strict
        self._tell = tell
        self._found = Soundness()
        self._ledger = LedgerProof(store.ledger, self._found)
        #: Blobs that were asked for, and what was in the way of reading them.
        self._read: dict[str, str] = {}
        #: Bytes of the blobs that are stored, as the listing at the start told.
        self._stored: dict[str, int] = {}
        #: Snapshots that are whole, with their content.
        self._snapshots: list[tuple[Artifact, bytes]] = []
        #: Blobs of files that may still be on their way in.
        self._in_upload: set[str] = set()

    def run(self) -> Soundness:
        # Blobs are listed before the ledger is read: one that comes later cannot look like an orphan.
        self._stored = {blob.key: blob.size_bytes for blob in self._store.blobs.stored()}
        self._ledger.run(self._tell)
        self._read_blobs()
        self._hold_lists()
        self._read_tracked()
        self._count_orphans()
        self._read_streams()
        self._found.open_actions = [key for key, action in self._ledger.open.items() if not is_run(action)]
        self._examine_adapters()
        if self._strict:
            self._report_dead()
            self._report_files()
        return self._found

    def _read_blobs(self) -> None:
        """Every content, then every part that a content names: each blob once, on two threads."""
        artifacts = self._ledger.artifacts
        parts: dict[str, tuple[Part, Artifact]] = {}
        given_up: dict[str, tuple[Part, Artifact]] = {}
        for number, (artifact, named) in enumerate(self._parts(artifacts), start=1):
            if number % 100 == 0 or number == len(artifacts):
                self._tell("artifacts", number, len(artifacts))
            forgotten = self._ledger.forgetting.of(artifact.id) is not None
            if forgotten:
                self._found.forgotten.append(artifact.id)
            for part in named:
                (given_up if forgotten else parts).setdefault(part.blob, (part, artifact))
        left = {key: found for key, found in given_up.items() if key not in parts and key in self._stored}
        self._read_parts([(*found, "missing") for found in parts.values()])
        self._read_parts([(*found, "") for found in left.values()])

    def _parts(self, artifacts: list[Artifact]) -> Iterator[tuple[Artifact, list[Part]]]:
        """Each artifact with the parts that its content names."""
        keys = (artifact.content for artifact in artifacts)
        contents = side_by_side(self._get, keys, threads=self._store.blobs.threads)
        for artifact, (body, fault) in zip(artifacts, contents, strict=True):
            size = None if body is None else len(body)
            self._note(artifact.content, size, fault, f"content of {label(artifact)}", "missing")
            yield artifact, self._named(artifact, body) if body is not None else []

    def _named(self, artifact: Artifact, body: bytes) -> list[Part]:
        says = ""
        if len(body) != artifact.size_bytes:
            says = f"{len(body)} bytes of content, but {artifact.size_bytes} are recorded"
            self._found.report("content", artifact.id, f"{label(artifact)}: {says}")
        try:
            parts = parts_of(artifact, body)
            if artifact.kind == Snapshot.kind and self._ledger.forgetting.of(artifact.id) is None:
                self._snapshots.append((artifact, body))
            return parts
        except StoreError as error:
            self._found.report("content", artifact.id, str(error))
            return []

    def _read_tracked(self) -> None:
        """Every blob that a file of a run or of a logged model needs; of what was ever deleted they may be gone."""
        files, census = TrackedFiles(self._store), Census(self._store)
        try:
            files.refresh()
            census.refresh()
            deleted = DeletedOwners(self._store, census).ever
        except StoreError as damage:
            self._found.report("stream", STREAM, f"nobody knows which files runs need: {damage}")
            return
        self._in_upload = files.on_their_way(self._store.now())
        unread = {item.blob: item for item in files.needed() if item.blob not in self._read}
        sizes = side_by_side(self._size, unread, threads=self._store.blobs.threads)
        for item, (size, fault) in zip(unread.values(), sizes, strict=True):
            whose = f"file {item.path!r} of {item.owner}"
            self._note(item.blob, size, fault, whose, "" if item.owner in deleted else "missing")
            if size is not None and size != item.size_bytes:
                says = f"part {item.blob[:SHORT]} of {whose} has {size} bytes, not {item.size_bytes}"
                self._found.report("content", item.owner, says)

    def _hold_lists(self) -> None:
        proof = ListProof(self._store.blobs)
        for artifact, body in self._snapshots:
            for says in proof.faults(body):
                self._found.report("content", artifact.id, f"{label(artifact)}: {says}")

    def _read_parts(self, parts: list[tuple[Part, Artifact, str]]) -> None:
        unread = [found for found in parts if found[0].blob not in self._read]
        whole = sum(part.size_bytes for part, _, _ in unread)
        done = 0
        keys = (part.blob for part, _, _ in unread)
        sizes = side_by_side(self._size, keys, threads=self._store.blobs.threads)
        for (part, artifact, missing), (size, fault) in zip(unread, sizes, strict=True):
            self._note(part.blob, size, fault, f"part of {label(artifact)}", missing)
            done += part.size_bytes
            self._tell("bytes", done, whole)
            if size is not None and size != part.size_bytes:
                says = f"part {part.blob[:SHORT]} has {size} bytes, not {part.size_bytes}"
                self._found.report("content", artifact.id, f"{label(artifact)}: {says}")

    def _get(self, key: str) -> tuple[bytes | None, str]:
        """The blob, read and hashed, or what is wrong with it."""
        try:
            return self._store.blobs.get(key), ""
        except KeyError:
            return None, "missing"
        except Damaged as damage:
            return None, str(damage)

    def _size(self, key: str) -> tuple[int | None, str]:
        body, fault = self._get(key)
        return (None if body is None else len(body)), fault

    def _note(self, key: str, size: int | None, fault: str, whose: str, missing: str) -> None:
        """Count a blob that was read, or report once what was wrong with it."""
        if key in self._read:
            return
        self._read[key] = fault
        if size is not None:
            self._found.blobs += 1
            self._found.bytes += size
        elif fault != "missing":
            self._found.report("blob", key, f"{fault} ({whose})")
        elif missing:
            says = f"blob {key} is missing ({whose}): restore it from a backup"
            self._found.report("blob", key, says)

    def _count_orphans(self) -> None:
        self._found.orphans = sorted(
            key for key in self._stored if key not in self._read and key not in self._in_upload
        )
        if self._strict:
            for key in self._found.orphans:
                self._found.report("orphan", key, f"no artifact needs blob {key}: `trimtab gc` removes it")

    def _read_streams(self) -> None:
        names = self._store.streams.names()
        faults = side_by_side(self._store.streams.faults, names)
        for number, (name, found) in enumerate(zip(names, faults, strict=True), start=1):
            self._tell("streams", number, len(names))
            for says in found:
                self._found.report("stream", name, says)

    def _report_dead(self) -> None:
        """Open Actions that nobody is at work on."""
        ledger, holder = self._store.ledger, f"{self._store.holder}:fsck"
        for action in self._ledger.open.values():
            lease = ledger.take_lease(f"step:{action.key}", holder, _TRY_SECONDS) if action.key else None
            if lease is not None:
                ledger.give_lease(lease)
                says = f"{label(action)} was left open by a process that died: `trimtab gc` closes it"
                self._found.report("dead", action.id, says)

    def _report_files(self) -> None:
        blobs = self._store.blobs
        if isinstance(blobs, LocalBlobs):
            for path in blobs.temporaries:
                says = f"{path} was never finished: opening the store removes it"
                self._found.report("temporary", path.name, says)
            for path in blobs.set_aside:
                says = f"{path} was being discarded: opening the store puts it back"
                self._found.report("temporary", path.name, says)

    def _examine_adapters(self) -> None:
        store = self._store
        for adapter in (store.ledger, store.blobs, store.streams, store.online):
            for says in adapter.own_faults() if isinstance(adapter, SelfExamining) else ():
                self._found.report("file", type(adapter).__name__, says)
