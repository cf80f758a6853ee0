"""Garbage: bytes that nothing needs go, and never another one, whoever is at work or is killed meanwhile."""

import random
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from parts.s3 import S3Server
from trimtab.adapters.local_store import open_store
from trimtab.assembly.store_place import StorePlace
from trimtab.assembly.upkeep.disk import disk_bytes
from trimtab.assembly.upkeep.fsck import fsck
from trimtab.assembly.upkeep.garbage import Freed, collect_garbage
from trimtab.atoms.content.snapshot import Snapshot, Span
from trimtab.atoms.error import StoreError
from trimtab.engine.engine import Engine
from trimtab.engine.step import Step
from trimtab.engine.store import Store
from trimtab.engine.work import Work
from trimtab.loop.ingest import CARD

HOUR = 3600.0
SetBack = Callable[[Path, float], None]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "store")
    yield opened
    opened.close()


def collect(store: Store, **words: object) -> Freed:
    return collect_garbage(store, by="person:ada", **words)  # type: ignore[arg-type]


def keep(
    store: Store, *tables: bytes, source: str = "flights", before: Callable[[], None] = lambda: None
) -> str:
    """A snapshot that a step makes of these tables, after calling `before`; its artifact id."""

    def ingest(work: Work) -> None:
        before()
        spans = tuple(
            Span(name=f"{number:04}", rows=1, table=work.keep_bytes(table))
            for number, table in enumerate(tables)
        )
        work.keep(Snapshot(source=source, columns=(), spans=spans))

    step = Step(card=CARD, kind="ingest", subject=source, by="person:ada", remembered=False)
    return Engine(store).run(step, ingest).made[0].id


def tables(store: Store, snapshot: str) -> list[bytes]:
    return [store.part(span.table) for span in store.read(snapshot, Snapshot).spans]


def test_what_nobody_names_goes_and_the_rest_stays(store: Store, tmp_path: Path, set_back: SetBack) -> None:
    snapshot = keep(store, b"January" * 10_000, b"February" * 10_000)
    for number in range(20):
        store.blobs.put(bytes([number]) * 100_000)
    set_back(tmp_path / "store", 2 * HOUR)
    young = store.blobs.put(b"put a moment ago")
    before = disk_bytes(tmp_path / "store")
    du = subprocess.run(["du", "-s", "--block-size=1", tmp_path / "store"], capture_output=True, check=True)
    assert before == int(du.stdout.split()[0])
    told = collect(store, dry_run=True)
    assert disk_bytes(tmp_path / "store") == before
    freed = collect(store)
    assert (told.blobs, told.bytes) == (freed.blobs, freed.bytes) == (20, 2_000_000)
    assert (freed.young, freed.kept) == (1, 3)
    assert before - disk_bytes(tmp_path / "store") >= 2_000_000
    assert store.blobs.get(young)
    assert tables(store, snapshot) == [b"January" * 10_000, b"February" * 10_000]
    assert collect(store).blobs == 0
    assert fsck(store).sound


def test_what_a_step_kept_hours_ago_and_has_not_recorded_yet_stays(
    store: Store, tmp_path: Path, set_back: SetBack
) -> None:
    found: list[Freed] = []

    def slow(work: Work) -> None:
        table = work.keep_bytes(b"kept early")
        set_back(tmp_path / "store", 5 * HOUR)
        found.append(collect(store, idle=timedelta(0)))
        work.keep(Snapshot(source="flights", columns=(), spans=(Span(name="1", rows=1, table=table),)))

    store.blobs.put(b"left by a killed process")
    store.ledger.append(_opened_hours_ago(store, 6))
    made = Engine(store).run(Step(card=CARD, kind="ingest", subject="flights", by="person:ada"), slow).made[0]
    assert (found[0].blobs, found[0].young) == (0, 2)
    assert tables(store, made.id) == [b"kept early"]


def _opened_hours_ago(store: Store, hours: float) -> list[object]:
    """An Action that another live process has been at for so long."""
    from trimtab.atoms.action import Action, action_id
    from trimtab.atoms.instant import iso

    at = store.now() - timedelta(hours=hours)
    assert store.ledger.take_lease("step:theirs", "elsewhere:1:2", 60)
    return [
        Action(id=action_id(at), kind="ingest", stage="ingest", by="person:eve", key="theirs", at=iso(at))
    ]


def test_two_do_not_work_at_once(store: Store) -> None:
    assert store.ledger.take_lease("step:garbage", "elsewhere:1:2", 60)
    with pytest.raises(StoreError, match="at work already"):
        collect(store)


def test_where_a_content_cannot_be_read_nothing_goes(store: Store, tmp_path: Path, set_back: SetBack) -> None:
    snapshot = store.artifact(keep(store, b"January"))
    orphan = store.blobs.put(b"left by a killed process")
    set_back(tmp_path / "store", 2 * HOUR)
    (tmp_path / "store" / "blobs" / snapshot.content[:2] / snapshot.content).write_bytes(b"{}")
    with pytest.raises(StoreError, match=f"{snapshot.id[:12]}.*restore it"):
        collect(store)
    assert store.blobs.get(orphan)


def test_blobs_and_ledger_elsewhere(tmp_path: Path, s3_server: S3Server, postgres_ledger_url: str) -> None:
    url = s3_server.url()
    prefix = url.partition("?")[0].rpartition("/")[2]
    place = StorePlace(folder=tmp_path / "far", ledger=postgres_ledger_url, blobs=url)
    with closing(place.open()) as far:
        snapshot = keep(far, b"January")
        orphan, young = far.blobs.put(b"left by a killed process"), far.blobs.put(b"put a moment ago")
        for blob in far.blobs.stored():
            if blob.key != young:
                s3_server.age(f"{prefix}/blobs/{blob.key[:2]}/{blob.key}", 3 * HOUR)
        freed = collect(far)
        assert (freed.blobs, freed.young, freed.kept) == (1, 1, 2)
        assert far.blobs.find(orphan) is None
        assert tables(far, snapshot) == [b"January"]


RACES = [pytest.param(50), pytest.param(1000, marks=pytest.mark.slow)]


@pytest.mark.parametrize("races", RACES)
def test_races_against_an_upload_of_the_same_blob(
    store: Store, tmp_path: Path, set_back: SetBack, races: int
) -> None:
    """A blob that nobody needs is discarded while a step keeps it again: the step's snapshot has it, always."""
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")  # noqa: T201
    chance = random.Random(seed)
    discarded = 0
    for race in range(races):
        content = b"table of race %d" % race
        store.blobs.put(content)
        set_back(tmp_path / "store", 2 * HOUR)
        opened, begun = threading.Event(), threading.Event()
        wait = partial(_wait, opened, begun, chance.choice([0.002, 0.0002]) * chance.random())
        with ThreadPoolExecutor(1) as pool:
            upload = pool.submit(keep, store, content, before=wait)
            opened.wait(10)
            freed = collect(store, progress=partial(_tell, begun, chance.choice(["artifacts", "blobs"])))
            begun.set()
            assert tables(store, upload.result()) == [content]
        discarded += freed.blobs
    print(f"{discarded} of {races} blobs were discarded first")  # noqa: T201
    assert 0 < discarded < races, "one side was always first: there was no race"
    assert fsck(store, strict=True).sound


def _tell(begun: threading.Event, awaited: str, part: str, done: int, whole: int) -> None:
    if part == awaited:
        begun.set()


def _wait(opened: threading.Event, begun: threading.Event, seconds: float) -> None:
    """Say that the step has begun; go on a moment after the collection began to look."""
    opened.set()
    begun.wait(10)
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


COLLECTOR = """
import sys
from datetime import timedelta
from pathlib import Path
from trimtab.adapters.local_store import open_store
from trimtab.assembly.upkeep.garbage import collect_garbage
store = open_store(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
def tell(part, done, whole):
    print(part, done, flush=True)
collect_garbage(store, by="person:ada", idle=timedelta(0), older=timedelta(0), progress=tell)
print("done", flush=True)
"""


@pytest.mark.parametrize("kills", [pytest.param(4), pytest.param(40, marks=pytest.mark.slow)])
def test_a_killed_one_is_finished_by_the_next(
    tmp_path: Path, start: Start, set_back: SetBack, kills: int
) -> None:
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")  # noqa: T201
    chance = random.Random(seed)
    folder = tmp_path / "store"
    killed = 0
    for turn in range(kills):
        store = open_store(folder)
        keep(store, *(b"old %d %d" % (turn, number) for number in range(200)))
        newest = keep(store, b"new %d" % turn)
        for number in range(200):
            store.blobs.put(b"orphan %d %d" % (turn, number))
        set_back(folder, 10)
        store.close()
        child = start(COLLECTOR, folder)
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == "ready\n"
        child.stdin.write("\n")
        child.stdin.flush()
        for _ in range(chance.randrange(500)):
            child.stdout.readline()
        child.kill()
        killed += not child.stdout.read().endswith("done\n")
        child.wait()
        store = open_store(folder)
        assert fsck(store).sound
        collect(store, idle=timedelta(0), older=timedelta(0))
        found = fsck(store, strict=True)
        assert found.problems == []
        assert len(found.forgotten) == 1 + turn * 2
        assert tables(store, newest) == [b"new %d" % turn]
        store.close()
    assert killed, "every collector ended before it was killed"


BUILDER = """
import sys, time
from pathlib import Path
from trimtab.adapters.local_store import open_store
from trimtab.atoms.content.snapshot import Snapshot, Span
from trimtab.engine.engine import Engine
from trimtab.engine.step import Step
from trimtab.loop.ingest import CARD
store = open_store(Path(sys.argv[1]))
def slow(work):
    spans = []
    for number in range(40):
        spans.append(Span(name=f"{number:04}", rows=1, table=work.keep_bytes(b"part %d" % number)))
        print(number, flush=True)
        time.sleep(0.02)
    work.keep(Snapshot(source="flights", columns=(), spans=tuple(spans)))
made = Engine(store).run(Step(card=CARD, kind="ingest", subject="flights", by="person:ada"), slow).made
print(made[0].id, flush=True)
store.close()
"""


def test_a_build_that_keeps_parts_slowly_loses_none(store: Store, tmp_path: Path, start: Start) -> None:
    child = start(BUILDER, tmp_path / "store")
    assert child.stdout is not None
    assert child.stdout.readline() == "0\n"
    spared = 0
    while child.poll() is None:
        spared = max(spared, collect(store, idle=timedelta(0)).young)
    assert spared > 5, "nothing was collected while the build was at work"
    snapshot = child.stdout.read().split()[-1]
    assert tables(store, snapshot) == [b"part %d" % number for number in range(40)]
    assert fsck(store, strict=True).sound
