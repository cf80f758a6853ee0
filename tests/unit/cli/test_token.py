"""`trimtab token`: made once, listed without its secret, revoked by name."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trimtab.atoms.token import PATTERN, is_secret

Run = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "trimtab.toml").write_text('[project]\nname = "p"\n', encoding="utf-8")
    return tmp_path


def test_a_token_is_printed_once_and_alone(trimtab: Run, folder: Path) -> None:
    made = trimtab("token", "create", "ci", "--role", "runner", "--project", folder)
    assert made.status == 0
    assert is_secret(made.out.strip())
    assert "ci of p: runner, until " in made.err
    assert not PATTERN.search(made.err)
    for command in (["list"], ["list", "--json"], ["revoke", "ci"], ["revoke", "ci", "--json"]):
        told = trimtab("token", *command, "--project", folder)
        assert told.status == 0
        assert not PATTERN.search(told.out + told.err)


def test_tokens_are_listed_with_how_they_stand(trimtab: Run, folder: Path) -> None:
    assert "no token was given" in trimtab("token", "list", "--project", folder).out
    for name, roles in (("a", ["viewer", "auditor"]), ("b", ["admin"])):
        words = [word for role in roles for word in ("--role", role)]
        made = trimtab("token", "create", name, *words, "--expires", "never", "--json", "--project", folder)
        told = json.loads(made.out)
        assert (told["name"], told["roles"], told["expires_at"], told["state"]) == (
            name,
            roles,
            None,
            "living",
        )
    trimtab("token", "revoke", "b", "--project", folder)
    listed = json.loads(trimtab("token", "list", "--json", "--project", folder).out)["tokens"]
    assert [(each["name"], each["state"]) for each in listed] == [("a", "living"), ("b", "revoked")]
    text = trimtab("token", "list", "--project", folder).out
    assert "viewer, auditor" in text
    assert "revoked" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["create", "a"], "Missing option '--role'"),
        (["create", "a", "--role", "king"], "'king' is not one of"),
        (["create", "a b", "--role", "viewer"], "names no token"),
        (["create", "a", "--role", "viewer", "--expires", "soon"], "--expires: 'soon' is no duration"),
        (["create", "a", "--role", "viewer", "--expires", "0d"], "expires at once"),
        (["create", "a", "--role", "viewer", "--expires", "99999999d"], "a hundred years at most"),
        (["create", "a", "--role", "viewer", "--expires", f"{'9' * 400}w"], "longer than two million years"),
        (["create", "a", "--role", "viewer", "--expires", f"{'9' * 30}s"], "longer than two million years"),
        (["revoke", "a"], "no token is called 'a'"),
    ],
)
def test_wrong_words_are_told_so(trimtab: Run, folder: Path, words: list[str], said: str) -> None:
    refused = trimtab("token", *words, "--project", folder)
    assert refused.status == 2
    assert said in refused.err


def test_a_living_name_is_not_given_twice(trimtab: Run, folder: Path) -> None:
    words = ("token", "create", "ci", "--role", "runner", "--project", folder)
    assert trimtab(*words).status == 0
    assert "a living token is called ci already" in trimtab(*words).err


@pytest.mark.parametrize("words", [["create", "{}", "--role", "viewer"], ["revoke", "{}"]])
def test_a_token_given_for_a_name_is_not_repeated(trimtab: Run, folder: Path, words: list[str]) -> None:
    secret = trimtab("token", "create", "ci", "--role", "runner", "--project", folder).out.strip()
    told = trimtab("token", *[word.format(secret) for word in words], "--project", folder)
    assert (told.status, "that name is a token itself" in told.err) == (2, True)
    assert secret not in told.out + told.err
