"""Registered models over the API: what clients stored beside the pipeline's own, and who moved what."""

import msgspec

from parts.api import Api
from trimtab.assembly.model_account import STORED
from trimtab.atoms.actor import Actor
from trimtab.testing.example_year import MODEL, example_year
from trimtab.tracking.registry.registered_model import Stage
from trimtab.web.api.view_answer import Models, Placements

ADA, EVE = Actor(by="person:ada"), Actor(by="person:eve")


def registered(api: Api) -> None:
    """Two versions of a stored model, whose alias and stage two people moved."""
    tracking = api.tracking
    run = tracking.runs.open(by=ADA).head.id
    tracking.files.put(run, "model/MLmodel", [b"flavors: {}"])
    tracking.registry.models.create("wind", by=ADA, description="power")
    for _ in range(2):
        tracking.registry.versions.add("wind", f"runs:/{run}/model", by=ADA)
    tracking.registry.models.set_alias("wind", "best", 1, by=ADA)
    tracking.registry.models.set_alias("wind", "best", 2, by=EVE)
    tracking.registry.versions.place("wind", 2, Stage.PRODUCTION, by=EVE)


def test_stored_models_stand_beside_the_pipelines_own(api: Api) -> None:
    example_year(api.store, days=75)
    registered(api)
    answer = api.client.get("/api/v1/models")
    told = msgspec.json.decode(answer.content, type=Models)
    assert (list(told.models), list(told.stored)) == ([MODEL], ["wind"])
    first, second = told.stored["wind"].versions
    assert (first.number, first.status, first.stage, first.aliases) == (1, STORED, Stage.NONE, [])
    assert (second.number, second.stage, second.aliases) == (2, Stage.PRODUCTION, ["best"])
    assert (told.stored["wind"].description, told.stored["wind"].aliases) == ("power", {"best": 2})


def test_the_history_says_who_moved_each_alias_and_stage(api: Api) -> None:
    registered(api)
    answer = api.client.get("/api/v1/registry/wind/history")
    told = msgspec.json.decode(answer.content, type=Placements).history
    assert [(step.by, step.alias, step.stage, step.number, step.before) for step in told] == [
        ("person:ada", "best", "", 1, ""),
        ("person:eve", "best", "", 2, "1"),
        ("person:eve", "", "Production", 2, "None"),
    ]
    assert [step.at for step in told] == sorted(step.at for step in told)
    assert api.store.ledger.find(told[0].action) is not None


def test_the_pipelines_own_models_have_a_history_too(api: Api) -> None:
    example_year(api.store, days=75)
    told = api.client.get(f"/api/v1/registry/{MODEL}/history").json()["history"]
    assert {step["alias"] for step in told} == {"champion", "challenger"}


def test_of_a_name_that_nobody_gave_there_is_no_history(api: Api) -> None:
    answer = api.client.get("/api/v1/registry/nobody/history")
    assert (answer.status_code, "'nobody'" in answer.json()["detail"]) == (404, True)
