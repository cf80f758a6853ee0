"""Who gets in, on real servers: tokens, logins, long bodies, bad HTTP, and secrets that must not be seen again."""

import base64
import json
import random
import shutil
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from parts.control import Control, control
from parts.raw_http import push_long_body, send_raw, status_of
from trimtab.assembly.planes import start_prediction_plane
from trimtab.assembly.project import Project, open_project
from trimtab.assembly.token import create_token, revoke_token
from trimtab.atoms.actor import Actor
from trimtab.atoms.error import TrimtabError
from trimtab.atoms.permission import Role
from trimtab.atoms.token import is_secret, make_secret
from trimtab.cli.program import main

ANN = Actor(by="person:ann")
ALWAYS = '[project]\nname = "p"\n[control]\nauth = "always"\n[serve]\nauth = "always"\n'


def give(project: Project, name: str, role: str) -> str:
    store = project.open_store()
    try:
        return create_token(store, name, [role], project=project.name, expires_in=timedelta(days=1), by=ANN)[
            0
        ]
    finally:
        store.close()


def revoke(project: Project, name: str) -> None:
    store = project.open_store()
    revoke_token(store, name, project=project.name, by=ANN)
    store.close()


def ask(
    address: str, path: str, token: str = "", *, body: object = None, headers: dict[str, str] | None = None
) -> tuple[int, str, dict[str, str]]:
    content = None if body is None else json.dumps(body).encode()
    given = {**({"Authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
    if content is not None:
        given.setdefault("Content-Type", "application/json")
    request = urllib.request.Request(address + path, content, given)
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:
            return reply.status, reply.read().decode(), dict(reply.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), dict(error.headers)


def within(seconds: float, holds: Callable[[], bool]) -> float:
    """How long it took until it held; fails where it did not."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, f"it did not hold within {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - began


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    """A control plane that asks everybody for a token."""
    with control(tmp_path_factory.mktemp("guarded"), ALWAYS) as running:
        yield running


@pytest.fixture(scope="module")
def free(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    """A control plane on this machine, without tokens."""
    with control(tmp_path_factory.mktemp("free"), '[project]\nname = "p"\n') as running:
        yield running


def test_a_token_is_known_and_forgotten_within_a_second(guarded: Control) -> None:
    assert ask(guarded.address, "/api/v1/status")[0] == 401
    token = give(guarded.project, "eva", "viewer")
    within(1.0, lambda: ask(guarded.address, "/api/v1/status", token)[0] == 200)
    status, _, _ = ask(guarded.address, "/api/v1/experiments", token, body={"name": "x"})
    assert status == 403
    revoke(guarded.project, "eva")
    within(1.0, lambda: ask(guarded.address, "/api/v1/status", token)[0] == 401)
    assert "denied: 403 POST /api/v1/experiments to token:eva" in guarded.log


def test_the_prediction_plane_knows_tokens_without_a_control_plane(tmp_path: Path) -> None:
    (tmp_path / "trimtab.toml").write_text(ALWAYS, encoding="utf-8")
    project = open_project(tmp_path, declarations=False)
    project.open_store().close()
    child, address = start_prediction_plane(project, port=0)
    try:
        asked = lambda token: ask(address, "/predict/m", token, body={"rows": []})[0]  # noqa: E731
        assert asked("") == 401
        token = give(project, "eva", "predictor")
        within(1.0, lambda: asked(token) in (404, 503))  # let in: no model is there
        revoke(project, "eva")
        within(1.0, lambda: asked(token) == 401)
        assert asked(give(project, "val", "viewer")) in (401, 403)
    finally:
        child.stop()


def test_a_browser_logs_in_with_a_cookie_that_works_on_own_pages_only(guarded: Control) -> None:
    token = give(guarded.project, "browser", "runner")
    page = ask(guarded.address, "/", headers={"Accept": "text/html"})
    assert (page[0], "A token is needed" in page[1]) == (401, True)
    assert "script-src 'self'" in page[2]["content-security-policy"]
    within(1.0, lambda: ask(guarded.address, "/login", body={"token": token})[0] == 204)
    assert ask(guarded.address, "/login", body={"token": token[:-1] + "x"})[0] == 401
    cross = {"Origin": "http://evil.example"}
    assert ask(guarded.address, "/login", body={"token": token}, headers=cross)[0] == 403
    kept = ask(guarded.address, "/login", body={"token": token})[2]["set-cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(kept.split("; "))
    cookie = {"Cookie": f"theme=dark; {kept.partition(';')[0]}"}
    assert ask(guarded.address, "/", headers={**cookie, "Accept": "text/html"})[0] == 200
    body = {"name": "from a page"}
    assert ask(guarded.address, "/api/v1/experiments", body=body, headers=cookie)[0] == 403
    assert ask(guarded.address, "/api/v1/experiments", body=body, headers={**cookie, **cross})[0] == 403
    own = {**cookie, "Origin": guarded.address}
    assert ask(guarded.address, "/api/v1/experiments", body=body, headers=own)[0] in (200, 201)
    gone = ask(guarded.address, "/logout", headers=own, body={})
    assert (gone[0], "Max-Age=0" in gone[2]["set-cookie"]) == (204, True)
    revoke(guarded.project, "browser")
    within(1.0, lambda: ask(guarded.address, "/", headers=cookie)[0] == 401)


MLFLOW = """
import os, sys
import mlflow

def names():
    return [experiment.name for experiment in mlflow.MlflowClient().search_experiments()]

print(names(), flush=True)
os.environ["MLFLOW_TRACKING_USERNAME"] = "anybody"
os.environ["MLFLOW_TRACKING_PASSWORD"] = os.environ.pop("MLFLOW_TRACKING_TOKEN")
print(names(), flush=True)
sys.stdin.readline()
names()
"""


def test_mlflows_client_gets_in_with_a_token_and_with_it_as_a_password(
    guarded: Control, tmp_path: Path
) -> None:
    token = give(guarded.project, "mlflow", "runner")
    environment = {
        "MLFLOW_TRACKING_URI": guarded.address,
        "MLFLOW_TRACKING_TOKEN": token,
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
    }
    with subprocess.Popen(
        [sys.executable, "-c", MLFLOW],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as client:
        assert client.stdout is not None
        assert ["Default" in client.stdout.readline() for _ in range(2)] == [True, True]
        revoke(guarded.project, "mlflow")
        time.sleep(1)
        _, said = client.communicate("now\n", timeout=60)
    assert client.returncode != 0
    assert "this token was revoked" in said
    assert token not in said


@pytest.mark.parametrize(
    "command", [["server", "--host", "0.0.0.0"], ["serve", "--host", "0.0.0.0"], ["up", "--host", "0.0.0.0"]]
)
def test_an_address_that_others_reach_is_refused_with_what_to_add(tmp_path: Path, command: list[str]) -> None:
    plane = "serve" if command[0] == "serve" else "control"

    def run() -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "trimtab", *command, "--project", str(tmp_path)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    done = run()
    assert (done.returncode, done.stdout) == (78, "")
    assert f"add to [{plane}] in trimtab.toml: allowed_hosts" in done.stderr
    assert "behind_proxy = true" in done.stderr
    assert not (tmp_path / ".trimtab").exists()
    both = 'allowed_hosts = ["models.example"]\nbehind_proxy = true\n'
    (tmp_path / "trimtab.toml").write_text(f"[control]\n{both}[serve]\n{both}", encoding="utf-8")
    done = run()
    assert (done.returncode, "trimtab token create NAME --role admin" in done.stderr) == (78, True), (
        done.stderr
    )


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("path", ["/api/v1/experiments", "/api/2.0/mlflow/runs/log-batch"])
def test_300_megabytes_are_refused_at_once_with_memory_flat(free: Control, chunked: bool, path: str) -> None:
    server = psutil.Process(free.child.process.pid)
    ask(free.address, "/api/v1/experiments")
    before = server.memory_info().rss
    length = "Transfer-Encoding: chunked" if chunked else "Content-Length: 300000000"
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{length}\r\n\r\n"
    answer, seconds = push_long_body(free.address, head.encode(), 300_000_000, chunked=chunked)
    assert status_of(answer) == 413, answer[:200]
    assert seconds < 3.0  # inside a second on an idle machine
    assert server.memory_info().rss - before < 30_000_000
    assert ask(free.address, "/healthz")[0] == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_whoever_has_no_token_cannot_send_a_long_body(guarded: Control, chunked: bool) -> None:
    length = "Transfer-Encoding: chunked" if chunked else "Content-Length: 300000000"
    path = "/api/v1/runs/0/files/a.bin"
    head = f"PUT {path} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n\r\n"
    answer, seconds = push_long_body(guarded.address, head.encode(), 300_000_000, chunked=chunked)
    assert status_of(answer) == 401
    assert seconds < 3.0


def test_no_secret_is_seen_again(tmp_path: Path) -> None:
    """Fifty secrets, shown in every way there is: none in the log, in an answer, in the store, in a process's words."""
    drawn = random.Random(4)
    secrets = [f"{drawn.getrandbits(128):032x}" for _ in range(38)] + [
        make_secret((Role.ADMIN,)) for _ in range(12)
    ]
    left, used, answers = list(secrets), [], []

    def plant() -> str:
        used.append(left.pop())
        return used[-1]

    with control(tmp_path, ALWAYS) as running:
        token = give(running.project, "eva", "admin")
        time.sleep(0.6)

        def shown(path: str, **words: object) -> None:
            status, body, headers = ask(running.address, path, **words)  # type: ignore[arg-type]
            assert 400 <= status < 500, (status, path, body)
            answers.append(body + repr(headers))

        for _ in range(4):
            for path in ("/", "/api/v1/runs", "/api/2.0/mlflow/runs/get"):
                shown(path, token=plant())
                basic = base64.b64encode(f"ann:{plant()}".encode()).decode()
                shown(path, headers={"Authorization": f"Basic {basic}"})
            shown("/runs", headers={"Cookie": f"trimtab={plant()}"})
            shown("/runs", headers={"Authorization": f"Digest {plant()}"})
            shown("/login", body={"token": plant()})
            shown(f"/api/v1/runs?access_token={plant()}", token=token)
            shown("/api/v1/experiments", token=token, body={"name": "x", "password": plant()})
            shown("/api/v1/experiments", token=token, body={"name": {"secret": plant()}})
        shown(f"/no/{make_secret((Role.ADMIN,))}", token=token)
        while left:
            shown("/api/v1/experiments", body={"name": plant()})
        words = [
            " ".join(each.cmdline()) for each in psutil.Process(running.child.process.pid).children(True)
        ]
        words.append(" ".join(psutil.Process(running.child.process.pid).cmdline()))
        log = running.log
    assert len(set(used)) == 50
    assert "denied: 401" in log
    held = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    for secret in [*used, token]:
        assert not any(secret in said for said in [*answers, log, *words]), secret
        assert not any(secret.encode() in content for content in held), secret
        assert not any(base64.b64encode(f"ann:{secret}".encode()) in content for content in held)


@pytest.mark.slow  # the ledger is waited for
def test_the_password_of_a_stores_url_is_not_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_PASSWORD", "s3cret-0f-the-ledger")
    settings = '[store]\nledger = "postgresql://ann:${LEDGER_PASSWORD}@127.0.0.1:1/none"\n'
    with pytest.raises(TrimtabError) as failed, control(tmp_path, settings):
        pass
    held = [path.read_text("utf-8", "replace") for path in tmp_path.rglob("*") if path.is_file()]
    assert "s3cret" not in str(failed.value)
    assert not any("s3cret" in text for text in held)


HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
BAD = [
    b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /%ff%fe HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /id/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /id/" + b"a" * 60_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /?" + b"a=" * 30_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /runs?" + b"&".join(b"a=%d" % n for n in range(3000)) + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    b"GET * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    HEAD + b"X: " + b"a" * 200_000 + b"\r\n\r\n",
    HEAD + b"".join(b"X-%d: a\r\n" % n for n in range(5000)) + b"\r\n",
    HEAD + b"Host: evil.example\r\n\r\n",
    HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    HEAD + b"Content-Length: -1\r\n\r\n",
    HEAD + b"Content-Length: 99999999999999999999\r\n\r\n",
    HEAD + b"Content-Length: 0x10\r\n\r\n",
    HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    HEAD + b"Transfer-Encoding: gzip\r\n\r\n",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    HEAD
    + b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n",
    HEAD + b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: x\r\n\r\n",
    HEAD + b"Expect: 200-maybe\r\n\r\n",
    HEAD + b"Authorization: Basic \xff\xff\xff\r\n\r\n",
    HEAD + b"Authorization: Bearer \xc3\xa9\r\n\r\n",
    HEAD + b"Cookie: trimtab=\xff; =; ;;trimtab\r\n\r\n",
    HEAD + b"Accept: \xff\r\nOrigin: \xff\r\n\r\n",
    HEAD + b"Idempotency-Key: \xff\r\n\r\n",
    HEAD + b" folded: header\r\n\r\n",
    HEAD + b"No-colon\r\n\r\n",
    HEAD.replace(b"\r\n", b"\n") + b"\n",
    HEAD.replace(b"GET /", b"POST /login") + b"Content-Length: 10\r\nExpect: 100-continue\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    bytes(range(256)) * 40,
]


@pytest.mark.parametrize("which", ["guarded", "free"])
def test_bad_http_is_never_the_servers_failure(request: pytest.FixtureRequest, which: str) -> None:
    running: Control = request.getfixturevalue(which)
    for bad in BAD:
        answer = send_raw(running.address, bad, wait=False)
        assert status_of(answer) < 500, (bad[:80], answer[:300])
    assert ask(running.address, "/healthz")[0] == 200
    assert "Traceback" not in running.log


def mutated(drawn: random.Random) -> bytes:
    """A request that was right before some of its bytes were changed."""
    whole = bytearray(
        b"POST /api/2.0/mlflow/runs/log-metric?x=%41 HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n"
        b"Content-Type: application/json\r\nAuthorization: Bearer tt_x\r\nContent-Length: 29\r\n\r\n"
        b'{"run_id":"a","key":"b","x":1}'
    )
    for _ in range(drawn.randint(1, 8)):
        place = drawn.randrange(len(whole))
        deed = drawn.randrange(3)
        if deed == 0:
            whole[place] = drawn.randrange(256)
        elif deed == 1:
            del whole[place]
        else:
            whole[place:place] = drawn.choice([b"%", b"\0", b"\r\n", b"\xff", b"/../", b'"', b"{", b"9" * 30])
    return bytes(whole)


@pytest.mark.parametrize("count", [300, pytest.param(20_000, marks=pytest.mark.slow)])
def test_changed_bytes_are_never_the_servers_failure(free: Control, count: int) -> None:
    drawn = random.Random(count)
    for number in range(count):
        bad = mutated(drawn)
        answer = send_raw(free.address, bad, wait=False)
        assert status_of(answer) < 500, (number, bad, answer[:300])
    assert ask(free.address, "/healthz")[0] == 200
    assert "Traceback" not in free.log


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of this machine's own, and its key beside it."""
    made = tmp_path / "cert.pem"
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    subject = ["-subj", "/CN=localhost", "-addext", names, "-days", "2"]
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        str(tmp_path / "key.pem"),
    ]
    subprocess.run([*command, "-out", str(made), *subject], check=True, capture_output=True)
    return made


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_others_reach_it_by_tls_and_with_a_token_only(tmp_path: Path, certificate: Path) -> None:
    tls = 'allowed_hosts = ["models.example"]\ntls_certificate = "cert.pem"\ntls_key = "key.pem"\n'
    settings = f'[project]\nname = "p"\n[control]\nhost = "0.0.0.0"\n{tls}[serve]\nhost = "0.0.0.0"\n{tls}'
    (tmp_path / "trimtab.toml").write_text(settings, encoding="utf-8")
    token = give(open_project(tmp_path, declarations=False), "eva", "viewer")
    trusted = ssl.create_default_context(cafile=str(certificate))

    def status(address: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
        request = urllib.request.Request(address.replace("0.0.0.0", "127.0.0.1") + path, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=20, context=trusted) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    shown = {"Authorization": f"Bearer {token}"}
    with control(tmp_path, settings) as running:
        assert running.address.startswith("https://0.0.0.0:")
        assert status(running.address, "/api/v1/status", {})[0] == 401
        within(2.0, lambda: status(running.address, "/api/v1/status", shown)[0] == 200)
        assert status(running.address, "/api/v1/status", {**shown, "Host": "models.example"})[0] == 200
        assert status(running.address, "/api/v1/status", {**shown, "Host": "evil.example"})[0] == 403
        plain = send_raw(running.address.replace("https://0.0.0.0", "http://127.0.0.1"), HEAD + b"\r\n")
        assert b"HTTP/1.1 200" not in plain
    child, address = start_prediction_plane(open_project(tmp_path, declarations=False), port=0)
    try:
        assert address.startswith("https://0.0.0.0:")
        assert status(address, "/healthz", {}) == (200, '{"live":true}')
        assert status(address, "/metrics", {})[0] == 401
        within(2.0, lambda: status(address, "/metrics", shown)[0] == 200)
    finally:
        child.stop()


def test_an_admin_gives_and_revokes_tokens_at_a_server(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TRIMTAB_STORE", "TRIMTAB_SERVER"):
        monkeypatch.delenv(name, raising=False)
    with control(tmp_path / "p", ALWAYS) as running:
        monkeypatch.setenv("TRIMTAB_TOKEN", give(running.project, "boss", "admin"))
        time.sleep(1)

        def trimtab(*words: str) -> tuple[int, str, str]:
            capfd.readouterr()
            status = main(["token", *words, "--server", running.address])
            return (status, *capfd.readouterr())

        status, out, err = trimtab("create", "ci", "--role", "viewer", "--expires", "1d")
        secret = out.strip()
        assert (status, is_secret(secret), "ci of p: viewer, until " in err) == (0, True, True)
        time.sleep(1)
        assert ask(running.address, "/api/v1/status", secret)[0] == 200
        told = json.loads(trimtab("list", "--json")[1])["tokens"]
        assert [(each["name"], each["state"], each["given_by"]) for each in told][1:] == [
            ("ci", "living", "token:boss")
        ]
        assert told == json.loads(_listed_here(running.project, capfd))
        assert "is revoked since" in trimtab("revoke", "ci")[1]
        time.sleep(1)
        assert ask(running.address, "/api/v1/status", secret)[0] == 401
        monkeypatch.setenv("TRIMTAB_TOKEN", give(running.project, "reader", "viewer"))
        time.sleep(1)
        status, out, err = trimtab("create", "more", "--role", "admin")
        assert (status, out, "'administer'" in err) == (1, "", True)
        assert secret not in running.log
    for file in (path for path in (tmp_path / "p").rglob("*") if path.is_file()):
        assert secret.encode() not in file.read_bytes(), file


def _listed_here(project: Project, capfd: pytest.CaptureFixture[str]) -> str:
    """What `trimtab token list --json` says of the store, as of its one list."""
    capfd.readouterr()
    assert main(["token", "list", "--json", "--project", str(project.folder)]) == 0
    return json.dumps(json.loads(capfd.readouterr()[0])["tokens"])
