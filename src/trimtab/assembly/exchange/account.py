"""The account of an exchange: what there was, what was taken, what was read back and found the same."""

from collections.abc import Callable
from dataclasses import dataclass, field

#: Differences that are told in words; of the rest only the number.
MOST_TOLD = 50

#: What is told while it runs: the part of the work, how much is done, how much there is.
Progress = Callable[[str, int, int], None]

#: Everything that is counted, in the order in which it is shown.
KINDS = (
    "experiments",
    "runs",
    "parameters",
    "tags",
    "points",
    "datasets",
    "files",
    "file bytes",
    "logged models",
    "registered models",
    "versions",
    "aliases",
)


@dataclass(slots=True)
class Line:
    """One kind of thing."""

    #: In the store that is read.
    there: int = 0
    #: That were missing on the other side, and were written.
    taken: int = 0
    #: That were read back and are the same.
    same: int = 0


@dataclass(slots=True)
class Account:
    """All kinds, and every difference that remains."""

    source: str
    target: str
    lines: dict[str, Line] = field(default_factory=lambda: {kind: Line() for kind in KINDS})
    #: What differs, one sentence each; the first of them.
    differences: list[str] = field(default_factory=list)
    #: Of all.
    differing: int = 0
    #: What was not taken over, with how many of it there are.
    left: dict[str, int] = field(default_factory=dict)

    def took(self, kind: str, number: int = 1) -> None:
        """Count what was written."""
        self.lines[kind].taken += number

    def found(self, kind: str, number: int, same: int) -> None:
        """Count what the source has, and what of it is the same on the other side."""
        self.lines[kind].there += number
        self.lines[kind].same += same

    def differs(self, sentence: str) -> None:
        """Note a difference."""
        self.differing += 1
        if len(self.differences) < MOST_TOLD:
            self.differences.append(sentence)

    @property
    def whole(self) -> bool:
        """Whether all that the source has is there, and the same."""
        return self.differing == 0 and all(line.there == line.same for line in self.lines.values())
