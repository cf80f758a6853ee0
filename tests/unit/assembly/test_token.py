"""Giving and revoking tokens: decisions, of which the store keeps no secret."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from trimtab.adapters.local_store import open_store
from trimtab.assembly.token import all_tokens, create_token, revoke_token
from trimtab.atoms.action import Action
from trimtab.atoms.actor import Actor
from trimtab.atoms.error import Conflict, NotThere, UsageError
from trimtab.atoms.instant import iso
from trimtab.atoms.token import TokenState, secret_digest
from trimtab.engine.store import Store
from trimtab.testing.manual_clock import ManualClock
from trimtab.testing.memory_store import memory_store

ANN = Actor(by="person:ann")
DAY = timedelta(days=1)


def give(
    store: Store, name: str = "ci", *roles: str, expires_in: timedelta | None = DAY, project: str = "p"
) -> str:
    return create_token(store, name, roles or ("runner",), project=project, expires_in=expires_in, by=ANN)[0]


def test_a_token_is_a_decision_and_so_is_its_end() -> None:
    store = memory_store()
    secret, made = create_token(
        store, "ci", ["runner", "viewer", "runner"], project="p", expires_in=DAY, by=ANN
    )
    assert (made.roles, made.project, made.given_by) == (("runner", "viewer"), "p", "person:ann")
    assert made.digest == secret_digest(secret)
    assert made.expires_at == iso(store.now() + DAY)
    given = store.ledger.find(made.action)
    assert isinstance(given, Action)
    assert (given.kind, given.subject, given.by) == ("token-create", "ci", "person:ann")
    gone = revoke_token(store, "ci", project="p", by=ANN)
    assert gone.revoked_at
    kinds = [entry.record.kind for entry in store.ledger.entries() if isinstance(entry.record, Action)]
    assert kinds == ["token-create", "token-revoke"]
    assert revoke_token(store, "ci", project="p", by=ANN) == gone
    assert store.ledger.head()[0] == 6


def test_what_is_done_with_a_token_is_a_step_of_giving_it() -> None:
    store = memory_store()
    _, boss = create_token(store, "boss", ["admin"], project="p", expires_in=None, by=ANN)
    _, made = create_token(
        store, "ci", ["runner"], project="p", expires_in=DAY, by=Actor(by="token:boss", parent=boss.action)
    )
    given = store.ledger.find(made.action)
    assert isinstance(given, Action)
    assert (given.by, given.parent) == ("token:boss", boss.action)


def test_a_name_is_free_again_once_its_token_is_dead() -> None:
    clock = ManualClock()
    store = memory_store(clock)
    give(store)
    with pytest.raises(Conflict, match="a living token is called ci already"):
        give(store)
    give(store, project="q")
    clock.advance(86400)
    second = give(store)
    revoke_token(store, "ci", project="p", by=ANN)
    third = give(store, expires_in=None)
    states = [each.state(iso(store.now())) for each in all_tokens(store, project="p")]
    assert states == [TokenState.EXPIRED, TokenState.REVOKED, TokenState.LIVING]
    assert all_tokens(store, project="p")[1].digest == secret_digest(second)
    assert all_tokens(store, project="p")[2].digest == secret_digest(third)
    assert len(all_tokens(store, project="q")) == 1


@pytest.mark.parametrize(
    ("name", "roles", "lives", "said"),
    [
        ("a b", ["viewer"], DAY, "names no token"),
        ("a", ["king"], DAY, "'king' is no role: roles are viewer"),
        ("a", [], DAY, "needs a role"),
        ("a", ["viewer"], timedelta(0), "expires at once"),
    ],
)
def test_what_cannot_be_given_is_told_so(name: str, roles: list[str], lives: timedelta, said: str) -> None:
    store = memory_store()
    with pytest.raises(UsageError, match=said):
        create_token(store, name, roles, project="p", expires_in=lives, by=ANN)
    assert store.ledger.head()[0] == 0


def test_only_what_was_given_can_be_revoked() -> None:
    store = memory_store()
    give(store, project="q")
    with pytest.raises(NotThere, match="no token is called 'ci'"):
        revoke_token(store, "ci", project="p", by=ANN)


def test_of_many_at_once_one_gets_a_name(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    begin, ends = threading.Barrier(8), []

    def ask() -> None:
        begin.wait()
        try:
            ends.append(give(store))
        except Conflict:
            ends.append("")

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = [each for each in ends if each]
    assert len(ends) == 8
    assert len(won) == 1
    assert [each.digest for each in all_tokens(store, project="p")] == [secret_digest(won[0])]
    store.close()


def test_no_file_of_the_store_holds_a_token(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    secrets = [give(store, f"t{number}") for number in range(10)]
    store.close()
    held = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert secret_digest(secrets[0]).encode() in held
    for secret in secrets:
        assert secret.encode() not in held
        assert secret.split("_")[2].encode() not in held
