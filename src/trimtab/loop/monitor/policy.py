"""The numbers that windows are judged by."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Policy:
    """Settings of the monitor; kept as a rules artifact with every judgement."""

    #: N: one false alarm in N windows is accepted, over drift, skew and quality together.
    windows_per_false_alarm: int = 60
    #: Past windows (or blocks of the training table) that an alarm is calibrated on.
    history: int = 60
    #: Rows under which a window is not judged for drift.
    min_rows: int = 30
    #: Outcomes under which a window is not judged for quality.
    min_outcomes: int = 30
    #: Windows that bias is judged over.
    bias_windows: int = 7
    #: Bias of a probability that is still no harm.
    max_bias: float = 0.03
    #: The same for a regression, in standard deviations of its held-out outcomes.
    max_bias_sd: float = 0.1
    #: Windows that a slow loss of quality is judged over.
    slow_windows: int = 14
    #: How much worse than held out the slow mean may be, as a share of the held-out loss.
    slow_margin: float = 0.05
    #: Share of requests that may fail.
    max_errors: float = 0.01
    #: Days after the newest row it learnt from at which a model is old.
    max_age_days: float = 180.0

    @property
    def windows_per_family(self) -> float:
        """Windows per false alarm of drift, of skew and of quality each: the three share the budget."""
        return 3.0 * self.windows_per_false_alarm

    def settings(self) -> dict[str, Any]:
        """The settings as JSON, for the rules artifact."""
        return asdict(self)
