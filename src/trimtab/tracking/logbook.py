"""The logbook: what runs and logged models say about themselves, durable before it is acknowledged."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial

from msgspec.structs import replace

from trimtab.atoms.error import Conflict, NotThere, TrimtabError
from trimtab.atoms.metric_point import Points
from trimtab.atoms.run_event import STREAM, RunEvent, encode_event
from trimtab.engine.store import Store
from trimtab.ports.run_index import RunIndex
from trimtab.tracking.flight import Flights
from trimtab.tracking.follow import Follower
from trimtab.tracking.owner import Owners
from trimtab.tracking.rule import microseconds_of, require_event

#: Parameters that are remembered with their values.
MOST_PARAMETERS = 100_000


class Logbook:
    """The one way by which anything gets into the stream of run events."""

    def __init__(self, store: Store, index: RunIndex, follower: Follower) -> None:
        self._store, self._index, self._follower = store, index, follower
        #: Who is alive.
        self.owners = Owners(store, index, follower)
        #: Values of parameters by owner and key: those of events that the index may not hold yet are among them.
        self._parameters: OrderedDict[tuple[str, str], str] = OrderedDict()
        #: Held while a parameter is looked up and sent.
        self._setting = threading.RLock()
        self._flights = Flights(store.streams, STREAM)
        self._timing = threading.Lock()
        self._last_us = 0

    def log(self, event: RunEvent) -> None:
        """Log an event; durable when it returns.

        Raises:
            NotThere: No run or logged model has the owner's id.
            Conflict: The owner is deleted, or a parameter has another value already (nothing was logged).
            UsageError: A key or a value breaks a rule: the message names it.
        """
        self.log_nowait([event])[0].result()

    def log_nowait(self, events: Sequence[RunEvent]) -> list["Future[None]"]:
        """As `log`, of many events at once, without waiting for the disk: a future each, done when it is durable.

        An event that is refused has its error in its future; the others are logged all the same. Cheap where an event
        has only points and its owner is known to live: nothing is read then, so an event loop may call it. Events
        that fly together share one future, which cannot be cancelled.
        """
        if any(event.parameters for event in events):
            with self._setting:
                return self._send(events)
        return self._send(events)

    def points(self, run: str, metric: str) -> Points:
        """Every point of one metric, as acknowledged up to now; NotThere where there is no such run."""
        self._follower.catch_up()
        if self._index.runs.find(run) is None:
            raise NotThere(f"no run has the id {run[:80]!r}")
        return self._index.runs.points(run, metric)

    def _send(self, events: Sequence[RunEvent]) -> list["Future[None]"]:
        futures: list[Future[None] | None] = []
        records: list[bytes] = []
        setting: list[tuple[str, str]] = []
        at_us = self._moment(len(events))
        admitted: set[str] = set()
        for event in events:
            try:
                require_event(event)
                if event.owner not in admitted or event.parameters or event.points_model:
                    self._admit(event, setting)
                    admitted.add(event.owner)
            except TrimtabError as error:
                refused: Future[None] = Future()
                refused.set_exception(error)
                futures.append(refused)
                continue
            records.append(encode_event(replace(event, at_us=at_us)))
            at_us += 1
            futures.append(None)
        if not records:
            return [future for future in futures if future is not None]
        landing = self._flights.send(records, partial(self._unset, setting) if setting else None)
        return [future or landing for future in futures]

    def _moment(self, count: int) -> int:
        """The first of `count` moments, microseconds since 1970, that are later than all before."""
        now = microseconds_of(self._store.now())
        with self._timing:
            first = max(now, self._last_us + 1)
            self._last_us = first + count - 1
        return first

    def _admit(self, event: RunEvent, setting: list[tuple[str, str]]) -> None:
        for owner in (event.owner, event.points_model) if event.points_model else (event.owner,):
            if not self.owners.are_known(owner):
                self.owners.require(owner)
        if event.parameters:
            self._require_new(event, setting)

    def _require_new(self, event: RunEvent, setting: list[tuple[str, str]]) -> None:
        """Refuse parameters that have another value already; those that are set now are added to `setting`."""
        owner, known = event.owner, self._parameters
        told: dict[str, str] | None = None
        for key, value in event.parameters.items():
            before = known.get((owner, key))
            if before is None:
                if told is None:
                    told = self._told(owner)
                before = told.get(key)
            if before is not None and before != value:
                raise Conflict(
                    f"parameter {key!r} of {owner} is {before[:200]!r} already and cannot become {value[:200]!r}: "
                    "parameters are set once"
                )
        for key, value in event.parameters.items():
            if (owner, key) not in known:
                known[owner, key] = value
                setting.append((owner, key))
        while len(known) > MOST_PARAMETERS:
            known.popitem(last=False)

    def _told(self, owner: str) -> dict[str, str]:
        """Parameters of an owner as the index holds them."""
        self._follower.catch_up()
        found = self._index.runs.find(owner) or self._index.models.find(owner)
        return found.parameters if found is not None else {}

    def _unset(self, setting: list[tuple[str, str]]) -> None:
        """Forget parameters that did not come to the disk: they may be set to something else.

        Without the lock: who calls this may hold back the one who has it.
        """
        for key in setting:
            self._parameters.pop(key, None)
