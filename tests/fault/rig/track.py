"""A process that tracks runs from many threads, and says on its standard output what was acknowledged.

Arguments: the store's folder, the first number to use, and how many threads log.
"""

import os
import sys
import threading
from pathlib import Path

from trimtab.adapters.local_store import open_store
from trimtab.adapters.sqlite_run_index import open_run_index
from trimtab.atoms.actor import Actor
from trimtab.atoms.metric_point import Points, encode_points
from trimtab.atoms.run import RunStatus
from trimtab.atoms.run_event import RunEvent
from trimtab.tracking.tracking import Tracking, open_tracking

ADA = Actor(by="person:ada")
INDEX = "runs.sqlite"


def say(*words: object) -> None:
    """Acknowledge: one write of a line, which no other thread's can split."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def content(number: int) -> bytes:
    """The bytes of a file."""
    return b"file %d " % number * (1 + number % 3000)


def point(number: int) -> bytes:
    """One point, whose step is the number."""
    points = Points()
    points.add("loss", number, number / 7, number)
    return encode_points(points)


def work(tracking: Tracking, first: int) -> None:
    """Runs one after the other: parameters, points, files and tags, and every second one is ended."""
    number = first
    while True:
        run = tracking.runs.open(by=ADA, run=f"run-{number}", parameters={"first": str(number)}).head.id
        say("open", run, number)
        for step in range(number, number + 8):
            tracking.logbook.log(RunEvent(owner=run, points=point(step), tags={"step": str(step)}))
            say("step", run, step)
        tracking.files.put(run, "a/file", [content(number)])
        say("file", run, number)
        assert tracking.runs.find(run).tags["step"] == str(number + 7), "did not read its own write"
        if number % 2:
            tracking.runs.close(run, RunStatus.FINISHED, by=ADA)
            say("close", run, number)
        number += 9


def give_up(failed: threading.ExceptHookArgs) -> None:
    """A thread that fails ends the process: it is then not there to be killed, and the test fails."""
    sys.stderr.write(f"{failed.exc_value!r}\n")
    os._exit(3)


def main() -> None:
    """Open, then work until killed."""
    threading.excepthook = give_up
    folder, first, threads = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    tracking = open_tracking(open_store(folder), open_run_index(folder / INDEX))
    tracking.follower.start()
    say("ready", "-", 0)
    for lane in range(threads):
        threading.Thread(target=work, args=(tracking, first + lane * 100_000)).start()


if __name__ == "__main__":
    main()
