"""Files of a store that a disk or a hand has changed: found and named, never served, and the rest is readable."""

import os
import random
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from load import upload
from mirror import mirror
from operation import ReleaseStep, StreamAppend, prepare

from trimtab.adapters.local_store import open_store
from trimtab.adapters.signature import Signer
from trimtab.assembly.upkeep.fsck import fsck
from trimtab.atoms.error import TrimtabError
from trimtab.engine.store import Store
from trimtab.ports.online_features import FeatureValue

SIGNED = b"what was signed"
VIEW = "sky"
PLACES = [f"airport {number}" for number in range(40)]


@dataclass
class Kept:
    """A closed store, and all that can be read from it."""

    folder: Path
    read: dict[tuple[str, str], Any]
    signature: tuple[str, str]


def value_at(place: str, us: int) -> FeatureValue:
    """What is put for a place at a moment."""
    return FeatureValue(entity=place, event_time_us=us, values=(us / 7, place))


def readings(store: Store, kept: "Kept | None" = None) -> dict[tuple[str, str], Callable[[], Any]]:
    """Everything that can be asked of a store, by its kind and name; names are those of the whole store."""
    asked: dict[tuple[str, str], Callable[[], Any]] = {
        ("ledger", "entries"): lambda: list(store.ledger.entries())
    }
    if kept is None:
        ids = [getattr(entry.record, "id", "") for entry in store.ledger.entries()]
        keys = [blob.key for blob in store.blobs.stored()]
    else:
        ids = [name for kind, name in kept.read if kind == "find"]
        keys = [name for kind, name in kept.read if kind == "blob"]
    asked |= {("find", item): lambda item=item: store.ledger.find(item) for item in ids if item}
    asked |= {("blob", key): lambda key=key: store.blobs.get(key) for key in keys}
    asked[("stream", "log")] = lambda: store.streams.read("log")[0]
    asked |= {
        ("online", place): lambda place=place: store.online.as_of(VIEW, [(place, 10**9)]) for place in PLACES
    }
    return asked


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """A store with something of every kind, closed."""
    folder = tmp_path_factory.mktemp("kept")
    store = open_store(folder / "store")
    prepare(store, folder)
    for number in range(1, 15):
        upload(store, number)
    for number in range(1, 6):
        ReleaseStep(store, folder).do(number)
        StreamAppend(store, folder).do(number)
    store.online.put(VIEW, [value_at(place, us) for place in PLACES for us in (1, 2)])
    signature = Signer(folder / "store" / "keys").sign(SIGNED)
    read = {name: ask() for name, ask in readings(store).items()}
    store.close()
    return Kept(folder / "store", read, signature)


class Examined:
    """What came of opening, reading and examining a store that was changed."""

    def __init__(self, kept: Kept, folder: Path) -> None:
        #: Sentences that were told.
        self.told: list[str] = []
        #: What could not be read, of what there was.
        self.unread: set[tuple[str, str]] = set()
        self._sign(kept, folder)
        try:
            store = open_store(folder, create=False)
        except TrimtabError as error:
            self.told.append(str(error))
            self.unread = set(kept.read)
            return
        try:
            for name, ask in readings(store, kept).items():
                try:
                    answer = ask()
                except KeyError:
                    self.unread.add(name)
                except TrimtabError as error:
                    self.told.append(str(error))
                    self.unread.add(name)
                else:
                    assert self._right(name, answer, kept.read[name]), f"{name}: wrong data was served"
                    if answer != kept.read[name]:
                        self.unread.add(name)
            try:
                problems = fsck(store, strict=True).problems
            except TrimtabError as error:
                self.told.append(
                    str(error)
                )  # nothing more can be read of a file that is no database any more
            else:
                self.told += [problem.says for problem in problems if problem.what != "orphan"]
        finally:
            store.close()

    @staticmethod
    def _right(name: tuple[str, str], answer: Any, whole: Any) -> bool:
        """Whether an answer is right; less than there was is right only where somebody then says so.

        A row of online features that is not found under its entity and moment any more is such a less: the value
        before it answers.
        """
        if answer == whole or answer is None or answer == [None]:
            return True
        if name[0] == "online":
            return bool(answer == [value_at(name[1], 1)])
        return isinstance(answer, list) and answer == whole[: len(answer)]

    def _sign(self, kept: Kept, folder: Path) -> None:
        signer = Signer(folder / "keys")
        for ask in (lambda: signer.verify(SIGNED, *kept.signature), lambda: signer.sign(SIGNED)):
            try:
                answer = ask()
            except TrimtabError as error:
                self.told.append(str(error))
            else:
                assert answer in (None, kept.signature), "another key signed"

    @property
    def found(self) -> bool:
        """Whether anybody said anything."""
        return bool(self.told)


def kind_of(path: Path) -> str:
    """Which kind of file it is."""
    if "blobs" in path.parts:
        return "blob"
    return path.suffix.removeprefix(".") or path.name if "keys" not in path.parts else "key"


def flip_bits(kept: Kept, tmp_path: Path, dice: random.Random, flips: int) -> str:
    """Flip one bit at a time, of all kinds alike; returns what came of it."""
    by_kind: dict[str, list[Path]] = {}
    for path in sorted(kept.folder.rglob("*")):
        if path.is_file() and path.stat().st_size and not path.name.endswith(("-wal", "-shm")):
            by_kind.setdefault(path.name if "sqlite" in path.name else kind_of(path), []).append(path)
    assert {"blob", "ledger.sqlite", "online.sqlite", "seg", "key", "version"} <= set(by_kind)
    counted: Counter[tuple[str, str]] = Counter()
    for number in range(flips):
        kind = sorted(by_kind)[number % len(by_kind)]
        path = dice.choice(by_kind[kind])
        folder = mirror(kept.folder, tmp_path / "changed")
        target = folder / path.relative_to(kept.folder)
        content = bytearray(target.read_bytes())
        place, bit = dice.randrange(len(content)), dice.randrange(8)
        content[place] ^= 1 << bit
        target.write_bytes(content)
        try:
            examined = Examined(kept, folder)
            if not examined.found:
                assert not examined.unread, f"less is read, and nobody says so: {examined.unread}"
                # What is no record: unused bytes of a page, counters that SQLite keeps, white space.
                assert kind in ("ledger.sqlite", "online.sqlite", "version", "key"), "nobody noticed"
        except AssertionError as error:
            error.add_note(f"{target.relative_to(folder)}, byte {place}, bit {bit}")
            raise
        counted[kind, "found" if examined.found else "harmless"] += 1
    return f"{flips} flipped bits: " + ", ".join(
        f"{kind} {what} {count}" for (kind, what), count in sorted(counted.items())
    )


def test_a_hundred_flipped_bits(kept: Kept, tmp_path: Path, dice: random.Random) -> None:
    sys.stdout.write(flip_bits(kept, tmp_path, dice, 100) + "\n")


@pytest.mark.slow
def test_a_thousand_flipped_bits(kept: Kept, tmp_path: Path, dice: random.Random) -> None:
    sys.stdout.write(flip_bits(kept, tmp_path, dice, 1000) + "\n")


def newest(folder: Path, pattern: str) -> Path:
    """The largest file of a kind."""
    return max(folder.glob(pattern), key=lambda path: path.stat().st_size)


CUT = {
    "blob": "blobs/[0-9a-f][0-9a-f]/*",
    "ledger": "ledger.sqlite",
    "online": "online.sqlite",
    "segment": "streams/log/*.seg",
    "version": "version",
    "private key": "keys/signing.key",
    "public key": "keys/*.pub",
}
LEFT = {"nothing": lambda size: 0, "a third": lambda size: size // 3, "all but two": lambda size: size - 2}


@pytest.mark.parametrize("kind", CUT)
@pytest.mark.parametrize("left", LEFT)
def test_a_cut_file_is_found_and_named_and_the_rest_is_readable(
    kept: Kept, tmp_path: Path, kind: str, left: str
) -> None:
    folder = Path(shutil.copytree(kept.folder, tmp_path / "cut"))
    path = newest(folder, CUT[kind])
    os.truncate(path, LEFT[left](path.stat().st_size))
    examined = Examined(kept, folder)
    unread = {name[0] for name in examined.unread}
    if (kind, left) == ("online", "nothing"):
        assert unread == {"online"}  # an empty file is begun anew: missing values, never wrong ones
        return
    assert any(path.name in told for told in examined.told), examined.told
    if kind in ("blob", "segment"):
        assert unread == {"blob" if kind == "blob" else "stream"}, "more than the cut file could not be read"
    elif "key" in kind:
        assert not unread
    elif kind == "online":
        path.unlink()
        assert {name[0] for name in Examined(kept, folder).unread} == {"online"}


def test_a_half_written_blob_is_told_and_all_is_readable(kept: Kept, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(kept.folder, tmp_path / "half"))
    half = folder / "blobs" / "incoming" / "of a process that nobody knows"
    half.write_bytes(b"half a bl")
    examined = Examined(kept, folder)
    assert any(half.name in told for told in examined.told)
    assert not examined.unread
