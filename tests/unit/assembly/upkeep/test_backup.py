"""A backup is the store as it was at one moment, and a restored store is that store."""

import random
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from parts.page import asked
from parts.s3 import S3Server
from trimtab.adapters.local_store import open_store
from trimtab.adapters.signature import Signer
from trimtab.assembly.store_place import StorePlace
from trimtab.assembly.upkeep.backup import Copied, back_up
from trimtab.assembly.upkeep.backup_place import open_backup_place
from trimtab.assembly.upkeep.fsck import fsck
from trimtab.assembly.upkeep.garbage import collect_garbage
from trimtab.assembly.upkeep.restore import Restored, restore
from trimtab.atoms.content.evidence import Evidence
from trimtab.atoms.error import Damaged, StoreError, UsageError
from trimtab.engine.store import Store
from trimtab.ports.online_features import FeatureValue
from trimtab.testing.storyteller import Storyteller

Start = Callable[..., "subprocess.Popen[str]"]
STREAM = "predictions/late_arrival"


@pytest.fixture
def year(year_folder: Path) -> Iterator[Store]:
    """The year with something of everything that a store holds."""
    store = open_store(year_folder)
    store.streams.append(STREAM, [b"request %d" % number for number in range(500)])
    store.online.put("sky", [FeatureValue(entity="EWR", event_time_us=5, values=(1.5, None))])
    Signer(year_folder / "keys").sign(b"something")
    yield store
    store.close()


def take(store: Store, folder: Path, to: Path, *, signing_key: bool = True) -> Copied:
    return back_up(
        store, folder, open_backup_place(str(to), create=True, store=folder), signing_key=signing_key
    )


def bring(origin: Path, to: Path, **words: bool | str) -> Restored:
    return restore(open_backup_place(str(origin), create=False, store=to), StorePlace(folder=to), **words)  # type: ignore[arg-type]


def page(store: Store) -> str:
    return str(asked(store).get("/").text)


def test_what_comes_back_is_the_same_store(year: Store, year_folder: Path, tmp_path: Path) -> None:
    before = (page(year), year.ledger.head(), {blob.key for blob in year.blobs.stored()})
    took = take(year, year_folder, tmp_path / "backup")
    read = year.streams.read(STREAM)
    year.close()
    shutil.rmtree(year_folder)
    done = bring(tmp_path / "backup", year_folder)
    assert done.soundness.sound
    assert (done.entries, done.chain) == (took.entries, took.chain) == before[1]
    again = open_store(year_folder)
    assert (page(again), again.ledger.head(), {blob.key for blob in again.blobs.stored()}) == before
    assert again.streams.read(STREAM) == read
    assert again.online.as_of("sky", [("EWR", 9)])[0] == FeatureValue(
        entity="EWR", event_time_us=5, values=(1.5, None)
    )
    assert fsck(again, strict=True).sound
    again.close()


def test_the_signing_key_comes_back_for_its_owner_alone(
    year: Store, year_folder: Path, tmp_path: Path
) -> None:
    assert take(year, year_folder, tmp_path / "with").signing_key
    assert not take(year, year_folder, tmp_path / "without", signing_key=False).signing_key
    signature, key_id = Signer(year_folder / "keys").sign(b"bundle")
    for name in ("with", "without"):
        bring(tmp_path / name, tmp_path / f"{name}-store")
        Signer(tmp_path / f"{name}-store" / "keys").verify(b"bundle", signature, key_id)
    path = tmp_path / "with-store" / "keys" / "signing.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes() == (year_folder / "keys" / "signing.key").read_bytes()
    secret = path.read_bytes()
    assert not any(
        each.read_bytes() == secret for each in (tmp_path / "without").rglob("*") if each.is_file()
    )
    assert Signer(tmp_path / "without-store" / "keys").sign(b"next")[1] != key_id


def test_the_second_backup_copies_only_what_is_new(year: Store, year_folder: Path, tmp_path: Path) -> None:
    first = take(year, year_folder, tmp_path / "backup")
    assert take(year, year_folder, tmp_path / "backup").new == 0
    head = year.ledger.head()
    tell = Storyteller(year, year.now())
    tell.tell("engine", "keep", "more", made=[])
    year.blobs.put(b"named by nothing")
    second = take(year, year_folder, tmp_path / "backup")
    assert second.new == 1, "the last segment of the ledger"
    assert second.entries == first.entries + 2
    assert (first.entries, first.chain) == head
    done = bring(tmp_path / "backup", tmp_path / "then", at=first.name)
    assert (done.entries, done.chain) == head


def test_a_restored_store_takes_the_next_backup_too(year: Store, year_folder: Path, tmp_path: Path) -> None:
    take(year, year_folder, tmp_path / "backup")
    bring(tmp_path / "backup", tmp_path / "copy")
    copy = open_store(tmp_path / "copy")
    Storyteller(copy, copy.now()).tell("engine", "keep", "more", made=[])
    copy.close()
    assert bring(tmp_path / "backup", year_folder).new == 0, "the store is the backup already"
    with pytest.raises(StoreError, match="later state"):
        bring(tmp_path / "backup", tmp_path / "copy")


def test_while_others_write(year: Store, year_folder: Path, tmp_path: Path) -> None:
    stop = threading.Event()
    sent: list[bytes] = []

    def write() -> None:
        tell = Storyteller(year, year.now())
        while not stop.is_set():
            thing = tell.thing(Evidence(name="number", facts={"number": len(sent)}))
            tell.tell("engine", "keep", "more", made=[thing])
            record = b"while %d" % len(sent)
            year.streams.append(STREAM, [record])
            sent.append(record)

    writer = threading.Thread(target=write)
    writer.start()
    while len(sent) < 5:
        stop.wait(0.001)
    acknowledged = list(sent)
    took = take(year, year_folder, tmp_path / "backup")
    went_on = len(sent) - len(acknowledged)
    stop.set()
    writer.join()
    assert went_on > 0, "nothing was written meanwhile"
    done = bring(tmp_path / "backup", tmp_path / "copy")
    chain = next(entry.chain for entry in year.ledger.entries(after=took.entries - 1, limit=1))
    assert (done.entries, done.chain) == (took.entries, chain)
    copy = open_store(tmp_path / "copy")
    assert fsck(copy, strict=True).problems == []
    records = copy.streams.read(STREAM)[0]
    assert set(acknowledged) <= set(records)
    assert set(records) <= set(year.streams.read(STREAM)[0])
    copy.close()


def test_what_was_forgotten_is_not_missed(year: Store, year_folder: Path, tmp_path: Path) -> None:
    for blob in (year_folder / "blobs").glob("??/*"):
        _age(blob)
    freed = collect_garbage(year, by="person:ada", older=timedelta(days=1))
    take(year, year_folder, tmp_path / "backup")
    done = bring(tmp_path / "backup", tmp_path / "copy")
    assert done.soundness.sound
    assert len(done.soundness.forgotten) == freed.forgotten


def _age(path: Path) -> None:
    import os

    os.utime(path, (0, 0))


def test_places_that_are_refused(year: Store, year_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="in the store itself"):
        take(year, year_folder, year_folder / "backup")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("once")
    with pytest.raises(UsageError, match="something else"):
        take(year, year_folder, tmp_path / "thesis")
    with pytest.raises(UsageError, match="not there"):
        bring(tmp_path / "nowhere", tmp_path / "copy")
    with pytest.raises(UsageError, match="folder or in s3"):
        open_backup_place("ftp://host/x", create=True)
    open_backup_place(str(tmp_path / "empty"), create=True)
    with pytest.raises(UsageError, match="no finished backup"):
        bring(tmp_path / "empty", tmp_path / "copy")


def test_stores_do_not_mix(year: Store, year_folder: Path, tmp_path: Path) -> None:
    take(year, year_folder, tmp_path / "backup")
    other = open_store(tmp_path / "other")
    Storyteller(other, other.now()).tell("engine", "keep", "else", made=[])
    with pytest.raises(StoreError, match="another store"):
        take(other, tmp_path / "other", tmp_path / "backup")
    head = other.ledger.head()
    with pytest.raises(StoreError, match="another store"):
        bring(tmp_path / "backup", tmp_path / "other")
    assert other.ledger.head() == head
    other.close()


def test_a_store_with_something_missing_is_not_backed_up(
    year: Store, year_folder: Path, tmp_path: Path
) -> None:
    lost = next(path for path in sorted((year_folder / "blobs").glob("??/*")) if path.stat().st_size)
    lost.unlink()
    with pytest.raises(StoreError, match=f"{lost.name} is missing.*fsck"):
        take(year, year_folder, tmp_path / "backup")
    with pytest.raises(UsageError, match="no finished backup"):
        bring(tmp_path / "backup", tmp_path / "copy")


@pytest.mark.parametrize("flips", [pytest.param(12), pytest.param(100, marks=pytest.mark.slow)])
def test_a_flipped_bit_in_a_backup_is_named_and_nothing_is_made_of_it(
    year: Store, year_folder: Path, tmp_path: Path, flips: int
) -> None:
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")  # noqa: T201
    chance = random.Random(seed)
    take(year, year_folder, tmp_path / "backup")
    files = [
        path for path in sorted((tmp_path / "backup").rglob("*")) if path.is_file() and path.stat().st_size
    ]
    for number in range(flips):
        path = chance.choice(files)
        whole = path.read_bytes()
        changed = bytearray(whole)
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        path.write_bytes(changed)
        with pytest.raises(Damaged, match=path.name.removesuffix(".json")):
            bring(tmp_path / "backup", tmp_path / f"copy{number}")
        if (tmp_path / f"copy{number}").exists():
            empty = open_store(tmp_path / f"copy{number}")
            assert empty.ledger.head()[0] == 0
            empty.close()
        path.write_bytes(whole)
    assert bring(tmp_path / "backup", tmp_path / "copy0").soundness.sound


def test_salvage_brings_back_the_rest(year: Store, year_folder: Path, tmp_path: Path) -> None:
    take(year, year_folder, tmp_path / "backup")
    snapshot = next(
        entry.record for entry in year.ledger.entries() if getattr(entry.record, "kind", "") == "window"
    )
    key = snapshot.content  # type: ignore[union-attr]
    (tmp_path / "backup" / "blobs" / key[:2] / key).write_bytes(b"{}")
    with pytest.raises(Damaged, match=f"{key}.*--salvage"):
        bring(tmp_path / "backup", tmp_path / "copy")
    done = bring(tmp_path / "backup", tmp_path / "copy", salvage=True)
    assert [key in line for line in done.lost] == [True]
    assert [problem.id for problem in done.soundness.problems] == [key]
    assert (done.entries, done.chain) == year.ledger.head()


def test_over_s3_into_postgres_and_s3(
    year: Store, year_folder: Path, tmp_path: Path, s3_server: S3Server, postgres_ledger_url: str
) -> None:
    """The chain is of the records, not of the database: any kind of store comes back as any other."""
    url = s3_server.url()
    place = open_backup_place(url, create=True)
    assert not place.local
    took = back_up(year, year_folder, place, signing_key=False)
    assert back_up(year, year_folder, open_backup_place(url, create=True), signing_key=False).new == 0
    target = StorePlace(folder=tmp_path / "far", ledger=postgres_ledger_url, blobs=s3_server.url())
    done = restore(open_backup_place(url, create=False), target)
    assert done.soundness.sound
    with closing(target.open()) as far:
        assert far.ledger.head() == (took.entries, took.chain) == year.ledger.head()
        assert page(far) == page(year)
        assert far.streams.read(STREAM) == year.streams.read(STREAM)
        back_up(far, target.folder, open_backup_place(str(tmp_path / "near"), create=True), signing_key=False)
    assert bring(tmp_path / "near", tmp_path / "again").chain == took.chain


TAKER = """
import sys
from pathlib import Path
from trimtab.adapters.local_store import open_store
from trimtab.assembly.upkeep.backup import back_up
from trimtab.assembly.upkeep.backup_place import open_backup_place
from trimtab.assembly.upkeep.restore import restore
from trimtab.assembly.store_place import StorePlace
what, folder, place = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
def tell(part, done, whole):
    print(part, done, flush=True)
if what == "backup":
    store = open_store(folder)
    opened = open_backup_place(place, create=True)
    back_up(store, folder, opened, signing_key=True, progress=tell)
else:
    restore(open_backup_place(place, create=False), StorePlace(folder=folder), progress=tell)
print("done", flush=True)
"""


def killed(start: Start, chance: random.Random, lines: int, *arguments: object) -> bool:
    """Run a taker and kill it after some of its lines; False where it had ended."""
    child = start(TAKER, *arguments)
    assert child.stdout is not None
    for _ in range(chance.randrange(1, lines)):
        child.stdout.readline()
    child.kill()
    ended = child.stdout.read().endswith("done\n")
    child.wait()
    return not ended


@pytest.mark.parametrize("kills", [pytest.param(3), pytest.param(40, marks=pytest.mark.slow)])
def test_killed_in_the_middle_and_run_again(
    year: Store, year_folder: Path, tmp_path: Path, start: Start, kills: int
) -> None:
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")  # noqa: T201
    chance = random.Random(seed)
    whole = take(year, year_folder, tmp_path / "whole")
    year.close()
    fired = {"backup": 0, "restore": 0}
    for turn in range(kills):
        place, copy = tmp_path / f"backup{turn}", tmp_path / f"copy{turn}"
        if killed(start, chance, 200, "backup", year_folder, place):
            fired["backup"] += 1
            # One that was killed after its very last act is finished, and is brought back below.
            if (place / "manifests").is_dir() and not any((place / "manifests").glob("*.json")):
                with pytest.raises(UsageError, match="no finished backup"):
                    bring(place, copy)
        there = len(list(place.glob("blobs/??/*")))
        store = open_store(year_folder)
        again = take(store, year_folder, place)
        store.close()
        assert again.new <= whole.new - there + 1, "the online features' file may have been written anew"
        fired["restore"] += killed(start, chance, 200, "restore", copy, place)
        done = bring(place, copy)
        assert (done.entries, done.chain, done.soundness.problems) == (whole.entries, whole.chain, [])
        restored = open_store(copy)
        assert fsck(restored, strict=True).sound
        restored.close()
    assert all(fired.values()), f"killed in the middle: {fired}"
