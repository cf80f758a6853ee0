"""Whatever is changed behind the store's back is found and named."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from trimtab.adapters.local_store import open_store
from trimtab.assembly.upkeep.fsck import fsck
from trimtab.assembly.upkeep.soundness import Soundness
from trimtab.atoms.action import Action, action_id
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Limit, Reading, Verdict
from trimtab.atoms.content.snapshot import Column, Folder, Snapshot, Span
from trimtab.atoms.digest import digest_bytes
from trimtab.atoms.instant import iso
from trimtab.engine.engine import Engine
from trimtab.engine.step import Step
from trimtab.engine.store import Store
from trimtab.engine.work import Work
from trimtab.loop.ingest import CARD
from trimtab.rows.file_list import File, Piece, Sort, write_list
from trimtab.testing.memory_store import memory_store
from trimtab.testing.storyteller import Storyteller

TABLE = b"PAR1 the rows of January PAR1"


def ingest(work: Work) -> None:
    table = work.keep_bytes(TABLE)
    snapshot = work.keep(
        Snapshot(
            source="flights",
            columns=(Column(name="delay", dtype="Float64"),),
            spans=(Span(name="2013-01", rows=3, table=table),),
        )
    )
    work.judge(
        "ingest.duplicates",
        work.rules("ingest", {"most": 0}),
        snapshot.id,
        reading=Reading(value=0.0, n=3),
        limit=Limit(at_most=0.0),
        verdict=Verdict.PASS,
        says="no row came twice",
    )


def fill(store: Store) -> Artifact:
    store.streams.append("predictions/late", [b"1", b"2", b"3"])
    store.streams.append("predictions/late", [b"4"])
    return (
        Engine(store).run(Step(card=CARD, kind="ingest", subject="flights", by="person:ada"), ingest).made[0]
    )


def folder_of(store: Store, *, known: bool, size_bytes: int) -> Artifact:
    """A snapshot of one file that lies in a blob of six bytes."""
    tell = Storyteller(store, store.now())
    pack = tell.part(b"abcdef")
    digest = bytes.fromhex(digest_bytes(b"cdef"))
    piece = Piece(digest, size_bytes, bytes.fromhex(pack.blob), 2)
    files = tell.part(write_list([File(b"a.txt", Sort.FILE, size_bytes, digest, (piece,))]))
    folder = Folder(place="a", files=1, size_bytes=size_bytes, lists=(files,), packs=(pack,) if known else ())
    snapshot = tell.thing(Snapshot(source="a", columns=(), spans=(), folder=folder))
    tell.tell("ingest", "ingest", "a", made=[snapshot])
    return snapshot


def test_a_file_list_points_into_packs_only() -> None:
    store = memory_store()
    folder_of(store, known=True, size_bytes=4)
    assert fsck(store).sound
    for known, size_bytes, words in (
        (False, 4, "none of its packs"),
        (True, 5, "up to byte 7, but that has 6"),
    ):
        store = memory_store()
        snapshot = folder_of(store, known=known, size_bytes=size_bytes)
        problems = fsck(store).problems
        assert [(each.what, each.id) for each in problems] == [("content", snapshot.id)]
        assert words in problems[0].says


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def snapshot(store: Store) -> Artifact:
    return fill(store)


def blob(folder: Path, key: str) -> Path:
    return folder / "blobs" / key[:2] / key


def table_key(store: Store, snapshot: Artifact) -> str:
    return store.read(snapshot.id, Snapshot).spans[0].table.blob


def by_hand(folder: Path, statement: str) -> None:
    connection = sqlite3.connect(folder / "ledger.sqlite")
    connection.execute("DROP TRIGGER entry_never_changes")
    connection.execute("DROP TRIGGER entry_never_goes")
    connection.execute(statement)
    connection.commit()
    connection.close()


def told(found: Soundness) -> list[tuple[str, str]]:
    return [(problem.what, problem.id) for problem in found.problems]


def test_a_whole_store_is_sound_and_counted(store: Store, snapshot: Artifact) -> None:
    parts = []
    found = fsck(store, strict=True, on_progress=lambda part, done, whole: parts.append(part))
    assert found.sound
    assert (found.entries, found.artifacts, found.checks, found.actions) == (5, 2, 1, 1)
    assert found.blobs == 3
    assert found.bytes == snapshot.size_bytes + len(TABLE) + store.artifact(store_rules(store)).size_bytes
    assert list(dict.fromkeys(parts)) == ["entries", "artifacts", "bytes", "streams"]


def store_rules(store: Store) -> str:
    return next(
        entry.record.id
        for entry in store.ledger.entries()
        if isinstance(entry.record, Artifact) and entry.record.kind == "rules"
    )


def test_a_store_in_memory_can_be_examined_too() -> None:
    store = memory_store()
    fill(store)
    assert fsck(store, strict=True).sound


def test_a_flipped_bit_in_a_part(store: Store, snapshot: Artifact, tmp_path: Path) -> None:
    key = table_key(store, snapshot)
    content = bytearray(blob(tmp_path, key).read_bytes())
    content[7] ^= 4
    blob(tmp_path, key).write_bytes(content)
    found = fsck(store)
    assert told(found) == [("blob", key)]
    assert str(blob(tmp_path, key)) in found.problems[0].says
    assert (
        f"snapshot {snapshot.id[:12]}" in found.problems[0].says or snapshot.id[:12] in found.problems[0].says
    )


def test_a_flipped_bit_in_content(store: Store, snapshot: Artifact, tmp_path: Path) -> None:
    content = bytearray(blob(tmp_path, snapshot.content).read_bytes())
    content[-5] ^= 1
    blob(tmp_path, snapshot.content).write_bytes(content)
    assert told(fsck(store)) == [("blob", snapshot.content)]


@pytest.mark.parametrize("which", ["part", "content"])
def test_a_blob_that_is_gone(store: Store, snapshot: Artifact, tmp_path: Path, which: str) -> None:
    key = table_key(store, snapshot) if which == "part" else snapshot.content
    blob(tmp_path, key).unlink()
    found = fsck(store)
    assert told(found) == [("blob", key)]
    assert "missing" in found.problems[0].says


def test_an_entry_changed_by_hand(store: Store, snapshot: Artifact, tmp_path: Path) -> None:
    by_hand(tmp_path, "UPDATE entry SET body = replace(CAST(body AS TEXT), 'ada', 'eve') WHERE seq = 1")
    found = fsck(store)
    assert ("chain", "1") in told(found)
    assert "changed" in found.problems[0].says


def test_an_entry_taken_out_by_hand(store: Store, snapshot: Artifact, tmp_path: Path) -> None:
    by_hand(tmp_path, "DELETE FROM entry WHERE name = 'check'")
    found = fsck(store)
    assert told(found)[0] == ("chain", "4")
    assert any(problem.what == "law" and "judged" in problem.says for problem in found.problems)


def test_a_history_written_anew_with_its_chain(store: Store, snapshot: Artifact, tmp_path: Path) -> None:
    """Who forges an artifact and mends the chain after it still cannot give it the id of another."""
    from trimtab.atoms.entry import GENESIS, chain_value

    connection = sqlite3.connect(tmp_path / "ledger.sqlite")
    connection.execute("DROP TRIGGER entry_never_changes")
    connection.execute(
        "UPDATE entry SET body = CAST(replace(CAST(body AS TEXT), ?, ?) AS BLOB) WHERE seq = 2",
        (snapshot.content, "0" * 64),
    )
    chain = GENESIS
    for seq, name, body in connection.execute("SELECT seq, name, body FROM entry ORDER BY seq").fetchall():
        chain = chain_value(chain, name, body)
        connection.execute("UPDATE entry SET chain = ? WHERE seq = ?", (chain, seq))
    connection.commit()
    connection.close()
    assert ("id", snapshot.id) in told(fsck(store))


def test_a_blob_that_nobody_names_is_told_and_only_strictly_a_problem(
    store: Store, snapshot: Artifact
) -> None:
    key = store.blobs.put(b"left by a killed process")
    found = fsck(store)
    assert found.sound
    assert found.orphans == [key]
    assert told(fsck(store, strict=True)) == [("orphan", key)]


def test_an_unfinished_file_is_strictly_a_problem(store: Store, snapshot: Artifact, tmp_path: Path) -> None:
    (tmp_path / "blobs" / "incoming" / "half").write_bytes(b"ha")
    assert fsck(store).sound
    assert told(fsck(store, strict=True)) == [("temporary", "half")]


def test_a_blob_that_was_set_aside_is_strictly_a_problem(
    store: Store, snapshot: Artifact, tmp_path: Path
) -> None:
    key = table_key(store, snapshot)
    blob(tmp_path, key).rename(tmp_path / "blobs" / "outgoing" / key)
    assert fsck(store).sound, "it can still be read"
    assert told(fsck(store, strict=True)) == [("temporary", key)]


def test_an_action_whose_process_died_is_strictly_a_problem(store: Store, snapshot: Artifact) -> None:
    at = store.now()
    dead, alive = (
        Action(id=action_id(at), kind="ingest", stage="ingest", by="person:ada", key=key, at=iso(at))
        for key in ("dead", "alive")
    )
    store.ledger.append([dead, alive])
    assert store.ledger.take_lease("step:alive", "elsewhere:1:2", 60)
    before = store.ledger.head()
    assert sorted(fsck(store).open_actions) == sorted([dead.id, alive.id])
    assert fsck(store).sound
    assert told(fsck(store, strict=True)) == [("dead", dead.id)]
    assert store.ledger.head() == before


def test_the_last_entry_taken_out_by_hand(store: Store, snapshot: Artifact, tmp_path: Path) -> None:
    by_hand(tmp_path, "DELETE FROM entry WHERE seq = (SELECT max(seq) FROM entry)")
    assert told(fsck(store))[0] == ("chain", "5")


def test_a_row_that_cannot_be_found_by_its_id(store: Store, snapshot: Artifact, tmp_path: Path) -> None:
    by_hand(tmp_path, "UPDATE entry SET id = 'another' WHERE seq = 2")
    found = fsck(store)
    assert told(found) == [("file", "SqliteLedger")]
    assert "entry 2 " in found.problems[0].says


def test_a_torn_index_is_found(store: Store, snapshot: Artifact, tmp_path: Path) -> None:
    store.close()
    connection = sqlite3.connect(tmp_path / "ledger.sqlite")
    connection.execute("PRAGMA writable_schema=ON")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (page,) = connection.execute(
        "SELECT rootpage FROM sqlite_master WHERE name = 'closing_by_action'"
    ).fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    with (tmp_path / "ledger.sqlite").open("r+b") as file:
        file.seek((page - 1) * size + size - 20)
        file.write(b"\x00" * 20)
    opened = open_store(tmp_path)
    assert ("file", "SqliteLedger") in told(fsck(opened))
    opened.close()


def test_a_damaged_stream_is_named(store: Store, snapshot: Artifact, tmp_path: Path) -> None:
    (path,) = (tmp_path / "streams").rglob("*.seg")
    content = bytearray(path.read_bytes())
    content[12] ^= 1
    path.write_bytes(content)
    store.streams.append("outcomes/late", [b"1"])
    found = fsck(store)
    assert told(found) == [("stream", "predictions/late")]
    assert path.name in found.problems[0].says


def test_a_kind_that_this_program_does_not_know(
    store: Store, snapshot: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trimtab.assembly import part_list as module

    known = {kind: content for kind, content in module.KINDS.items() if kind != "snapshot"}
    monkeypatch.setattr(module, "KINDS", known)
    found = fsck(store)
    assert told(found) == [("content", snapshot.id)]
    assert "upgrade" in found.problems[0].says
