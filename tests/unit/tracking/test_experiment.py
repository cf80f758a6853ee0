"""Experiments are made once, renamed, deleted with their runs, and restored."""

from typing import Any

import pytest

from trimtab.atoms.actor import Actor
from trimtab.atoms.error import Conflict, NotThere, UsageError
from trimtab.atoms.run import DEFAULT_EXPERIMENT
from trimtab.atoms.run_query import Deleted, Query
from trimtab.tracking.tracking import Tracking

from .conftest import Open


def test_the_default_one_is_always_there(tracking: Tracking) -> None:
    assert tracking.experiments.find(DEFAULT_EXPERIMENT).name == "Default"
    assert tracking.experiments.named("Default").id == DEFAULT_EXPERIMENT


def test_what_was_made_is_found_by_id_and_by_name(tracking: Tracking, ada: Actor) -> None:
    made = tracking.experiments.create(" fraud ", by=ada, tags={"team": "a"})
    assert made.name == "fraud"
    assert made.id.isdigit()
    assert tracking.experiments.find(made.id) == tracking.experiments.named("fraud") == made
    assert tracking.experiments.named(" fraud ") == made, "it is found by what it was made with"
    assert tracking.experiments.get_or_create("fraud", by=ada) == made
    assert tracking.experiments.create("given", by=ada, id="42").id == "42"


def test_a_name_and_an_id_are_given_once(tracking: Tracking, ada: Actor) -> None:
    made = tracking.experiments.create("fraud", by=ada, id="42")
    with pytest.raises(Conflict, match=r"'fraud' \(id 42\) is there"):
        tracking.experiments.create("fraud", by=ada)
    with pytest.raises(Conflict, match="experiment 42 already"):
        tracking.experiments.create("other", by=ada, id="42")
    tracking.experiments.change(made.id, by=ada, deleted=True)
    with pytest.raises(Conflict, match="is deleted: restore it"):
        tracking.experiments.create("fraud", by=ada)
    with pytest.raises(Conflict, match="is deleted: restore it"):
        tracking.experiments.get_or_create("fraud", by=ada)


@pytest.mark.parametrize(
    ("name", "id", "said"),
    [
        ("", "", "empty"),
        ("  ", "", "empty"),
        ("x" * 501, "", "500 are the most"),
        ("a", "x1", "1 to 64 digits"),
    ],
)
def test_what_breaks_a_rule_is_refused(tracking: Tracking, ada: Actor, name: str, id: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        tracking.experiments.create(name, by=ada, id=id)


def test_of_two_processes_that_make_the_same_one_wins(
    tracking: Tracking, another: Open, ada: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, decide = another(), tracking.experiments._decide

    def late(*words: Any) -> None:
        """The other one's decision comes between the look at what is there and this one's own."""
        other.experiments.create("fraud", by=ada)
        decide(*words)

    monkeypatch.setattr(tracking.experiments, "_decide", late)
    with pytest.raises(Conflict, match=r"'fraud'.*is there"):
        tracking.experiments.create("fraud", by=ada)
    assert len(tracking.experiments.search(Query()).items) == 2
    assert tracking.experiments.get_or_create("fraud", by=ada) == other.experiments.named("fraud")


def test_names_and_tags_change(tracking: Tracking, ada: Actor) -> None:
    made = tracking.experiments.create("fraud", by=ada, tags={"a": "1", "b": "2"})
    after = tracking.experiments.change(made.id, by=ada, name="theft", tags={"a": None, "b": "3", "c": "4"})
    assert (after.name, after.tags) == ("theft", {"b": "3", "c": "4"})
    assert tracking.experiments.named("theft").id == made.id
    with pytest.raises(NotThere):
        tracking.experiments.named("fraud")
    tracking.experiments.create("fraud", by=ada)
    with pytest.raises(Conflict, match="'fraud'"):
        tracking.experiments.change(made.id, by=ada, name="fraud")
    with pytest.raises(NotThere, match="'77'"):
        tracking.experiments.change("77", by=ada, name="x")


def test_nothing_is_written_where_nothing_changes(tracking: Tracking, ada: Actor) -> None:
    made = tracking.experiments.create("fraud", by=ada)
    head = tracking.store.ledger.head()
    assert tracking.experiments.change(made.id, by=ada, name="fraud", deleted=False) == made
    assert tracking.store.ledger.head() == head


def test_runs_go_and_come_back_with_their_experiment(tracking: Tracking, ada: Actor) -> None:
    made = tracking.experiments.create("fraud", by=ada)
    runs = [tracking.runs.open(made.id, by=ada).head.id for _ in range(3)]
    elsewhere = tracking.runs.open(by=ada).head.id
    tracking.experiments.change(made.id, by=ada, deleted=True)
    assert [tracking.runs.find(run).head.deleted for run in (*runs, elsewhere)] == [True, True, True, False]
    assert made.id not in {item.id for item in tracking.experiments.search(Query()).items}
    assert tracking.runs.count(Query(experiments=(made.id,), deleted=Deleted.ONLY)) == 3
    tracking.experiments.change(made.id, by=ada, deleted=False)
    assert not any(tracking.runs.find(run).head.deleted for run in runs)
