"""One reading of a ledger that proves its chain, its ids and its laws."""

from collections.abc import Callable, Iterator

from trimtab.assembly.upkeep.soundness import Soundness
from trimtab.atoms.action import Action, Closing
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Check
from trimtab.atoms.digest import SHORT
from trimtab.atoms.entry import GENESIS, RECORD_NAMES, Entry, Record
from trimtab.atoms.error import Damaged
from trimtab.atoms.law import Reference, label, own_fault, references
from trimtab.atoms.proof import proven_bytes
from trimtab.engine.forgetting import Forgetting
from trimtab.ports.ledger import Ledger

#: Entries between two tellings.
_TOLD_EVERY = 500


class LedgerProof:
    """Takes every entry once; what may stand later in the same append is looked for at the end."""

    def __init__(self, ledger: Ledger, found: Soundness) -> None:
        self._ledger = ledger
        self._found = found
        #: Name of each record but Closings that was read.
        self._known: dict[str, str] = {}
        self._made: set[str] = set()
        #: References that were not there yet, with the label and id of the record that has them.
        self._wanting: list[tuple[Reference, str, str]] = []
        self.artifacts: list[Artifact] = []
        #: Actions that were opened and not closed, by id.
        self.open: dict[str, Action] = {}
        self.forgetting = Forgetting()

    def run(self, tell: Callable[[str, int, int], None]) -> None:
        """Read all there is at the start; faults go to the Soundness that was given."""
        whole = self._whole()
        chain: str | None = GENESIS
        number = 0
        for number, (entry, damage) in enumerate(self._entries(whole), start=1):
            if number % _TOLD_EVERY == 0 or number == whole:
                tell("entries", number, whole or number)
            if entry is None:
                self._found.report("chain", str(number), damage)
                chain = None  # the next link cannot be proved without this one
                continue
            if chain is not None and proven_bytes(chain, entry) is None:
                says = f"entry {entry.seq} ({label(entry.record)}) breaks the chain"
                self._found.report("chain", str(entry.seq), says)
            chain = entry.chain
            self._take(entry.record)
        self._settle()

    def _whole(self) -> int | None:
        """Number of the last entry; None where the ledger cannot say it."""
        try:
            return self._ledger.head()[0]
        except Damaged as damage:
            self._found.report("chain", "head", str(damage))
            return None

    def _entries(self, whole: int | None) -> Iterator[tuple[Entry | None, str]]:
        """Entries up to number `whole`, and what was wrong with those that could not be read."""
        seen = tried = 0
        while whole is None or seen < whole:
            try:
                left = None if whole is None else whole - seen
                for entry in self._ledger.entries(after=seen, limit=left):
                    seen = entry.seq
                    yield entry, ""
                if whole is not None and seen < whole:
                    yield None, f"the ledger ends at entry {seen}, not at {whole}"
                return
            except Damaged as damage:
                if whole is None and seen == tried > 0:
                    return  # twice at the same place: behind it there is nothing that could be read
                seen += 1
                tried = seen
                yield None, str(damage)

    def _take(self, record: Record) -> None:
        self._found.entries += 1
        self.forgetting.take(record)
        item = record.action if isinstance(record, Closing) else record.id
        if fault := own_fault(record):
            self._found.report(
                "law" if isinstance(record, Action) else "id", item, f"{label(record)}: {fault}"
            )
        for need in references(record):
            if self._known.get(need.id) != need.name:
                self._wanting.append((need, label(record), item))
        if isinstance(record, Closing):
            self._made.update(record.made)
            if self.open.pop(record.action, None) is None:
                self._found.report("law", item, f"{label(record)}: the action is not open")
            return
        self._known[record.id] = RECORD_NAMES[type(record)]
        if isinstance(record, Artifact):
            self._found.artifacts += 1
            self.artifacts.append(record)
        elif isinstance(record, Check):
            self._found.checks += 1
        else:
            self._found.actions += 1
            self.open[record.id] = record

    def _settle(self) -> None:
        for need, who, item in self._wanting:
            if need.earlier or self._known.get(need.id) != need.name:
                says = f"{who}: its {need.role} {need.id[:SHORT]} is no earlier {need.name}"
                self._found.report("law", item, says)
        for artifact in self.artifacts:
            if artifact.id not in self._made:
                self._found.report("law", artifact.id, f"{label(artifact)}: no action made it")
