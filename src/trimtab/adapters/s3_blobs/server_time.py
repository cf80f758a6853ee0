"""What time it is by the clock that dates the objects of a bucket."""

import threading
import time

from trimtab.adapters.s3_blobs.bucket import Bucket
from trimtab.atoms.error import StoreError

_NAME = "clock"
#: Seconds after which the server is asked anew; within them this machine's steady clock goes on from its answer.
_TRUSTED_S = 600.0


class ServerTime:
    """Never ahead of the server's clock, and behind it by a few seconds at most.

    The wall clock of this machine is not asked: it may be hours off.
    """

    def __init__(self, bucket: Bucket) -> None:
        """Asks nothing yet."""
        self._bucket = bucket
        self._lock = threading.Lock()
        self._told_at: float | None = None
        self._asked_at = 0.0

    def now(self) -> float:
        """Seconds since 1970."""
        with self._lock:
            steady = time.monotonic()
            if self._told_at is None or steady - self._asked_at > _TRUSTED_S:
                self._bucket.replace(_NAME, b"")
                found = self._bucket.look(_NAME)
                if found is None:
                    raise StoreError(
                        f"bucket {self._bucket.place.bucket} at {self._bucket.place.server} does not show what was "
                        "just stored there: Trimtab needs a server where a put is seen by the next request"
                    )
                self._told_at, self._asked_at = found.modified_at, time.monotonic()
            return self._told_at + (time.monotonic() - self._asked_at)
