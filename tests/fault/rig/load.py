"""A process that logs, uploads, releases and answers at once, and says on its standard output what was acknowledged.

Arguments: the store's folder, the first number to use, and the upload and the release that the process before it may
have left half done, to be done again.
"""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from trimtab.adapters.local_store import open_store
from trimtab.atoms.content.snapshot import Column, Snapshot, Span
from trimtab.atoms.error import LeaseLost
from trimtab.atoms.metric_point import Points, encode_points
from trimtab.atoms.run_event import STREAM, RunEvent, encode_event
from trimtab.engine.engine import LEASE_SECONDS, Engine
from trimtab.engine.step import Step
from trimtab.engine.store import Store
from trimtab.engine.work import Work
from trimtab.loop.ingest import CARD as INGEST
from trimtab.loop.release import CARD as RELEASE
from trimtab.loop.release.plan import Candidate, decide_promote, decide_roll_back
from trimtab.loop.serve.prediction_log import PredictionLog
from trimtab.tracking.flight import Flights

RUN = "run"
PREDICTIONS = "predictions/toy"


def upload_step(number: int) -> Step:
    """An upload: its key is the number's."""
    return Step(card=INGEST, kind="ingest", subject="rows", by="person:ada", parameters={"number": number})


def uploaded(number: int) -> bytes:
    """The bytes of an upload: the larger the number, the less like others."""
    return b"PAR1" + number.to_bytes(8, "big") * (50 + number % 5000)


def release_step(number: int, kind: str, took: tuple[str, ...]) -> Step:
    """A promotion or its roll-back: its key is the number's."""
    return Step(
        card=RELEASE, kind=kind, subject="toy", by="person:ada", took=took, parameters={"number": number}
    )


def upload(store: Store, number: int) -> None:
    """Keep bytes and the snapshot that names them."""

    def keep(work: Work) -> None:
        table = work.keep_bytes(uploaded(number))
        span = Span(name="all", rows=number % 1000, table=table)
        work.keep(Snapshot(source="rows", columns=(Column(name="x", dtype="Float64"),), spans=(span,)))

    Engine(store).run(upload_step(number), keep)


def release(store: Store, number: int, plan: str, bundles: list[str]) -> None:
    """Promote version 2 or bring version 1 back, as the holder of the release's lease."""
    ledger, holder = store.ledger, f"{store.holder}:release"
    lease = ledger.take_lease("release:toy", holder, LEASE_SECONDS)
    while lease is None:
        time.sleep(0.01)  # a dead holder's lease is free at once; this is another thread of the clock's
        lease = ledger.take_lease("release:toy", holder, LEASE_SECONDS)
    to, kind = (
        (Candidate(bundles[1], 2), "promote") if number % 2 else (Candidate(bundles[0], 1), "roll-back")
    )
    step = release_step(number, kind, (plan,))
    leased = Step(**{name: getattr(step, name) for name in step.__slots__} | {"lease": lease})

    def act(work: Work) -> None:
        if kind == "promote":
            decide_promote(work, plan_id=plan, candidate=to)
        else:
            decide_roll_back(work, plan_id=plan, to=to)

    Engine(store).run(leased, act)


def of_kind(store: Store, kind: str) -> list[str]:
    """Ids of the artifacts of a kind, in the order of the ledger."""
    return [entry.record.id for entry in store.ledger.entries() if getattr(entry.record, "kind", "") == kind]


def say(what: str, number: int) -> None:
    """Acknowledge: one write of a line, which no other thread's can split."""
    os.write(1, f"{what} {number}\n".encode())


def log_points(store: Store, first: int) -> None:
    """Metric points, a batch at a time."""
    flights = Flights(store.streams, STREAM)
    for number in range(first, first + 100_000, 5):
        points = Points()
        points.extend(("loss", step, step / 7, step) for step in range(number, number + 5))
        flights.send([encode_event(RunEvent(owner=RUN, points=encode_points(points)))]).result()
        say("points", number)


def answer(store: Store, first: int) -> None:
    """Records of the prediction log, eight requests at once."""

    async def serve() -> None:
        log = PredictionLog(store.streams)

        async def requests(lane: int) -> None:
            for number in range(first + lane, first + 100_000, 8):
                await log.write(PREDICTIONS, b'{"id":%d}' % number)
                say("answer", number)

        await asyncio.gather(*(requests(lane) for lane in range(8)))

    asyncio.run(serve())


def main() -> None:
    """Open, tidy, say how long that took, then work until killed."""
    folder, first, *again = Path(sys.argv[1]), *map(int, sys.argv[2:])
    began = time.monotonic()
    store = open_store(folder)
    tidied = Engine(store).tidy()
    os.write(1, f"ready {time.monotonic() - began:.3f} {tidied}\n".encode())
    plan, bundles = of_kind(store, "traffic-plan")[0], of_kind(store, "bundle")

    def numbered(what: str, left: int, act: Callable[[int], None]) -> None:
        for number in (left, *range(first, first + 100_000)):
            try:
                act(number)
            except LeaseLost:
                os._exit(3)
            say(what, number)

    threads = [
        threading.Thread(target=log_points, args=(store, first)),
        threading.Thread(target=answer, args=(store, first)),
        threading.Thread(target=numbered, args=("upload", again[0], lambda number: upload(store, number))),
        threading.Thread(
            target=numbered, args=("release", again[1], lambda number: release(store, number, plan, bundles))
        ),
    ]
    for thread in threads:
        thread.start()


if __name__ == "__main__":
    main()
