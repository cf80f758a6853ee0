"""What every shelf must do: subclass the class where there is a fixture `make` that opens one empty shelf again."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from trimtab.ports.shelf import Shelf

MakeShelf = Callable[[], Shelf]


class ShelfKeeps:
    """A name is given once."""

    def test_what_was_kept_is_read_by_the_next(self, make: MakeShelf) -> None:
        assert make().create("20260101-a.json", b"one")
        assert make().read("20260101-a.json") == b"one"

    def test_a_name_is_given_once(self, make: MakeShelf) -> None:
        shelf = make()
        assert shelf.create("a", b"one")
        assert not shelf.create("a", b"two")
        assert shelf.read("a") == b"one"

    def test_of_many_at_once_one_gets_the_name(self, make: MakeShelf) -> None:
        shelf = make()
        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(lambda number: shelf.create("a", b"%d" % number), range(8)))
        assert won.count(True) == 1
        assert shelf.read("a") == b"%d" % won.index(True)

    def test_names_are_sorted(self, make: MakeShelf) -> None:
        shelf = make()
        assert shelf.names() == []
        for name in ("c", "a-2.json", "a-1.json"):
            shelf.create(name, b"")
        assert shelf.names() == ["a-1.json", "a-2.json", "c"]

    def test_what_is_not_there(self, make: MakeShelf) -> None:
        with pytest.raises(KeyError):
            make().read("a")
