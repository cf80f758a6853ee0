"""Accounts: what the views say, as JSON values."""

import json

from trimtab.testing.example_year import MODEL, SOURCE
from trimtab.views.account import (
    lineage_account,
    models_account,
    record_account,
    runs_account,
    status_account,
)
from trimtab.views.memory import Memory


def test_every_account_is_strict_json(year: Memory) -> None:
    for account in (
        status_account(year),
        models_account(year),
        runs_account(year),
        lineage_account(year, f"{SOURCE}/2013-02"),
        record_account(year, year.releases.versions(MODEL)[0].bundle),
    ):
        assert json.loads(json.dumps(account, allow_nan=False)) == json.loads(json.dumps(account))


def test_status_says_who_answers_since_when_and_how_well(year: Memory) -> None:
    account = status_account(year)
    model = account["models"][MODEL]
    assert (model["champion"], model["stage"], model["challenger"]) == (2, "full", None)
    assert model["champion_since"] < model["plan_since"]
    assert model["loss"]["verdict"] in ("PASS", "UNSURE")
    assert model["retrain"] is None
    assert [order["outcome"] for order in model["retrains"]] == ["promoted", "rolled back"]
    assert account["alarms"][0]["closing"]["outcome"] == "done"
    (held, *_) = account["sources"][SOURCE]["quarantined"]
    assert "missing" in held["because"][0]["says"]


def test_a_record_shows_its_content_and_its_neighbours(year: Memory) -> None:
    bundle = year.releases.versions(MODEL)[0].bundle
    account = record_account(year, bundle)
    assert account["content"]["manifest"]["model"] == MODEL
    assert [up["kind"] for up in account["up"]] == ["register"]
    assert "promote" in [down["kind"] for down in account["down"]]
