"""The one thread of a process that writes to its ledger."""

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from trimtab.adapters.sqlite_file import is_failed_flush, said, transaction
from trimtab.atoms.error import StoreError, TrimtabError

Answer = TypeVar("Answer")

#: What to do, who waits for it, and whether it must survive a power cut.
_Job = tuple[Callable[[sqlite3.Connection], Any], Future[Any], bool]

#: Jobs in one transaction at most, so that another process gets its turn.
MOST_JOBS = 256


class Writer:
    """Takes all jobs that wait into one transaction: many threads share one flush (group commit).

    A job that raises a TrimtabError must not have written yet; the others of its transaction go on. Any other
    error rolls the whole transaction back, and every job in it raises.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._failed: StoreError | None = None
        self._thread = threading.Thread(target=self._work, name="ledger-writer", daemon=True)
        self._thread.start()

    def do(self, job: Callable[[sqlite3.Connection], Answer], *, durable: bool = True) -> Answer:
        """Run `job` in a transaction and return what it returned.

        Args:
            job: Is given the connection, inside a transaction that it shares with what else waits.
            durable: False where what it writes means nothing once every process is gone, as in a power cut.
        """
        done: Future[Answer] = Future()
        with self._closing:
            if self._closed:
                raise StoreError(f"{self._path} has been closed by this process")
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
        self._connection.close()

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
        try:
            if self._failed:
                raise self._failed
            flushed = any(durable for _, _, durable in jobs)
            self._connection.execute(f"PRAGMA synchronous={'FULL' if flushed else 'NORMAL'}")
            with transaction(self._connection):
                for job, _, _ in jobs:
                    try:
                        answers.append((job(self._connection), None))
                    except TrimtabError as refusal:
                        answers.append((None, refusal))
        except sqlite3.Error as error:
            if is_failed_flush(error):
                self._failed = StoreError(
                    f"{self._path}: the disk did not take a write ({error}); this process reads but writes "
                    "no more: check the disk, run `trimtab fsck`, then start again"
                )
            self._fail(jobs, self._failed or said(self._path, error))
        except Exception as error:
            self._fail(jobs, error)
        else:
            for (_, done, _), (answer, refused) in zip(jobs, answers, strict=True):
                if refused is None:
                    done.set_result(answer)
                else:
                    done.set_exception(refused)

    @staticmethod
    def _fail(jobs: list[_Job], error: Exception) -> None:
        for _, done, _ in jobs:
            done.set_exception(error)
