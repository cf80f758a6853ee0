"""Server and client are killed again and again while outcomes and predictions go over: none lost, none doubled."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import trimtab
from trimtab.adapters.segment_streams import SegmentStreams
from trimtab.loop.monitor.record import OutcomeBook, read_predictions

HERE = Path(__file__).parent
ROW = {"distance": 12.5, "carrier": "UA", "stops": 2}
COUNT = 1000
SYNC = """
import sys
import trimtab
with trimtab.Client(sys.argv[1], spool=sys.argv[2]) as client:
    print(client.sync(patience_s=60).waits or "all sent", flush=True)
"""


def child(*words: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen([sys.executable, *words], env=environment, stdout=subprocess.PIPE, text=True)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within a minute"
        time.sleep(0.005)


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    assert process.wait() == -signal.SIGKILL, "it had ended before it was killed"
    assert process.stdout is not None
    process.stdout.close()


class Place:
    """A server's folder, address and process."""

    def __init__(self, folder: Path) -> None:
        self.streams_folder = folder / "streams"
        self.streams_folder.mkdir()
        self._ready = folder / "ready"
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self._port = found.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> subprocess.Popen[str]:
        self._ready.unlink(missing_ok=True)
        words = (str(self.streams_folder), str(self._port), str(self._ready))
        server = child(str(HERE / "cut_off_server.py"), *words)
        wait_for(lambda: self._ready.exists() or server.poll() is not None)
        assert server.poll() is None, "the server did not start"
        return server

    def records(self, stream: str) -> list[bytes]:
        streams = SegmentStreams(self.streams_folder)
        try:
            return streams.read(stream)[0]
        finally:
            streams.close()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_started_offline_and_killed_on_both_sides_every_outcome_counts_once(
    place: Place, tmp_path: Path
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 (so that a failure can be played again)
    rng = random.Random(seed)
    spool = str(tmp_path / "spool")
    with trimtab.Client(place.url, spool=spool) as client:
        for number in range(COUNT):
            assert not client.outcomes("late", [{"key": f"flight-{number}", "value": number % 2}]).sent
    server, sender = place.start(), child("-c", SYNC, place.url, spool)
    killed = {"server": 0, "client": 0}
    for _ in range(10):
        here = len(place.records("outcomes/late"))
        wait_for(
            lambda here=here: len(place.records("outcomes/late")) >= min(here + rng.randrange(5, 30), COUNT)
        )
        if sender.poll() is not None:
            break
        if rng.random() < 0.5:
            kill(server)
            server = place.start()
            killed["server"] += 1
        else:
            kill(sender)
            sender = child("-c", SYNC, place.url, spool)
            killed["client"] += 1
    out, _ = sender.communicate(timeout=60)
    assert out == "all sent\n"
    kill(server)
    assert sum(killed.values()) >= 3, killed
    records = place.records("outcomes/late")
    book = OutcomeBook(records)
    print(f"killed {killed}; {len(records)} records of {COUNT} outcomes")  # noqa: T201
    assert len(book) == COUNT
    names = [f"flight-{number}" for number in range(COUNT)]
    truths = book.truths(["none"] * COUNT, [0] * COUNT, names)
    assert truths == ["true" if number % 2 else "false" for number in range(COUNT)]


def test_a_prediction_that_is_asked_again_after_the_server_died_counts_once(place: Place) -> None:
    """The next process knows nothing of the first answer but what is on the disk, and answers anew."""
    answers = {}
    for number in range(5):
        server = place.start()
        with trimtab.Client(place.url, patience_s=30) as client:
            answers[number] = client.predict("late", [ROW], key=f"k{number}")
        kill(server)
        server = place.start()
        with trimtab.Client(place.url, patience_s=30) as client:
            again = client.predict("late", [ROW], key=f"k{number}")
        kill(server)
        assert again == answers[number]
    records = place.records("predictions/late")
    assert len(records) == 10, "the second server did not answer anew"
    assert [each.id for each in read_predictions(records)] == [each.request_id for each in answers.values()]
