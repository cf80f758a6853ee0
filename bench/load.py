"""A load generator: keep-alive connections that each send the next request when the last one is answered.

    python bench/load.py HOST PORT PATH CONNECTIONS SECONDS < body.json

Prints one line of JSON: requests per second, p50 and p99 in milliseconds, answers that were not 200.
"""
# ruff: noqa: T201 (it prints its result)

import asyncio
import json
import sys
from time import perf_counter

import uvloop


class Connection(asyncio.Protocol):
    """One client: sends, waits for the whole answer, sends again."""

    def __init__(self, request: bytes, times: list[float], bad: list[int]) -> None:
        self._request = request
        self._times = times
        self._bad = bad
        self._read = b""
        self._sent = 0.0
        self.running = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.running:
            self._bad.append(0)

    def data_received(self, data: bytes) -> None:
        self._read = self._read + data if self._read else data
        head = self._read.find(b"\r\n\r\n")
        if head < 0:
            return
        lower = self._read[:head].lower()
        place = lower.find(b"content-length:")
        length = int(lower[place + 15 : lower.find(b"\r\n", place) if b"\r\n" in lower[place:] else None])
        if len(self._read) < head + 4 + length:
            return
        self._times.append(perf_counter() - self._sent)
        if not self._read.startswith(b"HTTP/1.1 200"):
            self._bad.append(int(self._read[9:12]))
        self._read = b""
        if self.running:
            self._send()
        else:
            self._transport.close()

    def _send(self) -> None:
        self._sent = perf_counter()
        self._transport.write(self._request)  # type: ignore[attr-defined]


async def load(
    host: str, port: int, path: str, body: bytes, connections: int, seconds: float
) -> dict[str, float]:
    """Load one address for some seconds (after a tenth of that to warm up)."""
    head = f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    times: list[float] = []
    bad: list[int] = []
    loop = asyncio.get_running_loop()
    made = [
        (await loop.create_connection(lambda: Connection(request, times, bad), host, port))[1]
        for _ in range(connections)
    ]
    await asyncio.sleep(seconds / 10)
    times.clear()
    started = perf_counter()
    await asyncio.sleep(seconds)
    passed, measured = perf_counter() - started, sorted(times)
    for connection in made:
        connection.running = False
    await asyncio.sleep(0.05)
    return {
        "per_second": len(measured) / passed,
        "p50_ms": measured[len(measured) // 2] * 1000,
        "p99_ms": measured[int(len(measured) * 0.99)] * 1000,
        "bad": len(bad),
    }


def main() -> None:
    """Run from the command line."""
    host, port, path, connections, seconds = sys.argv[1:6]
    body = sys.stdin.buffer.read()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(load(host, int(port), path, body, int(connections), float(seconds)))))


if __name__ == "__main__":
    main()
