"""A whole store in memory."""

import os

from trimtab.engine.store import Store
from trimtab.ports.clock import Clock
from trimtab.testing.manual_clock import ManualClock
from trimtab.testing.memory_blobs import MemoryBlobs
from trimtab.testing.memory_ledger import MemoryLedger
from trimtab.testing.memory_online_features import MemoryOnlineFeatures
from trimtab.testing.memory_streams import MemoryStreams


def memory_store(clock: Clock | None = None) -> Store:
    """An empty store that is gone with the process; its time is a `ManualClock` unless another is given.

    >>> memory_store().ledger.head()[0]
    0
    """
    return Store(
        ledger=MemoryLedger(),
        blobs=MemoryBlobs(),
        streams=MemoryStreams(),
        online=MemoryOnlineFeatures(),
        clock=clock or ManualClock(),
        holder=f"memory:{os.getpid()}:0",
    )
