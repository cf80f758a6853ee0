"""Retention: what was in production stays whole, with all that stands behind it; what was refused may go."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import polars as pl
import pytest

from parts.page import asked
from trimtab.adapters.local_store import open_store
from trimtab.assembly.part_list import parts_of
from trimtab.assembly.upkeep.fsck import fsck
from trimtab.assembly.upkeep.garbage import Freed, collect_garbage
from trimtab.assembly.upkeep.pin import pin
from trimtab.atoms.action import Outcome
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.content.bundle import Bundle
from trimtab.atoms.content.content import Content
from trimtab.atoms.content.feature_table import FeatureTable
from trimtab.atoms.content.model import Model
from trimtab.atoms.content.snapshot import Snapshot, Span
from trimtab.atoms.content.traffic_plan import TrafficPlan
from trimtab.atoms.content.window import Window
from trimtab.atoms.error import StoreError, UsageError
from trimtab.engine.engine import Engine
from trimtab.engine.step import Step
from trimtab.engine.store import Store
from trimtab.engine.work import Work
from trimtab.loop.ingest import CARD as INGEST
from trimtab.loop.train import CARD as TRAIN
from trimtab.testing.manual_clock import ManualClock
from trimtab.testing.storyteller import Storyteller
from trimtab.testing.workbench import Workbench
from trimtab.views.account import record_account, status_account
from trimtab.views.memory import Memory

START = datetime(2026, 1, 1, tzinfo=UTC)
SetBack = Callable[[Path, float], None]


@dataclass
class World:
    """Candidates, each from a snapshot of its own; the first was champion, the second its canary, then two refused."""

    store: Store
    tell: Storyteller
    clock: ManualClock
    made: dict[str, Artifact] = field(default_factory=dict)

    def make(self, name: str, content: Content, stage: str, kind: str, subject: str, *took: str) -> None:
        self.made[name] = self.tell.thing(content)
        self.tell.tell(
            stage, kind, subject, took=[self.made[each].id for each in took], made=[self.made[name]]
        )

    def candidate(self, number: int) -> None:
        span = Span(name=f"{number}", rows=1, table=self.tell.part(b"rows %d" % number))
        self.make(
            f"snapshot {number}",
            Snapshot(source="rows", columns=(), spans=(span,)),
            "ingest",
            "ingest",
            "rows",
        )
        table = FeatureTable(
            model="late",
            spans=(Span(name="1", rows=1, table=self.tell.part(b"features %d" % number)),),
            features=(),
            target="y",
        )
        self.make(f"table {number}", table, "featurize", "materialize", "late", f"snapshot {number}")
        bench = Workbench(self.store)
        trained = bench.model("late", pl.DataFrame({"x": [1.0]}), ["x"], seed=number)
        model = self.store.read(trained, Model)
        self.make(f"model {number}", model, "train", "train", "late", f"table {number}")
        bundle = self.store.read(
            bench.bundle("late", self.made[f"model {number}"].id, model.encoding), Bundle
        )
        manifest = msgspec.structs.replace(bundle.manifest, graph=self.tell.part(b"graph %d" % number))
        bundle = msgspec.structs.replace(bundle, manifest=manifest)
        self.make(
            f"bundle {number}",
            bundle,
            "register",
            "register",
            "late",
            f"model {number}",
            f"snapshot {number}",
        )

    def window(self, number: int) -> None:
        window = Window(
            model="late",
            span=f"{number}",
            first="",
            last="",
            rows=1,
            outcomes=0,
            table=self.tell.part(b"window %d" % number),
            served=(),
        )
        self.make(f"window {number}", window, "monitor", "monitor", "late")

    def plan(self, name: str, champion: str, challenger: str | None = None) -> None:
        plan = TrafficPlan(
            model="late",
            champion=self.made[champion].id,
            champion_version=1,
            challenger=self.made[challenger].id if challenger else None,
            stage="canary" if challenger else "full",
        )
        self.make(name, plan, "release", "canary" if challenger else "promote", "late", champion)

    def whole(self) -> set[str]:
        """Names of the things that have all their parts."""
        there = {blob.key for blob in self.store.blobs.stored()}
        return {
            name
            for name, artifact in self.made.items()
            if all(part.blob in there for part in parts_of(artifact, self.store.blobs.get(artifact.content)))
        }

    def collect(self, days: float = 90, **words: bool) -> Freed:
        return collect_garbage(self.store, by="person:ada", older=timedelta(days=days), **words)


@pytest.fixture
def world(tmp_path: Path, set_back: SetBack) -> Iterator[World]:
    clock = ManualClock(START)
    store = open_store(tmp_path / "store", clock=clock)
    made = World(store, Storyteller(store, START), clock)
    for number in range(1, 5):
        made.candidate(number)
    made.plan("plan 1", "bundle 1")
    made.plan("plan 2", "bundle 1", "bundle 2")
    for number in range(130):
        made.window(number)
    made.tell.now += timedelta(days=100)
    made.candidate(5)
    clock.advance(timedelta(days=120).total_seconds())
    set_back(tmp_path / "store", 7200)
    yield made
    store.close()


GONE = {f"{what} {number}" for number in (3, 4) for what in ("snapshot", "table", "model", "bundle")} | {
    f"window {number}" for number in range(30)
}


def test_what_was_refused_goes_and_what_was_in_production_stays(world: World) -> None:
    before, status = set(world.made), status_account_of(world.store)
    assert world.whole() == before
    told = world.collect(dry_run=True)
    assert world.whole() == before
    freed = world.collect()
    assert before - world.whole() == GONE
    assert (told.forgotten, told.blobs) == (freed.forgotten, freed.blobs) == (len(GONE), len(GONE))
    found = fsck(world.store, strict=True)
    assert found.problems == []
    assert sorted(found.forgotten) == sorted(world.made[name].id for name in GONE)
    assert status_account_of(world.store)["models"] == status["models"]
    again = world.collect()
    assert (again.forgotten, again.blobs) == (0, 0)


def status_account_of(store: Store) -> dict[str, object]:
    memory = Memory(store)
    memory.refresh()
    return status_account(memory)


def test_records_pages_and_lineage_say_when_and_by_whom(world: World) -> None:
    world.collect()
    memory = Memory(world.store)
    memory.refresh()
    model = world.made["model 3"].id
    account = record_account(memory, model)
    assert account["content"]["name"] == "late"
    assert account["forgotten"]["by"] == "person:ada"
    assert [node["kind"] for node in account["down"] if node["kind"] == "forget"] == ["forget"]
    shown = asked(world.store)
    text = shown.get(f"/id/{model}").text
    assert "Its parts are gone" in text
    assert "forgotten on 2026-05-01 by action" in text
    assert "forget" in shown.get("/").text
    assert "Its parts are gone" not in shown.get(f"/id/{world.made['model 1'].id}").text


def test_what_a_person_pinned_stays_with_what_is_behind_it(world: World) -> None:
    pin(world.store, world.made["bundle 3"].id, by="person:ada")
    world.collect()
    behind = {"snapshot 3", "table 3", "model 3", "bundle 3"}
    assert behind <= world.whole()
    with pytest.raises(UsageError, match=r"forgotten on.*too late"):
        pin(world.store, world.made["bundle 4"].id, by="person:ada")
    pin(world.store, world.made["bundle 3"].id, by="person:ada", unpin=True)
    world.collect()
    assert not behind & world.whole()
    with pytest.raises(UsageError, match="not pinned"):
        pin(world.store, world.made["bundle 3"].id, by="person:ada", unpin=True)


def test_what_a_running_step_took_stays(world: World) -> None:
    step = Step(card=TRAIN, kind="train", subject="late", by="person:ada", took=(world.made["table 3"].id,))
    freed: list[Freed] = []
    Engine(world.store).run(step, lambda work: freed.append(world.collect()))
    assert freed[0].forgotten == len(GONE) - 2, "the table, and the snapshot that it was made from"
    assert {"table 3", "snapshot 3"} <= world.whole()


def test_a_step_that_starts_from_what_was_forgotten_is_refused(world: World) -> None:
    world.collect()
    step = Step(card=TRAIN, kind="train", subject="late", by="person:ada", took=(world.made["table 3"].id,))
    with pytest.raises(StoreError, match=r"feature-table.*forgotten on 2026-05-01 by action"):
        Engine(world.store).run(step, lambda work: None)
    last = [entry.record for entry in world.store.ledger.entries()][-1]
    assert last.outcome is Outcome.FAILED  # type: ignore[union-attr]


def test_what_was_done_once_is_done_again_after_its_parts_were_forgotten(
    world: World, tmp_path: Path, set_back: SetBack
) -> None:
    ran: list[str] = []

    def ingest(work: Work) -> None:
        ran.append(work.action)
        table = work.keep_bytes(b"rows of another source")
        work.keep(Snapshot(source="s", columns=(), spans=(Span(name="1", rows=1, table=table),)))

    engine = Engine(world.store)
    step = Step(card=INGEST, kind="ingest", subject="rows", by="person:ada")
    made = engine.run(step, ingest).made[0]
    assert engine.run(step, ingest).remembered
    world.tell.now = world.clock.now()
    world.candidate(6)
    world.clock.advance(timedelta(days=91).total_seconds())
    set_back(tmp_path / "store", 7200)
    world.collect()
    assert [problem.id for problem in fsck(world.store).problems] == []
    assert made.id in fsck(world.store).forgotten
    again = engine.run(step, ingest)
    assert (again.remembered, again.made[0].id, len(ran)) == (False, made.id, 2)
    assert made.id not in fsck(world.store).forgotten
    assert fsck(world.store).sound
