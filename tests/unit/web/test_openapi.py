"""The API's document: it says of each route what is asked, taken and given, and nothing else."""

from typing import Annotated, Any

import msgspec
import pytest

from parts.api import served
from trimtab.testing.memory_store import memory_store
from trimtab.views.memory import Memory
from trimtab.web.access.permission import Permission
from trimtab.web.api.route_list import api_routes
from trimtab.web.openapi import PATH, document, openapi_route
from trimtab.web.route import Call, Route


class Question(msgspec.Struct, kw_only=True):
    """A question."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=9)] = 3
    names: list[str] = []
    kind: str | msgspec.UnsetType = msgspec.UNSET


class Given(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is taken."""

    name: str
    note: str | None = None


class Inner(msgspec.Struct, frozen=True, kw_only=True):
    """Part of an answer."""

    value: float = 0.0


class Told(msgspec.Struct, kw_only=True):
    """What is answered."""

    id: str
    inner: Inner = Inner()


def nothing(call: Call) -> None:
    """Answer nothing."""


def route(method: str, path: str, **more: Any) -> Route:
    return Route(method, path, more.pop("permission", Permission.READ), nothing, "A sentence.", **more)


@pytest.fixture
def api_document() -> dict[str, Any]:
    api = served(memory_store())
    return document(api_routes(Memory(api.store), api.tracking, "flights"))


def operations(said: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in said["paths"].values() for operation in path.values()]


def test_a_route_is_told_with_what_it_takes_and_gives() -> None:
    said = document([route("POST", "/api/v1/things/{thing}", body=Given, query=Question, answer=Told)])
    operation = said["paths"]["/api/v1/things/{thing}"]["post"]
    parameters = {each["name"]: each for each in operation["parameters"]}
    assert parameters["thing"]["required"] is True
    assert parameters["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 9, "default": 3}
    assert parameters["names"]["schema"] == {"type": "array", "items": {"type": "string"}}
    assert parameters["kind"]["schema"] == {"type": "string"}
    assert parameters["Idempotency-Key"]["in"] == "header"
    assert operation["requestBody"]["required"] is True
    assert said["components"]["schemas"]["Given"]["required"] == ["name"]
    assert said["components"]["schemas"]["Given"]["additionalProperties"] is False
    assert {"200", "400", "401", "403", "404", "409", "413", "415", "422", "503"} <= set(
        operation["responses"]
    )
    assert "viewer" in operation["description"]


def test_answers_are_strict_all_the_way_down() -> None:
    schemas = document([route("GET", "/x", answer=Told)])["components"]["schemas"]
    assert (schemas["Told"]["required"], schemas["Told"]["additionalProperties"]) == (["id", "inner"], False)
    assert (schemas["Inner"]["required"], schemas["Inner"]["additionalProperties"]) == (["value"], False)


def test_what_is_taken_too_is_not_stricter_than_it_is_taken() -> None:
    schemas = document([route("PUT", "/x", body=Inner, answer=Told)])["components"]["schemas"]
    assert "required" not in schemas["Inner"] or schemas["Inner"]["required"] == []
    assert "additionalProperties" not in schemas["Inner"]


def test_what_nobody_shall_read_of_is_left_out_and_the_rest_is_in_once() -> None:
    said = document(
        [
            route("GET", "/x", answer=Told),
            route("GET", "/y", documented=False),
            route("PUT", "/x", answer=Told),
        ]
    )
    assert {path: set(ways) for path, ways in said["paths"].items()} == {"/x": {"get", "put"}}


def test_a_route_for_everybody_asks_for_no_token_and_mlflows_errors_are_mlflows() -> None:
    said = document(
        [route("GET", "/x", permission=Permission.OPEN), route("POST", "/y", errors="mlflow", answer=Told)]
    )
    assert said["paths"]["/x"]["get"]["security"] == []
    told = said["paths"]["/y"]["post"]["responses"]["400"]["content"]
    assert told == {"application/json": {"schema": {"$ref": "#/components/schemas/MlflowError"}}}


def test_what_was_made_leads_to_what_can_be_done_with_it() -> None:
    said = document(
        [route("POST", "/runs", answer=Told), route("GET", "/runs/{run}/files"), route("GET", "/runs/count")]
    )
    links = said["paths"]["/runs"]["post"]["responses"]["200"]["links"]
    assert [link["parameters"] for link in links.values()] == [{"run": "$response.body#/id"}]


def test_every_route_of_the_api_says_what_it_answers(api_document: dict[str, Any]) -> None:
    silent = [
        operation["operationId"]
        for operation in operations(api_document)
        if "application/json" not in operation["responses"]["200"]["content"]
    ]
    assert silent == ["get_v1_runs_run_files_path"]


def test_every_operation_has_a_name_of_its_own_and_every_reference_leads_somewhere(
    api_document: dict[str, Any],
) -> None:
    names = [operation["operationId"] for operation in operations(api_document)]
    assert len(names) == len(set(names)) > 30
    references: set[str] = set()

    def look(value: Any) -> None:
        if isinstance(value, dict):
            references.update(each for name, each in value.items() if name == "$ref")
            for each in value.values():
                look(each)
        elif isinstance(value, list):
            for each in value:
                look(each)

    look(api_document)
    known = {f"#/components/schemas/{name}" for name in api_document["components"]["schemas"]}
    assert references <= known
    assert len(known) > 40


def test_the_document_is_served_and_is_in_itself() -> None:
    routes = [route("GET", "/x", answer=Told)]
    answered = openapi_route(routes)
    told = msgspec.json.decode(answered.endpoint(None).body)  # type: ignore[arg-type]
    assert set(told["paths"]) == {"/x", PATH}
