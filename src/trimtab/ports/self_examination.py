"""What an adapter can tell of its own files that nobody sees who reads through its port."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class SelfExamining(Protocol):
    """Contract: an adapter may have this beside its port; `trimtab fsck` asks for it. It changes nothing."""

    def own_faults(self) -> list[str]:
        """A sentence for each thing that is not as the adapter left it: a torn index, a damaged page."""
        ...
