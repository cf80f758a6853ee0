"""A step runs once, is remembered, and is recorded however it ends."""

import threading

import pytest

from trimtab.atoms.action import Action, Closing, Outcome
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Limit, Reading, Verdict
from trimtab.atoms.content.evidence import Evidence
from trimtab.atoms.content.run_log import RunLog
from trimtab.atoms.error import LawBroken, LeaseLost, StoreError, UsageError
from trimtab.engine.card import Card
from trimtab.engine.engine import Engine
from trimtab.engine.step import Step
from trimtab.engine.store import Store
from trimtab.engine.work import Work
from trimtab.testing.example_record import artifact, made
from trimtab.testing.manual_clock import ManualClock
from trimtab.testing.memory_blobs import MemoryBlobs
from trimtab.testing.memory_ledger import MemoryLedger
from trimtab.testing.memory_online_features import MemoryOnlineFeatures
from trimtab.testing.memory_store import memory_store
from trimtab.testing.memory_streams import MemoryStreams

CARD = Card(
    verb="train",
    sentence="",
    takes=("run-log",),
    gives=("run-log",),
    judges=("train.finite",),
    decides=("train",),
)


def step(**changed: object) -> Step:
    given: dict[str, object] = {
        "card": CARD,
        "kind": "train",
        "subject": "late",
        "by": "person:ada",
    } | changed
    return Step(**given)  # type: ignore[arg-type]


def keep_a_log(work: Work) -> None:
    log = work.keep(RunLog(model="late", parameters={"depth": 3}, tags={}))
    rules = work.rules("train", {"most": 1.0})
    work.judge(
        "train.finite",
        rules,
        log.id,
        reading=Reading(value=0.0, n=3),
        limit=Limit(at_most=0.0),
        verdict=Verdict.PASS,
        says="every number is finite",
    )
    work.note = "3 rows"


@pytest.fixture
def store() -> Store:
    return memory_store()


def closings(store: Store) -> list[Closing]:
    return [entry.record for entry in store.ledger.entries() if isinstance(entry.record, Closing)]


def test_what_a_step_makes_and_judges_is_recorded_with_its_end(store: Store) -> None:
    done = Engine(store).run(step(note="first try"), keep_a_log)
    action = store.ledger.find(done.action)
    assert isinstance(action, Action)
    assert (action.kind, action.stage, action.subject, action.by) == ("train", "train", "late", "person:ada")
    assert action.note == "first try"
    (end,) = closings(store)
    assert end.outcome is Outcome.DONE
    assert end.note == done.note == "3 rows"
    assert [item.kind for item in done.made] == ["run-log", "rules"]
    assert end.made == tuple(item.id for item in done.made)
    assert end.judged == tuple(check.id for check in done.checks)
    assert done.first("run-log") == done.made[0]
    assert done.all_of("rules") == [done.made[1]]
    assert done.with_verdict(Verdict.PASS) == list(done.checks)
    assert done.checks[0].rule == f"train.finite@{done.made[1].id[:12]}"
    assert store.read(done.made[0].id, RunLog).parameters == {"depth": 3}


def test_the_same_step_again_is_remembered_also_by_another_engine(store: Store) -> None:
    ran = []
    engine = Engine(store)
    first = engine.run(step(), lambda work: ran.append(1) or keep_a_log(work))
    for again in (engine, Engine(store)):
        done = again.run(step(), lambda work: ran.append(1) or keep_a_log(work))
        assert done.remembered
        assert (done.action, done.made, done.checks) == (first.action, first.made, first.checks)
    assert len(ran) == 1


@pytest.mark.parametrize(
    "changed", [{"subject": "early"}, {"parameters": {"depth": 4}}, {"code": "c" * 64}, {"remembered": False}]
)
def test_a_step_that_differs_runs(store: Store, changed: dict[str, object]) -> None:
    engine = Engine(store)
    engine.run(step(), keep_a_log)
    assert not engine.run(step(**changed), keep_a_log).remembered
    assert len(closings(store)) == 2


@pytest.mark.parametrize("changed", [{"by": "person:bob"}, {"note": "other words"}])
def test_who_asks_and_in_what_words_changes_no_result(store: Store, changed: dict[str, object]) -> None:
    assert step(**changed).key() == step().key()


def test_a_failure_is_recorded_raises_and_is_not_remembered(store: Store) -> None:
    engine = Engine(store)

    def fail(work: Work) -> None:
        work.keep(RunLog(model="late", parameters={}, tags={}))
        raise UsageError("no column called delay")

    with pytest.raises(UsageError, match="delay"):
        engine.run(step(), fail)
    (end,) = closings(store)
    assert end.outcome is Outcome.FAILED
    assert end.note == "UsageError: no column called delay"
    assert end.made == ()
    assert not [entry for entry in store.ledger.entries() if isinstance(entry.record, Artifact)]
    assert not engine.run(step(), keep_a_log).remembered


class TestCard:
    def test_an_action_that_is_not_on_it(self, store: Store) -> None:
        with pytest.raises(LawBroken, match=r"'train' decides train; 'promote' is not on its card"):
            Engine(store).run(step(kind="promote"), keep_a_log)
        assert store.ledger.head()[0] == 0

    def test_an_artifact_it_does_not_take(self, store: Store) -> None:
        store.ledger.append(made(1))
        with pytest.raises(LawBroken, match="takes run-log; 'evidence'"):
            Engine(store).run(step(took=(artifact(1).id,)), keep_a_log)
        assert store.ledger.head()[0] == 3

    def test_content_it_does_not_take(self, store: Store) -> None:
        store.ledger.append(made(1))
        with pytest.raises(LawBroken, match="takes run-log; 'evidence'"):
            Engine(store).run(step(), lambda work: work.read(artifact(1).id, Evidence) and None)

    def test_an_artifact_it_does_not_give(self, store: Store) -> None:
        card = Card(verb="train", sentence="", takes=(), gives=(), judges=(), decides=("train",))
        with pytest.raises(LawBroken, match="gives rules, evidence; 'run-log'"):
            Engine(store).run(step(card=card), keep_a_log)
        assert closings(store)[0].outcome is Outcome.FAILED

    def test_a_rule_it_does_not_judge_by(self, store: Store) -> None:
        card = Card(verb="train", sentence="", takes=(), gives=("run-log",), judges=(), decides=("train",))
        with pytest.raises(LawBroken, match=r"judges nothing; 'train\.finite'"):
            Engine(store).run(step(card=card), keep_a_log)
        assert closings(store)[0].outcome is Outcome.FAILED


def test_what_is_not_there_cannot_be_taken(store: Store) -> None:
    with pytest.raises(StoreError, match="has no artifact ffffffffffff"):
        Engine(store).run(step(took=("f" * 64,)), keep_a_log)


def test_a_step_reads_what_it_took_and_what_it_just_made(store: Store) -> None:
    first = Engine(store).run(step(), keep_a_log).first("run-log")

    def read(work: Work) -> None:
        assert work.read(first.id, RunLog).parameters == {"depth": 3}
        mine = work.keep(RunLog(model="late", parameters={"depth": 9}, tags={}))
        assert work.read(mine.id, RunLog).parameters == {"depth": 9}
        part = work.keep_bytes(b"table", "text/plain")
        assert work.part(part) == b"table"
        assert (part.size_bytes, part.media_type) == (5, "text/plain")

    Engine(store).run(step(took=(first.id,)), read)


def test_threads_that_ask_for_the_same_step_do_it_once(store: Store) -> None:
    ran, done = [], []
    started = threading.Event()

    def slow(work: Work) -> None:
        ran.append(1)
        started.wait(5)
        keep_a_log(work)

    def run() -> None:
        done.append(Engine(store).run(step(), slow))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    started.set()
    for thread in threads:
        thread.join()
    assert len(ran) == 1
    assert sorted(item.remembered for item in done) == [False, True, True, True]
    assert len({item.action for item in done}) == 1


def test_who_slept_through_its_time_records_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stopped process wakes up after another has done its step: there is one done Action."""
    clock = ManualClock()
    ledger, blobs = MemoryLedger(wall=clock.wall), MemoryBlobs()

    def opened(holder: str) -> Store:
        return Store(ledger, blobs, MemoryStreams(), MemoryOnlineFeatures(), clock, holder)

    def sleep(work: Work) -> None:
        keep_a_log(work)
        clock.advance(3600.0)
        Engine(opened("host:2:2")).run(step(), keep_a_log)

    with pytest.raises(LeaseLost):
        Engine(opened("host:1:1")).run(step(), sleep)
    assert [end.outcome for end in closings(opened("host:3:3"))] == [Outcome.DONE]
    assert Engine(opened("host:3:3")).tidy() == 1
    assert [end.outcome for end in closings(opened("host:3:3"))] == [Outcome.DONE, Outcome.ABANDONED]


def test_only_the_holder_of_a_steps_lease_does_it(store: Store) -> None:
    lease = store.ledger.take_lease("controller", "a", 60.0)
    assert lease is not None
    engine = Engine(store)
    engine.run(step(lease=lease), keep_a_log)
    store.ledger.give_lease(lease)
    store.ledger.take_lease("controller", "b", 60.0)
    with pytest.raises(LeaseLost):
        engine.run(step(lease=lease, subject="early"), keep_a_log)


def test_tidy_leaves_what_is_done_or_under_way(store: Store) -> None:
    engine = Engine(store)
    engine.run(step(), keep_a_log)

    def look(work: Work) -> None:
        assert engine.memo.open_actions()
        assert Engine(store).tidy() == 0

    engine.run(step(subject="early"), look)
    assert engine.tidy() == 0
    assert engine.memo.open_actions() == []
