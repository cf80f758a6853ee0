"""What is logged is durable, checked, and there for whoever reads next."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from trimtab.atoms.actor import Actor
from trimtab.atoms.error import Conflict, NotThere, StoreError, UsageError
from trimtab.atoms.metric_point import Points, encode_points
from trimtab.atoms.run import LoggedDataset
from trimtab.atoms.run_event import STREAM, RunEvent
from trimtab.testing.manual_clock import ManualClock
from trimtab.tracking.owner import UNASKED_SECONDS
from trimtab.tracking.tracking import Tracking

from .conftest import Open, points


def test_a_client_reads_what_it_wrote(tracking: Tracking, ada: Actor) -> None:
    run = tracking.runs.open(by=ada).head.id
    tracking.logbook.log(points(run, "loss", 3.0, 2.0))
    assert [point.value for point in tracking.logbook.points(run, "loss")] == [3.0, 2.0]
    assert tracking.runs.find(run).metrics["loss"].value == 2.0
    assert len(tracking.logbook.points(run, "other")) == 0


def test_parameters_are_set_once(tracking: Tracking, another: Open, ada: Actor) -> None:
    run = tracking.runs.open(by=ada, parameters={"lr": "0.1"}).head.id
    tracking.logbook.log(RunEvent(owner=run, parameters={"lr": "0.1", "depth": "3"}))
    for logbook in (tracking.logbook, another().logbook):
        with pytest.raises(Conflict, match=f"'depth' of {run} is '3' already and cannot become '4'"):
            logbook.log(RunEvent(owner=run, parameters={"new": "1", "depth": "4"}, tags={"t": "1"}))
    found = tracking.runs.find(run)
    assert found.parameters == {"lr": "0.1", "depth": "3"}
    assert "t" not in found.tags


@pytest.mark.parametrize(
    "dataset",
    [
        LoggedDataset(name=3, digest="d"),  # type: ignore[arg-type]
        LoggedDataset(name="rows", digest="d", tags={"mlflow.data.context": None}),  # type: ignore[dict-item]
        LoggedDataset(name="\ud800", digest="d"),
    ],
)
def test_what_no_reader_could_read_is_refused_and_the_rest_goes_on(
    tracking: Tracking, another: Open, ada: Actor, dataset: LoggedDataset
) -> None:
    run = tracking.runs.open(by=ada).head.id
    with pytest.raises(UsageError, match="cannot be kept"):
        tracking.logbook.log(RunEvent(owner=run, datasets=(dataset,)))
    tracking.logbook.log(RunEvent(owner=run, tags={"t": "1"}))
    assert another().runs.find(run).tags["t"] == "1"


def test_of_threads_that_set_a_parameter_at_once_one_wins(
    tracking: Tracking, ada: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tracking.runs.open(by=ada).head.id
    told = tracking.logbook._told

    def slowly(owner: str) -> dict[str, str]:
        found = told(owner)
        time.sleep(0.02)
        return found

    monkeypatch.setattr(tracking.logbook, "_told", slowly)

    def set_it(number: int) -> str:
        try:
            tracking.logbook.log(RunEvent(owner=run, parameters={"lr": str(number)}))
        except Conflict:
            return ""
        return str(number)

    with ThreadPoolExecutor(8) as threads:
        (won,) = {value for value in threads.map(set_it, range(8)) if value}
    assert tracking.runs.find(run).parameters == {"lr": won}


def test_a_parameter_whose_event_was_refused_may_be_set(tracking: Tracking, ada: Actor) -> None:
    run = tracking.runs.open(by=ada).head.id
    tracking.runs.find(run)
    streams = tracking.store.streams
    send = streams.append_nowait

    def full(stream: str, records: object) -> object:
        raise StoreError("no space left")

    streams.append_nowait = full  # type: ignore[method-assign, assignment]
    with pytest.raises(StoreError, match="no space left"):
        tracking.logbook.log(RunEvent(owner=run, parameters={"lr": "1"}))
    streams.append_nowait = send  # type: ignore[method-assign]
    tracking.logbook.log(RunEvent(owner=run, parameters={"lr": "2"}))
    assert tracking.runs.find(run).parameters == {"lr": "2"}


def _of_no_metric() -> bytes:
    """Points of two metrics, one of which is said to be of a third."""
    logged = Points()
    logged.extend([("a", 0, 1.0, 0), ("b", 0, 1.0, 0)])
    logged.metrics[1] = 2
    return encode_points(logged)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"tags": {"": "x"}}, "1 to 250 characters"),
        ({"tags": {"k" * 251: "x"}}, "1 to 250 characters"),
        ({"tags": {"a;b": "x"}}, "a letter, a digit or one of"),
        ({"tags": {"/a": "x"}}, "a name with `/`"),
        ({"tags": {"a//b": "x"}}, "a name with `/`"),
        ({"tags": {"k": "x" * 8001}}, "8,000 are the most"),
        ({"parameters": {"k": "x" * 6001}}, "6,000 are the most"),
        ({"parameters": {"k": "\ud800"}}, "cannot be written as UTF-8"),
        ({"parameters": {"k": 3}}, "int, not text"),
        ({"points": b"junk"}, "no metric points"),
        ({"points": _of_no_metric()}, "a metric that they do not name"),
    ],
)
def test_what_breaks_a_rule_is_refused(
    tracking: Tracking, ada: Actor, words: dict[str, object], said: str
) -> None:
    run = tracking.runs.open(by=ada).head.id
    before = len(tracking.store.streams.read(STREAM)[0])
    with pytest.raises(UsageError, match=said):
        tracking.logbook.log(RunEvent(owner=run, **words))  # type: ignore[arg-type]
    assert len(tracking.store.streams.read(STREAM)[0]) == before


@pytest.mark.parametrize("metric", ["a;b", "k" * 251, "../x"])
def test_metrics_have_the_same_rule(tracking: Tracking, ada: Actor, metric: str) -> None:
    run = tracking.runs.open(by=ada).head.id
    with pytest.raises(UsageError, match="metric"):
        tracking.logbook.log(points(run, metric, 1.0))


def test_names_that_clients_use_are_taken(tracking: Tracking, ada: Actor) -> None:
    run = tracking.runs.open(by=ada).head.id
    names = ["mlflow.log-model.history", "val/loss", "a b:c", "äöü_1", "x" * 250, "a.b-c/d e"]
    tracking.logbook.log(RunEvent(owner=run, tags=dict.fromkeys(names, "x")))
    for name in names:
        tracking.logbook.log(points(run, name, 1.0))
    assert set(tracking.runs.find(run).metrics) == set(names)


def test_one_refused_event_does_not_hold_up_the_others(tracking: Tracking, ada: Actor) -> None:
    run = tracking.runs.open(by=ada).head.id
    told = tracking.logbook.log_nowait(
        [points(run, "loss", 1.0), points("nobody", "loss", 1.0), RunEvent(owner=run, tags={"a": "b"})]
    )
    assert told[0].result() is told[2].result() is None
    with pytest.raises(NotThere, match="'nobody'"):
        told[1].result()
    assert tracking.runs.find(run).tags["a"] == "b"


def test_a_future_is_not_cancelled(tracking: Tracking, ada: Actor) -> None:
    """Whoever gives up waiting must not stop the thread that tells everybody else."""
    run = tracking.runs.open(by=ada).head.id
    (told,) = tracking.logbook.log_nowait([points(run, "loss", 1.0)])
    assert not told.cancel()
    told.result()
    tracking.logbook.log(points(run, "loss", 1.0, 2.0))


def test_points_of_one_who_is_known_are_taken_without_reading(tracking: Tracking, ada: Actor) -> None:
    run = tracking.runs.open(by=ada).head.id
    tracking.logbook.log(points(run, "loss", 1.0))
    asked: list[str] = []

    class Listening:
        def find(self, run: str) -> None:
            asked.append(run)

    logbook = tracking.logbook
    logbook.owners._index = _Index(Listening())  # type: ignore[assignment]
    logbook.owners._follower = _Silent(asked)  # type: ignore[assignment]
    for future in logbook.log_nowait([points(run, "loss", 1.0, float(step)) for step in range(100)]):
        future.result()
    assert asked == []


def _wait(tracking: Tracking, seconds: float) -> None:
    clock = tracking.store.clock
    if isinstance(clock, ManualClock):
        clock.advance(seconds)
    else:
        time.sleep(seconds)


def _log_for_a_second(tracking: Tracking, run: str) -> None:
    for step in range(20):
        tracking.logbook.log(points(run, "loss", float(step)))
        _wait(tracking, 0.05)


class _Index:
    def __init__(self, runs: object) -> None:
        self.runs = runs


class _Silent:
    def __init__(self, asked: list[str]) -> None:
        self._asked = asked

    def catch_up(self) -> None:
        self._asked.append("caught up")


def test_what_another_process_deleted_is_refused_within_a_second(
    tracking: Tracking, another: Open, ada: Actor
) -> None:
    run = tracking.runs.open(by=ada).head.id
    tracking.logbook.log(points(run, "loss", 1.0))
    another().runs.set_deleted(run, True, by=ada)
    _wait(tracking, UNASKED_SECONDS + 0.1)
    with pytest.raises(Conflict, match="is deleted"):
        tracking.logbook.log(points(run, "loss", 1.0))


def test_one_that_logs_without_pause_is_refused_within_a_second_too(
    tracking: Tracking, another: Open, ada: Actor
) -> None:
    """Being asked about again and again keeps nobody alive: neither a run nor its experiment's runs."""
    other = another()
    for delete in (
        lambda run: other.runs.set_deleted(run, True, by=ada),
        lambda run: other.experiments.change(other.runs.find(run).head.experiment, by=ada, deleted=True),
    ):
        experiment = tracking.experiments.get_or_create("e", by=ada).id
        run = tracking.runs.open(experiment, by=ada).head.id
        _log_for_a_second(tracking, run)
        delete(run)
        with pytest.raises(Conflict, match="deleted"):
            _log_for_a_second(tracking, run)


def test_of_two_that_set_the_same_tag_the_later_holds(tracking: Tracking, another: Open, ada: Actor) -> None:
    """Though segments are read one after the other, by whomever."""
    other = another()
    run = tracking.runs.open(by=ada).head.id
    for number in range(6, 0, -1):
        (tracking if number % 2 else other).logbook.log(RunEvent(owner=run, tags={"turn": str(number)}))
        _wait(tracking, 0.002)
        assert tracking.runs.find(run).tags["turn"] == str(number)


def test_many_threads_log_at_once(tracking: Tracking, ada: Actor) -> None:
    runs = [tracking.runs.open(by=ada).head.id for _ in range(4)]

    def log(number: int) -> None:
        for step in range(25):
            tracking.logbook.log(points(runs[number % 4], f"m{number}", float(step)))

    threads = [threading.Thread(target=log, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [sorted(tracking.runs.find(run).metrics) for run in runs] == [
        [f"m{number}", f"m{number + 4}"] for number in range(4)
    ]
