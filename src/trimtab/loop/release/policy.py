"""The numbers that a release goes by."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Policy:
    """Settings of a release; kept as a rules artifact with every judgement."""

    #: Stages on the way to all traffic: `shadow`, then shares of the requests.
    steps: tuple[str | float, ...] = ("shadow", 0.05, 0.25, 0.5)
    #: Requests that a challenger must have answered in a stage before it may go on.
    min_requests: int = 20
    #: Least time in a stage.
    stage_seconds: float = 0.0
    #: Chance of rolling back a challenger that is no worse, over its whole canary.
    alpha: float = 0.01
    #: So many failures at the very start need no statistics.
    first_failures: int = 5
    #: Share of failed requests that needs no statistics either, once `min_requests` have been answered.
    hopeless_errors: float = 0.5
    #: Slower than the champion by less than this is no harm, whatever the statistics say.
    latency_slack_ms: float = 1.0
    #: The same as a share of the champion's median.
    latency_slack_share: float = 0.1
    #: A bin of answers may be so many times as frequent as held-out rows and the champion beside it suggest.
    answers_ratio: float = 2.0
    #: Loss a row, in [0, 1], by which a shadow may be worse than the champion.
    shadow_margin: float = 0.02

    def settings(self) -> dict[str, Any]:
        """The settings as JSON, for the rules artifact."""
        return asdict(self)
