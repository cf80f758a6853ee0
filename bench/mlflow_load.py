"""A load generator that speaks MLflow's protocol: connections that each log points to a run of their own.

    python bench/mlflow_load.py HOST PORT CONNECTIONS CALLS BATCH < run_ids

Reads a run id a line, one for each connection. `BATCH` 0: `runs/log-metric`, a point a call; else `runs/log-batch` of
so many points. Prints one line of JSON: points and calls a second, p50 and p99 in milliseconds, and what was not 200.
"""
# ruff: noqa: T201 (it prints its result)

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from time import perf_counter

import uvloop

HEAD = (
    "POST /api/2.0/mlflow/runs/{} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n"
    "Content-Length: {}\r\n\r\n"
)


def requests(host: str, run: str, calls: int, batch: int) -> Iterator[bytes]:
    """Whole requests, each with the next steps."""
    now = int(time.time() * 1000)
    for call in range(calls):
        if batch:
            first = call * batch
            points = [
                {"key": "loss", "value": 0.5, "timestamp": now, "step": step}
                for step in range(first, first + batch)
            ]
            path, told = "log-batch", {"run_id": run, "metrics": points, "params": [], "tags": []}
        else:
            path = "log-metric"
            told = {"run_id": run, "key": "loss", "value": 0.5, "timestamp": now, "step": call}
        body = json.dumps(told)
        yield (HEAD.format(path, host, len(body)) + body).encode()


class Connection(asyncio.Protocol):
    """One writer: sends, waits for the whole answer, sends again."""

    def __init__(self, requests: Iterator[bytes], times: list[float], bad: list[str]) -> None:
        self._requests, self._times, self._bad = requests, times, bad
        self._read = b""
        self._sent = 0.0
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self._bad.append("the server closed the connection")
            self.ended.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._read = self._read + data if self._read else data
        head = self._read.find(b"\r\n\r\n")
        if head < 0:
            return
        lower = self._read[: head + 2].lower()
        place = lower.find(b"content-length:")
        length = int(lower[place + 15 : lower.find(b"\r\n", place)])
        if len(self._read) < head + 4 + length:
            return
        self._times.append(perf_counter() - self._sent)
        if not self._read.startswith(b"HTTP/1.1 200"):
            self._bad.append(self._read[9:200].decode("latin-1"))
        self._read = b""
        self._send()

    def _send(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self.ended.set_result(None)
            self._transport.close()
            return
        self._sent = perf_counter()
        self._transport.write(request)  # type: ignore[attr-defined]


async def load(host: str, port: int, runs: list[str], calls: int, batch: int) -> dict[str, object]:
    """Let a connection for each run make so many calls."""
    times: list[float] = []
    bad: list[str] = []
    loop = asyncio.get_running_loop()
    started = perf_counter()
    made = [
        (
            await loop.create_connection(
                lambda run=run: Connection(requests(f"{host}:{port}", run, calls, batch), times, bad),
                host,
                port,
            )
        )[1]
        for run in runs
    ]
    for connection in made:
        await connection.ended
    passed, ordered = perf_counter() - started, sorted(times)
    return {
        "points_per_second": len(times) * max(batch, 1) / passed,
        "calls_per_second": len(times) / passed,
        "p50_ms": ordered[len(ordered) // 2] * 1000,
        "p99_ms": ordered[int(len(ordered) * 0.99)] * 1000,
        "bad": len(bad),
        "example": bad[:1],
    }


def main() -> None:
    """Run from the command line."""
    host, port, connections, calls, batch = sys.argv[1:6]
    runs = sys.stdin.read().split()
    if len(runs) != int(connections):
        raise SystemExit(f"{connections} connections need as many run ids, not {len(runs)}")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(load(host, int(port), runs, int(calls), int(batch)))))


if __name__ == "__main__":
    main()
