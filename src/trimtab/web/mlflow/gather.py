"""Gathering: what many connections log in one turn of the event loop goes to the logbook together."""

import asyncio
from concurrent.futures import Future
from functools import partial

from trimtab.atoms.run_event import RunEvent
from trimtab.tracking.logbook import Logbook

Waiter = asyncio.Future[None]


class Gather:
    """Logs events from coroutines of one event loop. Durable, or refused, when `log` returns."""

    def __init__(self, logbook: Logbook) -> None:
        self._logbook = logbook
        self._waiting: list[tuple[RunEvent, Waiter]] = []

    async def log(self, event: RunEvent) -> None:
        """Log an event; errors as `Logbook.log`."""
        owners = self._logbook.owners
        if event.parameters or not (
            owners.are_known(event.owner) and (not event.points_model or owners.are_known(event.points_model))
        ):
            # This may read the index, which an event loop must not wait for.
            await asyncio.to_thread(self._logbook.log, event)
            return
        loop = asyncio.get_running_loop()
        waiter: Waiter = loop.create_future()
        self._waiting.append((event, waiter))
        if len(self._waiting) == 1:
            loop.call_soon(self._send, loop)
        await waiter

    def _send(self, loop: asyncio.AbstractEventLoop) -> None:
        group, self._waiting = self._waiting, []
        try:
            futures = self._logbook.log_nowait([event for event, _ in group])
        except Exception as error:
            _tell([waiter for _, waiter in group], error)
            return
        flights: dict[Future[None], list[Waiter]] = {}
        for (_, waiter), future in zip(group, futures, strict=True):
            flights.setdefault(future, []).append(waiter)
        for future, waiters in flights.items():
            future.add_done_callback(partial(_landed, loop, waiters))


def _landed(loop: asyncio.AbstractEventLoop, waiters: list[Waiter], future: "Future[None]") -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(_tell, waiters, future.exception())


def _tell(waiters: list[Waiter], error: BaseException | None) -> None:
    for waiter in waiters:
        if waiter.done():
            continue
        if error is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(error)
