"""The numbers that a challenger is judged by."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Policy:
    """Settings of the gate; kept as a rules artifact with every judgement."""

    #: How much worse than the champion still passes, as a share of its loss (of 1 - score for scores).
    margin: float = 0.01
    #: The same within a slice.
    slice_margin: float = 0.1
    #: Rows under which a slice is shown and not judged.
    slice_rows: int = 100
    #: Values of a slice column that are judged, the most frequent ones.
    slice_values: int = 30
    #: Chance of a false promotion at the first look at a hold-out; later looks share it.
    alpha: float = 0.05
    #: Blocks (days) under which nothing is decided.
    min_blocks: int = 10
    #: What an undecided comparison with the champion does: `refuse` or `bless`.
    unsure: str = "refuse"
    #: Bootstrap replicates.
    replicates: int = 2000

    def settings(self) -> dict[str, Any]:
        """The settings as JSON, for the rules artifact."""
        return asdict(self)
