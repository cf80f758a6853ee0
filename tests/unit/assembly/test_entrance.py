"""The entrance: what a plane may listen on, and whom it then asks for a token."""

from datetime import timedelta
from pathlib import Path

import pytest

from parts.certificate import write_certificate
from trimtab.assembly.entrance import Entrance, entrance_of, is_loopback, refuse_foreign
from trimtab.assembly.project import open_project
from trimtab.assembly.token import create_token, revoke_token
from trimtab.atoms.actor import Actor
from trimtab.atoms.error import ConfigurationRefused, UsageError
from trimtab.engine.store import Store
from trimtab.testing.memory_store import memory_store

ANN = Actor(by="person:ann")
PROXY = 'allowed_hosts = ["models.example"]\nbehind_proxy = true\n'
ELSEWHERE = ["0.0.0.0", "::", "192.168.1.7", "models.example", ""]


def entrance(
    folder: Path, host: str, settings: str = "", store: Store | None = None, plane: str = "control"
) -> Entrance:
    (folder / "trimtab.toml").write_text(f'[project]\nname = "p"\n[{plane}]\n{settings}', encoding="utf-8")
    return entrance_of(open_project(folder, declarations=False), plane, host, store or memory_store())


def with_token() -> Store:
    store = memory_store()
    create_token(store, "ci", ["viewer"], project="p", expires_in=timedelta(days=1), by=ANN)
    return store


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.8.8.8"])
@pytest.mark.parametrize("plane", ["control", "serve"])
def test_on_this_machine_no_token_is_needed(tmp_path: Path, host: str, plane: str) -> None:
    assert is_loopback(host)
    assert not entrance(tmp_path, host, plane=plane).tokens


@pytest.mark.parametrize("settings", ['auth = "always"', PROXY])
@pytest.mark.parametrize("plane", ["control", "serve"])
def test_unless_the_settings_say_so_or_a_proxy_brings_others_in(
    tmp_path: Path, settings: str, plane: str
) -> None:
    made = entrance(tmp_path, "127.0.0.1", settings, plane=plane)
    assert made.tokens
    assert made.secure == ("proxy" in settings)


@pytest.mark.parametrize("host", ELSEWHERE)
@pytest.mark.parametrize("plane", ["control", "serve"])
@pytest.mark.parametrize(
    ("settings", "store", "said"),
    [
        ("", with_token, "allowed_hosts = "),
        ("behind_proxy = true", with_token, "allowed_hosts = "),
        ('allowed_hosts = ["models.example"]', with_token, "tls_certificate and tls_key, or behind_proxy"),
        (PROXY, memory_store, "no living token.*`trimtab token create NAME --role admin`"),
        (f'{PROXY}auth = "loopback"', memory_store, "no living token"),
    ],
)
def test_elsewhere_each_thing_that_is_missing_is_named(
    tmp_path: Path, host: str, plane: str, settings: str, store: object, said: str
) -> None:
    with pytest.raises(ConfigurationRefused, match=said) as refused:
        entrance(tmp_path, host, settings, store(), plane)  # type: ignore[operator]
    assert refused.value.exit_status == 78
    assert f"listening on {host} is refused" in str(refused.value)


@pytest.mark.parametrize("host", ELSEWHERE)
def test_elsewhere_with_all_of_it_tokens_are_asked_for(tmp_path: Path, host: str) -> None:
    made = entrance(tmp_path, host, PROXY, with_token())
    assert (made.tokens, made.hosts, made.secure, made.scheme) == (True, ("models.example",), True, "http")
    write_certificate(tmp_path)
    tls = 'allowed_hosts = ["models.example"]\ntls_certificate = "cert.pem"\ntls_key = "key.pem"'
    made = entrance(tmp_path, host, tls, with_token())
    assert (made.tokens, made.certificate, made.secure, made.scheme) == (
        True,
        tmp_path / "cert.pem",
        True,
        "https",
    )


def test_only_a_token_of_this_project_that_lives_counts(tmp_path: Path) -> None:
    store = memory_store()
    create_token(store, "other", ["admin"], project="q", expires_in=None, by=ANN)
    create_token(store, "ci", ["admin"], project="p", expires_in=None, by=ANN)
    revoke_token(store, "ci", project="p", by=ANN)
    with pytest.raises(ConfigurationRefused, match="no living token"):
        entrance(tmp_path, "0.0.0.0", PROXY, store)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_certificate_that_is_not_there_stops_the_start(tmp_path: Path, host: str) -> None:
    settings = 'allowed_hosts = ["x"]\ntls_certificate = "no.pem"\ntls_key = "no.pem"'
    with pytest.raises(ConfigurationRefused, match=r"no\.pem: no such file"):
        entrance(tmp_path, host, settings, with_token())


TLS = 'tls_certificate = "cert.pem"\ntls_key = "key.pem"'


@pytest.mark.parametrize("spoil", ["nothing PEM", "another key", "a password"])
def test_a_certificate_that_cannot_be_used_stops_the_start_and_nobody_is_asked(
    tmp_path: Path, spoil: str
) -> None:
    write_certificate(tmp_path, password=b"sesame" if spoil == "a password" else b"")
    if spoil == "nothing PEM":
        (tmp_path / "cert.pem").write_text("hello", encoding="utf-8")
    if spoil == "another key":
        key = (tmp_path / "key.pem").read_bytes()
        write_certificate(tmp_path)
        (tmp_path / "key.pem").write_bytes(key)
    with pytest.raises(ConfigurationRefused, match="tls_certificate and tls_key cannot be used"):
        entrance(tmp_path, "127.0.0.1", TLS)


@pytest.mark.parametrize("plane", ["control", "serve"])
def test_a_host_that_no_request_names_is_refused(tmp_path: Path, plane: str) -> None:
    for name in (
        "models.example:443",
        "https://models.example",
        "*",
        "*.example",
        "",
        "a b",
        "::1",
        "a.",
        "a/b",
    ):
        with pytest.raises(ConfigurationRefused, match="allowed_hosts: no request names the host"):
            entrance(tmp_path, "127.0.0.1", f'allowed_hosts = ["ok.example", "{name}"]', plane=plane)
    for name in ("models.example", "MODELS", "10.0.0.1", "[::1]", "my_host", "xn--bcher-kva.example"):
        assert entrance(tmp_path, "127.0.0.1", f'allowed_hosts = ["{name}"]', plane=plane).hosts == (name,)


@pytest.mark.parametrize(
    ("settings", "said"),
    [('auth = "never"', "neither 'loopback' nor 'always'"), ('tls_key = "key.pem"', "give both")],
)
def test_settings_that_mean_nothing_are_refused(tmp_path: Path, settings: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        entrance(tmp_path, "127.0.0.1", settings)


def test_what_the_settings_alone_say_needs_no_store(tmp_path: Path) -> None:
    project = open_project(tmp_path, declarations=False)
    with pytest.raises(ConfigurationRefused, match="allowed_hosts"):
        refuse_foreign(tmp_path, project.settings, "serve", "0.0.0.0")
    refuse_foreign(tmp_path, project.settings, "serve", "127.0.0.1")
