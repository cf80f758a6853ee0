"""The reading commands over a made-up year: text for people, strict JSON for programs."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from trimtab.adapters.local_store import open_store
from trimtab.atoms.actor import Actor
from trimtab.testing.memory_run_index import MemoryRunIndex
from trimtab.tracking.registry.registered_model import Stage
from trimtab.tracking.tracking import open_tracking

READING = [
    ["status"],
    ["models"],
    ["runs"],
    ["runs", "late_arrival"],
    ["lineage", "flights/2013-02"],
    ["lineage", "late_arrival@champion", "--up"],
    ["fsck"],
    ["fsck", "--strict"],
]


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_json_is_strict_and_alone(
    arguments: list[str], trimtab: Callable[..., Any], year_folder: Path
) -> None:
    ran = trimtab(*arguments, "--json", "--store", year_folder)
    assert ran.err == ""
    assert ran.status == 0
    json.loads(ran.out, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_text_in_a_pipe_has_no_colour_codes(
    arguments: list[str], trimtab: Callable[..., Any], year_folder: Path
) -> None:
    ran = trimtab(*arguments, "--store", year_folder)
    assert (ran.status, ran.err) == (0, "")
    assert "\x1b" not in ran.out
    assert ran.out.strip()


def test_status_names_champion_quality_quarantine_and_alarms(
    trimtab: Callable[..., Any], year_folder: Path
) -> None:
    said = trimtab("status", "--store", year_folder).out
    assert "late_arrival  champion v2 since 2013-" in said
    assert "all requests" in said
    assert "loss 0." in said
    assert "bias " in said
    assert "quarantined 2013-04" in said
    assert "alert  2013-" in said
    assert "retrain 2 (failing check): rolled back" in said


def test_models_say_what_became_of_each_version(trimtab: Callable[..., Any], year_folder: Path) -> None:
    lines = trimtab("models", "--store", year_folder).out.splitlines()
    for number, status in ((1, "retired"), (2, "champion"), (3, "rolled-back")):
        assert any(f" {number}   {status} " in line for line in lines), lines


def test_models_that_clients_registered_stand_below(trimtab: Callable[..., Any], year_folder: Path) -> None:
    store, ada = open_store(year_folder), Actor(by="person:ada")
    index = MemoryRunIndex()
    with closing(store):
        tracking = open_tracking(store, index)
        run = tracking.runs.open(by=ada).head.id
        tracking.files.put(run, "m/MLmodel", [b"flavors: {}"])
        registry = tracking.registry
        registry.models.create("churn [old]", by=ada)
        registry.models.create("empty", by=ada)
        registry.models.create("greeting", by=ada, tags={"mlflow.prompt.is_prompt": "true"})
        for _ in range(2):
            registry.versions.add("churn [old]", f"runs:/{run}/m", by=ada)
        registry.models.set_alias("churn [old]", "best", 2, by=ada)
        registry.versions.place("churn [old]", 1, Stage.STAGING, by=ada)
    said = trimtab("models", "--store", year_folder).out
    lines = [line.strip() for line in said.splitlines()]
    first, second = (line for line in lines if line.startswith("churn [old]"))
    assert "stored: compared, not served until converted or trusted" in first
    assert first.endswith("Staging")
    assert "person:ada" in second
    assert "  best  " in second
    assert any(line.startswith("empty") and "no version yet" in line for line in lines)
    assert said.index("champion") < said.index("churn")
    assert "greeting" not in said
    told = json.loads(trimtab("models", "--json", "--store", year_folder).out)
    assert set(told) == {"models", "stored"}
    assert "churn [old]" not in told["models"]
    model = told["stored"]["churn [old]"]
    assert (model["aliases"], model["versions"][0]["run"], model["versions"][1]["aliases"]) == (
        {"best": 2},
        run,
        ["best"],
    )


def test_runs_show_failures_with_their_reason(trimtab: Callable[..., Any], year_folder: Path) -> None:
    said = trimtab("runs", "--store", year_folder).out
    assert "MemoryError" in said
    assert "0.452" in said
    nobody = trimtab("runs", "nobody", "--store", year_folder)
    assert (nobody.status, "no experiment 'nobody'" in nobody.err) == (2, True)


def test_lineage_leads_from_a_row_to_the_rolled_back_release(
    trimtab: Callable[..., Any], year_folder: Path
) -> None:
    down = trimtab("lineage", "flights/2013-02", "--down", "--store", year_folder).out
    assert "led to" in down
    assert "came of" not in down
    assert "roll-back late_arrival" in down
    assert "canary requests failed" in down
    both = json.loads(trimtab("lineage", "flights/2013-02", "--json", "--store", year_folder).out)
    assert {"id", "up", "down"} == set(both)
    only = json.loads(trimtab("lineage", both["id"][:12], "--up", "--json", "--store", year_folder).out)
    assert set(only) == {"id", "up"}
    assert only["id"] == both["id"]


def test_the_store_may_be_named_by_the_environment(
    trimtab: Callable[..., Any], year_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIMTAB_STORE", str(year_folder))
    assert "champion v2" in trimtab("status").out


def test_fsck_names_what_is_broken_and_ends_with_one(trimtab: Callable[..., Any], year_folder: Path) -> None:
    blob = next(path for path in sorted((year_folder / "blobs").rglob("*")) if path.is_file())
    blob.chmod(0o600)
    blob.write_bytes(b"flipped" + blob.read_bytes())
    ran = trimtab("fsck", "--store", year_folder)
    assert ran.status == 1
    assert "problem" in ran.out
    facts = json.loads(trimtab("fsck", "--json", "--store", year_folder).out)
    assert facts["sound"] is False
    assert facts["problems"]


def test_a_store_of_a_newer_program_is_refused(trimtab: Callable[..., Any], year_folder: Path) -> None:
    (year_folder / "version").write_text("999\n")
    ran = trimtab("status", "--store", year_folder)
    assert ran.status == 1
    assert "newer" in ran.err


def test_a_ledger_that_is_no_database_is_said_in_one_line(
    trimtab: Callable[..., Any], year_folder: Path
) -> None:
    for extra in year_folder.glob("ledger.sqlite-*"):
        extra.unlink()
    (year_folder / "ledger.sqlite").write_bytes(b"this is no database" * 400)
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(year_folder / "ledger.sqlite").execute("select * from sqlite_master").fetchall()
    ran = trimtab("status", "--store", year_folder)
    assert ran.status == 1
    assert "Traceback" not in ran.err
    assert ran.err.count("\n") == 1
