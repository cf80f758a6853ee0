"""The one thread of a process that writes to its ledger."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any

from trimtab.adapters.sql_ledger.table import Answer, WritingTables
from trimtab.atoms.error import StoreError, TrimtabError

#: What to do, who waits for it, and whether it must survive a power cut.
_Job = tuple[Callable[[WritingTables], Any], Future[Any], bool]

#: Runs a function in a transaction of its own and commits it: all or nothing. It may run the function again where
#: nothing was left behind. The flag is False where the commit need not be flushed.
Transact = Callable[[Callable[[WritingTables], None], bool], None]

#: Jobs in one transaction at most, so that another process gets its turn.
MOST_JOBS = 256


class Writer:
    """Takes all jobs that wait into one transaction: many threads share one flush (group commit).

    A job that raises a TrimtabError must not have written yet; the others of its transaction go on. Any other
    error rolls the whole transaction back, and every job in it raises.
    """

    def __init__(self, shown: str, transact: Transact, finish: Callable[[], None]) -> None:
        """Start the thread.

        Args:
            shown: How a message names the ledger.
            transact: Called by the thread alone.
            finish: Called once, after the last transaction.
        """
        self._shown = shown
        self._transact = transact
        self._finish = finish
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="ledger-writer", daemon=True)
        self._thread.start()

    def do(self, job: Callable[[WritingTables], Answer], *, durable: bool = True) -> Answer:
        """Run `job` in a transaction and return what it returned; see `Database.write`."""
        done: Future[Answer] = Future()
        with self._closing:
            if self._closed:
                raise StoreError(f"{self._shown} has been closed by this process")
            self._jobs.put((job, done, durable))
        return done.result()

    def close(self) -> None:
        """Finish what waits, then end the thread; a second call does nothing."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._jobs.put(None)
        self._thread.join()
        self._finish()

    def _work(self) -> None:
        last = False
        while not last:
            waiting = [self._jobs.get()]
            try:
                while len(waiting) < MOST_JOBS:
                    waiting.append(self._jobs.get_nowait())
            except Empty:
                pass
            last = None in waiting
            jobs = [item for item in waiting if item is not None]
            if jobs:
                self._commit(jobs)

    def _commit(self, jobs: list[_Job]) -> None:
        answers: list[tuple[Any, TrimtabError | None]] = []

        def run(tables: WritingTables) -> None:
            answers.clear()
            for job, _, _ in jobs:
                try:
                    answers.append((job(tables), None))
                except TrimtabError as refusal:
                    answers.append((None, refusal))

        try:
            self._transact(run, any(durable for _, _, durable in jobs))
        except Exception as error:
            for _, done, _ in jobs:
                done.set_exception(error)
            return
        for (_, done, _), (answer, refused) in zip(jobs, answers, strict=True):
            if refused is None:
                done.set_result(answer)
            else:
                done.set_exception(refused)
