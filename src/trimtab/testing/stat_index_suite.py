"""What every stat index must do. Subclass the class in a module that has the fixture `make`.

`make()` opens an index that knows nothing at first, and the same one again when called again.
"""

import threading
from collections.abc import Callable

from trimtab.ports.stat_index import NOTHING, FileStat, Remembered, StatIndex

MakeStatIndex = Callable[[], StatIndex]


def known(count: int, whole: str = "") -> Remembered:
    """What might be remembered of a folder with `count` files."""
    paths = [b"%d/\xff \n\xe2\x82\xac" % number for number in range(count)]
    return Remembered(
        stats={path: FileStat(0o100644, len(path), 2**62, -1, number) for number, path in enumerate(paths)},
        digests={path: bytes([number % 256]) * 32 for number, path in enumerate(paths)},
        whole=whole,
    )


class StatIndexRemembers:
    """What was remembered is recalled, wholly or not at all."""

    def test_a_place_that_nobody_remembered(self, make: MakeStatIndex) -> None:
        assert make().recall("folder:/data") == NOTHING

    def test_what_was_remembered_comes_back(self, make: MakeStatIndex) -> None:
        make().remember("folder:/data", known(1000, "abc"))
        assert make().recall("folder:/data") == known(1000, "abc")
        assert list(make().recall("folder:/data").stats) == list(known(1000).stats)

    def test_the_last_one_wins(self, make: MakeStatIndex) -> None:
        make().remember("folder:/data", known(3))
        make().remember("folder:/data", known(0, "empty"))
        assert make().recall("folder:/data") == known(0, "empty")

    def test_places_do_not_mix(self, make: MakeStatIndex) -> None:
        index = make()
        index.remember("folder:/data", known(1))
        index.remember("table:\udcff", known(2))
        assert (index.recall("folder:/data"), index.recall("table:\udcff")) == (known(1), known(2))

    def test_many_at_once_see_one_of_them_whole(self, make: MakeStatIndex) -> None:
        index, wrong = make(), []
        index.remember("folder:/data", known(500, "0"))

        def turn(number: int) -> None:
            for _ in range(20):
                index.remember("folder:/data", known(500 + number, str(number)))
                found = index.recall("folder:/data")
                if found != known(500 + int(found.whole or -1), found.whole):
                    wrong.append(found)

        threads = [threading.Thread(target=turn, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
