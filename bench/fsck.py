"""fsck of a store of about 1 GB, beside hashing the same files by hand. Asserts nothing.

python bench/fsck.py [MEGABYTES]
"""
# ruff: noqa: T201 (it prints its result)

import hashlib
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from trimtab.adapters.local_store import open_store
from trimtab.assembly.upkeep.fsck import fsck
from trimtab.atoms.content.snapshot import Snapshot, Span
from trimtab.engine.store import Store
from trimtab.testing.storyteller import Storyteller

#: Sizes of the tables and how many of each there are, for 1,000 MB together.
TABLES = ((16_000_000, 50), (1_000_000, 150), (50_000, 1_000))


def fill(store: Store, megabytes: int) -> None:
    """Snapshots of ten tables each, over random bytes."""
    chance = random.Random(3)
    tell = Storyteller(store, datetime(2026, 1, 1, tzinfo=UTC))
    sizes = [size for size, count in TABLES for _ in range(count * megabytes // 1000)]
    for start in range(0, len(sizes), 10):
        spans = tuple(
            Span(name=f"{start + place:06}", rows=1, table=tell.part(chance.randbytes(size)))
            for place, size in enumerate(sizes[start : start + 10])
        )
        tell.tell(
            "ingest", "ingest", "rows", made=[tell.thing(Snapshot(source="rows", columns=(), spans=spans))]
        )
        tell.now += timedelta(hours=1)


def measured(work: Callable[[], int]) -> tuple[int, float, float]:
    """Bytes, seconds of the wall clock, and seconds of processor time of a piece of work."""
    wall, before = time.perf_counter(), os.times()
    done = work()
    after = os.times()
    return done, time.perf_counter() - wall, after.user + after.system - before.user - before.system


def by_hand(folder: Path) -> int:
    """Read and hash every blob with nothing around it."""
    done = 0
    for path in folder.glob("blobs/??/*"):
        content = path.read_bytes()
        assert hashlib.sha256(content).hexdigest() == path.name
        done += len(content)
    return done


def main() -> None:
    """Print the table."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory(prefix="trimtab-bench-") as place:
        folder = Path(place) / "store"
        store = open_store(folder)
        fill(store, megabytes)
        print("| what | MB | s | MB/s | processor s | MB/s a core |")
        print("|---|---|---|---|---|---|")
        works: dict[str, Callable[[], int]] = {
            "sha256 of the files by hand, one thread": lambda: by_hand(folder),
            "trimtab fsck": lambda: fsck(store).bytes,
            "trimtab fsck --strict": lambda: fsck(store, strict=True).bytes,
        }
        by_hand(folder)  # the page cache is warm for all of them
        for name, work in works.items():
            done, wall, cores = measured(work)
            size = done / 1e6
            print(
                f"| {name} | {size:,.0f} | {wall:.2f} | {size / wall:,.0f} | {cores:.2f} | {size / cores:,.0f} |",
                flush=True,
            )
        store.close()


if __name__ == "__main__":
    main()
