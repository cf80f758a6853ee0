"""The courier: brings the calls of a spool to their server from a thread of its own, for all runs of a process."""

import logging
import os
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from trimtab.adapters.problem_answer import detail_of, retry_after_s
from trimtab.adapters.spool import Answer, Call, Drained, Spool, Unreachable
from trimtab.assembly.recording.spool_place import spool_folder
from trimtab.assembly.recording.way import chunks_of

if TYPE_CHECKING:
    import httpx2

_LOG = logging.getLogger("trimtab")
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 5.0
#: How long one try may take: to connect, and between two pieces of an answer.
_CONNECT_S, _READ_S = 3.0, 30.0
#: A server that has taken nothing for so long is waited for no more.
STILL_S = 1.0


class Courier:
    """Safe to use from any number of threads; several processes may have one for the same spool."""

    def __init__(self, url: str, token: str | None) -> None:
        """
        Args:
            url: Address of the server, without a slash at its end.
            token: Is sent with each call, kept nowhere and shown nowhere.

        Raises:
            StoreError: The spool cannot be used.
        """
        self.url = url
        self._token = token
        self._folder = spool_folder(url)
        self._spool = Spool(self._folder)
        self._turn = threading.Condition()
        #: Calls that were added, and how many of those are known to have been answered; one more at the beginning, for
        #: what other processes left.
        self._added, self._answered = 1, 0
        self._done = Drained()
        #: Tries to send that ended, and why the last one ended early.
        self._tries, self._waits = 0, ""
        self._wanted: dict[str, Answer | None] = {}
        self._closing = False
        self._opening = threading.Lock()
        self._opened: httpx2.Client | None = None
        self._thread = threading.Thread(target=self._work, name="trimtab-courier", daemon=True)
        self._thread.start()

    def add(self, *calls: Call) -> None:
        """Keep calls and send them soon; durable on this machine when it returns."""
        if not calls:
            return
        self._spool.add(*calls)
        with self._turn:
            self._added += len(calls)
            self._turn.notify_all()

    def attach(self, chunks: Iterable[bytes]) -> str:
        """See `Spool.attach`."""
        return self._spool.attach(chunks)

    def ask(self, call: Call, patience_s: float) -> Answer | None:
        """Add a call and wait for its answer; None where none came in time: it is sent later."""
        with self._turn:
            self._wanted[call.key] = None
        self.add(call)
        with self._turn:
            tries = self._tries
            self._turn.wait_for(
                lambda: self._wanted[call.key] or (self._waits and self._tries > tries), timeout=patience_s
            )
            return self._wanted.pop(call.key)

    def look(self, path: str, patience_s: float) -> Answer:
        """GET a path now; Unreachable where no answer comes in time."""
        return self._request(Call(key="", method="GET", path=path, body=b"", at=""), patience_s)

    def settle(self, patience_s: float, *, still_s: float | None = STILL_S) -> Drained:
        """Wait until the server has answered every call that was added before.

        Args:
            patience_s: The longest wait.
            still_s: Give up where the server is away or has taken nothing for so long; None: only when patience ends.

        Returns:
            What was sent and refused since this courier began, and why something waits still.
        """
        deadline = time.monotonic() + patience_s
        with self._turn:
            self._turn.notify_all()  # try now, whatever was waited for
            upto, tries, seen, since = self._added, self._tries, -1, time.monotonic()
            while self._answered < upto:
                now = time.monotonic()
                done = self._done.sent + self._done.refused
                if done > seen:
                    seen, since = done, now
                away = self._waits and self._tries > tries and _ANOTHER not in self._waits
                if now >= deadline or (still_s is not None and (away or now - since > still_s)):
                    break
                self._turn.wait(min(0.05, max(deadline - now, 0.0)))
            waits = "" if self._answered >= upto else self._waits or f"{self.url} has not answered yet"
            return Drained(sent=self._done.sent, refused=self._done.refused, waits=waits)

    def close(self) -> None:
        """Stop sending; what waits stays in the spool."""
        with self._turn:
            self._closing = True
            self._turn.notify_all()
        self._thread.join(STILL_S)
        if not self._thread.is_alive():
            self._spool.close()
            if self._opened is not None:
                self._opened.close()

    def _work(self) -> None:
        wait_s = _FIRST_WAIT_S
        while True:
            with self._turn:
                self._turn.wait_for(lambda: self._answered < self._added or self._closing)
                if self._closing:
                    return
                upto, before = self._added, self._done.sent + self._done.refused
            waits = self._drain()
            with self._turn:
                self._answered = upto if not waits else self._answered
                self._tries += 1
                self._tell(waits)
                self._waits = waits
                self._turn.notify_all()
                if not waits or self._done.sent + self._done.refused > before:
                    wait_s = _FIRST_WAIT_S
                if waits and not self._closing:
                    another = _ANOTHER in waits
                    self._turn.wait(_FIRST_WAIT_S if another else wait_s)
                    wait_s = wait_s if another else min(2 * wait_s, _LONGEST_WAIT_S)

    def _drain(self) -> str:
        try:
            return self._spool.drain(self._send, hear=self._hear).waits
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    def _tell(self, waits: str) -> None:
        """Say once that a server is away, and once that it is there again."""
        if waits and not self._waits and _ANOTHER not in waits and not self._closing:
            _LOG.warning("%s; what is logged waits in %s and is sent later by itself", waits, self._folder)
        elif not waits and self._waits and _ANOTHER not in self._waits:
            _LOG.warning("%s answers again: nothing waits any more", self.url)

    def _hear(self, call: Call, answer: Answer) -> None:
        taken = 200 <= answer.status < 300
        with self._turn:
            if taken:
                self._done.sent += 1
            else:
                self._done.refused += 1
            wanted = call.key in self._wanted
            if wanted:
                self._wanted[call.key] = answer
            self._turn.notify_all()
        if not taken and not wanted:
            _LOG.warning(
                "%s refused %s %s: %s (it is kept in %s)",
                self.url,
                call.method,
                call.path,
                detail_of(answer.body),
                self._folder / "dead-letters.jsonl",
            )

    def _send(self, call: Call) -> Answer:
        if self._closing:
            raise Unreachable("the process ended before everything was sent")
        answer = self._request(call, _READ_S)
        if answer.status in (401, 403):
            raise Unreachable(
                f"{self.url} does not let this process in ({detail_of(answer.body)}): set TRIMTAB_TOKEN"
            )
        return answer

    def _request(self, call: Call, read_s: float) -> Answer:
        import httpx2

        content: bytes | Iterable[bytes] = call.body
        headers = {"Content-Type": "application/json"} if call.body else {}
        if call.key and not call.path.endswith("/log") and not call.attached:
            # What is logged, and a file, is the same however often it comes; a beginning and an end are Actions.
            headers["Idempotency-Key"] = f'"{call.key}"'
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if call.attached:
            path = self._spool.attachment(call.attached)
            if not path.exists():
                return Answer(200, b"{}")  # the server took it; only the note of that was lost in a power cut
            headers |= {
                "Content-Type": "application/octet-stream",
                "Content-Length": str(path.stat().st_size),
            }
            content = chunks_of(path)
        with self._opening:
            if self._opened is None:
                self._opened = httpx2.Client()
        timeout = httpx2.Timeout(read_s, connect=min(read_s, _CONNECT_S))
        try:
            told = self._opened.request(
                call.method, self.url + call.path, content=content or None, headers=headers, timeout=timeout
            )
        except httpx2.HTTPError as error:
            raise Unreachable(f"{self.url} does not answer ({str(error) or type(error).__name__})") from error
        return Answer(told.status_code, told.content, retry_after_s(told.headers.get("retry-after")))


#: Of `Spool.drain`'s words.
_ANOTHER = "another process is sending"


class Couriers:
    """The couriers of this process, one a server and token, lent to whoever sends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lent: dict[tuple[str, str | None], tuple[Courier, int]] = {}
        #: Of the process that this one was forked from: never let go of, so that nothing closes what is its.
        self._inherited: list[Courier] = []
        os.register_at_fork(after_in_child=self._after_fork)

    def lend(self, url: str, token: str | None) -> Courier:
        """The courier to a server; give it back."""
        with self._lock:
            courier, users = self._lent.get((url, token)) or (Courier(url, token), 0)
            self._lent[url, token] = courier, users + 1
            return courier

    def give_back(self, url: str, token: str | None) -> None:
        """Close the courier where nobody else uses it."""
        with self._lock:
            courier, users = self._lent.pop((url, token))
            if users > 1:
                self._lent[url, token] = courier, users - 1
                return
        courier.close()

    def _after_fork(self) -> None:
        self._lock = threading.Lock()
        self._inherited += [courier for courier, _ in self._lent.values()]
        self._lent = {}


COURIERS = Couriers()
