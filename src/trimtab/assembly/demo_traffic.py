"""Replays a day of flights as live requests, and a day's outcomes when they have become known."""

import http.client
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import local
from typing import Any
from urllib.parse import urlsplit

import polars as pl

from trimtab.atoms.error import TrimtabError
from trimtab.atoms.instant import iso


@dataclass(slots=True)
class Sent:
    """What the users of one day saw."""

    requests: int = 0
    rows: int = 0
    #: Requests that were answered with anything but 200.
    failures: list[str] = field(default_factory=list)


class Traveller:
    """A client of the prediction plane that keeps a few connections open."""

    def __init__(self, address: str, model: str, connections: int = 3) -> None:
        parts = urlsplit(address)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._model = model
        self._local = local()
        self._pool = ThreadPoolExecutor(connections, thread_name_prefix="traveller")

    def ask_day(self, flights: pl.DataFrame, answered: Callable[[str], bool]) -> Sent:
        """Ask about every flight of a day, one request an hour, but those answered before a crash."""
        hours = flights.with_columns(hour=pl.col("scheduled_at").dt.truncate("1h")).partition_by(
            "hour", as_dict=True, maintain_order=True
        )
        bodies, asked = [], 0
        for (hour,), rows in hours.items():
            name = f"NYC-{hour:%Y%m%dT%H}"
            if not answered(name):
                asked += rows.height
                body = {"request_id": name, "rows": _rows(rows.drop("hour", "late"))}
                bodies.append((f"/predict/{self._model}", body))
        return self._send(bodies, asked)

    def tell_day(self, flights: pl.DataFrame) -> Sent:
        """Report what became of a day's flights; cancelled ones have no outcome."""
        known = flights.drop_nulls("late")
        outcomes = [
            {"key": name, "value": late} for name, late in known.select("flight_id", "late").iter_rows()
        ]
        bodies = [(f"/outcomes/{self._model}", {"outcomes": outcomes})] if outcomes else []
        return self._send(bodies, len(outcomes))

    def wait_for(self, plan: str, seconds: float = 30.0) -> None:
        """Wait until the plane follows a traffic plan: a day's requests begin under the plan of that day.

        Raises:
            TrimtabError: It does not within `seconds`.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if json.loads(self._ask("GET", "/healthz", None)[1]).get("plans", {}).get(self._model) == plan:
                return
            time.sleep(0.02)
        raise TrimtabError(
            f"the prediction plane does not follow traffic plan {plan[:12]} after {seconds:.0f} s"
        )

    def close(self) -> None:
        """End the connections."""
        self._pool.shutdown()

    def _send(self, bodies: Sequence[tuple[str, dict[str, Any]]], rows: int) -> Sent:
        sent = Sent(requests=len(bodies), rows=rows)
        for status, words in self._pool.map(lambda item: self._post(*item), bodies):
            if status != 200:
                sent.failures.append(f"{status}: {words[:300]}")
        return sent

    def _post(self, path: str, body: dict[str, Any]) -> tuple[int, str]:
        return self._ask("POST", path, json.dumps(body).encode())

    def _ask(self, method: str, path: str, content: bytes | None) -> tuple[int, str]:
        """One request; a connection that the server closed meanwhile is opened again once."""
        for attempt in (1, 2):
            connection = getattr(self._local, "connection", None)
            if connection is None:
                connection = http.client.HTTPConnection(self._host, self._port, timeout=30)
                self._local.connection = connection
            try:
                connection.request(method, path, content, {"Content-Type": "application/json"})
                response = connection.getresponse()
                return response.status, response.read().decode("utf-8", "replace")
            except (http.client.HTTPException, OSError) as error:
                connection.close()
                self._local.connection = None
                if attempt == 2:
                    raise TrimtabError(f"the prediction plane does not answer: {error}") from error
        raise AssertionError("unreachable")


def _rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return [
        {name: iso(value) if name == "scheduled_at" else value for name, value in row.items()}
        for row in frame.iter_rows(named=True)
    ]
