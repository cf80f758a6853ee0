"""The online features' suite on SQLite and on the fake."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from trimtab.adapters.sqlite_online_features import SqliteOnlineFeatures
from trimtab.ports.online_features import OnlineFeatures
from trimtab.testing.memory_online_features import MemoryOnlineFeatures
from trimtab.testing.online_features_suite import MakeOnlineFeatures, OnlineFeaturesAnswer


@pytest.fixture(params=["sqlite", "memory"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeOnlineFeatures]:
    opened: list[OnlineFeatures] = []

    def open_features() -> OnlineFeatures:
        if request.param == "sqlite":
            opened.append(SqliteOnlineFeatures(tmp_path / "online.sqlite"))
        elif not opened:
            opened.append(MemoryOnlineFeatures())
        return opened[-1]

    yield open_features
    for online in opened:
        online.close()


class TestAnswer(OnlineFeaturesAnswer):
    pass
