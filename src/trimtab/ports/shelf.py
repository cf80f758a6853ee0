"""A few small things under names of their own, such as the manifests of backups."""

from typing import Protocol


class Shelf(Protocol):
    """Contract:

    - `create` returns when the bytes are durable; a name is given once and its bytes never change.
    - A thing is wholly there or wholly absent, whenever the process dies.
    - A name has letters, digits, `-`, `_` and `.` only, and does not begin with a `.`.
    """

    def create(self, name: str, content: bytes) -> bool:
        """Keep `content` as `name`; False, and nothing is changed, where the name is taken."""
        ...

    def read(self, name: str) -> bytes:
        """The bytes under a name; KeyError where there are none."""
        ...

    def names(self) -> list[str]:
        """Every name, sorted."""
        ...
