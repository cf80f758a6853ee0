"""`trimtab sync`: how many calls went, wait and were refused, from a real spool to a real server or to none."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from parts.control import control
from trimtab.adapters.spool import Call, Spool
from trimtab.assembly.recording.spool_place import spool_folder

Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A spool of the test's own."""
    for name in ("TRIMTAB_SERVER", "TRIMTAB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TRIMTAB_SPOOL", str(tmp_path / "spool"))


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def keep(url: str, *calls: tuple[str, bytes]) -> None:
    """Leave calls in the spool, as a run does whose server is away."""
    spool = Spool(spool_folder(url))
    spool.add(
        *(
            Call(key=f"key-{place}", method="POST", path=path, body=body, at="2026-01-01T00:00:00.000000Z")
            for place, (path, body) in enumerate(calls)
        )
    )
    spool.close()


def test_nothing_was_kept(trimtab: Run) -> None:
    ran = trimtab("sync")
    assert (ran.status, ran.out) == (0, "nothing was kept on this machine\n")
    assert json.loads(trimtab("sync", "--json").out)["server"] is None


def test_what_waits_is_counted_while_the_server_is_away_and_sent_when_it_is_there(
    trimtab: Run, tmp_path: Path, port: int
) -> None:
    url = f"http://127.0.0.1:{port}"
    log = "/api/v1/runs/one/log"
    keep(url, ("/api/v1/runs", b'{"id": "one"}'), (log, b'{"tags": {"a": "b"}}'), (log, b'{"what": 1}'))
    away = trimtab("sync", "--wait", "2s")
    assert (away.status, away.out) == (1, f"{url}: 0 calls sent, 3 waiting, 0 refused\n")
    assert "waiting: " in away.err
    assert "does not answer" in away.err
    with control(tmp_path / "project", port=port):
        ran = trimtab("sync", "--json")
        told = json.loads(ran.out)
        assert (ran.status, told["server"], told["sent"], told["waiting"], told["refused"]) == (
            *(1, url, 2, 0, 1),
        )
        assert "what" in Path(told["refused_calls"]).read_text(encoding="utf-8")
        ran = trimtab("sync")
        assert (ran.status, ran.out) == (0, f"{url}: 0 calls sent, 0 waiting, 0 refused\n")


def test_which_of_several_servers_must_be_said(trimtab: Run) -> None:
    keep("http://127.0.0.1:1", ("/api/v1/runs", b"{}"))
    keep("http://127.0.0.1:2", ("/api/v1/runs", b"{}"))
    ran = trimtab("sync")
    assert ran.status == 2
    assert "--server" in ran.err
    assert "http://127.0.0.1:2" in ran.err
    named = trimtab("sync", "--server", "http://127.0.0.1:2", "--wait", "0.1s", "--json")
    assert (named.status, json.loads(named.out)["waiting"]) == (1, 1)
    assert trimtab("sync", "--server", "elsewhere").status == 2
    assert "--wait" in trimtab("sync", "--wait", "soon").err
