"""Runs over the API: begun, logged to, ended, found again; and what is refused."""

from typing import Any

import pytest

from parts.api import Api


def begun(api: Api, **body: Any) -> dict[str, Any]:
    answer = api.client.post("/api/v1/runs", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_run_is_begun_logged_to_ended_and_found_as_it_was(api: Api) -> None:
    run = begun(
        api, experiment="flights", tags={"mlflow.runName": "first"}, parameters={"depth": "8"}, started_ms=5
    )
    at = f"/api/v1/runs/{run['id']}"
    logged = api.client.post(
        f"{at}/log",
        json={
            "points": [{"metric": "a/b c", "step": 1, "value": 0.5, "at_us": 7}],
            "series": {"loss": {"steps": [1, 2, 3], "values": ["NaN", "-Infinity", 2], "at_us": 9}},
            "parameters": {"rate": "0.1"},
            "tags": {"team": "delays", "gone": None},
            "datasets": [{"name": "rows", "digest": "abc", "tags": {"mlflow.data.context": "training"}}],
        },
    )
    assert logged.json() == {"run": run["id"], "points": 4}
    ended = api.client.post(f"{at}/end", json={"status": "FAILED", "ended_ms": 99, "note": "too warm"}).json()
    assert ended == api.client.get(at).json()
    assert (ended["name"], ended["status"], ended["note"]) == ("first", "FAILED", "too warm")
    assert (ended["started_ms"], ended["ended_ms"], ended["by"]) == (5, 99, "person:ada")
    assert ended["parameters"] == {"depth": "8", "rate": "0.1"}
    assert ended["tags"]["team"] == "delays"
    assert ended["metrics"]["loss"] == {"value": 2, "step": 3, "at_us": 9}
    assert ended["datasets"][0]["digest"] == "abc"
    series = api.client.get(f"{at}/metrics/loss").json()
    assert (series["steps"], series["values"], series["count"]) == ([1, 2, 3], ["NaN", "-Infinity", 2], 3)
    assert series["at_us"] == [9, 9, 9]
    assert api.client.get(f"{at}/metrics/a/b%20c").json()["values"] == [0.5]
    assert api.client.get(f"{at}/metrics/nothing").json()["values"] == []


def test_an_experiment_is_meant_by_its_id_or_its_name(api: Api) -> None:
    first = begun(api, experiment="flights")
    assert begun(api, experiment=first["experiment"])["experiment"] == first["experiment"]
    assert begun(api)["experiment"] == "0"
    assert api.client.post("/api/v1/runs", json={"experiment": "4711"}).status_code == 404
    names = api.client.get("/api/v1/runs", params={"experiment": ["flights", "Default"]}).json()["runs"]
    assert len(names) == 3
    assert api.client.get("/api/v1/runs", params={"experiment": "nobody"}).status_code == 404


def test_a_deleted_run_is_found_only_by_those_who_ask_for_it(api: Api) -> None:
    run = begun(api)["id"]
    assert api.client.delete(f"/api/v1/runs/{run}").json()["deleted"] is True
    counts = {
        deleted: api.client.get("/api/v1/runs/count", params={"deleted": deleted}).json()["count"]
        for deleted in ("active", "deleted", "all")
    }
    assert counts == {"active": 0, "deleted": 1, "all": 1}
    assert api.client.post(f"/api/v1/runs/{run}/log", json={"tags": {"a": "b"}}).status_code == 409
    assert api.client.post(f"/api/v1/runs/{run}/restore").json()["deleted"] is False
    assert api.client.post(f"/api/v1/runs/{run}/end", json={}).json()["status"] == "FINISHED"
    assert api.client.post(f"/api/v1/runs/{run}/resume").json()["status"] == "RUNNING"


def test_the_pages_of_a_search_are_the_whole_also_while_runs_come(api: Api) -> None:
    before = {begun(api)["id"] for _ in range(7)}
    seen: list[str] = []
    after = ""
    while True:
        page = api.client.get("/api/v1/runs", params={"limit": 2, "after": after}).json()
        seen += [run["id"] for run in page["runs"]]
        after = page["after"]
        if not after:
            break
        begun(api)
    assert len(seen) == len(set(seen))
    assert before <= set(seen)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"),
    [
        ("POST", "/runs", {"color": "red"}, 400, "color"),
        ("POST", "/runs", {"id": "../up"}, 400, "id"),
        ("POST", "/runs", {"started_ms": -1}, 400, "started_ms"),
        ("POST", "/runs", {"tags": {"a": 1}}, 400, "tags"),
        ("POST", "/runs/nobody/log", {"points": [{"metric": "a", "value": 1}]}, 404, "nobody"),
        ("POST", "/runs/nobody/end", {}, 404, "nobody"),
        ("GET", "/runs/nobody", None, 404, "nobody"),
        ("GET", "/runs/nobody/metrics/a", None, 404, "nobody"),
        ("GET", "/runs/nobody/files", None, 404, "nobody"),
        ("DELETE", "/runs/nobody", None, 404, "nobody"),
        ("GET", "/runs?limit=0", None, 400, "limit"),
        ("GET", "/runs?limit=1001", None, 400, "limit"),
        ("GET", "/runs?after=nonsense", None, 400, "after"),
        ("GET", "/runs?filter=nonsense", None, 400, ""),
        ("GET", "/runs?deleted=perhaps", None, 400, "deleted"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    api: Api, method: str, path: str, body: Any, status: int, says: str
) -> None:
    answer = api.client.request(method, f"/api/v1{path}", json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.json()["detail"]


@pytest.mark.parametrize(
    "point",
    [
        {"metric": "", "value": 1},
        {"metric": "a", "value": "nan"},
        {"metric": "a", "value": None},
        {"metric": "a", "value": True},
        {"metric": "a", "value": 1, "step": 1.5},
        {"metric": "a", "value": 1, "step": 2**63},
        {"metric": "a", "value": 1, "at_us": 2**64},
        {"metric": "a" * 1001, "value": 1},
    ],
    ids=str,
)
def test_what_is_no_point_is_refused_and_nothing_of_its_call_is_logged(
    api: Api, point: dict[str, Any]
) -> None:
    run = begun(api)["id"]
    answer = api.client.post(
        f"/api/v1/runs/{run}/log",
        json={"points": [{"metric": "good", "value": 1}, point], "tags": {"t": "1"}},
    )
    assert answer.status_code == 400
    there = api.client.get(f"/api/v1/runs/{run}").json()
    assert there["metrics"] == {}
    assert "t" not in there["tags"]


def test_columns_of_different_lengths_are_refused(api: Api) -> None:
    run = begun(api)["id"]
    for series in ({"steps": [1], "values": [1, 2]}, {"steps": [1, 2], "values": [1, 2], "at_us": [1]}):
        answer = api.client.post(f"/api/v1/runs/{run}/log", json={"series": {"loss": series}})
        assert answer.status_code == 400
        assert "loss" in answer.json()["detail"]


def test_a_picture_has_as_few_points_as_were_asked_for_and_the_extremes(api: Api) -> None:
    run = begun(api)["id"]
    values = [0.0] * 500
    values[333] = 9.0
    api.client.post(
        f"/api/v1/runs/{run}/log", json={"series": {"loss": {"steps": list(range(500)), "values": values}}}
    )
    picture = api.client.get(f"/api/v1/runs/{run}/metrics/loss?most=20").json()
    assert len(picture["steps"]) <= 20
    assert picture["count"] == 500
    assert (333, 9.0) in zip(picture["steps"], picture["values"], strict=True)


def test_runs_are_filtered_and_in_order(api: Api) -> None:
    for number, loss in enumerate((0.3, 0.1, "NaN", 0.2)):
        run = begun(api, parameters={"number": str(number)})["id"]
        api.client.post(f"/api/v1/runs/{run}/log", json={"points": [{"metric": "loss", "value": loss}]})
    asked = {"filter": "metrics.loss < 0.25", "order": ["metrics.loss ASC"]}
    found = api.client.get("/api/v1/runs", params=asked).json()["runs"]
    assert [run["parameters"]["number"] for run in found] == ["1", "3"]
    assert api.client.get("/api/v1/runs/count", params={"filter": asked["filter"]}).json() == {"count": 2}
