"""The stat index's suite on files and on the fake."""

from pathlib import Path

import pytest

from trimtab.adapters.stat_file import StatFiles
from trimtab.ports.stat_index import NOTHING, StatIndex
from trimtab.testing.memory_stat_index import MemoryStatIndex
from trimtab.testing.stat_index_suite import MakeStatIndex, StatIndexRemembers, known


@pytest.fixture(params=["files", "memory"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> MakeStatIndex:
    memory = MemoryStatIndex()

    def open_index() -> StatIndex:
        return StatFiles(tmp_path / "cache") if request.param == "files" else memory

    return open_index


class TestRemembers(StatIndexRemembers):
    pass


@pytest.mark.parametrize("cut", range(0, 400, 7))
def test_a_torn_or_flipped_file_is_nothing(tmp_path: Path, cut: int) -> None:
    index = StatFiles(tmp_path)
    index.remember("folder:/data", known(3))
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    place = cut % len(whole)
    path.write_bytes(whole[:place])
    assert index.recall("folder:/data") == NOTHING
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    assert index.recall("folder:/data") == NOTHING
    path.write_bytes(whole)
    assert index.recall("folder:/data") == known(3)


def test_where_nothing_can_be_written_nothing_is_remembered(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file in the folder's place")
    index = StatFiles(tmp_path / "cache")
    index.remember("folder:/data", known(3))
    assert index.recall("folder:/data") == NOTHING
