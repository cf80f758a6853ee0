"""A put beside a discard of the same blob: on files and on S3, the put that returned wins."""

import os
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from parts.s3 import S3Server
from trimtab.adapters.local_blobs import LocalBlobs
from trimtab.adapters.s3_blobs import open_s3_blobs
from trimtab.ports.blobs import Blobs


class OnFiles:
    """A folder that two processes could have opened."""

    #: About how long a discard takes, in seconds.
    spread_s = 0.0005

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.one, self.other = LocalBlobs(folder), LocalBlobs(folder)

    def age(self, key: str) -> None:
        moment = time.time() - 7200
        os.utime(self._folder / key[:2] / key, (moment, moment))


class OnS3:
    """A place in a bucket that two processes could have opened."""

    spread_s = 0.02

    def __init__(self, server: S3Server) -> None:
        self._server, url = server, server.url()
        self._prefix = url.partition("?")[0].rpartition("/")[2]
        self.one, self.other = open_s3_blobs(url), open_s3_blobs(url)

    def age(self, key: str) -> None:
        self._server.age(f"{self._prefix}/blobs/{key[:2]}/{key}", 7200.0)


@pytest.fixture(params=["local", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> OnFiles | OnS3:
    if request.param == "local":
        return OnFiles(tmp_path)
    return OnS3(request.getfixturevalue("s3_server"))


def race(discard: Callable[[], bool], put: Callable[[], str], late_s: float) -> bool:
    """Both at once, the put `late_s` after the discard; whether the discard says that it discarded."""
    together = threading.Barrier(2)

    def begin() -> None:
        together.wait()
        time.sleep(max(late_s, 0.0))
        put()

    thread = threading.Thread(target=begin)
    thread.start()
    together.wait()
    time.sleep(max(-late_s, 0.0))
    discarded = discard()
    thread.join()
    return discarded


@pytest.mark.parametrize("races", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_blob_is_there_after_every_race(place: OnFiles | OnS3, races: int) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 (so that a failure can be played again)
    chance = random.Random(seed)
    one: Blobs = place.one
    other: Blobs = place.other
    outcomes = {True: 0, False: 0}
    for number in range(races):
        content = b"%d of %d" % (number, seed)
        key = one.put(content)
        place.age(key)
        late_s = chance.uniform(-place.spread_s, place.spread_s)
        discarded = race(
            lambda key=key: one.discard(key, 3600.0), lambda content=content: other.put(content), late_s
        )
        outcomes[discarded] += 1
        assert one.get(key) == content, f"race {number}"
        found = other.find(key)
        assert found is not None
        assert found.idle_seconds < 60, f"race {number}"
    print(f"discard came through {outcomes[True]} times, put {outcomes[False]} times")  # noqa: T201
    assert min(outcomes.values()) >= races // 50, outcomes


@pytest.mark.parametrize("step", ["rename", "link"])
def test_a_put_in_the_middle_of_a_discard_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The instants that a race by the clock hardly ever meets: before the file goes aside, before it comes back."""
    place = OnFiles(tmp_path)
    key = place.one.put(b"abc")
    place.age(key)
    fired: list[str] = []

    def put_before(name: str) -> None:
        real = getattr(os, name)

        def call(*paths: Path) -> None:
            monkeypatch.setattr(os, name, real)
            fired.append(name)
            place.other.put(b"abc")
            real(*paths)

        monkeypatch.setattr(os, name, call)

    put_before("rename")
    if step == "link":  # only what was put before the one comes to the other
        put_before("link")
    assert not place.one.discard(key, 3600.0)
    assert step in fired
    assert place.other.get(key) == b"abc"
