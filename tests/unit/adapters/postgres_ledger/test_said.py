"""Which errors of a server pass by themselves."""

import psycopg
import pytest

from trimtab.adapters.postgres_ledger.said import is_lost

AT = 'connection failed: connection to server at "127.0.0.1", port 5432 failed: FATAL:  '


@pytest.mark.parametrize(
    "words",
    [
        "the database system is starting up",
        "the database system is shutting down",
        "the database system is in recovery mode",
        "terminating connection due to administrator command",
        "terminating connection because of crash of another server process",
        "canceling authentication due to timeout",
        "sorry, too many clients already",
    ],
)
def test_a_server_that_comes_and_goes_will_be_there_again(words: str) -> None:
    assert is_lost(psycopg.OperationalError(AT + words))


@pytest.mark.parametrize(
    "words",
    [
        'password authentication failed for user "me"',
        'database "x" does not exist',
        'role "me" does not exist',
    ],
)
def test_what_is_refused_for_good_is_told_at_once(words: str) -> None:
    assert not is_lost(psycopg.OperationalError(AT + words))
