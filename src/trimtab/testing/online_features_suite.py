"""What every store of online features must do. Subclass the class in a module that has the fixture `make`.

`make()` opens a store that is empty at first, and the same one again when called again.
"""

import bisect
import random
from collections.abc import Callable
from typing import Any

import pytest

from trimtab.ports.online_features import FeatureValue, OnlineFeatures

MakeOnlineFeatures = Callable[[], OnlineFeatures]


def value(entity: str, event_time_us: int, *values: Any) -> FeatureValue:
    """A row of a view."""
    return FeatureValue(entity=entity, event_time_us=event_time_us, values=values)


class OnlineFeaturesAnswer:
    """The newest value at or before a moment, for every reader at once."""

    def test_the_newest_at_or_before(self, make: MakeOnlineFeatures) -> None:
        online = make()
        early, late = value("JFK", 100, 1.5, None), value("JFK", 200, 2.5, "rain")
        assert online.put("sky", [late, early]) == 2
        wanted = [("JFK", 99), ("JFK", 100), ("JFK", 199), ("JFK", 200), ("JFK", 10**17), ("LGA", 200)]
        assert online.as_of("sky", wanted) == [None, early, early, late, late, None]
        assert online.as_of("sky", []) == []

    def test_json_scalars_come_back_as_they_are(self, make: MakeOnlineFeatures) -> None:
        row = value("späť 'x'", -5, 1, 1.0, -0.5, True, None, "", "ž", 2**53)
        make().put("sky", [row])
        (found,) = make().as_of("sky", [("späť 'x'", 0)])
        assert found == row
        assert [type(item) for item in found.values] == [type(item) for item in row.values]

    def test_the_last_writer_wins(self, make: MakeOnlineFeatures) -> None:
        first, second = make(), make()
        first.put("sky", [value("JFK", 100, 1.0)])
        assert second.as_of("sky", [("JFK", 100)]) == [value("JFK", 100, 1.0)]
        second.put("sky", [value("JFK", 100, 2.0)])
        assert first.as_of("sky", [("JFK", 100)]) == [value("JFK", 100, 2.0)]

    def test_views_do_not_mix(self, make: MakeOnlineFeatures) -> None:
        online = make()
        online.put("sky", [value("JFK", 100, 1.0)])
        online.put("sea", [value("JFK", 50, 2.0)])
        assert online.as_of("sea", [("JFK", 100)]) == [value("JFK", 50, 2.0)]
        assert online.as_of("sand", [("JFK", 100)]) == [None]
        assert (online.newest("sky"), online.newest("sea"), online.newest("sand")) == (100, 50, None)

    @pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
    def test_a_number_that_json_has_no_word_for_is_refused(
        self, make: MakeOnlineFeatures, number: float
    ) -> None:
        online = make()
        with pytest.raises(ValueError):
            online.put("sky", [value("JFK", 1, 1.0), value("JFK", 2, number)])
        assert online.newest("sky") is None

    def test_forgetting_keeps_the_newest_of_each_entity(self, make: MakeOnlineFeatures) -> None:
        online = make()
        online.put("sky", [value("JFK", moment, moment) for moment in (100, 200, 300)])
        online.put("sky", [value("LGA", moment, moment) for moment in (50, 60)])
        online.put("sea", [value("JFK", 1, 1), value("JFK", 2, 2)])
        assert online.forget("sky", 250) == 3
        assert online.as_of("sky", [("JFK", 250), ("JFK", 300), ("LGA", 60)]) == [
            None,
            value("JFK", 300, 300),
            value("LGA", 60, 60),
        ]
        assert online.forget("sky", 10**9) == 0
        assert online.forget("nothing", 10**9) == 0
        assert online.newest("sky") == 300
        assert online.as_of("sea", [("JFK", 1)]) == [value("JFK", 1, 1)]

    def test_it_agrees_with_a_plain_list(self, make: MakeOnlineFeatures) -> None:
        online, dice = make(), random.Random(7)
        plain: dict[str, dict[int, FeatureValue]] = {}
        rows = [value(f"e{dice.randrange(5)}", dice.randrange(60), dice.random()) for _ in range(200)]
        for start in range(0, 200, 20):
            online.put("sky", rows[start : start + 20])
        for row in rows:
            plain.setdefault(row.entity, {})[row.event_time_us] = row
        wanted = [(f"e{number}", moment) for number in range(6) for moment in range(-1, 61)]
        expected = []
        for entity, moment in wanted:
            times = sorted(plain.get(entity, {}))
            place = bisect.bisect_right(times, moment)
            expected.append(plain[entity][times[place - 1]] if place else None)
        assert online.as_of("sky", wanted) == expected
