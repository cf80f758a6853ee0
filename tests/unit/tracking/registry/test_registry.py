"""Registered models over the fakes, and over SQLite and segment files."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from trimtab.atoms.action import Action, Closing, Outcome, action_id
from trimtab.atoms.actor import Actor
from trimtab.atoms.artifact import Artifact, artifact_id, artifact_of
from trimtab.atoms.content.change import Change
from trimtab.atoms.content.traffic_plan import TrafficPlan
from trimtab.atoms.error import Conflict, NotThere, UsageError
from trimtab.atoms.instant import iso
from trimtab.tracking.decision import decide_change
from trimtab.tracking.registry.book import Book
from trimtab.tracking.registry.registered_model import Stage
from trimtab.tracking.tracking import Tracking

Open = Callable[[], Tracking]


@pytest.fixture
def source(tracking: Tracking, ada: Actor) -> str:
    """Address of a run's files."""
    run = tracking.runs.open(by=ada)
    tracking.files.put(run.head.id, "model/MLmodel", [b"flavors: {}"])
    tracking.files.put(run.head.id, "model/data/model.pkl", [b"never opened"])
    tracking.files.put(run.head.id, "else.txt", [b"not of the model"])
    return f"runs:/{run.head.id}/model"


@pytest.fixture
def wind(tracking: Tracking, ada: Actor) -> str:
    return tracking.registry.models.create("wind", by=ada, tags={"team": "a"}, description="power").name


def content(tracking: Tracking, kept: str) -> dict[str, bytes]:
    return {file.path: b"".join(tracking.files.read(file)) for file in tracking.registry.versions.files(kept)}


def test_versions_are_numbered_and_keep_their_files(
    tracking: Tracking, ada: Actor, wind: str, source: str
) -> None:
    versions = tracking.registry.versions
    first, second = (versions.add(wind, source, by=ada) for _ in range(2))
    assert (first.number, second.number) == (1, 2)
    assert first.run == source.split("/")[1]
    assert content(tracking, first.files) == {
        "MLmodel": b"flavors: {}",
        "data/model.pkl": b"never opened",
    }


def test_what_becomes_of_the_run_does_not_change_a_version(
    tracking: Tracking, ada: Actor, wind: str, source: str
) -> None:
    run = source.split("/")[1]
    version = tracking.registry.versions.add(wind, source, by=ada)
    tracking.files.put(run, "model/MLmodel", [b"another"])
    tracking.files.remove(run, "model/data")
    assert content(tracking, version.files)["MLmodel"] == b"flavors: {}"
    assert tracking.registry.versions.add(wind, source, by=ada).files != version.files


def test_a_number_is_never_given_twice(
    tracking: Tracking, another: Open, ada: Actor, wind: str, source: str
) -> None:
    registry = tracking.registry
    registry.versions.add(wind, source, by=ada)
    registry.versions.delete(wind, 1, by=ada)
    with pytest.raises(NotThere, match="no version 1"):
        registry.versions.find(wind, 1)
    assert registry.versions.add(wind, source, by=ada).number == 2
    registry.models.delete(wind, by=ada)
    registry.models.create(wind, by=ada)
    assert registry.versions.add(wind, source, by=ada).number == 3
    assert [version.number for version in another().registry.models.find(wind).versions] == [3]


def test_versions_made_at_once_get_different_numbers(
    tracking: Tracking, another: Open, ada: Actor, wind: str, source: str
) -> None:
    shops = [tracking, another(), another()]
    with ThreadPoolExecutor(6) as pool:
        made = list(
            pool.map(lambda n: shops[n % 3].registry.versions.add(wind, source, by=ada).number, range(24))
        )
    assert sorted(made) == list(range(1, 25))


def test_of_those_who_give_a_name_at_once_one_has_it(tracking: Tracking, another: Open, ada: Actor) -> None:
    shops = [tracking, another(), another()]

    def create(number: int) -> bool:
        try:
            shops[number % 3].registry.models.create(f"name {number // 6}", by=ada)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(create, range(36)))
    assert [sum(made[first : first + 6]) for first in range(0, 36, 6)] == [1] * 6


def test_a_decision_that_came_too_late_says_so(
    tracking: Tracking, another: Open, ada: Actor, wind: str, source: str
) -> None:
    tracking.registry.versions.add(wind, source, by=ada)
    tracking.registry.models.delete(wind, by=ada)
    late = Change(what="model-version", id="wind/1", does="change", values={"description": "late"})
    with pytest.raises(Conflict, match="no registered model 'wind': somebody else changed"):
        Book(another().store).decide([late], by=ada, subject=wind)


def test_aliases_and_stages_have_a_history_with_who_did_it(
    tracking: Tracking, another: Open, ada: Actor, wind: str, source: str
) -> None:
    registry = tracking.registry
    bob = Actor(by="token:bob", parent=decide_change(tracking.store, "token-create", [], by=ada))
    for _ in range(2):
        registry.versions.add(wind, source, by=ada)
    registry.models.set_alias(wind, "best", 1, by=ada)
    registry.models.set_alias(wind, "best", 2, by=bob)
    registry.versions.place(wind, 1, Stage.PRODUCTION, by=ada)
    registry.versions.place(wind, 2, Stage.PRODUCTION, by=bob, archive_others=True)
    registry.models.set_alias(wind, "best", None, by=ada)
    told = [
        (step.by, step.alias or step.stage, step.number, step.before)
        for step in another().registry.models.history(wind)
    ]
    assert told == [
        ("person:ada", "best", 1, ""),
        ("token:bob", "best", 2, "1"),
        ("person:ada", "Production", 1, "None"),
        ("token:bob", "Archived", 1, "Production"),
        ("token:bob", "Production", 2, "None"),
        ("person:ada", "best", None, "2"),
    ]
    kinds = [
        entry.record.kind
        for entry in tracking.store.ledger.entries()
        if isinstance(entry.record, Action) and entry.record.kind == "registry"
    ]
    assert len(kinds) == 8  # a model, two versions, and the five steps


def test_deleting_a_version_takes_its_aliases_away(
    tracking: Tracking, ada: Actor, wind: str, source: str
) -> None:
    registry = tracking.registry
    registry.versions.add(wind, source, by=ada)
    registry.models.set_alias(wind, "best", 1, by=ada)
    registry.versions.delete(wind, 1, by=ada)
    assert registry.models.find(wind).aliases == {}


def test_renaming_takes_everything_along(tracking: Tracking, ada: Actor, wind: str, source: str) -> None:
    registry = tracking.registry
    registry.versions.add(wind, source, by=ada)
    registry.models.set_alias(wind, "best", 1, by=ada)
    registry.models.change(wind, by=ada, new_name="storm")
    found = registry.models.find("storm")
    assert (found.aliases, found.tags, found.versions[0].model) == ({"best": 1}, {"team": "a"}, "storm")
    assert len(registry.models.history("storm")) == 1
    with pytest.raises(NotThere):
        registry.models.find(wind)


def test_tags_and_descriptions(tracking: Tracking, ada: Actor, wind: str, source: str) -> None:
    registry = tracking.registry
    registry.versions.add(wind, source, by=ada, tags={"k": "1", "gone": "x"})
    registry.versions.change(wind, 1, by=ada, tags={"k": "2", "gone": None}, description="said")
    registry.models.change(wind, by=ada, tags={"team": None, "new": "n"})
    version, model = registry.versions.find(wind, 1), registry.models.find(wind)
    assert (version.tags, version.description, model.tags) == ({"k": "2"}, "said", {"new": "n"})


def test_a_copy_of_a_version_has_its_files(tracking: Tracking, ada: Actor, wind: str, source: str) -> None:
    registry = tracking.registry
    first = registry.versions.add(wind, source, by=ada)
    registry.models.set_alias(wind, "best", 1, by=ada)
    registry.models.create("copy", by=ada)
    for address in ("models:/wind/1", "models:/wind@best"):
        assert registry.versions.add("copy", address, by=ada).files == first.files


@pytest.mark.parametrize(
    "address",
    ["", "/etc/passwd", "file:///etc", "s3://bucket/x", "runs:", "http://host/x", "mlflow-artifacts:/0/../1"],
)
def test_what_is_not_in_this_store_is_no_source(
    tracking: Tracking, ada: Actor, wind: str, address: str
) -> None:
    with pytest.raises(UsageError):
        tracking.registry.versions.add(wind, address, by=ada)
    assert tracking.registry.models.find(wind).versions == ()


def test_a_source_of_another_run_than_is_said_is_refused(
    tracking: Tracking, ada: Actor, wind: str, source: str
) -> None:
    with pytest.raises(UsageError, match="not of 'another'"):
        tracking.registry.versions.add(wind, source, by=ada, run="another")


@pytest.mark.parametrize("name", ["", " ", "a/b", "a:b", ".", "..", "x" * 257, "a\nb"])
def test_names_that_no_address_can_hold(tracking: Tracking, ada: Actor, name: str) -> None:
    with pytest.raises(UsageError):
        tracking.registry.models.create(name, by=ada)


@pytest.mark.parametrize("alias", ["latest", "LATEST", "v1", "V22", "a b", "", "a/b", "x" * 256])
def test_aliases_that_mean_something_else(
    tracking: Tracking, ada: Actor, wind: str, source: str, alias: str
) -> None:
    tracking.registry.versions.add(wind, source, by=ada)
    with pytest.raises(UsageError):
        tracking.registry.models.set_alias(wind, alias, 1, by=ada)


def test_a_prompt_has_no_files(tracking: Tracking, ada: Actor) -> None:
    registry = tracking.registry
    registry.models.create("greet", by=ada, tags={"mlflow.prompt.is_prompt": "true"})
    made = registry.versions.add(
        "greet", "prompt", by=ada, tags={"mlflow.prompt.is_prompt": "true", "mlflow.prompt.text": "Hi"}
    )
    assert (made.number, made.files) == (1, "")


def bundle(tracking: Tracking, body: bytes) -> Artifact:
    key = tracking.store.blobs.put(body)
    return Artifact(id=artifact_id("bundle", key), kind="bundle", content=key, size_bytes=len(body))


def decided(tracking: Tracking, stage: str, kind: str, model: str, *made: Artifact) -> None:
    now = tracking.store.now()
    action = Action(id=action_id(now), kind=kind, stage=stage, subject=model, by="person:ada", at=iso(now))
    closing = Closing(
        action=action.id, outcome=Outcome.DONE, made=tuple(each.id for each in made), at=iso(now)
    )
    tracking.store.ledger.append([action, *made, closing])


def released(tracking: Tracking, kind: str, **plan: object) -> None:
    artifact, body = artifact_of(TrafficPlan(**plan))  # type: ignore[arg-type]
    tracking.store.blobs.put(body)
    decided(tracking, "release", kind, str(plan["model"]), artifact)


def test_the_pipelines_own_models_are_there_to_be_read(
    tracking: Tracking, another: Open, ada: Actor, source: str
) -> None:
    first, second = bundle(tracking, b"1"), bundle(tracking, b"2")
    decided(tracking, "register", "register", "late", first)
    released(tracking, "promote", model="late", champion=first.id, champion_version=1)
    decided(tracking, "register", "register", "late", second)
    released(
        tracking,
        "canary",
        model="late",
        champion=first.id,
        champion_version=1,
        challenger=second.id,
        challenger_version=2,
        stage="canary",
        share=0.1,
    )
    model = another().registry.models.find("late")
    assert model.own
    assert model.aliases == {"champion": 1, "challenger": 2}
    assert [version.tags["trimtab.status"] for version in model.versions] == ["champion", "challenger"]
    released(tracking, "promote", model="late", champion=second.id, champion_version=2)
    model = tracking.registry.models.find("late")
    assert model.aliases == {"champion": 2}
    assert [version.tags["trimtab.status"] for version in model.versions] == ["retired", "champion"]
    assert [(step.alias, step.number) for step in tracking.registry.models.history("late")] == [
        ("champion", 1),
        ("challenger", 2),
        ("champion", 2),
        ("challenger", None),
    ]


def test_nobody_changes_the_pipelines_own_models_here(tracking: Tracking, ada: Actor, source: str) -> None:
    decided(tracking, "register", "register", "late", bundle(tracking, b"1"))
    models, versions = tracking.registry.models, tracking.registry.versions
    for change in (
        lambda: models.create("late", by=ada),
        lambda: models.change("late", by=ada, description="mine"),
        lambda: models.change("late", by=ada, new_name="mine"),
        lambda: models.set_alias("late", "best", 1, by=ada),
        lambda: models.delete("late", by=ada),
        lambda: versions.add("late", source, by=ada),
        lambda: versions.change("late", 1, by=ada, tags={"a": "b"}),
        lambda: versions.place("late", 1, Stage.PRODUCTION, by=ada),
        lambda: versions.delete("late", 1, by=ada),
    ):
        with pytest.raises(Conflict):
            change()
    with pytest.raises(Conflict, match=r"trimtab register.*trimtab release"):
        versions.add("late", source, by=ada)
    models.create("mine", by=ada)
    with pytest.raises(UsageError, match="signed bundle"):
        versions.add("mine", "models:/late/1", by=ada)


def test_the_pipeline_takes_a_name_and_what_was_stored_makes_way(
    tracking: Tracking, another: Open, ada: Actor, source: str
) -> None:
    tracking.registry.models.create("late", by=ada)
    tracking.registry.versions.add("late", source, by=ada)
    decided(tracking, "register", "register", "late", bundle(tracking, b"1"))
    for registry in (tracking.registry, another().registry):
        assert registry.models.find("late").own
        assert not registry.models.find("late-stored").own
        assert registry.versions.find("late-stored", 1).source == source
