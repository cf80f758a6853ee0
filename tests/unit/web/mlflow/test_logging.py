"""What runs log: kept as it came, once, and refused by name where it may not be."""

import asyncio
import math
from concurrent.futures import ThreadPoolExecutor

import pytest

from parts.mlflow_caller import Mlflow
from trimtab.atoms.actor import Actor
from trimtab.atoms.error import NotThere, WritingEnded
from trimtab.atoms.metric_point import encode_point
from trimtab.atoms.run_event import RunEvent
from trimtab.testing.memory_run_index import MemoryRunIndex
from trimtab.testing.memory_store import memory_store
from trimtab.tracking.tracking import Tracking, open_tracking
from trimtab.web.mlflow.gather import Gather

ME = Actor(by="person:me")


def point(run: str, **words: object) -> dict[str, object]:
    return {"run_id": run, "key": "loss", "value": 0.5, "timestamp": 1_700_000_000_000, "step": 1, **words}


def test_a_point_that_comes_twice_is_one(mlflow: Mlflow) -> None:
    run = mlflow.run()
    for _ in range(2):
        mlflow.post("/runs/log-metric", **point(run))
        mlflow.post("/runs/log-batch", run_id=run, metrics=[point(run)], params=[{"key": "a", "value": "1"}])
    points = mlflow.get("/metrics/get-history", run_id=run, metric_key="loss")["metrics"]
    assert points == [{"key": "loss", "value": 0.5, "timestamp": 1_700_000_000_000, "step": 1}]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_what_is_not_finite_comes_back_as_it_went(mlflow: Mlflow, value: str) -> None:
    run = mlflow.run()
    mlflow.post("/runs/log-metric", **point(run, value=value))
    assert mlflow.last(run) == {"loss": value}
    assert mlflow.get("/metrics/get-history", run_id=run, metric_key="loss")["metrics"][0]["value"] == value


def test_numbers_may_come_as_texts_and_the_old_name_of_a_run_is_known(mlflow: Mlflow) -> None:
    run = mlflow.run()
    old = point(run, run_uuid=run, value="0.25", timestamp="1700000000000", step="7")
    del old["run_id"]
    mlflow.post("/runs/log-metric", **old)
    assert mlflow.get("/metrics/get-history", run_uuid=run, metric_key="loss")["metrics"][0] == {
        "key": "loss",
        "value": 0.25,
        "timestamp": 1_700_000_000_000,
        "step": 7,
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"run_id": None}, "run_id"),
        ({"run_id": ""}, "run_id"),
        ({"key": None}, "key"),
        ({"key": "a?b"}, "a?b"),
        ({"key": "../a"}, "../a"),
        ({"key": "a" * 251}, "250"),
        ({"value": None}, "value"),
        ({"value": "much"}, "value"),
        ({"value": 10**400}, "value"),
        ({"value": {}}, "value"),
        ({"timestamp": None}, "timestamp"),
        ({"timestamp": -1}, "timestamp"),
        ({"timestamp": 2**63}, "timestamp"),
        ({"timestamp": 2**62}, "timestamp"),
        ({"step": 2**63}, "step"),
        ({"step": 0.5}, "step"),
        ({"step": "x"}, "step"),
        ({"step": "NaN"}, "step"),
    ],
)
def test_what_is_no_point_is_refused_by_its_field(
    mlflow: Mlflow, words: dict[str, object], said: str
) -> None:
    run = mlflow.run()
    status, code, message = mlflow.refusal("POST", "/runs/log-metric", json=point(run, **words))
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert said in message
    assert mlflow.last(run) == {}


@pytest.mark.parametrize(
    "words",
    [
        {"key": ""},
        {"value": None},
        {"value": "much"},
        {"value": 10**400},
        {"timestamp": -1},
        {"timestamp": 2**62},
        {"step": 2**63},
        {"step": 0.5},
    ],
)
def test_what_is_no_point_of_a_batch_is_refused_by_its_place_and_field(
    mlflow: Mlflow, words: dict[str, object]
) -> None:
    run = mlflow.run()
    batch = {"run_id": run, "metrics": [point(run), point(run), {**point(run), **words}, point(run)]}
    status, code, message = mlflow.refusal("POST", "/runs/log-batch", json=batch)
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert f"metrics[2].{next(iter(words))}" in message
    assert mlflow.last(run) == {}


def test_a_batch_holds_the_same_points_however_their_numbers_are_written(mlflow: Mlflow) -> None:
    """Clients in Java and JavaScript write whole numbers of 64 bits as text; Python's does not."""
    plain = [
        {"key": key, "value": value, "timestamp": 1000 + step, "step": step}
        for step, (key, value) in enumerate([("a", 0.5), ("b", 3), ("a", -1e300), ("b", 2**60)])
    ]
    texts = [{**each, "timestamp": str(each["timestamp"]), "step": float(each["step"])} for each in plain]
    kept = []
    for metrics in (plain, texts, [*plain[:3], texts[3]]):
        run = mlflow.run()
        mlflow.post("/runs/log-batch", run_id=run, metrics=metrics)
        kept.append(
            [mlflow.get("/metrics/get-history", run_id=run, metric_key=key)["metrics"] for key in ("a", "b")]
        )
    assert [point["value"] for point in kept[0][0]] == [0.5, -1e300]
    assert [point["step"] for point in kept[0][1]] == [1, 3]
    assert kept[0] == kept[1] == kept[2]


def test_of_a_refused_batch_nothing_is_kept(mlflow: Mlflow) -> None:
    run = mlflow.run()
    mlflow.post("/runs/log-parameter", run_id=run, key="depth", value="3")
    batch = {
        "run_id": run,
        "metrics": [point(run), point(run, model_id="", dataset_name="rows")],
        "params": [{"key": "depth", "value": "4"}],
        "tags": [{"key": "a", "value": "b"}],
    }
    assert mlflow.refusal("POST", "/runs/log-batch", json=batch)[:2] == (400, "INVALID_PARAMETER_VALUE")
    data = mlflow.get("/runs/get", run_id=run)["run"]["data"]
    assert data["params"] == [{"key": "depth", "value": "3"}]
    assert "metrics" not in data
    assert "a" not in {tag["key"] for tag in data["tags"]}


@pytest.mark.parametrize(("what", "count"), [("metrics", 1001), ("params", 101), ("tags", 101)])
def test_a_batch_over_the_limits_is_refused(mlflow: Mlflow, what: str, count: int) -> None:
    run = mlflow.run()
    each = [{"key": f"k{number}", "value": "1", "timestamp": 1} for number in range(count)]
    status, code, message = mlflow.refusal("POST", "/runs/log-batch", json={"run_id": run, what: each})
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert str(count) in message


def test_values_that_are_too_long_are_cut_as_mlflow_cuts_them(mlflow: Mlflow) -> None:
    run = mlflow.run()
    mlflow.post("/runs/log-parameter", run_id=run, key="long", value="x" * 7000)
    mlflow.post("/runs/set-tag", run_id=run, key="long", value="y" * 9000)
    data = mlflow.get("/runs/get", run_id=run)["run"]["data"]
    assert data["params"] == [{"key": "long", "value": "x" * 6000}]
    assert {"key": "long", "value": "y" * 8000} in data["tags"]


def test_models_of_older_clients_gather_in_a_tag_that_never_grows_too_long(mlflow: Mlflow) -> None:
    run = mlflow.run()
    for number in range(60):
        model = {
            "artifact_path": f"m{number}",
            "flavors": {"a": "x" * 200},
            "utc_time_created": "",
            "run_id": run,
        }
        mlflow.post("/runs/log-model", run_id=run, model_json=str(model).replace("'", '"'))
    tags = {tag["key"]: tag["value"] for tag in mlflow.get("/runs/get", run_id=run)["run"]["data"]["tags"]}
    assert len(tags["mlflow.log-model.history"]) <= 8000
    assert '"m59"' in tags["mlflow.log-model.history"]


def opened() -> tuple[Tracking, str]:
    tracking = open_tracking(memory_store(), MemoryRunIndex())
    return tracking, tracking.runs.open(by=ME).head.id


def event(run: str, step: int) -> RunEvent:
    return RunEvent(owner=run, points=encode_point("loss", step, math.pi, 1))


def test_what_comes_in_one_turn_of_the_loop_goes_out_together() -> None:
    tracking, run = opened()
    sent: list[int] = []
    log_nowait = tracking.logbook.log_nowait

    async def all_of_them() -> list[object]:
        gather = Gather(tracking.logbook)
        await gather.log(event(run, 0))
        tracking.logbook.log_nowait = lambda events: (sent.append(len(events)), log_nowait(events))[1]  # type: ignore[method-assign]
        asked = [gather.log(event(run, step)) for step in range(1, 65)] + [gather.log(event("nobody", 1))]
        return await asyncio.gather(*asked, return_exceptions=True)

    answers = asyncio.run(all_of_them())
    assert answers[:64] == [None] * 64
    assert isinstance(answers[64], NotThere)
    assert 64 in sent, "one call for the 64 of a known run"
    assert len(tracking.logbook.points(run, "loss")) == 65


def test_when_the_disk_refuses_everybody_who_waits_is_told() -> None:
    tracking, run = opened()

    async def all_of_them() -> list[object]:
        gather = Gather(tracking.logbook)
        await gather.log(event(run, 0))

        def refuse(events: object) -> None:
            raise WritingEnded("the disk refused a flush")

        tracking.logbook.log_nowait = refuse  # type: ignore[assignment,method-assign]
        return await asyncio.gather(
            *(gather.log(event(run, step)) for step in range(9)), return_exceptions=True
        )

    assert all(isinstance(answer, WritingEnded) for answer in asyncio.run(all_of_them()))


def test_a_caller_that_gives_up_does_not_disturb_the_others() -> None:
    tracking, run = opened()

    async def all_of_them() -> None:
        gather = Gather(tracking.logbook)
        await gather.log(event(run, 0))
        tasks = [asyncio.create_task(gather.log(event(run, step))) for step in range(1, 9)]
        await asyncio.sleep(0)
        tasks[3].cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(each).__name__ for each in ended].count("CancelledError") == 1

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, all_of_them()).result(timeout=30)
    assert len(tracking.logbook.points(run, "loss")) >= 8
