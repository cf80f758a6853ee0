"""The remote way: calls to a server's API, each kept on this machine until the server has answered it."""

import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from trimtab.adapters.problem_answer import detail_of
from trimtab.adapters.spool import Answer, Call, Unreachable
from trimtab.assembly.recording.courier import COURIERS, Courier
from trimtab.assembly.recording.point_writer import pieces_of
from trimtab.assembly.recording.spool_place import server_address
from trimtab.assembly.recording.way import Beginning, Begun, chunks_of
from trimtab.atoms.error import Conflict, NotThere, UsageError
from trimtab.atoms.instant import iso
from trimtab.atoms.metric_point import Points, decode_points
from trimtab.atoms.run import DEFAULT_EXPERIMENT, NAME_TAG, RunStatus
from trimtab.atoms.run_account import RunAccount, written_all
from trimtab.atoms.run_event import RunEvent

#: Points of one call: their JSON stays below what a server takes at once.
_POINTS = 10_000
#: Tags or parameters of one call, likewise.
_VALUES = 100
#: How long the beginning of a run waits for each of two answers; none where the first one does not come.
_BEGIN_S = 0.5


class RemoteWay:
    """Contract of the port. Calls take effect once however often they are sent, and in the order of each thread."""

    def __init__(self, server: str, token: str | None) -> None:
        """
        Args:
            server: As `http://127.0.0.1:8500`.
            token: None: none is sent.

        Raises:
            UsageError: The address is none.
            StoreError: The spool cannot be used.
        """
        self._url, self._token = server_address(server), token
        self._pid = -1
        self._lent: Courier
        self._courier()

    @property
    def place(self) -> str:
        """See the port."""
        return self._url

    def begin(self, beginning: Beginning) -> Begun:
        """See the port; while the server is away the run begins all the same."""
        known = self._look(beginning)
        first = {**beginning.first_tags, **beginning.tags}
        new = {"id": beginning.run, "started_ms": beginning.started_ms} | (
            {"experiment": beginning.experiment} if beginning.experiment else {}
        )
        there = isinstance(known, RunAccount)
        at = _place("runs", beginning.run)
        calls = [] if there else [_call("POST", _place("runs"), {**new, "tags": first})]
        if beginning.resumes:  # what an earlier process left in the spool may begin and end it first
            calls.append(_call("POST", f"{at}/resume", None))
            calls += _said(at, beginning.tags, {})
        calls += _said(at, {}, beginning.parameters)
        asked = known is not None
        while asked and calls:
            asked = self._ask(calls.pop(0))
        self._courier().add(*calls)
        if isinstance(known, RunAccount):
            steps = {name: point.step + 1 for name, point in known.metrics.items()}
            name = beginning.tags.get(NAME_TAG, known.name)
            return Begun(run=beginning.run, name=name, experiment=known.experiment, next_steps=steps)
        experiment = beginning.experiment or ("" if beginning.resumes else DEFAULT_EXPERIMENT)
        return Begun(run=beginning.run, name=first.get(NAME_TAG, ""), experiment=experiment)

    def log(self, event: RunEvent) -> None:
        """See the port."""
        at = _place("runs", event.owner)
        calls = _said(at, event.tags, event.parameters)
        bodies: list[dict[str, Any]] = [{"datasets": [each]} for each in event.datasets]
        if event.points:
            pieces = pieces_of(decode_points(event.points), _POINTS)
            bodies += [{"series": series_of(piece)} for piece in pieces]
        self._courier().add(*calls, *(_call("POST", f"{at}/log", body) for body in bodies))

    def put(self, run: str, path: str, content: Path | bytes) -> None:
        """See the port: the content is copied into the spool."""
        courier = self._courier()
        attached = courier.attach(chunks_of(content))
        call = _call("PUT", f"{_place('runs', run)}/files/{quote(path)}", None)
        courier.add(msgspec.structs.replace(call, attached=attached))

    def end(self, run: str, status: RunStatus, *, ended_ms: int, note: str) -> None:
        """See the port."""
        body = {"status": str(status), "ended_ms": ended_ms, "note": note}
        self._courier().add(_call("POST", f"{_place('runs', run)}/end", body))

    def settle(self, patience_s: float) -> str:
        """See the port; gives up after a second in which the server took nothing."""
        return self._courier().settle(patience_s).waits

    def close(self) -> None:
        """See the port."""
        if self._pid == os.getpid():
            self._pid = -1
            COURIERS.give_back(self._url, self._token)

    def __repr__(self) -> str:
        return f"RemoteWay({self._url!r})"

    def _courier(self) -> Courier:
        if self._pid != os.getpid():
            self._pid, self._lent = os.getpid(), COURIERS.lend(self._url, self._token)
        return self._lent

    def _look(self, beginning: Beginning) -> RunAccount | bool | None:
        """The run where it is there; False: it is not; None: the server is away.

        Raises:
            UsageError: The server does not let this process in.
        """
        path = _place("runs", beginning.run) if beginning.resumes else f"{_place('experiments')}?limit=1"
        try:
            answer = self._courier().look(path, _BEGIN_S)
        except Unreachable:
            return None
        if answer.status in (401, 403):
            raise UsageError(
                f"{self._url} does not let this process in ({detail_of(answer.body)}): set TRIMTAB_TOKEN"
            )
        if answer.status == 200 and beginning.resumes:
            try:
                return msgspec.json.decode(answer.body, type=RunAccount)
            except msgspec.DecodeError as error:
                raise UsageError(
                    f"{self._url} did not answer as a Trimtab of this version does: is it a control plane?"
                ) from error
        return None if answer.is_temporary else False

    def _ask(self, call: Call) -> bool:
        """Send now where that is possible, so that a refusal is heard before the run goes on; whether it was."""
        answer = self._courier().ask(call, _BEGIN_S)
        if answer is not None and not 200 <= answer.status < 300:
            raise _error_of(answer)
        return answer is not None


def series_of(points: Points) -> dict[str, Any]:
    """Points as the API takes them: columns by metric."""
    moments = points.at_us if len(points.at_us) == len(points) else points.at_us * len(points)
    if len(points.names) == 1:
        columns = (points.steps.tolist(), written_all(points.values), moments.tolist())
        return {next(iter(points.names)): dict(zip(_COLUMNS, columns, strict=True))}
    series: list[tuple[list[Any], list[Any], list[Any]]] = [([], [], []) for _ in points.names]
    for row in zip(points.metrics, points.steps, written_all(points.values), moments, strict=True):
        for column, value in zip(series[row[0]], row[1:], strict=True):
            column.append(value)
    named = zip(points.names, series, strict=True)
    return {name: dict(zip(_COLUMNS, columns, strict=True)) for name, columns in named if columns[0]}


_COLUMNS = ("steps", "values", "at_us")


def _said(at: str, tags: Mapping[str, str | None], parameters: Mapping[str, str]) -> list[Call]:
    """Calls that set tags and parameters, so many at once as a server takes."""
    calls: list[Call] = []
    for what, values in (("tags", tags), ("parameters", parameters)):
        items, some = list(values.items()), dict[str, str | None]()
        for place, (name, value) in enumerate(items, start=1):
            some[name] = value
            if len(some) >= _VALUES or place == len(items):
                calls.append(_call("POST", f"{at}/log", {what: some}))
                some = {}
    return calls


def _call(method: str, path: str, body: Any) -> Call:
    content = b"" if body is None else msgspec.json.encode(body)
    return Call(key=secrets.token_hex(16), method=method, path=path, body=content, at=iso(datetime.now(UTC)))


def _place(*parts: str) -> str:
    return "/".join(["/api/v1", *(quote(part, safe="") for part in parts)])


def _error_of(answer: Answer) -> UsageError:
    kind = {404: NotThere, 409: Conflict}.get(answer.status, UsageError)
    return kind(detail_of(answer.body))
