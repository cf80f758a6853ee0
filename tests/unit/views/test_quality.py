"""Windows and quality: one point a window, from the Checks that judged it."""

from datetime import UTC, datetime

from trimtab.atoms.check import Limit, Reading, Verdict
from trimtab.atoms.content.window import Window
from trimtab.testing.example_year import MODEL
from trimtab.testing.memory_store import memory_store
from trimtab.testing.storyteller import Storyteller
from trimtab.views.memory import Memory


def test_every_window_has_its_checks_by_rule(year: Memory) -> None:
    windows = year.windows.of(MODEL)
    assert len(windows) == 120
    assert [window.span for window in windows] == sorted(window.span for window in windows)
    assert set(windows[0].checks) == {"quality.loss", "quality.bias", "drift.location"}
    assert windows[0].version == 1
    assert windows[-1].version == 2


def test_the_series_carry_interval_limit_verdict_and_version(year: Memory) -> None:
    loss = year.quality.loss(MODEL)
    assert len(loss) == len(year.quality.bias(MODEL)) == 120
    failing = [point for point in loss if point.verdict is Verdict.FAIL]
    assert failing
    for point in failing:
        assert point.version == 1
        assert point.value is not None
        assert point.limit is not None
        assert point.value > point.limit
        assert point.low is not None
        assert point.low < point.value


def judged_twice(about: str = "") -> Memory:
    """A window whose loss was judged with few outcomes and again with all."""
    store = memory_store()
    teller = Storyteller(store, datetime(2024, 1, 1, tzinfo=UTC))
    for outcomes, value in ((10, 0.9), (100, 0.4)):
        window = teller.thing(
            Window(
                model="m",
                span="2024-01-01",
                first="2024-01-01T00:00:00.000000Z",
                last="2024-01-02T00:00:00.000000Z",
                rows=100,
                outcomes=outcomes,
                table=teller.part(b""),
                served=(),
            )
        )
        reading = Reading(value=value, unit="log_loss", n=outcomes)
        check = teller.judgement(
            "quality.loss", window, Verdict.PASS, "", reading=reading, limit=Limit(at_most=1.0), about=about
        )
        teller.tell("monitor", "monitor", "m", made=[window], judged=[check])
    memory = Memory(store)
    memory.refresh()
    return memory


def test_a_window_judged_again_replaces_its_point() -> None:
    points = judged_twice().quality.loss("m")
    assert [(point.value, point.n, point.metric, point.version) for point in points] == [
        (0.4, 100, "log_loss", None)
    ]


def test_slices_are_no_points() -> None:
    memory = judged_twice(about="carrier=UA")
    assert memory.quality.loss("m") == []
    assert len(memory.windows.of("m")) == 2
