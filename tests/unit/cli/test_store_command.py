"""The commands that keep the store: gc, backup, restore, fsck."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]


def test_gc_says_what_went(trimtab: Run, year_folder: Path) -> None:
    import os

    orphan = year_folder / "blobs" / "ab" / f"ab{'0' * 62}"
    orphan.write_bytes(b"x" * 10_000)
    os.utime(orphan, (0, 0))
    told = trimtab("gc", "--store", year_folder, "--dry-run")
    assert told.status == 0
    assert "1 blobs of 10,000 bytes would be freed" in told.out
    assert orphan.exists()
    done = json.loads(trimtab("gc", "--store", year_folder, "--json").out)
    assert (done["blobs"], done["bytes"]) == (1, 10_000)
    assert done["disk_bytes_before"] - done["disk_bytes_after"] >= 10_000
    assert not orphan.exists()
    assert trimtab("fsck", "--strict", "--store", year_folder).status == 0


def test_gc_pins_by_name(trimtab: Run, year_folder: Path) -> None:
    pinned = trimtab("gc", "--store", year_folder, "--pin", "late_arrival@1")
    assert "pinned: its parts stay" in pinned.out
    assert trimtab("gc", "--store", year_folder, "--unpin", "late_arrival@1").status == 0
    twice = trimtab("gc", "--store", year_folder, "--unpin", "late_arrival@1")
    assert (twice.status, "is not pinned" in twice.err) == (2, True)


def test_gc_refuses_what_it_cannot_mean(trimtab: Run, year_folder: Path) -> None:
    for words in (["--idle", "soon"], ["--idle", "5s"], ["--older", "old"], ["--pin", "a", "--unpin", "b"]):
        refused = trimtab("gc", "--store", year_folder, *words)
        assert refused.status == 2, words
        assert "Traceback" not in refused.err


def test_a_backup_is_listed_and_comes_back(trimtab: Run, year_folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "backup"
    made = json.loads(trimtab("backup", place, "--store", year_folder, "--json").out)
    again = trimtab("backup", place, "--store", year_folder)
    assert "copied 0 objects" in again.out
    listed = json.loads(trimtab("backup", place, "--store", year_folder, "--list", "--json").out)
    assert [each["chain"] for each in listed] == [made["chain"]] * 2
    assert made["name"] in trimtab("backup", place, "--store", year_folder, "--list").out
    status = trimtab("status", "--store", year_folder, "--json").out
    shutil.rmtree(year_folder)
    back = trimtab("restore", place, "--store", year_folder)
    assert back.status == 0
    assert "fsck: 0 problems" in back.out
    assert trimtab("status", "--store", year_folder, "--json").out == status


def test_a_backup_that_is_not_there(trimtab: Run, tmp_path: Path) -> None:
    nothing = trimtab("restore", tmp_path / "nowhere", "--store", tmp_path / "store")
    assert (nothing.status, "is not there" in nothing.err) == (2, True)
    assert not (tmp_path / "store" / "version").exists()


def test_fsck_names_a_changed_row(trimtab: Run, year_folder: Path) -> None:
    with sqlite3.connect(year_folder / "ledger.sqlite") as hand:
        hand.execute("DROP TRIGGER entry_never_changes")
        hand.execute(
            "UPDATE entry SET body = replace(CAST(body AS TEXT), 'promote', 'PROMOTE') WHERE seq = 30"
        )
        hand.execute("UPDATE entry SET body = replace(CAST(body AS TEXT), 'ingest', 'INGEST') WHERE seq = 1")
    hand.close()
    found = trimtab("fsck", "--store", year_folder)
    assert found.status == 1
    assert "entry 1 " in found.out
