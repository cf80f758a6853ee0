"""Metrics: what Prometheus reads."""

from datetime import UTC, datetime

from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from trimtab.atoms.content.traffic_plan import TrafficPlan
from trimtab.engine.store import Store
from trimtab.testing.example_year import MODEL
from trimtab.testing.memory_store import memory_store
from trimtab.testing.storyteller import Storyteller
from trimtab.views.memory import Memory
from trimtab.web.metric_page import metric_page


def test_prometheus_reads_what_the_views_say(client: TestClient, year_store: Store) -> None:
    memory = Memory(year_store)
    memory.refresh()
    families = {family.name: family for family in text_string_to_metric_families(client.get("/metrics").text)}
    assert families["trimtab_ledger_entries"].samples[0].value == memory.head[0]
    assert families["trimtab_champion_version"].samples[0].labels == {"model": MODEL}
    assert families["trimtab_champion_version"].samples[0].value == 2
    failed = [
        sample.value
        for sample in families["trimtab_checks"].samples
        if sample.labels == {"stage": "monitor", "verdict": "FAIL"}
    ]
    assert failed
    assert failed[0] > 0
    assert families["trimtab_windows"].samples[0].value == len(memory.windows.of(MODEL))


def test_labels_are_escaped() -> None:
    store = memory_store()
    teller = Storyteller(store, datetime(2024, 1, 1, tzinfo=UTC))
    odd = 'a"b\\c\nd'
    plan = teller.thing(TrafficPlan(model=odd, champion="b", champion_version=1))
    teller.tell("release", "promote", odd, made=[plan])
    memory = Memory(store)
    memory.refresh()
    (sample,) = next(
        family.samples
        for family in text_string_to_metric_families(metric_page(memory))
        if family.name == "trimtab_champion_version"
    )
    assert sample.labels == {"model": odd}
