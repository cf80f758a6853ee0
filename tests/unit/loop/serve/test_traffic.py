"""The routes follow the ledger, and nothing that goes wrong with a bundle reaches who answers already."""

import time

import pytest

from trimtab.atoms.action import Outcome
from trimtab.atoms.content.bundle import Bundle
from trimtab.atoms.content.traffic_plan import TrafficPlan

ROW = {"distance": 12.5, "carrier": "UA", "stops": 2}


def test_before_any_plan_the_plane_is_not_ready(shop, client):
    plane = shop.plane()
    told = client(plane, "POST", "/predict/late", {"rows": [ROW]})
    assert (told.status, told.headers["retry-after"]) == (503, "1")
    for path in ("/v2/health/ready", "/ping", "/v2/models/late/ready"):
        assert client(plane, "GET", path).status == 503
    assert client(plane, "GET", "/v2/health/live").status == 200


def test_a_plan_makes_it_ready(shop, client):
    traffic = shop.traffic()
    plane = shop.plane(traffic)
    shop.plan(shop.bundle())
    assert traffic.refresh()
    assert not traffic.refresh()
    assert client(plane, "GET", "/v2/health/ready").status == 200
    assert client(plane, "POST", "/predict/late", {"rows": [ROW]}).status == 200


def test_a_release_that_did_not_end_well_changes_nothing(shop):
    plan = TrafficPlan(model="late", champion=shop.bundle(), champion_version=1)
    shop.record("release", "promote", "late", plan, Outcome.FAILED)
    assert not shop.traffic().routes


def test_the_newest_plan_wins_also_one_that_was_there_before(shop):
    first, second = shop.bundle(), shop.bundle({"shift": 1.0})
    traffic = shop.traffic()
    for champion, version in ((first, 1), (second, 2), (first, 1)):
        shop.plan(champion, version)
        traffic.refresh()
        assert traffic.routes["late"].champion.bundle == champion


def test_only_the_models_that_were_asked_for_are_served(shop):
    shop.plan(shop.bundle())
    shop.plan(shop.bundle(model="other"), model="other")
    traffic = shop.traffic(models=["other"])
    assert list(traffic.routes) == ["other"]
    assert traffic.ready
    assert not shop.traffic(models=["other", "third"]).ready


@pytest.mark.parametrize("harm", ["signature", "damage", "recipe"])
def test_a_challenger_that_cannot_be_loaded_fails_its_requests_and_no_other(shop, client, harm):
    champion = shop.bundle()
    if harm == "signature":
        challenger = shop.bundle({"shift": 1.0}, signature="00")
    else:
        challenger = shop.bundle({"shift": 1.0} if harm == "damage" else {"nan": 1, "good_calls": 0})
    if harm == "damage":
        shop.damage(shop.store.read(challenger, Bundle).manifest.graph)
    shop.plan(champion, 1, challenger=challenger, challenger_version=2, stage="canary", share=1.0)
    told = client(shop.plane(), "POST", "/predict/late", {"rows": [ROW], "request_id": "r1"})
    assert (told.status, told.json["model_version"]) == (200, "1")
    canary, answered = sorted(shop.stream("predictions/late"), key=lambda record: record["role"])
    assert (canary["role"], canary["version"], canary["answers"]) == ("canary", 2, None)
    assert "could not be loaded" in canary["error"]
    assert answered["fell_back"]
    assert shop.stream("exceptions/late")[0]["version"] == 2


def test_a_champion_that_cannot_be_loaded_leaves_the_old_one_answering(shop):
    shop.plan(shop.bundle(), 1)
    traffic = shop.traffic()
    shop.plan(shop.bundle({"shift": 1.0}, signature="00"), 2)
    assert not traffic.refresh()
    assert traffic.routes["late"].champion.version == 1


def test_a_bundle_that_failed_is_tried_again_after_a_while(shop):
    bundle = shop.bundle()
    graph = shop.store.read(bundle, Bundle).manifest.graph
    whole = shop.store.blobs.get(graph.blob)
    shop.damage(graph)
    shop.plan(bundle)
    traffic = shop.traffic()
    shop.store.blobs._blobs[graph.blob] = whole
    assert not traffic.refresh(), "not at once"
    shop.store.clock.advance(6)
    assert traffic.refresh()
    assert traffic.ready


def test_a_bundle_of_another_model_is_refused(shop):
    shop.plan(shop.bundle(model="other"), model="late")
    assert not shop.traffic().routes


def test_a_bundle_is_closed_only_when_its_last_request_ended(shop):
    shop.plan(shop.bundle(), 1)
    traffic = shop.traffic()
    old = traffic.routes["late"].champion.loaded
    assert old.enter()
    shop.plan(shop.bundle({"shift": 1.0}), 2)
    traffic.refresh()
    assert not shop.runtime.loaded[0].closed
    old.leave()
    assert shop.runtime.loaded[0].closed
    assert not old.enter()


def test_a_bundle_that_stays_is_not_loaded_twice(shop):
    champion, challenger = shop.bundle(), shop.bundle({"shift": 1.0})
    shop.plan(champion, 1)
    traffic = shop.traffic()
    shop.plan(champion, 1, challenger=challenger, challenger_version=2, stage="shadow")
    traffic.refresh()
    shop.plan(challenger, 2)
    traffic.refresh()
    assert len(shop.runtime.loaded) == 2


def test_the_thread_learns_of_a_release_within_a_second(shop):
    traffic = shop.traffic()
    traffic.start()
    shop.plan(shop.bundle())
    deadline = time.monotonic() + 1
    while not traffic.ready and time.monotonic() < deadline:
        time.sleep(0.01)
    assert traffic.ready
