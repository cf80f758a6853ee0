"""Predictions a second for one row: Trimtab against the hand-written server, side by side in one run.

    python bench/predict_one_row.py [SECONDS] [ROUNDS]

All servers hold the same boosted trees with preprocessing, one worker each, pinned to one core; the load
generator has another. They take turns, round by round, so that whatever else the machine does hits all.
"""
# ruff: noqa: T201, PLW1509 (it prints its result, and has no threads when it starts children)

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from flight_model import MODEL, request_body, write_pickle
from trimtab_server import prepare

HERE = Path(__file__).parent
CONNECTIONS = (1, 16, 64)
PATH = f"/predict/{MODEL}"


def on_core(number: int) -> Callable[[], None] | None:
    """What a child runs first to stay on one core; None where the system cannot."""
    if not hasattr(os, "sched_setaffinity") or (os.cpu_count() or 1) < 2:
        return None
    return lambda: os.sched_setaffinity(0, {number})


def start(arguments: list[str], port: int) -> subprocess.Popen[bytes]:
    """Start a server and wait for its first answer."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    server = subprocess.Popen([sys.executable, *arguments], env=environment, preexec_fn=on_core(0))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}{PATH}", request_body(), {"Content-Type": "application/json"}
            )
            urllib.request.urlopen(request, timeout=5).read()
            return server
        except (urllib.error.URLError, OSError):
            if server.poll() is not None:
                break
            time.sleep(0.05)
    server.kill()
    raise SystemExit(f"{' '.join(arguments)} does not answer")


def measure(port: int, connections: int, seconds: float) -> dict[str, float]:
    """One run of the load generator."""
    command = [
        sys.executable,
        str(HERE / "load.py"),
        "127.0.0.1",
        str(port),
        PATH,
        str(connections),
        str(seconds),
    ]
    done = subprocess.run(
        command, input=request_body(), capture_output=True, check=True, preexec_fn=on_core(1)
    )
    result: dict[str, float] = json.loads(done.stdout)
    return result


def main() -> None:
    """Measure and print a table."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        prepare(folder / "plain", features=False)
        prepare(folder / "features", features=True)
        pickle = write_pickle(folder)
        trimtab = str(HERE / "trimtab_server.py")
        servers = {
            "Trimtab": ([trimtab, str(folder / "plain"), "8611"], 8611),
            "Trimtab, log best effort": ([trimtab, str(folder / "plain"), "8612", "--best-effort"], 8612),
            "Trimtab, with a feature function": ([trimtab, str(folder / "features"), "8613"], 8613),
            "a server that answers `{}` (the floor)": ([str(HERE / "floor_echo.py"), "8615"], 8615),
            "FastAPI + pandas + scikit-learn": ([str(HERE / "peer_fastapi.py"), str(pickle), "8614"], 8614),
        }
        running = {name: start(arguments, port) for name, (arguments, port) in servers.items()}
        seen: dict[tuple[str, int], list[dict[str, float]]] = {}
        try:
            for _ in range(rounds):
                for connections in CONNECTIONS:
                    for name, (_, port) in servers.items():
                        seen.setdefault((name, connections), []).append(measure(port, connections, seconds))
        finally:
            for server in running.values():
                server.terminate()
                server.wait(timeout=20)
    print(f"one row a request, one worker; medians of {rounds} rounds of {seconds:g} s\n")
    print("| server | connections | requests/s | p50 ms | p99 ms | not 200 |")
    print("|---|---:|---:|---:|---:|---:|")
    for (name, connections), runs in sorted(seen.items(), key=lambda item: list(servers).index(item[0][0])):
        rate, p50, p99 = (
            statistics.median(run[key] for run in runs) for key in ("per_second", "p50_ms", "p99_ms")
        )
        bad = sum(run["bad"] for run in runs)
        print(f"| {name} | {connections} | {rate:,.0f} | {p50:.2f} | {p99:.2f} | {bad:.0f} |")


if __name__ == "__main__":
    main()
