"""What the engine trains is found beside what people log by hand."""

import pytest

from trimtab.atoms.action import Action, Outcome, action_id
from trimtab.atoms.actor import Actor
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.error import Conflict
from trimtab.atoms.instant import iso
from trimtab.atoms.run import RunStatus
from trimtab.atoms.run_event import RunEvent
from trimtab.atoms.run_query import Comparison, Field, Order, Query
from trimtab.engine.store import Store
from trimtab.testing.example_year import example_year
from trimtab.testing.memory_run_index import MemoryRunIndex
from trimtab.testing.memory_store import memory_store
from trimtab.tracking.batch import ARTIFACT_TAG
from trimtab.tracking.engine_run import CODE_TAG, GATE_TAG, experiment_of
from trimtab.tracking.tracking import Tracking, open_tracking
from trimtab.views.memory import Memory


@pytest.fixture(scope="module")
def year() -> Store:
    store = memory_store()
    example_year(store, days=120)
    return store


@pytest.fixture
def tracking(year: Store) -> Tracking:
    return open_tracking(year, MemoryRunIndex())


def test_each_training_is_a_run_of_the_models_experiment(tracking: Tracking, year: Store) -> None:
    memory = Memory(year)
    memory.refresh()
    trained = memory.trainings.all()
    assert len(trained) > 1
    experiment = tracking.experiments.named(trained[0].model)
    assert experiment.id == experiment_of(trained[0].model)
    assert experiment.id.isdigit()
    assert tracking.runs.count(Query(experiments=(experiment.id,))) == len(trained)
    for state in trained:
        run = tracking.runs.find(state.action)
        assert (run.head.stage, run.head.experiment) == ("train", experiment.id)
        assert run.head.status is (RunStatus.FINISHED if state.outcome is Outcome.DONE else RunStatus.FAILED)
        assert run.tags.get(GATE_TAG, "") == state.gate
        assert run.tags.get(ARTIFACT_TAG) == state.artifact
        assert run.tags.get(CODE_TAG, "") == state.code
        scores = {name: value for name, value in state.metrics.items() if value is not None}
        assert {name: run.metrics[name].value for name in scores} == scores
        if state.artifact:
            assert set(state.parameters) < set(run.parameters)
            assert run.parameters["seed"] == str(state.seed)
            assert run.metrics["rows_train"].value == state.rows_train
        assert run.name


def test_it_is_searched_together_with_a_persons_own(tracking: Tracking, ada: Actor) -> None:
    (best, *_) = tracking.runs.search(
        Query(where=(Comparison(field=Field.TAG, key=GATE_TAG, operator="=", value="bless"),))
    ).items
    mine = tracking.runs.open(best.head.experiment, by=ada, tags={GATE_TAG: "bless"}, started_ms=10**13)
    newest = Order(field=Field.ATTRIBUTE, key="start_time", ascending=False)
    found = tracking.runs.search(Query(experiments=(best.head.experiment,), order=(newest,))).items
    assert found[0] == mine
    assert best in found
    tracking.runs.set_deleted(mine.head.id, True, by=ada)


def test_people_may_say_more_of_it_but_not_end_it(tracking: Tracking, ada: Actor) -> None:
    run = tracking.runs.search(Query(limit=1)).items[0].head.id
    tracking.logbook.log(RunEvent(owner=run, tags={"mlflow.note.content": "the one"}))
    assert tracking.runs.find(run).tags["mlflow.note.content"] == "the one"
    with pytest.raises(Conflict, match="made by the engine"):
        tracking.runs.close(run, RunStatus.KILLED, by=ada)
    with pytest.raises(Conflict, match="made by the engine"):
        tracking.runs.resume(run, by=ada)


def test_an_experiment_that_a_person_called_so_is_taken(ada: Actor) -> None:
    tracking = open_tracking(memory_store(), MemoryRunIndex())
    mine = tracking.experiments.create("late", by=ada)
    opened = _training(tracking.store, "late")
    run = tracking.runs.find(opened)
    assert (run.head.experiment, run.head.status) == (mine.id, RunStatus.RUNNING)
    tracking.experiments.change(mine.id, by=ada, name="mine")
    assert tracking.runs.find(_training(tracking.store, "late")).head.experiment == experiment_of("late")


def test_one_whose_content_is_lost_does_not_hide_the_others() -> None:
    store = memory_store()
    example_year(store, days=60)
    lost = next(
        entry.record
        for entry in store.ledger.entries()
        if isinstance(entry.record, Artifact) and entry.record.kind == "model"
    )
    assert store.blobs.discard(lost.content, 0.0)
    tracking = open_tracking(store, MemoryRunIndex())
    runs = tracking.runs.search(Query()).items
    assert sum("is missing" in run.head.note for run in runs) == 1
    assert any(run.parameters for run in runs)


def _training(store: Store, model: str) -> str:
    """An Action of the engine that has begun."""
    now = store.now()
    opened = Action(
        id=action_id(now), kind="train", stage="train", subject=model, by="person:ada", key="k", at=iso(now)
    )
    store.ledger.append([opened])
    return opened.id
