"""What the plane counts about itself, in Prometheus' words."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

#: Upper ends of the latency buckets in seconds.
BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class _Series:
    """One (model, version, role)."""

    __slots__ = ("buckets", "errors", "requests", "rows", "seconds")

    def __init__(self) -> None:
        self.requests = 0
        self.rows = 0
        self.errors = 0
        self.seconds = 0.0
        self.buckets = [0] * (len(BUCKETS) + 1)


class Meter(Collector):
    """Counts answers by model, version and role; belongs to the event loop's thread, so it needs no lock."""

    def __init__(self) -> None:
        self._series: dict[tuple[str, int, str], _Series] = {}
        self._refusals: dict[tuple[str, int], int] = {}
        self._shadow_dropped: dict[str, int] = {}
        self._fell_back: dict[str, int] = {}
        #: Records that the prediction log gave up, by stream; filled by the log itself.
        self.log_dropped: Mapping[str, int] = {}
        self.in_flight = 0
        self.ready = False

    def answered(self, model: str, version: int, role: str, rows: int, seconds: float) -> None:
        """Count a request that this version answered."""
        series = self._of(model, version, role)
        series.requests += 1
        series.rows += rows
        series.seconds += seconds
        series.buckets[bisect_left(BUCKETS, seconds)] += 1

    def failed(self, model: str, version: int, role: str) -> None:
        """Count a request that this version should have answered and could not."""
        self._of(model, version, role).errors += 1

    def refused(self, model: str, status: int) -> None:
        """Count a request that was the client's mistake, or that came at a bad time."""
        self._refusals[model, status] = self._refusals.get((model, status), 0) + 1

    def fell_back(self, model: str) -> None:
        """Count a canary's request that the champion answered."""
        self._fell_back[model] = self._fell_back.get(model, 0) + 1

    def shadow_dropped(self, model: str) -> None:
        """Count a shadow answer that was not asked for because too many waited."""
        self._shadow_dropped[model] = self._shadow_dropped.get(model, 0) + 1

    def exposition(self) -> bytes:
        """The page that Prometheus scrapes."""
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> Iterable[Metric]:
        """Every metric with its samples."""
        labels = ["model", "version", "role"]
        requests = CounterMetricFamily("trimtab_requests", "Requests answered.", labels=labels)
        rows = CounterMetricFamily("trimtab_rows", "Rows answered.", labels=labels)
        errors = CounterMetricFamily(
            "trimtab_errors", "Requests that a version could not answer.", labels=labels
        )
        latency = HistogramMetricFamily(
            "trimtab_latency_seconds", "Time from the whole request to its logged answer.", labels=labels
        )
        for (model, version, role), series in self._series.items():
            values = [model, str(version), role]
            requests.add_metric(values, series.requests)
            rows.add_metric(values, series.rows)
            errors.add_metric(values, series.errors)
            latency.add_metric(values, _cumulative(series.buckets), series.seconds)
        yield from (requests, rows, errors, latency)
        refusals = CounterMetricFamily("trimtab_refusals", "Requests refused.", labels=["model", "status"])
        for (model, status), count in self._refusals.items():
            refusals.add_metric([model, str(status)], count)
        yield refusals
        for name, sentence, counts in (
            ("trimtab_canary_fell_back", "Requests of a canary that the champion answered.", self._fell_back),
            (
                "trimtab_shadow_dropped",
                "Shadow answers not asked for because too many waited.",
                self._shadow_dropped,
            ),
        ):
            family = CounterMetricFamily(name, sentence, labels=["model"])
            for model, count in counts.items():
                family.add_metric([model], count)
            yield family
        dropped = CounterMetricFamily(
            "trimtab_log_dropped", "Records that were not logged.", labels=["stream"]
        )
        for stream, count in self.log_dropped.items():
            dropped.add_metric([stream], count)
        yield dropped
        yield GaugeMetricFamily(
            "trimtab_in_flight", "Requests that are being answered.", value=self.in_flight
        )
        yield GaugeMetricFamily(
            "trimtab_ready", "1 when every model can be answered.", value=float(self.ready)
        )

    def _of(self, model: str, version: int, role: str) -> _Series:
        key = (model, version, role)
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = _Series()
        return series


def _cumulative(buckets: list[int]) -> list[tuple[str, float]]:
    total = 0
    pairs: list[tuple[str, float]] = []
    for end, count in zip((*BUCKETS, None), buckets, strict=True):
        total += count
        pairs.append(("+Inf" if end is None else repr(end), total))
    return pairs
