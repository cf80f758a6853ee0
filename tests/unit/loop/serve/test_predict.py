"""`POST /predict/{model}`: the answer, its log, and who gives it."""

import asyncio
import threading

import pytest

ROW = {"distance": 12.5, "carrier": "UA", "stops": 2}


@pytest.fixture
def plane(shop):
    shop.plan(shop.bundle(), 3)
    return shop.plane()


def test_a_row_is_answered_with_label_probabilities_and_version(plane, client):
    told = client(plane, "POST", "/predict/late", {"rows": [ROW], "request_id": "r1"})
    assert told.status == 200
    answer = told.json
    assert answer["predictions"] == [True]
    assert answer["classes"] == [False, True]
    assert answer["model_version"] == "3"
    assert answer["request_id"] == told.headers["x-request-id"] == "r1"
    assert sum(answer["probabilities"][0]) == pytest.approx(1)


def test_a_regression_answers_with_values(shop, client):
    shop.plan(shop.bundle(task="regression"))
    answer = client(shop.plane(), "POST", "/predict/late", {"rows": [ROW, ROW | {"stops": 12}]}).json
    assert answer["predictions"] == pytest.approx([0.175, 0.275])
    assert "classes" not in answer


def test_an_answered_request_is_in_the_log_with_all_that_it_was(plane, client, shop):
    answer = client(plane, "POST", "/predict/late", {"rows": [ROW], "request_id": "r1"}).json
    (record,) = shop.stream("predictions/late")
    assert record["latency_ms"] >= 0
    assert record | {"latency_ms": 0} == {
        "id": "r1",
        "at": "2013-01-01T00:00:00.000000Z",
        "bundle": record["bundle"],
        "version": 3,
        "role": "champion",
        "inputs": {name: [value] for name, value in ROW.items()},
        "features": {name: [value] for name, value in ROW.items()},
        "answers": answer["probabilities"],
        "error": None,
        "latency_ms": 0,
        "fell_back": False,
    }


def test_the_request_id_comes_from_the_header_where_the_body_has_none(plane, client):
    told = client(plane, "POST", "/predict/late", {"rows": [ROW]}, headers={"x-request-id": "h1"})
    assert told.json["request_id"] == "h1"


def test_a_request_without_an_id_gets_one(plane, client):
    first, second = (client(plane, "POST", "/predict/late", {"rows": [ROW]}).json for _ in range(2))
    assert first["request_id"] != second["request_id"]


@pytest.mark.parametrize("bad", ["", "a b", "x" * 129, "é", "a\nb"])
def test_an_id_that_could_not_be_a_header_is_refused(plane, client, bad):
    assert client(plane, "POST", "/predict/late", {"rows": [ROW], "request_id": bad}).status == 422


def test_a_log_that_cannot_be_written_gives_no_answer(plane, client, shop):
    shop.store.streams.close()
    told = client(plane, "POST", "/predict/late", {"rows": [ROW]})
    assert told.status == 503
    assert "predictions" not in told.json


def test_a_best_effort_log_answers_and_counts_what_it_dropped(shop, client):
    shop.plan(shop.bundle())
    plane = shop.plane(best_effort_log=True)
    shop.store.streams.close()
    assert client(plane, "POST", "/predict/late", {"rows": [ROW]}).status == 200
    assert (
        'trimtab_log_dropped_total{stream="predictions/late"} 1.0'
        in client(plane, "GET", "/metrics").body.decode()
    )


def test_a_champion_that_raises_is_503_without_internals_and_logged(shop, client):
    shop.plan(shop.bundle({"raise": "secret path /x"}))
    told = client(shop.plane(), "POST", "/predict/late", {"rows": [ROW], "request_id": "r1"})
    assert told.status == 503
    assert "secret" not in told.body.decode()
    (record,) = shop.stream("predictions/late")
    assert (record["role"], record["answers"]) == ("champion", None)
    assert "secret path" in record["error"]
    assert "Traceback" in shop.stream("exceptions/late")[0]["trace"]


@pytest.mark.parametrize("recipe", [{"raise": "boom"}, {"nan": True}, {"hang": True}])
def test_a_bad_canary_never_reaches_the_user(shop, exchange, recipe):
    shop.plan(
        shop.bundle(), 1, challenger=shop.bundle(recipe), challenger_version=2, stage="canary", share=0.5
    )
    plane = shop.plane(limits={"canary_seconds": 0.05})

    async def story():
        told = [
            await exchange(plane, "POST", "/predict/late", {"rows": [ROW], "request_id": f"r{i}"})
            for i in range(20)
        ]
        shop.runtime.gate.set()
        await plane.close()
        return told

    told = asyncio.run(story())
    assert {(one.status, one.json["model_version"]) for one in told} == {(200, "1")}
    records = shop.stream("predictions/late")
    failed = {record["id"] for record in records if record["role"] == "canary"}
    assert 0 < len(failed) < 20
    assert all(
        record["answers"] is None and record["error"] for record in records if record["role"] == "canary"
    )
    champions = {record["id"]: record["fell_back"] for record in records if record["role"] == "champion"}
    assert len(champions) == 20
    assert {name for name, fell_back in champions.items() if fell_back} == failed


def test_a_good_canary_answers_its_share_and_always_the_same_requests(shop, client):
    shop.plan(
        shop.bundle(),
        1,
        challenger=shop.bundle({"shift": 1.0}),
        challenger_version=2,
        stage="canary",
        share=0.3,
    )
    plane = shop.plane()
    versions = [
        [
            client(plane, "POST", "/predict/late", {"rows": [ROW], "request_id": f"r{i}"}).json[
                "model_version"
            ]
            for i in range(60)
        ]
        for _ in range(2)
    ]
    assert versions[0] == versions[1]
    assert 8 <= versions[0].count("2") <= 30
    assert {record["role"] for record in shop.stream("predictions/late")} == {"champion", "canary"}


def test_a_row_that_both_refuse_is_the_clients_mistake_not_the_canarys(shop, client):
    shop.plan(
        shop.bundle(),
        1,
        challenger=shop.bundle({"shift": 1.0}),
        challenger_version=2,
        stage="canary",
        share=1.0,
    )
    told = client(shop.plane(), "POST", "/predict/late", {"rows": [ROW | {"carrier": "ZZ"}]})
    assert (told.status, told.json["column"]) == (422, "carrier")
    assert shop.stream("predictions/late") == []


def test_a_shadow_answers_into_the_log_only(shop, client):
    shop.plan(shop.bundle(), 1, challenger=shop.bundle({"shift": 9.0}), challenger_version=2, stage="shadow")
    answer = client(shop.plane(), "POST", "/predict/late", {"rows": [ROW], "request_id": "r1"}).json
    assert answer["model_version"] == "1"
    champion, shadow = shop.stream("predictions/late")
    assert (champion["role"], shadow["role"], shadow["id"], shadow["version"]) == (
        "champion",
        "shadow",
        "r1",
        2,
    )
    assert champion["answers"] == answer["probabilities"] != shadow["answers"]


def test_a_hanging_shadow_drops_and_counts_but_delays_nobody(shop, exchange):
    shop.plan(shop.bundle(), 1, challenger=shop.bundle({"hang": True}), challenger_version=2, stage="shadow")
    plane = shop.plane(limits={"shadow_waiting": 2})

    async def story():
        told = [await exchange(plane, "POST", "/predict/late", {"rows": [ROW]}) for _ in range(10)]
        metrics = (await exchange(plane, "GET", "/metrics")).body.decode()
        shop.runtime.gate.set()
        await plane.close()
        return told, metrics

    told, metrics = asyncio.run(story())
    assert {one.status for one in told} == {200}
    assert 'trimtab_shadow_dropped_total{model="late"} 8.0' in metrics


def test_releases_swap_while_requests_run_and_none_fails(shop, exchange):
    bundles = [shop.bundle({"shift": 0.1 * number}) for number in range(6)]
    shop.plan(bundles[0], 1)
    traffic = shop.traffic()
    plane = shop.plane(traffic)
    done = threading.Event()

    def releases():
        for number in range(1, 6):
            shop.plan(bundles[number], number + 1)
            traffic.refresh()
        done.set()

    async def story():
        told = []
        thread = threading.Thread(target=releases)
        await exchange(plane, "POST", "/predict/late", {"rows": [ROW]})
        thread.start()
        while not done.is_set() or len(told) < 50:
            told += await asyncio.gather(
                *(exchange(plane, "POST", "/predict/late", {"rows": [ROW] * size}) for size in (1, 40, 1, 40))
            )
        thread.join()
        told.append(await exchange(plane, "POST", "/predict/late", {"rows": [ROW]}))
        await plane.close()
        return told

    told = asyncio.run(story())
    assert {one.status for one in told} == {200}
    assert told[-1].json["model_version"] == "6"
    assert len(shop.stream("predictions/late")) == len(told) + 1
    assert [model.closed for model in shop.runtime.loaded] == [True] * 5 + [False]
