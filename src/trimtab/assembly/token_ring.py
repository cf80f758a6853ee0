"""The token ring: every token of a store, kept up to date in the background, and asked without touching the store."""

import asyncio
import logging
import threading
from contextlib import AbstractContextManager
from types import TracebackType

from trimtab.atoms.error import TrimtabError
from trimtab.atoms.instant import iso
from trimtab.atoms.token import Known, known, secret_digest
from trimtab.engine.store import Store
from trimtab.views.access import Tokens

_LOG = logging.getLogger("trimtab.access")
#: Seconds between two looks at the ledger: a revoked token lets nobody in after that.
EVERY_SECONDS = 0.25


class TokenRing(AbstractContextManager["TokenRing"]):
    """Contract: the gate's and the guard's `Ring`. While the store cannot be read, what was known last holds."""

    def __init__(self, store: Store) -> None:
        """Begin to read; the block that it is used in must end before the store is closed."""
        self._store = store
        self._tokens = Tokens(store)
        self._known: dict[str, Known] = {}
        self._first = threading.Event()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="token-ring", daemon=True)
        self._thread.start()

    @property
    def ready(self) -> bool:
        """Whether every token that was given before the start is known."""
        return self._first.is_set()

    def find(self, secret: str) -> Known | None:
        """The token, and how it stands; None where nobody was ever given it."""
        return self._known.get(secret_digest(secret))

    async def wait(self) -> None:
        """Return when `ready` holds."""
        await asyncio.to_thread(self._first.wait)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._first.set()
        self._thread.join()

    def _follow(self) -> None:
        failing = False
        while not self._end.is_set():
            try:
                self._look()
                failing = False
            except Exception as error:  # a thread that ended would let revoked tokens in for ever
                if not failing:
                    told = isinstance(error, TrimtabError)
                    _LOG.error(
                        "tokens cannot be read, those that were known hold: %s", error, exc_info=not told
                    )
                failing = True
            self._end.wait(EVERY_SECONDS)

    def _look(self) -> None:
        try:
            self._tokens.refresh()
        finally:
            now = iso(self._store.now())
            self._known = {token.digest: known(token, now) for token in self._tokens.all()}
        self._first.set()
