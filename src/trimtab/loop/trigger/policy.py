"""The numbers that retraining goes by."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Policy:
    """Settings of the trigger; kept as a rules artifact with every judgement."""

    #: Cron pattern in UTC; empty: no calendar.
    schedule: str = ""
    #: New validated spans that by themselves are a reason; 0: new data alone is none.
    new_spans: int = 0
    #: Whether changed project code is a reason.
    code_change: bool = True
    #: Rules whose failure is a reason. Drift alone is none: retraining on it bought nothing on real data.
    reasons: tuple[str, ...] = ("quality.loss", "quality.bias", "serving.age")
    #: Rules whose failure in a column blocks training until it is repaired or acknowledged.
    blocks: tuple[str, ...] = ("drift.missing",)
    #: Least time between two orders ...
    cool_down: timedelta = timedelta(days=14)
    #: ... and never less than these two together: before that nobody knows whether the last one helped.
    label_delay: timedelta = timedelta(0)
    canary: timedelta = timedelta(0)
    #: Failed promotions in a row after which a person is wanted.
    max_failures: int = 2
    #: Days of outcomes since the last training under which there is nothing new to learn.
    min_outcome_days: float = 1.0
    #: Rows since the last training under which there is nothing new to learn.
    min_rows: int = 1

    def settings(self) -> dict[str, Any]:
        """The settings as JSON, for the rules artifact."""
        return {
            "schedule": self.schedule,
            "new_spans": self.new_spans,
            "code_change": self.code_change,
            "reasons": list(self.reasons),
            "blocks": list(self.blocks),
            "cool_down_seconds": self.cool_down.total_seconds(),
            "label_delay_seconds": self.label_delay.total_seconds(),
            "canary_seconds": self.canary.total_seconds(),
            "max_failures": self.max_failures,
            "min_outcome_days": self.min_outcome_days,
            "min_rows": self.min_rows,
        }
