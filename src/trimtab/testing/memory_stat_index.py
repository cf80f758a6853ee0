"""A stat index in memory."""

from trimtab.ports.stat_index import NOTHING, Remembered


class MemoryStatIndex:
    """Contract of the port; gone with the process."""

    def __init__(self) -> None:
        self._places: dict[str, Remembered] = {}

    def recall(self, place: str) -> Remembered:
        """See the port."""
        return self._places.get(place, NOTHING)

    def remember(self, place: str, remembered: Remembered) -> None:
        """See the port."""
        self._places[place] = remembered
