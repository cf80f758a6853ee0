"""The typed client and the commands that ask a server, against a server."""

import json
import math
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from parts.control import Control, control
from trimtab.adapters.control_client import ControlClient
from trimtab.adapters.local_store import open_store
from trimtab.adapters.spool import Unreachable
from trimtab.atoms.error import Conflict, NotThere, TrimtabError, UsageError
from trimtab.atoms.metric_point import Point
from trimtab.atoms.run import LoggedDataset, RunStatus
from trimtab.cli.program import main
from trimtab.testing.example_year import MODEL, example_year


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with some months of a loop behind it."""
    folder = tmp_path_factory.mktemp("api") / "project"
    store = open_store(folder / ".trimtab")
    example_year(store, days=75)
    store.close()
    return folder


@pytest.fixture(scope="module")
def server(project: Path) -> Iterator[Control]:
    with control(project) as running:
        yield running


@pytest.fixture
def client(server: Control) -> Iterator[ControlClient]:
    with ControlClient(server.address) as client:
        yield client


def test_a_run_goes_in_and_comes_out_as_it_was(client: ControlClient) -> None:
    run = client.runs.open(
        "by hand", tags={"mlflow.runName": "first"}, parameters={"depth": "8"}, started_ms=5
    ).head.id
    client.logbook.log(
        run,
        points=[("loss", 1, math.nan, 7), ("loss", 2, -math.inf, 8), ("a b/c", 3, 0.5, 9)],
        parameters={"rate": "0.1"},
        tags={"team": "delays"},
        datasets=[LoggedDataset(name="rows", digest="abc")],
    )
    client.logbook.log_series(run, "long", range(45_000), [0.25] * 45_000, at_us=3)
    assert client.runs.end(run, RunStatus.FAILED, ended_ms=99, note="too warm").head.note == "too warm"
    found = client.runs.find(run)
    assert (found.head.status, found.head.started_ms, found.head.ended_ms) == (RunStatus.FAILED, 5, 99)
    assert found.parameters == {"depth": "8", "rate": "0.1"}
    assert (found.name, found.tags["team"], found.datasets[0].name) == ("first", "delays", "rows")
    assert found.metrics["loss"].value == -math.inf
    first, second = client.logbook.points(run, "loss")
    assert (first.step, first.at_us, math.isnan(first.value)) == (1, 7, True)
    assert second == Point("loss", 2, -math.inf, 8)
    assert list(client.logbook.points(run, "a b/c")) == [Point("a b/c", 3, 0.5, 9)]
    assert len(client.logbook.points(run, "long")) == 45_000
    assert 2 <= len(client.logbook.points(run, "long", most=40)) <= 40
    assert client.runs.resume(run).head.status is RunStatus.RUNNING


def test_runs_are_found_page_by_page_and_counted(client: ControlClient) -> None:
    for number in range(5):
        run = client.runs.open("pages", parameters={"number": str(number)}).head.id
        client.logbook.log(run, points=[("loss", 0, number / 10, None)])
    seen: list[str] = []
    after = ""
    while True:
        page = client.runs.search(
            "metrics.loss > 0.05", order=["metrics.loss DESC"], experiments=["pages"], limit=3, after=after
        )
        seen += [run.parameters["number"] for run in page.items]
        after = page.after
        if not after:
            break
    assert seen == ["4", "3", "2", "1"]
    assert client.runs.count("metrics.loss > 0.05", experiments=["pages"]) == 4
    client.runs.set_deleted(run, True)
    assert client.runs.count(experiments=["pages"]) == 4
    assert client.runs.count(experiments=["pages"], deleted="deleted") == 1
    assert client.runs.set_deleted(run, False).head.deleted is False


def test_experiments_are_made_changed_and_found(client: ControlClient) -> None:
    made = client.experiments.create("two / slashed", tags={"a": "b"})
    assert client.experiments.find("two / slashed") == client.experiments.find(made.id) == made
    changed = client.experiments.change(made.id, name="another", tags={"a": None, "c": "d"})
    assert (changed.name, changed.tags) == ("another", {"c": "d"})
    with pytest.raises(Conflict, match="another"):
        client.experiments.create("another")
    client.experiments.change(made.id, deleted=True)
    assert [each.id for each in client.experiments.search("name = 'another'", deleted="deleted").items] == [
        made.id
    ]
    assert client.experiments.create("keyed", key="k").id == client.experiments.create("keyed", key="k").id


def test_files_go_up_and_down_in_pieces(client: ControlClient) -> None:
    run = client.runs.open().head.id
    content = bytes(range(256)) * 80_000
    chunks = (content[start : start + 100_000] for start in range(0, len(content), 100_000))
    put = client.files.put(run, "deep/größe.bin", chunks)
    assert put.size_bytes == len(content)
    client.files.put(run, "deep/small", b"x")
    assert [file.path for file in client.files.under(run, "deep")] == ["deep/größe.bin", "deep/small"]
    with client.files.read(run, "deep/größe.bin") as pieces:
        assert b"".join(pieces) == content
    client.files.remove(run, "deep")
    assert client.files.under(run) == []
    with pytest.raises(NotThere), client.files.read(run, "deep/small") as pieces:
        next(pieces)


def test_a_refusal_is_an_error_in_the_servers_words(client: ControlClient) -> None:
    with pytest.raises(NotThere, match="nobody"):
        client.runs.find("nobody")
    with pytest.raises(UsageError, match="does not fit"):
        client.runs.open(run="../up")
    with pytest.raises(UsageError):
        client.runs.search("metrics.loss <")
    gone = client.runs.open().head.id
    client.runs.set_deleted(gone, True)
    with pytest.raises(Conflict, match="deleted"):
        client.logbook.log(gone, points=[("loss", 0, 1.0, None)])


def test_views_are_the_accounts(client: ControlClient) -> None:
    assert client.views.status()["models"][MODEL]["champion"] == 2
    assert len(client.views.models()["models"][MODEL]["versions"]) == 3
    assert client.views.models()["stored"] == {}
    assert client.views.lineage(f"{MODEL}@2")["id"] == client.views.record(f"{MODEL}@2")["id"]
    assert client.views.checks(verdict="FAIL", limit=2)["after"]
    assert client.views.actions(kind="promote")["actions"]
    assert client.views.incidents()["incidents"]


def test_a_token_is_shown_nowhere(server: Control) -> None:
    secret = "tt_secret_of_mine"
    with ControlClient(server.address, secret) as client:
        assert secret not in repr(client) + repr(vars(client)) + repr(client._connection)
        with pytest.raises(TrimtabError) as raised:
            client.runs.count()
    assert secret not in str(raised.value)


def test_a_server_that_comes_late_is_waited_for(project: Path) -> None:
    with control(project) as before:
        port = int(before.address.rpartition(":")[2])
    counted: list[int] = []

    def count() -> None:
        with ControlClient(f"http://127.0.0.1:{port}", patience_s=30) as client:
            counted.append(client.runs.count(deleted="all"))

    asking = threading.Thread(target=count)
    asking.start()
    time.sleep(0.3)
    assert not counted, "it was there all the time: this test proves nothing"
    with control(project, port=port):
        asking.join(timeout=40)
    assert counted
    with (
        ControlClient(f"http://127.0.0.1:{port}", patience_s=0.2) as client,
        pytest.raises(Unreachable, match="trimtab server"),
    ):
        client.views.status()


class _Busy(BaseHTTPRequestHandler):
    """Says twice that it is busy, then answers; notes what came."""

    came: list[tuple[str, str | None, float]]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.came.append((self.path, self.headers.get("idempotency-key"), time.monotonic()))
        busy = len(self.came) < 3
        body = b'{"detail": "busy"}' if busy else json.dumps({"run": "r", "points": 1}).encode()
        self.send_response(503 if busy else 200)
        if busy:
            self.send_header("retry-after", "1")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def test_a_busy_server_is_asked_again_under_the_same_key_when_it_says_so() -> None:
    came: list[tuple[str, str | None, float]] = []
    busy = HTTPServer(("127.0.0.1", 0), type("Busy", (_Busy,), {"came": came}))
    serving = threading.Thread(target=busy.serve_forever)
    serving.start()
    try:
        with ControlClient(f"http://127.0.0.1:{busy.server_port}", patience_s=20) as client:
            client.logbook.log("r", points=[("loss", 0, 1.0, None)])
    finally:
        busy.shutdown()
        serving.join()
        busy.server_close()
    keys = {key for _, key, _ in came}
    assert len(came) == 3
    assert len(keys) == 1
    assert None not in keys
    assert came[1][2] - came[0][2] >= 1.0


@pytest.fixture
def trimtab(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    for name in ("TRIMTAB_STORE", "TRIMTAB_SERVER", "TRIMTAB_TOKEN"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object) -> tuple[int, str, str]:
        capfd.readouterr()
        status = main([str(each) for each in arguments])
        out, err = capfd.readouterr()
        return status, out, err

    return run


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["models"],
        ["lineage", "flights/2013-02"],
        ["lineage", f"{MODEL}@champion", "--up"],
        ["lineage", f"{MODEL}@2", "--down", "--all"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
def test_a_command_says_the_same_of_a_server_as_of_its_store(
    arguments: list[str],
    form: list[str],
    trimtab: Callable[..., tuple[int, str, str]],
    server: Control,
    project: Path,
) -> None:
    here = trimtab(*arguments, *form, "--store", project / ".trimtab")
    there = trimtab(*arguments, *form, "--server", server.address)
    assert here[0] == 0
    assert here[1].strip()
    assert there == here


def test_what_a_server_does_not_find_ends_as_it_does_here(
    trimtab: Callable[..., tuple[int, str, str]], server: Control, project: Path
) -> None:
    here = trimtab("lineage", "nobody", "--store", project / ".trimtab")
    assert here[0] == 2
    assert trimtab("lineage", "nobody", "--server", server.address) == here


def test_a_store_and_a_server_are_two_places(
    trimtab: Callable[..., tuple[int, str, str]],
    server: Control,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for option in (("--store", project / ".trimtab"), ("--project", project)):
        status, out, err = trimtab("status", "--server", server.address, *option)
        assert (status, out) == (2, "")
        assert "give one of them" in err
    monkeypatch.setenv("TRIMTAB_SERVER", "http://127.0.0.1:1")
    assert trimtab("status", "--store", project / ".trimtab")[0] == 0
    monkeypatch.setenv("TRIMTAB_STORE", str(project / "nowhere"))
    assert trimtab("models", "--server", server.address)[0] == 0


def test_a_server_that_is_away_is_said_in_one_line(trimtab: Callable[..., tuple[int, str, str]]) -> None:
    status, out, err = trimtab("status", "--server", "http://127.0.0.1:1")
    assert (status, out) == (1, "")
    assert err.count("\n") == 1
    assert "127.0.0.1:1" in err
