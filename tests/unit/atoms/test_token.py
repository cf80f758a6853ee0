"""Tokens: what they look like, and what of them is kept."""

import base64
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.atoms.permission import GIVES, Permission, Role
from trimtab.atoms.token import (
    PATTERN,
    Token,
    TokenState,
    is_secret,
    is_token_name,
    known,
    make_secret,
    secret_digest,
    shown_secret,
    why_dead,
)

NOON = "2024-01-01T12:00:00.000000Z"


def token(**facts: str) -> Token:
    return Token(
        name="ci", roles=(Role.RUNNER,), project="p", digest="d", given_by="person:a", given_at=NOON, **facts
    )


def test_a_token_says_what_it_is_for_and_is_never_the_same() -> None:
    drawn = {make_secret((role,)) for role in Role for _ in range(200)}
    assert len(drawn) == 200 * len(Role)
    for secret in drawn:
        kind, random, check = re.fullmatch(r"tt_([a-z]+)_([0-9A-Za-z]+)_([0-9A-Za-z]{6})", secret).groups()  # type: ignore[union-attr]
        assert kind in list(Role)
        assert len(random) * math.log2(62) >= 128
        assert check
        assert PATTERN.search(f"leaked: {secret}.")
        assert is_secret(secret)


@given(st.data())
def test_a_typo_is_recognised(data: st.DataObject) -> None:
    secret = make_secret((Role.VIEWER,))
    place = data.draw(st.integers(0, len(secret) - 1))
    other = data.draw(st.sampled_from("0123456789ABCXYZabcxyz_"))
    changed = secret[:place] + other + secret[place + 1 :]
    assert is_secret(changed) == (changed == secret)
    assert not is_secret(secret[:-1])


def test_only_a_digest_is_kept() -> None:
    secret = make_secret((Role.ADMIN,))
    assert len(secret_digest(secret)) == 64
    assert secret[10:] not in secret_digest(secret)
    assert secret_digest("\xff\udcff")


@pytest.mark.parametrize(
    ("header", "secret"),
    [
        (b"Bearer tt_x", "tt_x"),
        (b"bearer   tt_x ", "tt_x"),
        (b"Basic " + base64.b64encode(b"ann:tt_x"), "tt_x"),
        (b"BASIC " + base64.b64encode(b":tt:x"), "tt:x"),
        (b"Basic " + base64.b64encode(b"tt_x"), ""),
        (b"Bearer", ""),
        (b"Bearer \xff", "\xff"),
    ],
)
def test_a_header_shows_a_token(header: bytes, secret: str) -> None:
    assert shown_secret(header) == secret


@pytest.mark.parametrize(
    "header", [b"", b"tt_x", b"Digest tt_x", b"Basic tt_x", b"Basic \xff\xff", b"Basic Og"]
)
def test_a_header_of_another_form_is_refused_without_repeating_it(header: bytes) -> None:
    with pytest.raises(ValueError, match=r"Authorization header|base64") as refused:
        shown_secret(header)
    assert "tt_x" not in str(refused.value)


def test_a_token_dies_by_time_and_by_decision() -> None:
    assert token().state(NOON) is TokenState.LIVING
    assert token(expires_at="2024-01-01T12:00:00.000001Z").state(NOON) is TokenState.LIVING
    assert token(expires_at=NOON).state(NOON) is TokenState.EXPIRED
    assert token(expires_at=NOON, revoked_at=NOON).state(NOON) is TokenState.REVOKED


def test_its_holder_is_told_why_a_token_is_dead() -> None:
    secret = make_secret((Role.VIEWER,))
    assert known(token(), NOON).living
    dead = (known(token(expires_at=NOON), NOON), known(token(revoked_at=NOON), NOON))
    assert not any(each.living for each in dead)
    said = {why_dead(secret, each) for each in dead}
    said |= {why_dead(secret, None), why_dead("tt_typo", None)}
    assert len(said) == 4
    assert not any(secret in each or "tt_typo" in each for each in said)


def test_roles_add_up_and_nothing_gives_all_by_accident() -> None:
    both = Token(
        name="x", roles=(Role.VIEWER, Role.PREDICTOR), project="p", digest="", given_by="", given_at=""
    )
    assert both.permissions == {Permission.READ, Permission.PREDICT}
    assert GIVES.keys() == set(Role)
    assert Permission.RELEASE not in GIVES[Role.RUNNER]
    assert [role for role in Role if Permission.ADMINISTER in GIVES[role]] == [Role.ADMIN]


@pytest.mark.parametrize("name", ["ci", "a.b-c_d@e", "9", "x" * 64])
def test_names_that_tokens_may_have(name: str) -> None:
    assert is_token_name(name)


@pytest.mark.parametrize("name", ["", "-x", "a b", "a/b", "a\n", "é", "x" * 65, "a:b"])
def test_names_that_tokens_may_not_have(name: str) -> None:
    assert not is_token_name(name)
