"""Logged models are begun, measured, finished with a seal of their files, and deleted."""

import pytest

from trimtab.atoms.actor import Actor
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.content.stored_model import StoredModel
from trimtab.atoms.error import Conflict, NotThere
from trimtab.atoms.run import ModelStatus
from trimtab.atoms.run_event import RunEvent
from trimtab.atoms.run_query import Query
from trimtab.tracking.tracking import Tracking

from .conftest import points


def test_it_is_there_at_once(tracking: Tracking, ada: Actor) -> None:
    run = tracking.runs.open(by=ada).head.id
    made = tracking.models.create("0", by=ada, run=run, type="Agent", parameters={"a": "1"}, tags={"b": "2"})
    assert made == tracking.models.find(made.head.id)
    assert (made.head.status, made.head.run, made.head.type) == (ModelStatus.PENDING, run, "Agent")
    assert (made.parameters, made.tags) == ({"a": "1"}, {"b": "2"})
    assert made.head.id.startswith("m-")
    assert made.head.name


def test_it_must_have_an_experiment_and_a_run_that_are_there(tracking: Tracking, ada: Actor) -> None:
    with pytest.raises(NotThere, match="no experiment"):
        tracking.models.create("77", by=ada)
    with pytest.raises(NotThere, match="no run"):
        tracking.models.create("0", by=ada, run="nobody")
    made = tracking.models.create("0", by=ada, id="m-1")
    with pytest.raises(Conflict, match="m-1 is taken"):
        tracking.models.create("0", by=ada, id=made.head.id)


def test_ready_seals_its_files(tracking: Tracking, ada: Actor) -> None:
    model = tracking.models.create("0", by=ada).head.id
    tracking.files.put(model, "MLmodel", [b"flavors"])
    tracking.files.put(model, "data/a.bin", [b"x"])
    ready = tracking.models.finish(model, ModelStatus.READY, by=ada)
    assert ready.head.status is ModelStatus.READY
    (sealed,) = [
        entry.record
        for entry in tracking.store.ledger.entries()
        if isinstance(entry.record, Artifact) and entry.record.kind == StoredModel.kind
    ]
    files = tracking.store.read(sealed.id, StoredModel).files
    assert [(file.path, tracking.store.part(file.pieces[0])) for file in files] == [
        ("MLmodel", b"flavors"),
        ("data/a.bin", b"x"),
    ]
    failed = tracking.models.create("0", by=ada).head.id
    assert tracking.models.finish(failed, ModelStatus.FAILED, by=ada, note="no").head.note == "no"


def test_points_measure_it(tracking: Tracking, ada: Actor) -> None:
    run = tracking.runs.open(by=ada).head.id
    model = tracking.models.create("0", by=ada, run=run).head.id
    tracking.logbook.log(points(run, "auc", 0.8, 0.9, model=model))
    (metric,) = tracking.models.find(model).metrics
    assert (metric.name, metric.last.value, metric.run) == ("auc", 0.9, run)
    with pytest.raises(NotThere, match="'m-none'"):
        tracking.logbook.log(points(run, "auc", 0.8, model="m-none"))


def test_a_deleted_one_is_not_there(tracking: Tracking, ada: Actor) -> None:
    model = tracking.models.create("0", by=ada).head.id
    tracking.logbook.log(RunEvent(owner=model, tags={"a": "b"}))
    tracking.models.delete(model, by=ada)
    for ask in (
        lambda: tracking.models.find(model),
        lambda: tracking.models.delete(model, by=ada),
        lambda: tracking.models.finish(model, ModelStatus.READY, by=ada),
    ):
        with pytest.raises(NotThere, match=model):
            ask()
    with pytest.raises(Conflict, match="is deleted"):
        tracking.logbook.log(RunEvent(owner=model, tags={"a": "b"}))
    assert tracking.models.search(Query()).items == ()
