"""A store in a folder: made, opened again, refused with a reason."""

import os
import stat
from pathlib import Path
from urllib.parse import quote

import pytest

from trimtab.adapters.local_store import VERSION, open_store
from trimtab.adapters.process_holder import this_process
from trimtab.atoms.error import StoreError, UsageError
from trimtab.testing.example_record import made
from trimtab.testing.manual_clock import ManualClock


def test_what_is_kept_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    clock = ManualClock()
    store = open_store(tmp_path / "deep" / "store", clock=clock)
    assert store.clock is clock
    assert store.holder == this_process()
    store.ledger.append(made(1))
    key = store.blobs.put(b"abc")
    store.streams.append("predictions/late", [b"1"])
    store.close()
    assert stat.S_IMODE((tmp_path / "deep" / "store").stat().st_mode) == 0o700
    again = open_store(tmp_path / "deep" / "store", create=False)
    assert again.ledger.head()[0] == 3
    assert again.blobs.get(key) == b"abc"
    assert again.streams.read("predictions/late")[0] == [b"1"]
    again.close()


def test_left_overs_of_the_dead_are_swept(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    host, pid, start = this_process().split(":")
    left = tmp_path / "blobs" / "incoming" / f"{quote(f'{host}:{pid}:{start}9', safe='')}+0"
    left.write_bytes(b"half")
    open_store(tmp_path).close()
    assert not left.exists()


def test_no_store_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no store in .*trimtab up"):
        open_store(tmp_path / "none", create=False)
    assert not (tmp_path / "none").exists()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("hello")
    with pytest.raises(UsageError, match="is a file"):
        open_store(tmp_path / "store")


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    (tmp_path / "version").write_text(f"{VERSION + 1}\n")
    with pytest.raises(StoreError, match=f"version {VERSION + 1}.*upgrade"):
        open_store(tmp_path)


def test_a_version_that_says_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "version").write_text("latest\n")
    with pytest.raises(StoreError, match="no Trimtab store"):
        open_store(tmp_path)


def test_a_folder_one_may_not_write_is_named(tmp_path: Path) -> None:
    """Root may write everywhere but where the kernel itself says no."""
    tmp_path.chmod(0o500)
    closed = tmp_path if os.geteuid() else Path("/sys/kernel")
    with pytest.raises(StoreError, match="owner and mode"):
        open_store(closed / "trimtab-store")
    tmp_path.chmod(0o700)


def test_a_ledger_that_is_none_closes_what_was_opened(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    (tmp_path / "online.sqlite").unlink()
    (tmp_path / "online.sqlite").write_bytes(b"a letter to nobody " * 100)
    with pytest.raises(StoreError, match="online"):
        open_store(tmp_path)
