"""Searching 30,000 runs of 100 metrics, 20 parameters and 5 tags: the index alone, and MLflow's own store; 3 minutes.

python bench/run_search.py [RUNS [PEER_RUNS]]     (30,000 and 300 unless told; PEER_RUNS 0: no peer)

The question: two conditions on metrics, one on a parameter, ordered by a third metric. A page is answered when its runs
are whole: with all their parameters, tags and last points. MLflow's store is asked the same in the same words, at the
smaller size; ours is asked at that size too, so that the two can be set side by side.
"""
# ruff: noqa: T201 (it prints its result)

import logging
import random
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from trimtab.adapters.sqlite_run_index import open_run_index
from trimtab.atoms.metric_point import Points, encode_points
from trimtab.atoms.run import RunHead, RunStatus
from trimtab.atoms.run_event import RunEvent
from trimtab.atoms.run_query import Query
from trimtab.ports.run_index import Position, RunIndex, Tracked
from trimtab.tracking.filter import parse_filter, parse_order

RUNS, PEER_RUNS, METRICS, PARAMETERS, TAGS = 30_000, 300, 100, 20, 5
FILTER = "metrics.metric_3 < 0.5 AND metrics.metric_7 > 0.2 AND params.param_2 = 'v1'"
ORDER = ["metrics.metric_11 DESC"]
#: Runs in one `take`.
_TOGETHER = 500


def values(number: int) -> tuple[list[tuple[str, int, float, int]], dict[str, str], dict[str, str]]:
    """Points, parameters and tags of a run; the same ones each time."""
    drawn = random.Random(number)
    points = [(f"metric_{place}", 1, drawn.random(), number) for place in range(METRICS)]
    parameters = {f"param_{place}": f"v{drawn.randrange(4)}" for place in range(PARAMETERS)}
    return points, parameters, {f"tag_{place}": f"t{drawn.randrange(10)}" for place in range(TAGS)}


def tracked(runs: range) -> Iterator[Tracked]:
    """Runs as the index takes them in."""
    for number in runs:
        id = f"{number:032x}"
        yield RunHead(
            id=id,
            experiment="0",
            status=RunStatus.FINISHED,
            started_ms=number,
            ended_ms=number + 1,
            by="person:a",
        )
        points, parameters, tags = values(number)
        told = Points()
        told.extend(points)
        yield RunEvent(owner=id, points=encode_points(told), parameters=parameters, tags=dict(tags))


def filled(index: RunIndex, runs: int) -> float:
    """Take in so many runs; seconds that it took without making them."""
    took, position = 0.0, Position()
    for first in range(0, runs, _TOGETHER):
        together = list(tracked(range(first, min(first + _TOGETHER, runs))))
        upto = Position(entry=first + _TOGETHER)
        began = time.perf_counter()
        assert index.take(together, after=position, upto=upto)
        took += time.perf_counter() - began
        position = upto
    return took


def milliseconds(work: Callable[[], object], times: int = 9) -> tuple[float, float]:
    """Median and worst of so many calls after a first one."""
    work()
    took = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took), max(took)


def line(what: str, measured: tuple[float, float]) -> None:
    """Print a line of the table."""
    print(f"| {what} | {measured[0]:,.1f} ms | {measured[1]:,.1f} ms |", flush=True)


def measure(index: RunIndex, runs: int) -> None:
    """Print what our index takes for each question."""
    where, order = parse_filter(FILTER), parse_order(ORDER)
    asked = Query(where=where, order=order, limit=100)
    name = f"Trimtab, {runs:,} runs"
    hits = index.runs.count(asked)
    line(f"{name}: count of what is filtered ({hits:,} found)", milliseconds(lambda: index.runs.count(asked)))
    line(f"{name}: first 100, filtered and ordered", milliseconds(lambda: index.runs.search(asked)))
    wide = Query(where=where, order=order, limit=1000)
    line(f"{name}: first 1,000, filtered and ordered", milliseconds(lambda: index.runs.search(wide), 5))
    line(f"{name}: first 1,000, newest first", milliseconds(lambda: index.runs.search(Query(limit=1000)), 5))
    sorted_only = Query(order=order, limit=100)
    line(f"{name}: first 100 of all, ordered", milliseconds(lambda: index.runs.search(sorted_only), 5))
    line(f"{name}: count of all", milliseconds(lambda: index.runs.count(Query())))
    first_of_20 = Query(
        where=parse_filter("params.param_2 ILIKE '%V1%' AND tags.tag_1 LIKE '%t%'"), limit=100
    )
    line(f"{name}: first 100 by two patterns", milliseconds(lambda: index.runs.search(first_of_20), 5))

    def every_page() -> None:
        after = ""
        while after := index.runs.search(Query(order=order, limit=1000, after=after)).after:
            pass

    began = time.perf_counter()
    every_page()
    line(f"{name}: every page of 1,000, ordered", ((time.perf_counter() - began) * 1000,) * 2)


def measure_peer(folder: Path, runs: int) -> None:
    """Print the same of MLflow's store; filled by rows, as its own ways in would take long."""
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    from mlflow.entities import Metric, Param, RunTag
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore(f"sqlite:///{folder / 'mlflow.db'}", str(folder / "artifacts"))
    began = time.perf_counter()
    for number in range(runs):
        points, parameters, tags = values(number)
        run = store.create_run("0", "a", number, [], f"run-{number}").info.run_id
        store.log_batch(
            run,
            [Metric(name, value, at_us, step) for name, step, value, at_us in points],
            [Param(key, value) for key, value in parameters.items()],
            [RunTag(key, value) for key, value in tags.items()],
        )
    print(f"| MLflow, {runs:,} runs: logged through its store | {time.perf_counter() - began:,.1f} s | |")
    name = f"MLflow, {runs:,} runs"
    line(
        f"{name}: first 100, filtered and ordered",
        milliseconds(lambda: store.search_runs(["0"], FILTER, 1, 100, ORDER), 5),
    )
    line(f"{name}: first 1,000, newest first", milliseconds(lambda: store.search_runs(["0"], "", 1, 1000), 3))


def main() -> None:
    """Measure and print."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    peer = int(sys.argv[2]) if len(sys.argv) > 2 else PEER_RUNS
    folder = Path(tempfile.mkdtemp(prefix="trimtab-bench-"))
    try:
        print("| what | median | worst |")
        print("|---|---:|---:|")
        for size in sorted({runs, peer} - {0}, reverse=True):
            path = folder / f"{size}.sqlite"
            index = open_run_index(path)
            took = filled(index, size)
            rate = size * METRICS / took
            print(f"| Trimtab, {size:,} runs: taken in | {took:,.1f} s | {rate:,.0f} points a second |")
            print(f"| Trimtab, {size:,} runs: size of the file | {path.stat().st_size / 1e6:,.0f} MB | |")
            measure(index, size)
            index.close()
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"| Trimtab: this process at its largest, pages of 1,000 runs included | {grown:,.0f} MB | |")
        if peer:
            measure_peer(folder, peer)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
