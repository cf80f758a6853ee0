"""Calls are kept until they are answered, sent in order and once, and refused ones are put aside."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from trimtab.adapters import spool as spool_module
from trimtab.adapters.spool import Answer, Call, Spool, Unreachable
from trimtab.testing.manual_clock import ManualClock


def call(number: int) -> Call:
    return Call(
        key=f"k{number}", method="POST", path="/things", body=b"%d" % number, at="2013-01-01T00:00:00Z"
    )


class Server:
    """Takes calls; is away, busy or rude when told to be."""

    def __init__(self, clock: ManualClock | None = None) -> None:
        self.clock = clock
        self.heard: list[str] = []
        #: What happens to the next calls, one after the other; then all is well.
        self.plan: list[Answer | None] = []
        self.when: list[float] = []

    def __call__(self, call: Call) -> Answer:
        self.when.append(self.clock.monotonic() if self.clock else 0.0)
        planned = self.plan.pop(0) if self.plan else Answer(200, b"{}")
        if planned is None:
            raise Unreachable("nobody is there")
        if planned.status == 200:
            self.heard.append(call.key)
        return planned


@pytest.fixture
def open_spool(tmp_path: Path) -> Callable[..., Spool]:
    def make(clock: ManualClock | None = None) -> Spool:
        return Spool(tmp_path / "spool", clock=clock or ManualClock(), chance=lambda: 0.5)

    return make


def keys(*numbers: int) -> list[str]:
    return [f"k{number}" for number in numbers]


def test_what_was_added_while_nobody_was_there_is_sent_in_order(open_spool: Callable[..., Spool]) -> None:
    spool, server = open_spool(), Server()
    for number in range(250):
        spool.add(call(number))
    server.plan = [None]
    drained = spool.drain(server)
    assert (drained.sent, drained.waits) == (0, "nobody is there")
    assert spool.waiting() == 250
    spool.close()
    spool = open_spool()
    assert spool.drain(server).sent == 250
    assert server.heard == keys(*range(250))
    assert spool.waiting() == 0
    assert spool.drain(server).sent == 0
    spool.close()


def test_it_waits_longer_each_time_and_as_long_as_it_is_asked_to(open_spool: Callable[..., Spool]) -> None:
    clock = ManualClock()
    spool, server = open_spool(clock), Server(clock)
    spool.add(call(1))
    spool.add(call(2))
    server.plan = [None, Answer(503, b""), Answer(429, b"", 7.0), Answer(500, b""), Answer(200, b""), None]
    drained = spool.drain(server, patience_s=60)
    assert (drained.sent, drained.refused, drained.waits) == (2, 0, "")
    waits = [round(later - earlier, 3) for earlier, later in zip(server.when, server.when[1:], strict=False)]
    assert waits == [0.1, 0.2, 7.0, 0.8, 0.0, 0.1]
    assert server.heard == keys(1, 2)
    spool.close()


def test_patience_ends_and_nothing_is_lost(open_spool: Callable[..., Spool]) -> None:
    clock = ManualClock()
    spool, server = open_spool(clock), Server(clock)
    spool.add(call(1))
    server.plan = [Answer(503, b"busy", 20.0)] * 50
    drained = spool.drain(server, patience_s=50)
    assert drained.waits == "the server answered 503: busy"
    assert clock.monotonic() == 40
    assert spool.waiting() == 1
    spool.close()


@pytest.mark.parametrize("status", [301, 400, 404, 409, 413, 422])
def test_a_refused_call_is_put_aside_with_its_reason_and_the_next_is_sent(
    open_spool: Callable[..., Spool], status: int
) -> None:
    spool, server = open_spool(), Server()
    for number in range(3):
        spool.add(call(number))
    server.plan = [Answer(200, b""), Answer(status, b"no such thing"), Answer(200, b"")]
    heard: list[tuple[str, int]] = []
    drained = spool.drain(server, hear=lambda call, answer: heard.append((call.key, answer.status)))
    assert (drained.sent, drained.refused) == (2, 1)
    assert heard == [("k0", 200), ("k1", status), ("k2", 200)]
    (letter,) = spool.dead_letters()
    assert (letter.key, letter.status, letter.reason, letter.body) == ("k1", status, "no such thing", "1")
    assert spool.waiting() == 0
    spool.close()


def test_a_letter_that_was_half_written_or_written_before_a_crash_is_there_once(
    open_spool: Callable[..., Spool], tmp_path: Path
) -> None:
    spool, server = open_spool(), Server()
    spool.add(call(0))
    server.plan = [Answer(422, b"no")]
    spool.drain(server)
    sent = tmp_path / "spool" / "sent.json"
    sent.write_bytes(b"")  # as after a power cut
    with (tmp_path / "spool" / "dead-letters.jsonl").open("ab") as file:
        file.write(b'{"key":"k')
    spool.add(call(1))
    server.plan = [Answer(422, b"no"), Answer(422, b"no")]
    assert spool.drain(server).refused == 2
    assert [letter.key for letter in spool.dead_letters()] == keys(0, 1)
    spool.close()


def test_sent_calls_leave_the_disk(
    open_spool: Callable[..., Spool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_module, "_FORGET_BYTES", 1000)
    spool, other, server = open_spool(), open_spool(), Server()
    for number in range(0, 60, 2):
        spool.add(call(number))
        other.add(call(number + 1))
    assert spool.drain(server).sent == 60
    other.close()
    spool.add(call(60))
    spool.drain(server)
    for number in range(61, 90):
        spool.add(call(number))
    spool.drain(server)
    assert sorted(server.heard) == sorted(keys(*range(90)))
    assert [key for key in server.heard if int(key[1:]) % 2 == 0 or int(key[1:]) > 60] == [
        *keys(*range(0, 60, 2)),
        *keys(*range(60, 90)),
    ]
    left = sum(path.stat().st_size for path in (tmp_path / "spool").rglob("*.seg"))
    assert left < 2000
    assert spool.waiting() == 0
    spool.close()


def test_while_one_sends_another_does_not(open_spool: Callable[..., Spool]) -> None:
    one, two, server = open_spool(), open_spool(), Server()
    one.add(call(1))
    inside, go_on = threading.Event(), threading.Event()

    def slow(call: Call) -> Answer:
        inside.set()
        assert go_on.wait(10)
        return server(call)

    sender = threading.Thread(target=one.drain, args=(slow,))
    sender.start()
    assert inside.wait(10)
    two.add(call(2))
    assert two.drain(server).waits == "another process is sending the calls of this spool"
    assert server.heard == []
    go_on.set()
    sender.join()
    two.drain(server)
    assert server.heard == keys(1, 2)
    one.close()
    two.close()


CLIENT = """
import sys, time
from pathlib import Path
from trimtab.adapters.spool import Answer, Call, Spool
folder, heard, first, count = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
spool = Spool(folder)
def send(call):
    with heard.open("a") as file:
        file.write(call.key + "\\n")
    time.sleep(0.002)
    return Answer(200, b"")
for number in range(first, first + count):
    spool.add(Call(key=f"k{number}", method="POST", path="/", body=b"", at=""))
    print(number, flush=True)
spool.drain(send, patience_s=30)
print("drained", flush=True)
"""


def start(tmp_path: Path, first: int, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            CLIENT,
            str(tmp_path / "spool"),
            str(tmp_path / "heard"),
            str(first),
            str(count),
        ],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )


def heard(tmp_path: Path) -> list[str]:
    path = tmp_path / "heard"
    return path.read_text().split() if path.exists() else []


def test_two_processes_on_one_spool_send_nothing_twice(tmp_path: Path) -> None:
    clients = [start(tmp_path, 0, 200), start(tmp_path, 1000, 200)]
    for client in clients:
        out, _ = client.communicate(timeout=60)
        assert out.endswith("drained\n")
    assert sorted(heard(tmp_path)) == sorted(keys(*range(200), *range(1000, 1200)))


@pytest.mark.parametrize("when", [0, 40, 150])
def test_a_killed_client_loses_nothing_and_its_successor_repeats_one_key_at_most(
    tmp_path: Path, when: int
) -> None:
    client = start(tmp_path, 0, 200)
    assert client.stdout is not None
    acknowledged = [client.stdout.readline() for _ in range(200 if when else 30)]
    deadline = time.monotonic() + 30
    while len(heard(tmp_path)) < when:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    client.kill()
    acknowledged += [line for line in client.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    assert client.wait() == -signal.SIGKILL, "the client was not killed"
    client.stdout.close()
    assert len(heard(tmp_path)) < 200, "it was killed too late"
    assert "drained\n" not in acknowledged
    out, _ = start(tmp_path, 500, 1).communicate(timeout=60)
    assert out.endswith("drained\n")
    all_heard = heard(tmp_path)
    once = list(dict.fromkeys(all_heard))
    count = len(once) - 1
    assert once == [*keys(*range(count)), "k500"]
    assert count >= len([line for line in acknowledged if line.strip().isdigit()])
    assert len(all_heard) - len(once) <= 1, (
        "only the call that was on its way may be sent again, under its key"
    )
    assert json.loads((tmp_path / "spool" / "sent.json").read_bytes())


def test_an_attached_file_lies_there_until_its_call_was_taken(open_spool: Callable[..., Spool]) -> None:
    spool, seen = open_spool(), list[bytes]()
    for number, chunks in enumerate([[b"one ", b"file"], [b"another"]]):
        spool.add(msgspec.structs.replace(call(number), attached=spool.attach(chunks)))
    answers = [Answer(503, b""), Answer(200, b"{}"), Answer(409, b"no")]

    def send(call: Call) -> Answer:
        seen.append(spool.attachment(call.attached).read_bytes())
        return answers.pop(0)

    assert spool.drain(send).waits
    assert spool.drain(send).sent == 1
    assert seen == [b"one file", b"one file", b"another"]
    (letter,) = spool.dead_letters()
    (kept,) = spool.attachment(letter.attached).parent.iterdir()
    assert kept.read_bytes() == b"another"
    spool.close()


def test_a_file_whose_call_never_came_is_removed_and_a_refused_one_stays(
    open_spool: Callable[..., Spool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_module, "_FORGET_BYTES", 1)
    spool = open_spool()
    orphan, young = spool.attachment(spool.attach([b"orphan"])), spool.attachment(spool.attach([b"young"]))
    refused = spool.attach([b"refused"])
    for old in (orphan, spool.attachment(refused)):
        os.utime(old, (0, 0))
    spool.add(msgspec.structs.replace(call(1), attached=refused))
    spool.drain(lambda call: Answer(400, b"no"))
    assert (orphan.exists(), young.exists(), spool.attachment(refused).exists()) == (False, True, True)
    spool.close()


def test_calls_that_are_added_together_stay_together(open_spool: Callable[..., Spool]) -> None:
    spool, server = open_spool(), Server()
    spool.add(call(1), call(2), call(3))
    assert spool.drain(server).sent == 3
    assert server.heard == keys(1, 2, 3)
    spool.close()
