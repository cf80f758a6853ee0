"""A client of the prediction plane that may be cut off from it: what it was told to send arrives, once."""

import random
import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

import msgspec

from trimtab.adapters.problem_answer import detail_of, retry_after_s
from trimtab.adapters.spool import Answer, Call, Drained, Hear, Spool, Unreachable
from trimtab.atoms.error import UsageError
from trimtab.atoms.instant import iso

if TYPE_CHECKING:
    import httpx2

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 5.0
_AWAY_S = 2.0


class Predicted(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to rows."""

    #: A label or value a row.
    predictions: list[Any]
    #: Of a classifier: a list a row, one for each of `classes`; each in [0, 1].
    probabilities: list[list[float]] | None = None
    classes: list[Any] | None = None
    model_version: str
    #: Names the rows when their outcomes are known.
    request_id: str


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Outcomes that were taken: by the server, or by the spool until it is there."""

    #: The idempotency key of the call.
    key: str
    #: False while they wait in the spool.
    sent: bool


class Client:
    """Asks for predictions and reports outcomes; with a spool, outcomes may be reported while the server is away.

    ```python
    with trimtab.Client("http://127.0.0.1:8600", spool="spool") as client:
        answer = client.predict("late_arrival", [{"distance": 733, "carrier": "UA"}])
        client.outcomes("late_arrival", [{"request_id": answer.request_id, "row": 0, "value": True}])
    ```
    """

    def __init__(
        self, url: str, spool: Path | str | None = None, *, timeout_s: float = 30.0, patience_s: float = 5.0
    ) -> None:
        """
        Args:
            url: Address of the prediction plane.
            spool: Folder that outcomes are kept in until the server has them; None: they are sent or refused.
            timeout_s: How long a call may take.
            patience_s: How long a call that must be answered now is tried again while the server is away or busy.
        """
        if not url.startswith(("http://", "https://")):
            raise UsageError(
                f"{url!r} is no address of a prediction plane: give one as http://127.0.0.1:8600"
            )
        self._url = url.rstrip("/")
        self._timeout_s = timeout_s
        self._patience_s = patience_s
        self._spool = Spool(Path(spool)) if spool is not None else None
        self._opened: httpx2.Client | None = None
        #: Until then `outcomes` does not wait for a server that was away a moment ago.
        self._away_until = 0.0

    def predict(self, model: str, rows: Sequence[Mapping[str, Any]], key: str | None = None) -> Predicted:
        """Ask for predictions.

        Args:
            model: Name of the model.
            rows: Column to value, one a row.
            key: Idempotency key, where this may be the second time that the same is asked; None: a new one.

        Raises:
            UsageError: The server refused the rows; the message says why.
            Unreachable: It is away or busy, and patience ended.
        """
        answer = self._ask(_call(f"/predict/{quote(model, safe='')}", {"rows": list(rows)}, key))
        return msgspec.json.decode(answer.body, type=Predicted)

    def outcomes(self, model: str, outcomes: Sequence[Mapping[str, Any]], key: str | None = None) -> Kept:
        """Report what turned out to be true; durable when this returns.

        Args:
            model: Name of the model.
            outcomes: `request_id` and `row`, or `key`, and `value`, each.
            key: As in `predict`.

        Raises:
            UsageError: The server refused them; with a spool they are among its dead letters.
            Unreachable: Without a spool: the server is away or busy, and patience ended.
        """
        call = _call(f"/outcomes/{quote(model, safe='')}", {"outcomes": list(outcomes)}, key)
        if self._spool is None:
            self._ask(call)
            return Kept(key=call.key, sent=True)
        self._spool.add(call)
        heard: list[Answer] = []
        if time.monotonic() >= self._away_until:
            self._drain(0.0, lambda sent, answer: heard.append(answer) if sent.key == call.key else None)
        if heard and not 200 <= heard[0].status < 300:
            raise UsageError(f"{call.path} was answered {heard[0].status}: {detail_of(heard[0].body)}")
        return Kept(key=call.key, sent=bool(heard))

    def sync(self, patience_s: float = 60.0) -> Drained:
        """Send what waits in the spool, as long as patience lasts; says what was sent, refused, and waits."""
        return self._drain(patience_s, lambda call, answer: None)

    def close(self) -> None:
        """Let go of the connection and of the spool; what waits in it stays there."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None
        if self._spool is not None:
            self._spool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def _drain(self, patience_s: float, hear: Hear) -> Drained:
        if self._spool is None:
            return Drained()
        drained = self._spool.drain(self._send, patience_s=patience_s, hear=hear)
        if drained.waits:
            self._away_until = time.monotonic() + _AWAY_S
        return drained

    def _ask(self, call: Call) -> Answer:
        """The answer to a call that is wanted now, tried again under its key while patience lasts."""
        deadline, wait_s = time.monotonic() + self._patience_s, _FIRST_WAIT_S
        while True:
            least_s = 0.0
            try:
                answer = self._send(call)
            except Unreachable as raised:
                away = raised
            else:
                if 200 <= answer.status < 300:
                    return answer
                says = f"{call.path} was answered {answer.status}: {detail_of(answer.body)}"
                if not answer.is_temporary:
                    raise UsageError(says)
                away, least_s = Unreachable(says), answer.retry_after_s or 0.0
            pause_s = max(least_s, wait_s * (0.5 + random.random()))
            if time.monotonic() + pause_s > deadline:
                raise away
            time.sleep(pause_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    def _send(self, call: Call) -> Answer:
        import httpx2

        if self._opened is None:
            self._opened = httpx2.Client(timeout=self._timeout_s)
        headers = {"Content-Type": "application/json", "Idempotency-Key": f'"{call.key}"'}
        try:
            told = self._opened.request(
                call.method, self._url + call.path, content=call.body, headers=headers
            )
        except httpx2.InvalidURL as error:
            raise UsageError(f"{self._url} is no address of a prediction plane: {error}") from error
        except httpx2.TransportError as error:
            raise Unreachable(
                f"{self._url} does not answer ({str(error) or type(error).__name__}): is `trimtab serve` running there?"
            ) from error
        return Answer(told.status_code, told.content, retry_after_s(told.headers.get("retry-after")))


def _call(path: str, body: Any, key: str | None) -> Call:
    key = secrets.token_hex(16) if key is None else key
    if not 0 < len(key) <= 128 or not key.isascii() or not key.isprintable() or '"' in key or "\\" in key:
        raise UsageError(
            f'{key[:40]!r} is no idempotency key: 1 to 128 printable ASCII characters but " and \\'
        )
    try:
        content = msgspec.json.encode(body, enc_hook=_plain)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{path}: this cannot be sent as JSON: {error}") from error
    return Call(key=key, method="POST", path=path, body=content, at=iso(datetime.now(UTC)))


def _plain(value: Any) -> Any:
    """NumPy's numbers, and whatever else knows its plain value."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no JSON value")


__all__ = ["Client", "Kept", "Predicted", "Unreachable"]
