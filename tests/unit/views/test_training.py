"""Runs and retrains: what was trained, why, and how it ended."""

from datetime import UTC, datetime

from trimtab.atoms.action import Outcome
from trimtab.atoms.content.retrain_order import RetrainOrder
from trimtab.testing.example_year import MODEL
from trimtab.testing.memory_store import memory_store
from trimtab.testing.storyteller import Storyteller
from trimtab.views.memory import Memory


def test_done_and_failed_trainings_are_listed_with_what_is_known(year: Memory) -> None:
    runs = year.trainings.all(MODEL)
    assert [run.outcome for run in runs] == [Outcome.DONE, Outcome.FAILED, Outcome.DONE, Outcome.DONE]
    first, failed = runs[0], runs[1]
    assert first.metrics == {"log_loss": 0.452, "roc_auc": 0.74}
    assert first.parameters == {"learning_rate": 0.05, "leaves": 31}
    assert first.gate == "bless"
    assert first.commit is not None
    assert first.rows_train == 42_400
    assert "MemoryError" in failed.note
    assert failed.artifact is None
    assert failed.metrics == {}
    assert year.trainings.all("nobody") == []


def test_an_order_is_followed_to_its_end(year: Memory) -> None:
    first, second = year.retrains.all(MODEL)
    assert (first.number, first.outcome, first.failures) == (1, "promoted", 1)
    assert (second.number, second.outcome, second.failures) == (2, "rolled back", 0)
    versions = year.releases.versions(MODEL)
    assert (first.bundle, second.bundle) == (versions[1].bundle, versions[2].bundle)
    ended = year.store.ledger.find(second.ended_by)
    assert ended is not None
    assert ended.kind == "roll-back"
    assert year.retrains.open(MODEL) is None


def test_an_order_is_in_flight_until_a_release_ends_it(year: Memory) -> None:
    memory = Memory(year.store)
    seen = []
    for entry in year.store.ledger.entries():
        memory.take(entry.record)
        order = memory.retrains.open(MODEL)
        said = f"{order.number} {order.outcome}" if order else "none"
        if not seen or seen[-1] != said:
            seen.append(said)
    assert seen == ["none", "1 in flight", "1 failed", "1 in flight", "none", "2 in flight", "none"]


def test_an_order_that_fails_three_times_is_given_up() -> None:
    store = memory_store()
    teller = Storyteller(store, datetime(2024, 1, 1, tzinfo=UTC))
    order = teller.thing(RetrainOrder(model="m", reason="person", as_of="2024-01-01T00:00:00Z", number=1))
    teller.tell("trigger", "retrain", "m", made=[order])
    memory = Memory(store)
    seen = []
    for _ in range(3):
        memory.refresh()
        seen.append(memory.retrains.open("m") is not None)
        teller.tell("train", "train", "m", took=[order.id], outcome=Outcome.FAILED, note="no memory")
    memory.refresh()
    assert seen == [True, True, True]
    assert memory.retrains.open("m") is None
    assert memory.retrains.all("m")[0].outcome == "failed"


def test_a_killed_step_leaves_its_order_in_flight() -> None:
    store = memory_store()
    teller = Storyteller(store, datetime(2024, 1, 1, tzinfo=UTC))
    order = teller.thing(RetrainOrder(model="m", reason="person", as_of="2024-01-01T00:00:00Z", number=1))
    teller.tell("trigger", "retrain", "m", made=[order])
    teller.tell("train", "train", "m", took=[order.id], outcome=Outcome.ABANDONED)
    memory = Memory(store)
    memory.refresh()
    state = memory.retrains.open("m")
    assert state is not None
    assert (state.outcome, state.failures) == ("in flight", 0)
