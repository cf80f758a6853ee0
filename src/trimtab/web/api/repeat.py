"""Repeated calls: with an idempotency key a call is carried out once, also where the server was restarted between."""

import hashlib
import threading
import weakref
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec

from trimtab.engine.store import Store
from trimtab.ports.streams import Cursor
from trimtab.web.route import Call, Refused, Response

#: The stream of answers that were given under a key.
STREAM = "repeats"
#: A key is remembered for at least so long.
KEPT = timedelta(days=2)
_PAGE = 1000
_ANOTHER = "this Idempotency-Key came before with another request: a key belongs to one, make a new one"


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    """An answer under its key."""

    #: Digest of who asked and the key.
    place: str
    #: Digest of what was asked.
    mark: str
    #: JSON; empty: it held a secret.
    answer: bytes
    #: Milliseconds since 1970, UTC.
    at_ms: int


class _Under:
    """A key whose call is under way."""

    def __init__(self) -> None:
        self.over = threading.Event()


class _Claim(NamedTuple):
    """What a call is carrying out under its key; it holds while the call lives, however it ends."""

    call: "weakref.ref[Call]"
    mark: str


class Repeats:
    """Answers by idempotency key: durable before they are given, and the newest of them in memory.

    A process that dies between the deed and its answer has forgotten the key. So a deed gets a seed made of the key,
    from which it names what it makes: done again, it finds that it is there.

    Source:
        The Idempotency-Key HTTP header field, IETF draft of the HTTPAPI working group.
    """

    def __init__(self, store: Store, *, most: int = 10_000, most_bytes: int = 16 << 20) -> None:
        """
        Args:
            most: Answers that are held in memory; the oldest goes first.
            most_bytes: Their size together.
        """
        self._store, self._most, self._most_bytes = store, most, most_bytes
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._bytes = 0
        self._under: dict[str, _Under] = {}
        self._claims: dict[str, _Claim] = {}
        self._read = False

    def answer(self, call: Call, what: str, does: Callable[[str], Any], *, said: str | None = None) -> Any:
        """What the call was answered before; else what `does` answers, which is then remembered for days. Blocks.

        Args:
            what: The route in a word: a key belongs to one request of one route.
            does: Takes a seed of 32 hex digits; an empty one where the call has no key.
            said: What the request says; None: its body.

        Raises:
            Refused: 422 where the key came with another request before.
        """
        return self._answered(call, does, _mark(call, what, said))

    def answer_once(self, call: Call, what: str, does: Callable[[str], Any], then: str) -> Any:
        """As `answer`, for an answer with a secret: it is never kept, and to a repeated call `then` is said.

        Raises:
            Refused: 409 where the call was answered before, 422 as `answer`.
        """
        return self._answered(call, does, _mark(call, what, None), then)

    def _answered(self, call: Call, does: Callable[[str], Any], mark: str, then: str = "") -> Any:
        if call.idempotency_key is None:
            return does("")
        place = _place(call)
        while True:
            with self._lock:
                self._catch_up()
                kept = self._kept.get(place)
                under = self._under.get(place)
                if kept is None and under is None:
                    mine = self._under[place] = _Under()
                    break
            if kept is not None:
                return _again(kept, mark, then)
            assert under is not None
            under.over.wait()
        try:
            answer = msgspec.json.encode(does(place[:32]))
            made = _Kept(place=place, mark=mark, answer=b"" if then else answer, at_ms=self._now_ms())
            self._store.streams.append(STREAM, [msgspec.msgpack.encode(made)])
            with self._lock:
                self._keep(made)
        finally:
            with self._lock:
                del self._under[place]
            mine.over.set()
        return _json(answer)

    def known(self, call: Call, what: str, *, said: str | None = None) -> Response | None:
        """What the call was answered before, where that is remembered; None where it is to be carried out.

        For what is the same however often it is done: of two that come at once, both may be carried out. Blocks only
        when it is first asked.

        Raises:
            Refused: 422 where the key came with another request before, or is with one that is being carried out.
        """
        if call.idempotency_key is None:
            return None
        place, mark = _place(call), _mark(call, what, said)
        with self._lock:
            self._catch_up()
            kept = self._kept.get(place)
            if kept is None:
                self._claim(place, mark, call)
        return None if kept is None else _again(kept, mark)

    def note(self, call: Call, what: str, answer: Any, *, said: str | None = None) -> None:
        """Remember what a call was answered that `known` did not know, while this process lives."""
        if call.idempotency_key is None:
            return
        place = _place(call)
        claim = self._claims.get(place)
        mark = claim.mark if claim is not None and claim.call() is call else _mark(call, what, said)
        body = msgspec.json.encode(answer)
        made = _Kept(place=place, mark=mark, answer=body, at_ms=self._now_ms())
        with self._lock:
            self._keep(made)
            self._claims.pop(place, None)

    def _claim(self, place: str, mark: str, call: Call) -> None:
        before = self._claims.get(place)
        if before is not None and before.mark != mark and before.call() is not None:
            raise Refused(422, _ANOTHER)

        def forget(dead: "weakref.ref[Call]") -> None:
            claim = self._claims.get(place)
            if claim is not None and claim.call is dead:
                del self._claims[place]

        self._claims[place] = _Claim(weakref.ref(call, forget), mark)

    def _now_ms(self) -> int:
        return int(self._store.now().timestamp() * 1000)

    def _catch_up(self) -> None:
        """Read what an earlier process kept, once; what is too old may go. With the lock held."""
        if self._read:
            return
        oldest_ms = int((self._store.now() - KEPT).timestamp() * 1000)
        cursor, old = Cursor(), True
        while True:
            records, after = self._store.streams.read(STREAM, cursor, _PAGE, rest=True)
            if not records:
                break
            cursor = after
            for record in records:
                kept = msgspec.msgpack.decode(record, type=_Kept)
                old = old and kept.at_ms < oldest_ms
                if kept.at_ms >= oldest_ms:
                    self._keep(kept)
            if old:
                self._store.streams.forget(STREAM, cursor)
        self._read = True

    def _keep(self, made: _Kept) -> None:
        before = self._kept.pop(made.place, None)
        self._bytes -= len(before.answer) if before else 0
        self._kept[made.place] = made
        self._bytes += len(made.answer)
        while len(self._kept) > self._most or self._bytes > self._most_bytes:
            oldest = next(iter(self._kept))
            self._bytes -= len(self._kept.pop(oldest).answer)


def _again(kept: _Kept, mark: str, then: str = "") -> Response:
    if kept.mark != mark:
        raise Refused(422, _ANOTHER)
    if then:
        raise Refused(409, then)
    return _json(kept.answer, replayed=True)


def _json(body: bytes, *, replayed: bool = False) -> Response:
    headers = {"cache-control": "no-store"} | ({"idempotent-replayed": "true"} if replayed else {})
    return Response(body, media_type="application/json", headers=headers)


def _place(call: Call) -> str:
    return _digest(call.actor.by, call.idempotency_key or "")


def _mark(call: Call, what: str, said: str | None) -> str:
    slots = [f"{name}={value}" for name, value in sorted(call.path.items())]
    return _digest(what, *slots, _said(call.body) if said is None else said)


def _said(body: Any) -> str:
    return "" if body is None else msgspec.json.encode(body, order="deterministic").decode()


def _digest(*parts: str) -> str:
    told = hashlib.sha256()
    for part in parts:
        raw = part.encode()
        told.update(len(raw).to_bytes(8, "little") + raw)
    return told.hexdigest()
