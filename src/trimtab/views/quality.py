"""Quality over time: the champion's loss and bias, window by window, from the Checks that judged them."""

import msgspec

from trimtab.atoms.check import Check, Verdict
from trimtab.views.book import Book
from trimtab.views.window import Windows

_FAMILY = "quality."
_RULES = {"quality.loss": "loss", "quality.bias": "bias"}


class QualityPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One reading of one window."""

    span: str
    #: UTC, ISO 8601: where the window begins.
    first: str
    value: float | None
    low: float | None
    high: float | None
    #: Largest value that passes (of the bias: also the smallest, negated).
    limit: float | None
    n: int
    verdict: Verdict
    #: Champion that answered; None where none did.
    version: int | None
    window: str
    check: str
    metric: str = ""


class Quality:
    """Two series a model: loss and bias. A window that is judged again replaces its point."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self._series: dict[tuple[str, str], dict[str, QualityPoint]] = {}

    def on_check(self, check: Check, book: Book) -> None:
        """Take a judgement of a whole window's loss or bias; slices are passed over."""
        if not check.rule.startswith(_FAMILY):
            return
        series = _RULES.get(check.name)
        if series is None or "=" in check.about:
            return
        window = self._windows.find(check.subjects.candidate)
        if window is None:
            return
        points = self._series.setdefault((window.model, series), {})
        points[window.span] = QualityPoint(
            span=window.span,
            first=window.first,
            value=check.reading.value,
            low=check.reading.low,
            high=check.reading.high,
            limit=check.limit.at_most,
            n=check.reading.n,
            verdict=check.verdict,
            version=window.version,
            window=window.artifact_id,
            check=check.id,
            metric=check.about or check.reading.unit,
        )

    def loss(self, model: str) -> list[QualityPoint]:
        """The loss by window, oldest first."""
        return list(self._series.get((model, "loss"), {}).values())

    def bias(self, model: str) -> list[QualityPoint]:
        """The bias of the predictions (mean answer against mean outcome) by window, oldest first."""
        return list(self._series.get((model, "bias"), {}).values())
