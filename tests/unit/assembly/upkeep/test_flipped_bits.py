"""A flipped bit anywhere in what a store remembers is found and named, and what it is in is never handed out."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from trimtab.adapters.local_store import open_store
from trimtab.assembly.upkeep.fsck import fsck
from trimtab.atoms.entry import Entry
from trimtab.atoms.error import Damaged
from trimtab.engine.store import Store
from trimtab.testing.example_year import example_year

STREAM = "predictions/late"


@dataclass
class World:
    """A store on disk, and a hand that changes it behind its back."""

    folder: Path
    store: Store
    hand: sqlite3.Connection

    def row(self, chance: random.Random) -> tuple[str, str]:
        """Flip a bit in a column of an entry; returns its number and how to undo it."""
        (count,) = self.hand.execute("SELECT count(*) FROM entry").fetchone()
        seq, column = (
            chance.randrange(1, count + 1),
            chance.choice(["body", "body", "body", "chain", "name", "id"]),
        )
        (value,) = self.hand.execute(
            f"SELECT CAST({column} AS BLOB) FROM entry WHERE seq = ?", (seq,)
        ).fetchone()
        flipped = flip(value, chance)
        kind = "BLOB" if column == "body" else "TEXT"
        statement = f"UPDATE entry SET {column} = CAST(? AS {kind}) WHERE seq = ?"
        try:
            self.hand.execute(statement, (flipped, seq))
        except sqlite3.IntegrityError:  # a name that the indexes tell by themselves
            return self.row(chance)
        return str(seq), f"UPDATE entry SET {column} = CAST(x'{value.hex()}' AS {kind}) WHERE seq = {seq}"


def flip(content: bytes, chance: random.Random) -> bytes:
    """The content with one bit of it turned."""
    changed = bytearray(content)
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    store = open_store(tmp_path / "store")
    example_year(store, days=12)
    for number in range(50):
        store.streams.append(STREAM, [b"request %d of many" % number])
    store.close()  # the segment has its end
    store = open_store(tmp_path / "store")
    hand = sqlite3.connect(tmp_path / "store" / "ledger.sqlite", isolation_level=None)
    for (trigger,) in hand.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        hand.execute(f"DROP TRIGGER {trigger}")
    yield World(tmp_path / "store", store, hand)
    hand.close()
    store.close()


@pytest.mark.parametrize("flips", [pytest.param(100), pytest.param(1000, marks=pytest.mark.slow)])
def test_every_flipped_bit_is_found_and_none_is_served(world: World, flips: int) -> None:
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")  # noqa: T201
    chance = random.Random(seed)
    files = sorted(world.folder.glob("blobs/??/*")) + sorted(world.folder.rglob("*.seg")) * 20
    files = [path for path in files if path.stat().st_size]
    assert fsck(world.store, strict=True).sound
    for number in range(flips):
        if number % 3 == 0:
            seq, undo = world.row(chance)
            found = {problem.id for problem in fsck(world.store).problems}
            told = [problem.says for problem in fsck(world.store).problems]
            assert seq in found or any(f"entry {seq} " in says for says in told), (number, told)
            world.hand.execute(undo)
            continue
        path = chance.choice(files)
        content = path.read_bytes()
        path.write_bytes(flip(content, chance))
        (problem,) = fsck(world.store).problems
        assert path.name in problem.says, number
        read = partial(world.store.blobs.get, path.name)
        with pytest.raises(Damaged, match=path.name):
            _ = world.store.streams.read(STREAM) if path.suffix == ".seg" else read()
        path.write_bytes(content)
    assert fsck(world.store, strict=True).sound


def test_a_changed_row_is_never_handed_out(world: World) -> None:
    chance = random.Random(5)
    whole = list(world.store.ledger.entries())
    refused = 0
    for _ in range(30):
        seq, undo = world.row(chance)
        read: list[Entry] = []
        with suppress(Damaged):
            read.extend(world.store.ledger.entries())
        assert read in (whole, whole[: len(read)])
        refused += len(read) < int(seq)
        world.hand.execute(undo)
    assert refused > 15
