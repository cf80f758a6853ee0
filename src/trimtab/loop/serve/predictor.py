"""The predictor: takes a request through the traffic plan to a logged answer."""

import asyncio
import logging
import secrets
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter
from typing import Any

import msgspec
import xxhash

from trimtab.atoms.instant import iso
from trimtab.engine.store import Store
from trimtab.loop.serve.crew import Crew, Full, Overdue
from trimtab.loop.serve.limit import Limits
from trimtab.loop.serve.loaded_bundle import Answers, LoadedBundle
from trimtab.loop.serve.meter import Meter
from trimtab.loop.serve.prediction import Prediction, columns_of_rows, record_of
from trimtab.loop.serve.prediction_log import PredictionLog
from trimtab.loop.serve.problem import Problem, busy, not_ready
from trimtab.loop.serve.traffic import Route, Seat, Traffic
from trimtab.rows.request_row import RowsRefused

_log = logging.getLogger("trimtab.serve")

#: Threads that canaries and shadows may hang without touching the champion's.
_CHALLENGER_THREADS = 2
#: No cell of a table is nested deeper than this.
_MOST_DEPTH = 16
#: An exception and its trace are kept up to these many characters.
_ERROR_LENGTH, _TRACE_LENGTH = 2000, 4000


@dataclass(slots=True)
class _Asked:
    """One request on its way."""

    route: Route
    rows: list[Any]
    request_id: str
    #: The moment that features are computed for.
    now: datetime
    #: True once a canary failed the request, so that the champion must answer it.
    fell_back: bool = False
    started: float = field(default_factory=perf_counter)

    @property
    def model(self) -> str:
        return self.route.plan.model

    @property
    def is_canary(self) -> bool:
        """Whether the plan gives this request to the challenger; one id always goes the same way."""
        key = f"{self.route.plan_id}:{self.request_id}".encode()
        return xxhash.xxh3_64_intdigest(key) / 2**64 < self.route.plan.share


class Predictor:
    """Answers requests; belongs to the event loop's thread."""

    def __init__(
        self,
        store: Store,
        traffic: Traffic,
        log: PredictionLog,
        meter: Meter,
        limits: Limits,
        *,
        strict: bool = True,
    ) -> None:
        self._store = store
        self._traffic = traffic
        self._log = log
        self._meter = meter
        self._limits = limits
        self._strict = strict
        self._champions = Crew("champion", limits.threads, most_waiting=limits.in_flight)
        self._canaries = Crew("canary", _CHALLENGER_THREADS, most_waiting=limits.in_flight)
        self._shadows = Crew("shadow", 1, most_waiting=limits.shadow_waiting)
        self._shadow_tasks: set[asyncio.Task[None]] = set()

    async def predict(
        self, model: str, rows: list[Any], request_id: str | None = None, *, version: int | None = None
    ) -> Prediction:
        """Answer rows, durably logged before this returns.

        Args:
            rows: JSON objects, column to value.
            request_id: Decides between champion and canary; a new one is made where the client gave none.
            version: Only this version may answer; None: whichever the traffic plan says.

        Raises:
            Problem: The client's mistake (4xx), or nothing can answer now (503, 429).
        """
        self._require_size(rows)
        route, champion = self._enter(model)
        try:
            if version is not None and version != route.champion.version:
                raise Problem(
                    404,
                    f"version {version} of model {model!r} takes no requests; version "
                    f"{route.champion.version} does",
                )
            asked = _Asked(route, rows, request_id or secrets.token_hex(16), self._store.now())
            prediction = None
            if route.plan.stage == "canary" and route.challenger and version is None and asked.is_canary:
                prediction = await self._ask_canary(asked, route.challenger)
            if prediction is None:
                prediction = await self._ask_champion(asked, champion)
        finally:
            champion.leave()
        if route.plan.stage == "shadow" and route.challenger is not None:
            self._offer_shadow(asked, route.challenger)
        return prediction

    def route(self, model: str) -> Route:
        """The model's route; Problem 404 where there is no such model, 503 where it is not ready."""
        route = self._traffic.routes.get(model)
        if route is None:
            if self._traffic.knows(model):
                raise not_ready(f"model {model[:100]!r} has no version that is ready to answer yet")
            served = ", ".join(sorted(self._traffic.routes)) or "none"
            raise Problem(404, f"there is no model {model[:100]!r} here; served are: {served}", rule="model")
        return route

    async def settle(self) -> None:
        """Give shadows that wait a moment to finish."""
        if self._shadow_tasks:
            await asyncio.wait(list(self._shadow_tasks), timeout=2)

    def close(self) -> None:
        """Let the threads go."""
        for task in list(self._shadow_tasks):
            task.cancel()
        for crew in (self._champions, self._canaries, self._shadows):
            crew.close()

    def _require_size(self, rows: list[Any]) -> None:
        if not rows:
            raise Problem(422, "the request has no rows: send at least one", rule="rows not empty")
        if len(rows) > self._limits.rows:
            raise Problem(
                413,
                f"the request has {len(rows)} rows, the limit is {self._limits.rows}: send several requests",
                rule="rows",
            )

    def _enter(self, model: str) -> tuple[Route, LoadedBundle]:
        while True:
            route = self.route(model)
            champion = route.champion.loaded
            # False only where the route was swapped between the two reads: the next read gives the new one.
            if champion is not None and champion.enter():
                return route, champion

    async def _ask_champion(self, asked: _Asked, champion: LoadedBundle) -> Prediction:
        seat = asked.route.champion
        try:
            began = perf_counter()
            plain = champion.answer_plain(asked.rows, strict=self._strict)
            if plain is not None:
                answers, seconds = plain, perf_counter() - began
            else:
                _require_shallow(asked.rows)
                call = _timed(_call(champion, asked, self._strict))
                answers, seconds = await self._champions.do(call, seconds=self._limits.champion_seconds)
        except (Problem, RowsRefused) as raised:
            raise _refusal(raised) from raised
        except Full as raised:
            raise busy("more requests wait than can be answered; come back in a second") from raised
        except Exception as raised:
            self._failed(asked, seat, "champion", raised)
            raise Problem(
                503,
                f"model {asked.model!r} could not answer this request; the exception is logged under its id",
                rule="model",
                retry_after_s=1,
            ) from raised
        return await self._give(asked, seat, "champion", champion, answers, seconds)

    async def _ask_canary(self, asked: _Asked, seat: Seat) -> Prediction | None:
        """The challenger's answer; None where the champion must answer instead."""
        challenger = seat.loaded
        try:
            _require_shallow(asked.rows)
            if challenger is None or not challenger.enter():
                raise Overdue(seat.error or "it was just replaced")
            call = _timed(_call(challenger, asked, self._strict))
            answers, seconds = await self._canaries.do(
                call, seconds=self._limits.canary_seconds, after=challenger.leave
            )
        except Problem:
            raise
        except Exception as raised:
            champion = asked.route.champion.loaded
            # A row that the champion refuses too is the client's mistake and says nothing about the canary.
            if (
                isinstance(raised, RowsRefused)
                and champion
                and champion.refuses(asked.rows, strict=self._strict)
            ):
                raise _refusal(raised) from raised
            self._failed(asked, seat, "canary", raised)
            self._meter.fell_back(asked.model)
            asked.fell_back = True
            return None
        return await self._give(asked, seat, "canary", challenger, answers, seconds)

    async def _give(
        self, asked: _Asked, seat: Seat, role: str, bundle: LoadedBundle, answers: Answers, seconds: float
    ) -> Prediction:
        """Log an answer and give it; `seconds` is what the bundle took, without the wait for its turn."""
        model = asked.model
        record = record_of(
            asked.request_id,
            iso(asked.now),
            seat.bundle,
            seat.version,
            role,
            seconds * 1000,
            answers=answers,
            fell_back=asked.fell_back,
        )
        try:
            await self._log.write(f"predictions/{model}", record)
        except Exception as raised:
            _log.error("the prediction log cannot be written: %s", raised)
            raise Problem(
                503,
                "the answer could not be logged, and an answer that is not logged is not given",
                rule="prediction log",
                retry_after_s=5,
            ) from raised
        self._meter.answered(model, seat.version, role, len(answers.answers), perf_counter() - asked.started)
        return Prediction(asked.request_id, bundle.manifest, seat.version, answers.answers)

    def _offer_shadow(self, asked: _Asked, seat: Seat) -> None:
        if self._shadows.waiting >= self._limits.shadow_waiting:
            self._meter.shadow_dropped(asked.model)
            return
        task = asyncio.get_running_loop().create_task(self._ask_shadow(asked, seat))
        self._shadow_tasks.add(task)
        task.add_done_callback(self._shadow_tasks.discard)

    async def _ask_shadow(self, asked: _Asked, seat: Seat) -> None:
        shadow = seat.loaded
        try:
            if shadow is None:
                raise Overdue(seat.error)
            if not shadow.enter():
                return  # the plan has just changed: nobody asks for this answer any more
            call = _timed(_call(shadow, asked, self._strict))
            answers, seconds = await self._shadows.do(
                call, seconds=self._limits.champion_seconds, after=shadow.leave
            )
        except Full:
            self._meter.shadow_dropped(asked.model)
        except Exception as raised:
            self._failed(asked, seat, "shadow", raised)
        else:
            record = record_of(
                asked.request_id,
                iso(asked.now),
                seat.bundle,
                seat.version,
                "shadow",
                seconds * 1000,
                answers=answers,
            )
            self._log.note(f"predictions/{asked.model}", record)
            self._meter.answered(asked.model, seat.version, "shadow", len(answers.answers), seconds)

    def _failed(self, asked: _Asked, seat: Seat, role: str, raised: Exception) -> None:
        """Log that a version failed a request: for the judges of the loop, and with its trace for people."""
        self._meter.failed(asked.model, seat.version, role)
        at = iso(self._store.now())
        error = f"{type(raised).__name__}: {raised}"[:_ERROR_LENGTH]
        served = record_of(
            asked.request_id,
            at,
            seat.bundle,
            seat.version,
            role,
            (perf_counter() - asked.started) * 1000,
            inputs=columns_of_rows(asked.rows),
            error=error,
            fell_back=asked.fell_back,
        )
        self._log.note(f"predictions/{asked.model}", served)
        exception = {
            "id": asked.request_id,
            "at": at,
            "bundle": seat.bundle,
            "version": seat.version,
            "role": role,
            "error": error,
            "trace": "".join(traceback.format_exception(raised))[-_TRACE_LENGTH:],
        }
        self._log.note(f"exceptions/{asked.model}", msgspec.json.encode(exception))


def _call(bundle: LoadedBundle, asked: _Asked, strict: bool) -> Callable[[], Answers]:
    def call() -> Answers:
        answers = bundle.answer_plain(asked.rows, strict=strict)
        return bundle.answer(asked.rows, asked.now, strict=strict) if answers is None else answers

    return call


def _timed(call: Callable[[], Answers]) -> Callable[[], tuple[Answers, float]]:
    def timed() -> tuple[Answers, float]:
        started = perf_counter()
        answers = call()
        return answers, perf_counter() - started

    return timed


def _refusal(refused: Problem | RowsRefused) -> Problem:
    if isinstance(refused, Problem):
        return refused
    return Problem(422, str(refused), column=refused.column or None, rule=refused.rule, row=refused.row)


def _require_shallow(rows: list[Any]) -> None:
    """Refuse rows so deep that to print one would end the interpreter's patience."""
    level: list[Any] = [rows]
    for _ in range(_MOST_DEPTH):
        level = [item for nest in level for item in (nest.values() if type(nest) is dict else nest)]
        level = [item for item in level if type(item) in (dict, list)]
        if not level:
            return
    raise Problem(400, f"the JSON is nested deeper than {_MOST_DEPTH} levels", rule="depth")
