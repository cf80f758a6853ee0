"""A store that an earlier release wrote opens as before, with a copy beside it, whenever the process dies."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from trimtab.adapters.local_store import open_store
from trimtab.adapters.sql_ledger.migration import VERSION
from trimtab.adapters.sqlite_ledger import SqliteLedger
from trimtab.assembly.upkeep.fsck import fsck
from trimtab.atoms.entry import RECORD_NAMES, chain_value, record_bytes
from trimtab.atoms.error import StoreError
from trimtab.testing.example_record import made
from trimtab.testing.ledger_suite import chain_holds

ROOT = Path(__file__).parents[4]
#: Written by release 0.1.0 itself: `project.py` in it says of what.
KEPT = ROOT / "tests" / "data" / "store-0.1.0.tar.xz"
#: The last commit whose ledger has version 1.
OLD_PROGRAM = "2c5485c081fcc3429157c4116c706d072faec190"
ENTRIES, CHAIN = 76, "c4261d740abdefe03fa5a6f7277ca1b9793bb9810957a95567b9787e79b548ab"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    with tarfile.open(KEPT) as kept:
        kept.extractall(tmp_path / "project", filter="data")
    return tmp_path / "project"


@pytest.fixture
def path(project: Path) -> Path:
    return project / ".trimtab" / "ledger.sqlite"


def version_of(path: Path) -> int:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        (version,) = connection.execute("SELECT value FROM meta WHERE name = 'version'").fetchone()
        return int(version)
    finally:
        connection.close()


def rows_of(path: Path) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return connection.execute("SELECT * FROM entry ORDER BY seq").fetchall()
    finally:
        connection.close()


def test_the_store_of_the_first_release_opens_with_a_copy_beside_it(project: Path, path: Path) -> None:
    assert version_of(path) == 1
    before = rows_of(path)
    store = open_store(project / ".trimtab")
    assert store.ledger.head() == (ENTRIES, CHAIN)
    found = fsck(store, strict=True)
    assert found.sound, found.problems
    assert found.entries == ENTRIES
    assert store.ledger.append(made(1), key="k") == ENTRIES + 3
    store.close()
    assert version_of(path) == VERSION == 2
    copy = path.with_name("ledger.sqlite.before-2")
    assert version_of(copy) == 1
    assert rows_of(copy) == before
    assert [each.name for each in path.parent.glob("*.before-*")] == [copy.name]


def test_a_second_opening_migrates_nothing(path: Path) -> None:
    SqliteLedger(path).close()
    copy = path.with_name("ledger.sqlite.before-2")
    copy.unlink()
    SqliteLedger(path).close()
    assert not copy.exists()


def test_the_copy_is_a_store_of_the_earlier_version_again(path: Path) -> None:
    SqliteLedger(path).close()
    shutil.copy(path.with_name("ledger.sqlite.before-2"), path)
    again = SqliteLedger(path)
    assert again.head() == (ENTRIES, CHAIN)
    assert chain_holds(again)
    again.close()


def test_what_has_no_entries_needs_no_copy(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("DROP TRIGGER entry_never_goes")
    connection.execute("DELETE FROM entry")
    connection.commit()
    connection.close()
    SqliteLedger(path).close()
    assert version_of(path) == VERSION
    assert not path.with_name("ledger.sqlite.before-2").exists()


OPEN = """
import sys
from pathlib import Path
from trimtab.adapters.sqlite_ledger import SqliteLedger
from trimtab.testing.example_record import made
sys.stdin.readline()
ledger = SqliteLedger(Path(sys.argv[1]))
ledger.append(made(int(sys.argv[2])))
ledger.close()
"""


def test_processes_that_open_it_at_once_migrate_it_once_without_an_error(path: Path) -> None:
    before = rows_of(path)
    children = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, str(path), str(number)],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": ":".join(sys.path)},
        )
        for number in range(6)
    ]
    said = []
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    for child in children:
        said.append((child.communicate(timeout=60)[1], child.returncode))
    assert said == [("", 0)] * 6
    ledger = SqliteLedger(path)
    assert ledger.head()[0] == ENTRIES + 6 * 3
    assert chain_holds(ledger)
    ledger.close()
    assert rows_of(path.with_name("ledger.sqlite.before-2")) == before


#: Dies by kill -9 as the given statement of the opening begins, counted over all of its connections.
DIE = """
import os, signal, sqlite3, sys
from pathlib import Path
from trimtab.adapters.sqlite_ledger import copy_before, schema
left = int(sys.argv[2])
real = schema.connect
def connect(path):
    connection = real(path)
    def count(sql):
        global left
        left -= 1
        if left < 0:
            print(sql.strip().splitlines()[0], flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
    connection.set_trace_callback(count)
    return connection
schema.connect = copy_before.connect = connect
schema.open_ledger_file(Path(sys.argv[1]))
"""


def test_a_kill_at_any_statement_of_the_migration_is_made_good_by_the_next_opening(
    path: Path, tmp_path: Path
) -> None:
    before, died = rows_of(path), []
    for statement in range(1000):
        victim = tmp_path / str(statement) / path.name
        victim.parent.mkdir()
        shutil.copy(path, victim)
        child = subprocess.run(
            [sys.executable, "-c", DIE, str(victim), str(statement)],
            capture_output=True,
            text=True,
            env={"PYTHONPATH": ":".join(sys.path)},
            check=False,
        )
        if child.returncode == 0:
            break
        assert child.returncode == -9, child.stderr
        died.append(child.stdout.strip())
        ledger = SqliteLedger(victim)
        assert ledger.head() == (ENTRIES, CHAIN), died[-1]
        assert ledger.append(made(1)) == ENTRIES + 3
        assert chain_holds(ledger)
        ledger.close()
        assert version_of(victim) == VERSION
        assert rows_of(victim.with_name("ledger.sqlite.before-2")) == before, died[-1]
        assert not list(victim.parent.glob("*.part")), died[-1]
    assert any("CREATE TABLE append_key" in statement for statement in died), "no kill fell into the step"
    assert any("INSERT INTO head" in statement for statement in died)
    assert any("integrity_check" in statement for statement in died), "no kill fell into the copying"
    assert "COMMIT" in died


FULL = """
import resource, sys
from pathlib import Path
from trimtab.adapters.sqlite_ledger import SqliteLedger
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
SqliteLedger(Path(sys.argv[1]))
"""


def test_without_room_for_the_copy_nothing_is_migrated(path: Path) -> None:
    child = subprocess.run(
        [sys.executable, "-c", FULL, str(path)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
        check=False,
    )
    assert child.returncode == 1
    assert "nothing was migrated" in child.stderr
    assert version_of(path) == 1
    assert [each.name for each in path.parent.glob("*.before-*")] == []


def test_a_program_that_had_it_open_before_may_go_on_writing(path: Path) -> None:
    """It knows no head to record; its entries are part of the chain all the same."""
    old = sqlite3.connect(path)
    ledger = SqliteLedger(path)
    seq, chain = ledger.head()
    for record in made(1):
        name, body = RECORD_NAMES[type(record)], record_bytes(record)
        seq, chain = seq + 1, chain_value(chain, name, body)
        key = record.action if name == "closing" else record.id  # type: ignore[union-attr]
        old.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?)", (seq, name, key, body, chain))
    old.commit()
    old.close()
    assert ledger.head() == (ENTRIES + 3, chain)
    assert ledger.append(made(2)) == ENTRIES + 6
    assert chain_holds(ledger)
    ledger.close()


def test_a_copy_that_is_not_equal_stops_the_migration(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a disk that gives back something else than was written."""
    from trimtab.adapters.sqlite_ledger import copy_before

    real = copy_before._copy

    def forgetful(source: Path, draft: Path) -> None:
        real(source, draft)
        connection = sqlite3.connect(draft)
        connection.execute("DROP TRIGGER entry_never_changes")
        connection.execute(
            "UPDATE entry SET body = replace(CAST(body AS TEXT), 'root', 'toor') WHERE seq = 5"
        )
        connection.execute("UPDATE entry SET name = 'x' WHERE seq = 5")
        connection.commit()
        connection.close()

    monkeypatch.setattr(copy_before, "_copy", forgetful)
    with pytest.raises(StoreError, match="not equal"):
        SqliteLedger(path)
    assert version_of(path) == 1
    assert [each.name for each in path.parent.glob("*.before-*")] == []


OLD = """
import sys, trimtab
assert trimtab.__file__.startswith(sys.argv.pop(1)), trimtab.__file__
from trimtab.cli.program import main
sys.exit(main())
"""


def test_the_older_program_refuses_the_newer_store(project: Path, path: Path, tmp_path: Path) -> None:
    """Its own code, from the history, against the store that this one has migrated."""
    archive = subprocess.run(
        ["git", "-C", ROOT, "archive", "--format=tar", OLD_PROGRAM, "src"], capture_output=True, check=False
    )
    if archive.returncode != 0:
        reason = f"the history up to {OLD_PROGRAM} is not here: {archive.stderr.decode().strip()}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    (tmp_path / "old.tar").write_bytes(archive.stdout)
    with tarfile.open(tmp_path / "old.tar") as source:
        source.extractall(tmp_path / "old", filter="data")

    def status() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", OLD, str(tmp_path / "old"), "status", "--project", str(project)],
            capture_output=True,
            text=True,
            env={"PYTHONPATH": str(tmp_path / "old" / "src"), "PATH": os.environ["PATH"]},
            check=False,
        )

    assert status().returncode == 0, "the older program does not even read its own store"
    SqliteLedger(path).close()
    refused = status()
    assert refused.returncode == 1
    assert "newer Trimtab (ledger version 2, this program knows 1)" in refused.stderr
    assert "upgrade" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert rows_of(path)[-1][0] == ENTRIES
