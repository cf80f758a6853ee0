"""A spool: calls that are kept on this machine until a server has answered them.

It knows nothing of what the calls mean. Each has an idempotency key from the moment it was asked for, so a server
that takes such keys records it once, however often it had to be sent.
"""

import os
import random
import secrets
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec

from trimtab.adapters.durable_file import flush, flush_folder, write_whole
from trimtab.adapters.file_lock import hold
from trimtab.adapters.segment_streams import SegmentStreams
from trimtab.adapters.system_clock import SystemClock
from trimtab.atoms.error import StoreError, TrimtabError
from trimtab.ports.clock import Clock
from trimtab.ports.streams import Cursor

_CALLS = "calls"
_ATTACHED = "attached"
#: Age of an attached file that no waiting call speaks of, at which it is removed: its process died in between.
_ORPHAN_S = 7 * 86400.0
_PAGE = 100
#: Bytes of sent calls after which their files are removed.
_FORGET_BYTES = 1 << 20
#: Statuses below 500 that say: not now.
_NOT_NOW = (408, 425, 429)
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 30.0


class Unreachable(TrimtabError):
    """No answer came: the server is away, or the way to it is cut."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a server is to be asked once."""

    #: 1 to 128 printable ASCII characters; goes along as `Idempotency-Key`.
    key: str
    method: str
    path: str
    body: bytes
    #: When it was first asked for.
    at: str
    #: What `Spool.attach` gave: a file that is sent in place of the body; empty: none.
    attached: str = ""


class Answer(NamedTuple):
    """What a server said to a call."""

    status: int
    body: bytes
    #: How long the server asks to be left alone.
    retry_after_s: float | None = None

    @property
    def is_temporary(self) -> bool:
        """Whether the same call may be answered later."""
        return self.status >= 500 or self.status in _NOT_NOW


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A call that a server refused for good: one line of `dead-letters.jsonl`."""

    key: str
    method: str
    path: str
    status: int
    #: What the server said, or its beginning.
    reason: str
    at: str
    body: str
    #: Name of the file in `attached` that was to be sent; empty: none.
    attached: str = ""


class Drained(msgspec.Struct, kw_only=True):
    """What a drain did."""

    #: Calls that the server took, and that it refused for good.
    sent: int = 0
    refused: int = 0
    #: Why calls wait still: the server is away or busy, or another process is sending them. Empty: none waits.
    waits: str = ""


class _Mark(msgspec.Struct, frozen=True):
    """How far the calls were sent: all up to `after`, and `sent` of those between it and `until`."""

    after: Cursor = Cursor()
    until: Cursor = Cursor()
    sent: int = 0


#: Sends a call and gives the answer, or raises `Unreachable`.
Send = Callable[[Call], Answer]
#: Is told each answer that ends a call.
Hear = Callable[[Call, Answer], None]


def _ignore(call: Call, answer: Answer) -> None:
    """For whoever does not want the answers."""


class Spool:
    """A folder of calls; any number of processes may add, and one at a time sends.

    Calls of one process are sent in the order in which they were added. A call that a server refuses (any other
    status than 2xx, 408, 425, 429, 5xx) goes to `dead-letters.jsonl` with the reason, and the next one is sent. One
    that cannot be answered now holds up those behind it.
    """

    def __init__(
        self, folder: Path, *, clock: Clock | None = None, chance: Callable[[], float] = random.random
    ) -> None:
        """
        Args:
            folder: Made where it is not there; on a disk of this machine.
            chance: Gives a number in [0, 1) that spreads the retries of many clients.

        Raises:
            StoreError: The folder cannot be made or written.
        """
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            flush_folder(folder.parent)
            self._streams = SegmentStreams(folder)
        except OSError as error:
            raise StoreError(f"the spool {folder} cannot be used: {error.strerror}") from error
        self._folder = folder
        self._clock = clock or SystemClock()
        self._chance = chance

    def add(self, *calls: Call) -> None:
        """Keep calls, all of them or none; durable when this returns."""
        self._streams.append(_CALLS, [msgspec.msgpack.encode(call) for call in calls])

    def attach(self, chunks: Iterable[bytes]) -> str:
        """Keep a file for a call that is added next; durable when this returns.

        Returns:
            For `Call.attached`; the file is removed when the call was taken, and stays where it was refused for good.

        Raises:
            StoreError: It cannot be written.
        """
        name = secrets.token_hex(16)
        try:
            self.attachment(name).parent.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(self.attachment(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                for chunk in chunks:
                    write_whole(descriptor, chunk)
                flush(descriptor)
            finally:
                os.close(descriptor)
            flush_folder(self.attachment(name).parent)
            flush_folder(self._folder)
        except OSError as error:
            self.attachment(name).unlink(missing_ok=True)
            raise StoreError(f"the spool {self._folder} cannot keep a file: {error.strerror}") from error
        return name

    def attachment(self, name: str) -> Path:
        """Where an attached file lies."""
        return self._folder / _ATTACHED / name

    def drain(self, send: Send, *, patience_s: float = 0.0, hear: Hear = _ignore) -> Drained:
        """Send what waits, in order, until nothing waits or patience ends.

        Args:
            patience_s: How long to try again where a server is away or busy, or another process is sending.
            hear: Called with each call that was taken, or refused for good.
        """
        drained, deadline = Drained(), self._clock.monotonic() + patience_s
        wait_s = _FIRST_WAIT_S
        while True:
            least_s, before = 0.0, drained.sent + drained.refused
            with hold(self._folder / "turn") as mine:
                if mine:
                    drained.waits, least_s = self._send_all(send, hear, drained)
                else:
                    drained.waits = "another process is sending the calls of this spool"
            if not drained.waits:
                return drained
            if drained.sent + drained.refused > before:
                wait_s = _FIRST_WAIT_S
            pause_s = max(least_s, wait_s * (0.5 + self._chance()))
            if self._clock.monotonic() + pause_s > deadline:
                return drained
            self._clock.sleep(pause_s)
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S)

    def waiting(self) -> int:
        """How many calls wait to be sent, or are being sent."""
        mark, count = self._mark(), 0
        cursor = mark.after
        while True:
            records, cursor = self._streams.read(_CALLS, cursor, _PAGE)
            if not records:
                return max(count - mark.sent, 0)
            count += len(records)

    def dead_letters(self) -> list[DeadLetter]:
        """Calls that were refused for good, oldest first."""
        path = self._folder / "dead-letters.jsonl"
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        return [msgspec.json.decode(line, type=DeadLetter) for line in lines]

    def close(self) -> None:
        """Let go of the folder; what waits stays there."""
        self._streams.close()

    def _send_all(self, send: Send, hear: Hear, drained: Drained) -> tuple[str, float]:
        """Send until nothing waits; else why the next one cannot be sent, and how long to leave the server alone."""
        while True:
            mark, calls = self._next_page()
            if not calls:
                self._forget(mark.until)
                return "", 0.0
            for place, call in enumerate(calls, start=mark.sent + 1):
                try:
                    answer = send(call)
                except Unreachable as error:
                    return str(error), 0.0
                if answer.is_temporary:
                    waits = f"the server answered {answer.status}: {_text(answer.body)[:200]}"
                    return waits, answer.retry_after_s or 0.0
                if 200 <= answer.status < 300:
                    drained.sent += 1
                else:
                    self._bury(call, answer)
                    drained.refused += 1
                self._set_mark(_Mark(mark.after, mark.until, place))
                if call.attached and 200 <= answer.status < 300:
                    self.attachment(call.attached).unlink(missing_ok=True)
                hear(call, answer)

    def _next_page(self) -> tuple[_Mark, list[Call]]:
        """The calls to send next; those of a page that was begun keep their places, whatever was added since."""
        mark = self._mark()
        records, _ = self._streams.read(_CALLS, mark.after, until=mark.until)
        if mark.sent >= len(records):
            after = mark.until if mark.sent else mark.after
            records, until = self._streams.read(_CALLS, after, _PAGE)
            mark = _Mark(after, until)
            if records:
                self._set_mark(mark)
        return mark, [msgspec.msgpack.decode(record, type=Call) for record in records[mark.sent :]]

    def _mark(self) -> _Mark:
        try:
            return msgspec.json.decode((self._folder / "sent.json").read_bytes(), type=_Mark)
        except FileNotFoundError:
            return _Mark()
        except msgspec.DecodeError:
            return (
                _Mark()
            )  # a power cut took it: what is still there is sent again, under the keys that it had

    def _set_mark(self, mark: _Mark) -> None:
        """Not flushed for each call: after a power cut some are sent again, under the keys that they had."""
        draft = self._folder / "sent.json.draft"
        draft.write_bytes(msgspec.json.encode(mark))
        os.replace(draft, self._folder / "sent.json")

    def _forget(self, sent: Cursor) -> None:
        """Everything was sent: remove the files once they are many bytes."""
        if sum(sent.segments.values()) < _FORGET_BYTES:
            return
        self._streams.forget(_CALLS, sent)
        self._sweep()
        folder = self._folder / _CALLS
        left = Cursor(segments={name: end for name, end in sent.segments.items() if (folder / name).exists()})
        self._set_mark(_Mark(left, left))

    def _sweep(self) -> None:
        """Nothing waits: remove attached files whose process died before it added their call."""
        kept = {letter.attached for letter in self.dead_letters()}
        before = time.time() - _ORPHAN_S
        for path in (self._folder / _ATTACHED).glob("*"):
            if path.name not in kept and path.stat().st_mtime < before:
                path.unlink(missing_ok=True)

    def _bury(self, call: Call, answer: Answer) -> None:
        letter = DeadLetter(
            key=call.key,
            method=call.method,
            path=call.path,
            status=answer.status,
            reason=_text(answer.body)[:2000],
            at=call.at,
            body=_text(call.body),
            attached=call.attached,
        )
        path = self._folder / "dead-letters.jsonl"
        with path.open("a+b") as file:
            file.seek(0)
            content = file.read()
            whole = content.rfind(b"\n") + 1
            file.truncate(whole)  # a line that a killed process began
            last = content[:whole].splitlines()[-1:]
            if not last or msgspec.json.decode(last[0], type=DeadLetter).key != call.key:
                file.write(msgspec.json.encode(letter) + b"\n")
            file.flush()
            flush(file.fileno())
        flush_folder(self._folder)


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")
