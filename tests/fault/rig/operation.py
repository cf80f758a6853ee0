"""Five operations of a store, each done by number: done again it is there once."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from trimtab.adapters.sqlite_ledger import database
from trimtab.atoms.action import Action, Closing, Outcome
from trimtab.atoms.artifact import artifact_of
from trimtab.atoms.content.encoding import Encoding
from trimtab.atoms.content.rules import Rules
from trimtab.atoms.content.traffic_plan import TrafficPlan
from trimtab.atoms.digest import digest_bytes
from trimtab.atoms.entry import Record
from trimtab.atoms.error import LawBroken
from trimtab.engine.engine import LEASE_SECONDS, Engine
from trimtab.engine.step import Step
from trimtab.engine.store import Store
from trimtab.engine.work import Work
from trimtab.loop.ingest import CARD as INGEST
from trimtab.loop.ingest.ingest import ingest
from trimtab.loop.release import CARD as RELEASE
from trimtab.loop.release.plan import Candidate, decide_promote
from trimtab.spec.source import Source
from trimtab.testing.workbench import Workbench

_AT = "2013-01-01T00:00:00+00:00"
_SOURCE = Source(name="rows", path="*.csv", key="id")
#: Pages of the write-ahead log after which it is moved into the ledger's file.
_PAGES = 10


def prepare(store: Store, folder: Path, numbers: int = 10) -> None:
    """Put in what the operations start from: two bundles, a plan, tables to ingest, content to record.

    Args:
        numbers: The operations can be asked for numbers below this one.
    """
    bench = Workbench(store)
    bundles = [bench.bundle("toy", f"{version}" * 64, Encoding(columns=())) for version in (1, 2)]
    bench.keep(TrafficPlan(model="toy", champion=bundles[0], champion_version=1))
    for number in range(numbers):
        store.blobs.put(artifact_of(_content(number))[1])
        rows = "".join(f"{number}-{row},{row / 7}\n" for row in range(20))
        (folder / f"{number}.csv").write_text(f"id,delay\n{rows}")


def _content(number: int) -> Rules:
    return Rules(name="fault", settings={"number": number})


def _records(number: int, note: str = "") -> list[Record]:
    artifact = artifact_of(_content(number))[0]
    action = f"{number:028x}"
    return [
        Action(id=action, kind="note", stage="engine", by="person:ada", at=_AT, note=note),
        artifact,
        Closing(action=action, outcome=Outcome.DONE, made=(artifact.id,), at=_AT),
    ]


def _once(append: Callable[[], object]) -> None:
    """An action that is there already is refused by law: it was done before."""
    try:
        append()
    except LawBroken as broken:
        if "opened once" not in str(broken):
            raise


class LedgerAppend:
    """One append of three records."""

    is_first = False
    is_durable_before = False

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store

    def warm(self) -> None:
        """Nothing to do."""

    def do(self, number: int) -> None:
        """Append what a person decided and made."""
        _once(lambda: self._store.ledger.append(_records(number)))

    def times(self, number: int) -> int:
        """How often it is there; AssertionError where a part of it is."""
        wanted = _records(number)
        counted = Counter(
            entry.record.id for entry in self._store.ledger.entries() if _is_thing(entry.record)
        )
        closings = [
            entry.record.action for entry in self._store.ledger.entries() if not _is_thing(entry.record)
        ]
        found = [counted[wanted[0].id], counted[wanted[1].id], closings.count(wanted[2].action)]
        assert found in ([0, 0, 0], [1, 1, 1]), f"append {number} is there in part: {found}"
        return found[0]


class Checkpoint(LedgerAppend):
    """An append after which the write-ahead log moves into the ledger's file; by then the append is durable."""

    is_durable_before = True

    def warm(self) -> None:
        """Have the log moved after ten pages, not after a thousand."""
        database.LOG_PAGES = _PAGES

    def do(self, number: int) -> None:
        """Append a record that does not fit into the log."""
        _once(lambda: self._store.ledger.append(_records(number, "x" * _PAGES * 4096)))


def _is_thing(record: Record) -> bool:
    return not isinstance(record, Closing)


class BlobPut:
    """One small blob."""

    is_first = False
    is_durable_before = False
    size = 1000

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store

    def warm(self) -> None:
        """Nothing to do."""

    def do(self, number: int) -> None:
        """Put it."""
        self._store.blobs.put(self._content(number))

    def times(self, number: int) -> int:
        """Whether it is there, read and hashed."""
        try:
            assert self._store.blobs.get(digest_bytes(self._content(number))) == self._content(number)
        except KeyError:
            return 0
        return 1

    def _content(self, number: int) -> bytes:
        return (b"blob %d " % number) * self.size


class LargeBlobPut(BlobPut):
    """One blob that goes past the page cache, in several writes."""

    size = 600_000


class StreamAppend:
    """Two records of a stream in one append."""

    is_first = False
    is_durable_before = False

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store

    def warm(self) -> None:
        """Open the segment."""
        self._store.streams.append("log", [b"warm start", b"warm end"])

    def do(self, number: int) -> None:
        """Append; whoever does it again after a failure looks first, as a stream's reader drops doubles."""
        if not self.times(number):
            self._store.streams.append("log", [b"%d start" % number, b"%d end" % number])

    def times(self, number: int) -> int:
        """How often both are there, one after the other."""
        counted = Counter(self._store.streams.read("log")[0])
        assert counted[b"%d start" % number] == counted[b"%d end" % number], (
            f"append {number} is there in part"
        )
        return counted[b"%d start" % number]


class FirstStreamAppend(StreamAppend):
    """The append that makes the stream's folder and its segment."""

    is_first = True

    def warm(self) -> None:
        """Nothing: the folder is to be made."""


class IngestStep:
    """A small table through the engine into a snapshot."""

    is_first = False
    is_durable_before = False

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder

    def warm(self) -> None:
        """Nothing to do."""

    def do(self, number: int) -> None:
        """Run the step; it is remembered by its key."""
        file = self._folder / f"{number}.csv"
        Engine(self._store).run(self._step(number), lambda work: ingest(work, _SOURCE, [file], None))

    def times(self, number: int) -> int:
        """How many Actions did it; each must have its snapshot."""
        return _done(self._store, self._step(number), "snapshot")

    def _step(self, number: int) -> Step:
        return Step(
            card=INGEST, kind="ingest", subject="rows", by="person:ada", parameters={"number": number}
        )


class ReleaseStep:
    """A promotion under a lease."""

    is_first = False
    is_durable_before = False

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._plan = next(
            entry.record.id
            for entry in store.ledger.entries()
            if getattr(entry.record, "kind", "") == "traffic-plan"
        )
        bundles = [
            entry.record.id
            for entry in store.ledger.entries()
            if getattr(entry.record, "kind", "") == "bundle"
        ]
        self._candidate = Candidate(bundles[1], 2)

    def warm(self) -> None:
        """Nothing to do."""

    def do(self, number: int) -> None:
        """Promote, as the holder of the release's lease."""
        ledger = self._store.ledger
        lease = ledger.take_lease("release:toy", f"{self._store.holder}:release", LEASE_SECONDS)
        assert lease is not None
        step = self._step(number)
        step = Step(**{name: getattr(step, name) for name in step.__slots__} | {"lease": lease})

        def promote(work: Work) -> None:
            decide_promote(work, plan_id=self._plan, candidate=self._candidate)

        Engine(self._store).run(step, promote)
        ledger.give_lease(lease)

    def times(self, number: int) -> int:
        """How many Actions did it; each must have its plan."""
        return _done(self._store, self._step(number), "traffic-plan")

    def _step(self, number: int) -> Step:
        return Step(
            card=RELEASE,
            kind="promote",
            subject="toy",
            by="person:ada",
            took=(self._plan,),
            parameters={"after": number},
        )


def _done(store: Store, step: Step, kind: str) -> int:
    """How many Actions with the step's key closed as done, each with an artifact of the kind."""
    records = [entry.record for entry in store.ledger.entries()]
    mine = {record.id for record in records if isinstance(record, Action) and record.key == step.key()}
    closed = [
        record
        for record in records
        if isinstance(record, Closing) and record.action in mine and record.outcome is Outcome.DONE
    ]
    for closing in closed:
        kinds = [store.artifact(made).kind for made in closing.made]
        assert kind in kinds, f"action {closing.action} is done and made {kinds}"
    return len(closed)


OPERATIONS = {
    "ledger": LedgerAppend,
    "checkpoint": Checkpoint,
    "blob": BlobPut,
    "large-blob": LargeBlobPut,
    "stream": StreamAppend,
    "first-stream": FirstStreamAppend,
    "ingest": IngestStep,
    "release": ReleaseStep,
}
