"""A map that outgrows memory is the same map."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from trimtab.adapters.spilled_map import SpilledMap

KEYS = st.sampled_from(["", "a", "b", "ä", "a b", "0"])
VALUES = st.one_of(st.integers(0, 9), st.just(True), st.lists(st.text(max_size=2), max_size=2))


@given(st.lists(st.tuples(KEYS, VALUES), max_size=40), st.integers(0, 4))
def test_it_gives_what_was_put_in_last(puts: list[tuple[str, Any]], most_held: int) -> None:
    spilled, plain = SpilledMap(most_held), {}
    for key, value in puts:
        spilled[key] = plain[key] = value
        assert len(spilled._held) <= most_held
        for wanted in ("", "a", "b", "ä", "a b", "0"):
            assert spilled.get(wanted) == plain.get(wanted)
