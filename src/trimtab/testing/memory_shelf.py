"""The shelf port in memory."""

import threading


class MemoryShelf:
    """A dict whose names are given once."""

    def __init__(self) -> None:
        self._things: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def create(self, name: str, content: bytes) -> bool:
        """See the port."""
        with self._lock:
            taken = name in self._things
            self._things.setdefault(name, content)
            return not taken

    def read(self, name: str) -> bytes:
        """See the port."""
        return self._things[name]

    def names(self) -> list[str]:
        """See the port."""
        with self._lock:
            return sorted(self._things)
