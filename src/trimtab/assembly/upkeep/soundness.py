"""What an examination of a store found."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it must be."""

    #: `chain`, `id`, `law`, `blob`, `content`, `stream`, `file`; under `strict` also `orphan`, `temporary`, `dead`.
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
    #: Keys of blobs that no artifact needs: left by a killed process, or by one that is just at it.
    orphans: list[str] = field(default_factory=list)
    #: Ids of artifacts whose parts a person gave up: their records and content are there.
    forgotten: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def report(self, what: str, item: str, says: str) -> None:
        """Add a problem."""
        self.problems.append(Problem(what, item, says))
