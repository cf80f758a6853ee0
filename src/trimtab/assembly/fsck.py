"""Prove that a store is whole: chain, ids, laws, blobs and streams, each fault named."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec

from trimtab.adapters.local_blobs import LocalBlobs
from trimtab.atoms import content as content_kinds
from trimtab.atoms.action import Action, Closing
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Check
from trimtab.atoms.content.content import KINDS, Part
from trimtab.atoms.digest import SHORT
from trimtab.atoms.entry import GENESIS, RECORD_NAMES, Entry, chain_value, record_bytes
from trimtab.atoms.error import Damaged
from trimtab.atoms.law import label, own_fault, references
from trimtab.engine.store import Store
from trimtab.ports.streams import Cursor

#: Records of a stream that are read at once.
_PAGE = 10_000

#: What is told while it runs: the part of the work, how much is done, how much there is.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it must be."""

    #: `chain`, `id`, `law`, `blob`, `content`, `stream`; `orphan` and `temporary` under `strict` only.
    what: str
    #: Of the record, blob or stream; an entry's number for the chain.
    id: str
    #: The sentence a person reads.
    says: str


@dataclass(slots=True)
class Soundness:
    """What was looked at, and what was found."""

    entries: int = 0
    artifacts: int = 0
    checks: int = 0
    actions: int = 0
    blobs: int = 0
    #: Bytes of all blobs that were read and hashed.
    bytes: int = 0
    problems: list[Problem] = field(default_factory=list)
    #: Ids of Actions that are under way, or whose process died and waits for a successor.
    open_actions: list[str] = field(default_factory=list)
    #: Keys of blobs that no artifact names: left by a killed process, or by one that is just at it.
    orphans: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def fsck(store: Store, *, strict: bool = False, on_progress: Progress | None = None) -> Soundness:
    """Read everything in `store` and hold it against what it must be; changes nothing.

    Args:
        store: An open store; others may work in it meanwhile: what comes after the start is not looked at.
        strict: Whether orphan blobs and temporary files are problems too: for a store nobody works in.
        on_progress: Told from time to time.
    """
    return _Examination(store, strict, on_progress or _silent).run()


def _silent(part: str, done: int, whole: int) -> None:
    """For whoever does not want the progress."""


class _Examination:
    def __init__(self, store: Store, strict: bool, tell: Progress) -> None:
        self._store = store
        self._strict = strict
        self._tell = tell
        self._found = Soundness()
        #: Name and number of each record but Closings.
        self._known: dict[str, tuple[str, int]] = {}
        self._made: set[str] = set()
        self._open: dict[str, None] = {}
        self._artifacts: list[Artifact] = []
        #: Blobs that were read: whether they were right.
        self._read: dict[str, bool] = {}

    def run(self) -> Soundness:
        # Blobs are listed before the ledger is read: one that comes later cannot look like an orphan.
        stored = [blob.key for blob in self._store.blobs.stored()]
        for module in pkgutil.iter_modules(content_kinds.__path__):
            importlib.import_module(f"{content_kinds.__name__}.{module.name}")
        whole = self._store.ledger.head()[0]
        self._collect(whole)
        self._hold_laws(whole)
        for number, artifact in enumerate(self._artifacts):
            self._tell("artifacts", number, len(self._artifacts))
            self._examine(artifact)
        self._count_orphans(stored)
        self._read_streams()
        self._found.open_actions = list(self._open)
        return self._found

    def _report(self, what: str, item: str, says: str) -> None:
        self._found.problems.append(Problem(what, item, says))

    def _entries(self, whole: int) -> Iterator[tuple[Entry | None, str]]:
        """Entries up to number `whole`, and what was wrong with those that could not be read."""
        seen = 0
        while seen < whole:
            try:
                for entry in self._store.ledger.entries(after=seen, limit=whole - seen):
                    seen = entry.seq
                    yield entry, ""
                if seen < whole:
                    yield None, f"the ledger ends at entry {seen}, not at {whole}"
                return
            except Damaged as damage:
                seen += 1
                yield None, str(damage)

    def _collect(self, whole: int) -> None:
        """First reading: chain, ids, and what there is."""
        chain: str | None = GENESIS
        for number, (entry, damage) in enumerate(self._entries(whole), start=1):
            self._tell("entries", number, whole)
            if entry is None:
                self._report("chain", str(number), damage)
                chain = None  # the next link cannot be proved without this one
                continue
            record, name = entry.record, RECORD_NAMES[type(entry.record)]
            self._found.entries += 1
            if chain is not None and entry.chain != chain_value(chain, name, record_bytes(record)):
                self._report("chain", str(entry.seq), f"entry {entry.seq} ({label(record)}) breaks the chain")
            chain = entry.chain
            if isinstance(record, Closing):
                self._made.update(record.made)
                continue
            self._known[record.id] = (name, entry.seq)
            if isinstance(record, Artifact):
                self._found.artifacts += 1
                self._artifacts.append(record)
            elif isinstance(record, Check):
                self._found.checks += 1
            else:
                self._found.actions += 1

    def _hold_laws(self, whole: int) -> None:
        """Second reading: every record has what it cannot stand without."""
        for entry, _ in self._entries(whole):
            if entry is None:
                continue
            record = entry.record
            item = record.action if isinstance(record, Closing) else record.id
            if fault := own_fault(record):
                self._report("law" if isinstance(record, Action) else "id", item, f"{label(record)}: {fault}")
            if isinstance(record, Artifact) and record.id not in self._made:
                self._report("law", item, f"{label(record)}: no action made it")
            if isinstance(record, Action):
                self._open[record.id] = None
            elif isinstance(record, Closing) and item in self._open:
                del self._open[item]
            elif isinstance(record, Closing):
                self._report("law", item, f"{label(record)}: the action is not open")
            for need in references(record):
                name, seq = self._known.get(need.id, ("", 0))
                if name != need.name or (need.earlier and seq > entry.seq):
                    self._report(
                        "law",
                        item,
                        f"{label(record)}: its {need.role} {need.id[:SHORT]} is no earlier {need.name}",
                    )

    def _examine(self, artifact: Artifact) -> None:
        """The artifact's content, and every blob that the content names."""
        body = self._blob(artifact.content, f"content of {label(artifact)}")
        if body is None:
            return
        if len(body) != artifact.size_bytes:
            says = f"{label(artifact)}: {len(body)} bytes of content, but {artifact.size_bytes} are recorded"
            self._report("content", artifact.id, says)
        if artifact.kind not in KINDS:
            says = f"{label(artifact)}: this Trimtab knows no such kind: upgrade it to read this store"
            self._report("content", artifact.id, says)
            return
        try:
            parts = list(KINDS[artifact.kind].parse(body).parts())
        except msgspec.DecodeError as error:
            self._report("content", artifact.id, f"{label(artifact)}: its content cannot be read: {error}")
            return
        for part in parts:
            self._examine_part(artifact, part)

    def _examine_part(self, artifact: Artifact, part: Part) -> None:
        if part.blob in self._read:
            return
        body = self._blob(part.blob, f"part of {label(artifact)}")
        if body is not None and len(body) != part.size_bytes:
            says = f"{label(artifact)}: part {part.blob[:SHORT]} has {len(body)} bytes, not {part.size_bytes}"
            self._report("content", artifact.id, says)

    def _blob(self, key: str, whose: str) -> bytes | None:
        """The blob, read and hashed; None where it is missing or damaged, which is reported once."""
        first = key not in self._read
        try:
            body = self._store.blobs.get(key)
        except KeyError:
            body, fault = None, f"blob {key} is missing ({whose}): restore it from a backup"
        except Damaged as damage:
            body, fault = None, f"{damage} ({whose})"
        self._read[key] = body is not None
        if body is None and first:
            self._report("blob", key, fault)
        elif body is not None and first:
            self._found.blobs += 1
            self._found.bytes += len(body)
        return body

    def _count_orphans(self, stored: list[str]) -> None:
        self._found.orphans = sorted(key for key in stored if key not in self._read)
        if not self._strict:
            return
        for key in self._found.orphans:
            self._report("orphan", key, f"no artifact names blob {key}: `trimtab gc` removes it")
        if isinstance(self._store.blobs, LocalBlobs):
            for path in self._store.blobs.temporaries:
                self._report(
                    "temporary", path.name, f"{path} was never finished: opening the store removes it"
                )

    def _read_streams(self) -> None:
        names = self._store.streams.names()
        for number, name in enumerate(names):
            self._tell("streams", number, len(names))
            cursor: Cursor | None = None
            try:
                while True:
                    records, cursor = self._store.streams.read(name, cursor, _PAGE)
                    if not records:
                        break
            except Damaged as damage:
                self._report("stream", name, str(damage))
