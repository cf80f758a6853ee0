"""A run is opened, closed, sealed, resumed, deleted and found."""

import math

import pytest

from trimtab.atoms.action import Action, Closing
from trimtab.atoms.actor import Actor
from trimtab.atoms.content.run_log import RunLog
from trimtab.atoms.error import Conflict, NotThere, StoreError, UsageError
from trimtab.atoms.instant import iso
from trimtab.atoms.metric_point import Points, encode_points
from trimtab.atoms.run import NAME_TAG, LoggedDataset, ModelLink, RunStatus
from trimtab.atoms.run_event import RunEvent
from trimtab.atoms.run_query import Deleted, Query
from trimtab.engine.engine import Engine
from trimtab.engine.metric_series import read_sealed
from trimtab.tracking.tracking import Tracking

from .conftest import Open


def test_it_is_there_at_once_with_all_that_was_said(tracking: Tracking, ada: Actor) -> None:
    made = tracking.runs.open(
        by=ada, started_ms=1_700_000_000_123, tags={"team": "a"}, parameters={"lr": "0.1"}
    )
    assert made == tracking.runs.find(made.head.id)
    assert made.head.status is RunStatus.RUNNING
    assert made.head.started_ms == 1_700_000_000_123
    assert (made.head.experiment, made.head.by, made.parameters) == ("0", "person:ada", {"lr": "0.1"})
    assert made.name
    assert made.tags == {"team": "a", NAME_TAG: made.name}


def test_opening_is_one_entry(tracking: Tracking, ada: Actor) -> None:
    tracking.runs.open(by=ada)
    assert [type(entry.record) for entry in tracking.store.ledger.entries()] == [Action]


def test_opening_the_same_again_gives_the_one_that_is_there(tracking: Tracking, ada: Actor) -> None:
    first = tracking.runs.open(by=ada, run="my-run_1", tags={NAME_TAG: "one"})
    assert tracking.runs.open(by=ada, run="my-run_1", tags={NAME_TAG: "two"}) == first
    assert tracking.runs.count(Query()) == 1
    with pytest.raises(Conflict, match="my-run_1 is taken"):
        tracking.runs.open(by=Actor(by="person:eve"), run="my-run_1")


def test_opening_again_says_what_a_failed_attempt_did_not_get_to_say(
    tracking: Tracking, another: Open, ada: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = {"run": "mine", "tags": {"team": "a", NAME_TAG: "one"}, "parameters": {"lr": "0.1"}}
    tracking.runs.search(Query())

    def full(stream: str, records: object) -> object:
        raise StoreError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(type(tracking.store.streams), "append_nowait", lambda self, *given: full(*given))
        with pytest.raises(StoreError, match="no space left"):
            tracking.runs.open(by=ada, **words)  # type: ignore[arg-type]
    assert [type(entry.record) for entry in tracking.store.ledger.entries()] == [Action]
    assert tracking.runs.find("mine").tags == {}, "the event came through: this test proves nothing"
    later = another()
    opened = later.runs.open(by=ada, **words)  # type: ignore[arg-type]
    assert (opened.tags, opened.parameters) == ({"team": "a", NAME_TAG: "one"}, {"lr": "0.1"})
    assert opened == tracking.runs.find("mine")
    later.logbook.log(RunEvent(owner="mine", tags={"team": None}))
    assert "team" not in tracking.runs.open(by=ada, **words).tags  # type: ignore[arg-type]


def test_a_deleted_run_whose_beginning_was_cut_off_is_not_logged_to(tracking: Tracking, ada: Actor) -> None:
    action = Action(
        id="mine", kind="run", stage="tracking", subject="0", by=ada.by, at=iso(tracking.store.now())
    )
    tracking.store.ledger.append([action])
    tracking.runs.set_deleted("mine", True, by=ada)
    assert tracking.runs.open(by=ada, run="mine", tags={"a": "b"}).tags == {}


@pytest.mark.parametrize("run", ["_a", "-", "a/b", "a b", "a" * 257, "ä", ".."])
def test_an_id_that_breaks_the_rule_is_refused(tracking: Tracking, ada: Actor, run: str) -> None:
    with pytest.raises(UsageError, match="an id is a letter or digit"):
        tracking.runs.open(by=ada, run=run)
    assert tracking.store.ledger.head()[0] == 0


def test_ids_of_elsewhere_are_kept(tracking: Tracking, ada: Actor) -> None:
    for run in ("0123456789abcdef0123456789abcdef", "Zulu", "9" * 256):
        assert tracking.runs.open(by=ada, run=run).head.id == run
    assert [record.id for record in tracking.store.ledger.starting_with("012345")] == [  # type: ignore[union-attr]
        "0123456789abcdef0123456789abcdef"
    ]


def test_there_is_no_run_without_an_experiment(tracking: Tracking, ada: Actor) -> None:
    with pytest.raises(NotThere, match="no experiment has the id '77'"):
        tracking.runs.open("77", by=ada)
    gone = tracking.experiments.create("gone", by=ada)
    tracking.experiments.change(gone.id, by=ada, deleted=True)
    with pytest.raises(Conflict, match=r"'gone'.*is deleted: restore it"):
        tracking.runs.open(gone.id, by=ada)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"tags": {"": "x"}}, "tag ''"),
        ({"tags": {"k": "x" * 8001}}, "8,000 are the most"),
        ({"parameters": {"k": "x" * 6001}}, "6,000 are the most"),
        ({"parameters": {"a/../b": "x"}}, "a name with `/`"),
        ({"started_ms": 10**18}, "no moment of a calendar"),
    ],
)
def test_what_breaks_a_rule_is_refused_whole(
    tracking: Tracking, ada: Actor, words: dict[str, object], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        tracking.runs.open(by=ada, **words)  # type: ignore[arg-type]
    assert tracking.store.ledger.head()[0] == 0


def test_closing_seals_everything(tracking: Tracking, ada: Actor) -> None:
    run = tracking.runs.open(by=ada, parameters={"lr": "0.1"}).head.id
    logged = Points()
    logged.extend(
        [("loss", 0, 2.0, 10), ("loss", 1, math.nan, 20), ("up", 0, math.inf, 5), ("down", 3, -math.inf, 6)]
    )
    data = LoggedDataset(name="rows", digest="abc")
    tracking.logbook.log(
        RunEvent(
            owner=run,
            points=encode_points(logged),
            tags={"a": "b"},
            datasets=(data,),
            models_out=(ModelLink(model="m-1"),),
        )
    )
    tracking.files.put(run, "plots/a.png", [b"picture"])
    closed = tracking.runs.close(run, RunStatus.FINISHED, by=ada, ended_ms=1_800_000_000_000, note="all well")
    assert (closed.head.status, closed.head.ended_ms, closed.head.note) == (
        RunStatus.FINISHED,
        1_800_000_000_000,
        "all well",
    )
    assert closed.head.sealed is not None
    log = tracking.store.read(closed.head.sealed, RunLog)
    assert (log.run, log.experiment, log.parameters, log.tags) == (run, "0", {"lr": "0.1"}, closed.tags)
    assert {metric: last.value for metric, last in log.metrics.items()} == {
        "loss": "NaN",
        "up": "Infinity",
        "down": "-Infinity",
    }
    assert (log.datasets, log.models_out) == ((data,), (ModelLink(model="m-1"),))
    assert [(file.path, file.size_bytes) for file in log.files] == [("plots/a.png", 7)]
    assert [tracking.store.part(part) for part in log.files[0].parts] == [b"picture"]
    assert log.series is not None
    series = read_sealed(tracking.store.part(log.series))
    assert series.metrics() == ["down", "loss", "up"]
    assert list(series.series("loss").at_us) == [10, 20]
    assert series.series("loss").values[0] == 2.0


@pytest.mark.parametrize("status", [RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED])
def test_it_ends_as_it_is_told(tracking: Tracking, ada: Actor, status: RunStatus) -> None:
    run = tracking.runs.open(by=ada).head.id
    assert tracking.runs.close(run, status, by=ada).head.status is status


def test_a_status_that_is_no_end_is_refused(tracking: Tracking, ada: Actor) -> None:
    run = tracking.runs.open(by=ada).head.id
    with pytest.raises(UsageError, match="RUNNING is no end"):
        tracking.runs.close(run, RunStatus.RUNNING, by=ada)


def test_closing_again_seals_anew_as_a_step_of_the_run(tracking: Tracking, ada: Actor) -> None:
    run = tracking.runs.open(by=ada).head.id
    first = tracking.runs.close(run, RunStatus.FAILED, by=ada)
    tracking.logbook.log(RunEvent(owner=run, tags={"later": "yes"}))
    second = tracking.runs.close(run, RunStatus.FINISHED, by=ada)
    assert second.head.status is RunStatus.FINISHED
    assert second.head.sealed not in (None, first.head.sealed)
    assert tracking.store.read(str(second.head.sealed), RunLog).tags["later"] == "yes"
    again = [entry.record for entry in tracking.store.ledger.entries() if isinstance(entry.record, Action)][
        -1
    ]
    assert (again.kind, again.parent) == ("close-run", run)


def test_who_ended_the_run_of_another_is_told(tracking: Tracking, ada: Actor) -> None:
    run = tracking.runs.open(by=ada).head.id
    closed = tracking.runs.close(run, RunStatus.KILLED, by=Actor(by="person:eve"))
    assert (closed.head.status, closed.head.by) == (RunStatus.KILLED, "person:ada")
    steps = [entry.record for entry in tracking.store.ledger.entries() if isinstance(entry.record, Action)]
    assert [(step.kind, step.by) for step in steps] == [("run", "person:ada"), ("close-run", "person:eve")]


def test_a_run_that_ended_goes_on_and_ends_again(tracking: Tracking, ada: Actor) -> None:
    run = tracking.runs.open(by=ada).head.id
    assert tracking.runs.resume(run, by=ada).head.status is RunStatus.RUNNING
    tracking.runs.close(run, RunStatus.FAILED, by=ada, note="power cut")
    resumed = tracking.runs.resume(run, by=ada).head
    assert (resumed.status, resumed.ended_ms) == (RunStatus.RUNNING, None)
    assert tracking.runs.close(run, RunStatus.FINISHED, by=ada).head.status is RunStatus.FINISHED
    closings = [
        entry.record for entry in tracking.store.ledger.entries() if isinstance(entry.record, Closing)
    ]
    assert len(closings) == 3


def test_a_deleted_run_is_found_by_those_who_ask_for_it(tracking: Tracking, ada: Actor) -> None:
    run = tracking.runs.open(by=ada).head.id
    assert tracking.runs.set_deleted(run, True, by=ada).head.deleted
    assert tracking.runs.find(run).head.deleted
    assert tracking.runs.search(Query()).items == ()
    assert tracking.runs.count(Query(deleted=Deleted.ONLY)) == 1
    for change in (
        lambda: tracking.runs.close(run, RunStatus.FINISHED, by=ada),
        lambda: tracking.runs.resume(run, by=ada),
        lambda: tracking.logbook.log(RunEvent(owner=run, tags={"a": "b"})),
        lambda: tracking.files.put(run, "a", [b""]),
    ):
        with pytest.raises(Conflict, match="is deleted: restore it first"):
            change()
    assert not tracking.runs.set_deleted(run, False, by=ada).head.deleted
    tracking.logbook.log(RunEvent(owner=run, tags={"a": "b"}))


def test_what_is_not_there_is_named(tracking: Tracking, ada: Actor) -> None:
    for ask in (
        lambda: tracking.runs.find("nobody"),
        lambda: tracking.runs.close("nobody", RunStatus.FINISHED, by=ada),
        lambda: tracking.runs.set_deleted("nobody", True, by=ada),
        lambda: tracking.logbook.points("nobody", "loss"),
    ):
        with pytest.raises(NotThere, match="no run has the id 'nobody'"):
            ask()


def test_a_token_is_a_step_of_what_gave_it(tracking: Tracking, ada: Actor) -> None:
    given = tracking.runs.open(by=ada).head.id
    token = Actor(by="token:ci", parent=given)
    run = tracking.runs.open(by=token).head.id
    tracking.runs.close(run, RunStatus.FINISHED, by=token)
    tracking.runs.resume(run, by=token)
    tracking.runs.set_deleted(run, True, by=token)
    assert tracking.runs.find(run).head.by == "token:ci"


def test_an_open_run_is_nobodys_dead_step(tracking: Tracking, ada: Actor) -> None:
    run = tracking.runs.open(by=ada).head.id
    assert Engine(tracking.store).tidy() == 0
    assert tracking.runs.find(run).head.status is RunStatus.RUNNING


def test_an_old_run_log_is_still_read() -> None:
    old = b'{"model":"late","parameters":{"depth":3},"points":[["loss",0,1.5]],"tags":{}}'
    log = RunLog.parse(old)
    assert (log.model, log.points, log.series) == ("late", (("loss", 0, 1.5),), None)


def test_milliseconds_of_a_run_are_kept_exactly(tracking: Tracking, ada: Actor) -> None:
    for started_ms in (0, 1, 999, 1_700_000_000_001, 253_402_300_799_999):
        run = tracking.runs.open(by=ada, started_ms=started_ms)
        assert tracking.runs.find(run.head.id).head.started_ms == started_ms
