"""One connection to a control plane: calls are tried again while it is away, and refusals are errors in its words."""

import logging
import random
import secrets
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import msgspec

from trimtab.adapters.control_client.address import is_open_way, server_address
from trimtab.adapters.problem_answer import detail_of, retry_after_s
from trimtab.adapters.spool import Answer, Unreachable
from trimtab.atoms.error import Conflict, NotThere, TrimtabError, UsageError

if TYPE_CHECKING:
    import httpx2

Some = TypeVar("Some")
#: The query string: None leaves a name out, a sequence says it several times.
Asked = Mapping[str, str | int | bool | Iterable[str] | None]

#: The query string as pairs.
Pairs = list[tuple[str, str | int | float | bool | None]]

_LOG = logging.getLogger("trimtab.client")
#: This machine is asked straight, whatever proxy the environment names: it would read the token.
_HERE = ("all://localhost", "all://127.0.0.1", "all://[::1]")
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 5.0
_ERRORS: dict[int, type[TrimtabError]] = {404: NotThere, 409: Conflict, 401: TrimtabError, 403: TrimtabError}


class Connection:
    """Sends calls to one server. Safe to use from several threads."""

    def __init__(self, url: str, token: str | None, *, timeout_s: float, patience_s: float) -> None:
        """
        Args:
            url: As `http://127.0.0.1:8500`.
            token: Is sent with each call, and shown nowhere.
            timeout_s: How long one try may take.
            patience_s: How long a call is tried again while the server is away or busy.

        Raises:
            UsageError: The address or the token is none.
        """
        self.url = server_address(url)
        if token is not None and (not token.isascii() or not token.isprintable() or not token.strip()):
            raise UsageError("the token is not 1 or more printable ASCII characters: give it as it was shown")
        if token is not None and is_open_way(self.url):
            _LOG.warning(
                "the token goes to %s unencrypted: give an address that begins with https://", self.url
            )
        self._token = token
        self._timeout_s, self._patience_s = timeout_s, patience_s
        self._opened: httpx2.Client | None = None
        self._lock = threading.Lock()

    def ask(
        self,
        method: str,
        path: str,
        answer: type[Some],
        *,
        query: Asked | None = None,
        body: Any = None,
        content: bytes | None = None,
        key: str | None = None,
    ) -> Some:
        """Send a call and read its answer.

        A call that changes something carries an idempotency key, so that trying again does nothing twice.

        Args:
            answer: What the JSON of the answer is.
            body: Is sent as JSON.
            content: Bytes that are sent as they are, in place of `body`.
            key: The idempotency key, where this may be the second time that the same is asked; None: a new one.

        Raises:
            NotThere, Conflict, UsageError: The server refused; the message is its sentence.
            TrimtabError: It lets nobody in with this token, or without one.
            Unreachable: It is away or busy, and patience ended.
        """
        headers = {}
        if body is not None:
            content, headers["Content-Type"] = _json(path, body), "application/json"
        elif content is not None:
            headers["Content-Type"] = "application/octet-stream"
        if method != "GET":
            headers["Idempotency-Key"] = _checked(key or secrets.token_hex(16))
        told = self._patiently(method, path, _query(query), content, headers)
        return self._read(path, told.body, answer)

    def account(
        self, path: str, *names: str, method: str = "GET", query: Asked | None = None, body: Any = None
    ) -> dict[str, Any]:
        """As `ask`, for an object that holds at least these names."""
        told: dict[str, Any] = self.ask(method, path, dict[str, Any], query=query, body=body)
        missing = [name for name in names if name not in told]
        if missing:
            raise self._misread(path, f"it says nothing of {missing[0]}")
        return told

    @contextmanager
    def reading(self, path: str) -> Iterator[Iterator[bytes]]:
        """The bytes that a path answers with, as they come; not tried again."""
        client = self._client()
        with self._reaching(), client.stream("GET", self.url + path, headers=self._headers({})) as told:
            self._require_here(told)
            if told.status_code != 200:
                raise self._refusal(path, Answer(told.status_code, told.read()))
            yield told.iter_bytes()

    def send_stream(self, path: str, chunks: Iterable[bytes], answer: type[Some]) -> Some:
        """PUT bytes of any length, chunk by chunk; not tried again, since the chunks are gone."""
        client = self._client()
        headers = self._headers({"Content-Type": "application/octet-stream"})
        with self._reaching():
            told = client.request("PUT", self.url + path, content=iter(chunks), headers=headers)
        self._require_here(told)
        reply = Answer(told.status_code, told.content)
        if not 200 <= reply.status < 300:
            raise self._refusal(path, reply)
        return self._read(path, reply.body, answer)

    def close(self) -> None:
        """Let go of the connection; it is opened again by the next call."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    def __repr__(self) -> str:
        return f"Connection({self.url!r}{', with a token' if self._token else ''})"

    def _patiently(
        self,
        method: str,
        path: str,
        query: Pairs,
        content: bytes | None,
        headers: dict[str, str],
    ) -> Answer:
        deadline, wait_s = time.monotonic() + self._patience_s, _FIRST_WAIT_S
        while True:
            least_s = 0.0
            try:
                told = self._once(method, path, query, content, headers)
            except Unreachable as raised:
                away = raised
            else:
                if 200 <= told.status < 300:
                    return told
                if not told.is_temporary:
                    raise self._refusal(path, told)
                away = Unreachable(f"{self.url}{path} was answered {told.status}: {detail_of(told.body)}")
                least_s = told.retry_after_s or 0.0
            pause_s = max(least_s, wait_s * (0.5 + random.random()))
            if time.monotonic() + pause_s > deadline:
                raise away
            time.sleep(pause_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    def _once(
        self,
        method: str,
        path: str,
        query: Pairs,
        content: bytes | None,
        headers: dict[str, str],
    ) -> Answer:
        client = self._client()
        with self._reaching():
            told = client.request(
                method, self.url + path, params=query or None, content=content, headers=self._headers(headers)
            )
        self._require_here(told)
        return Answer(told.status_code, told.content, retry_after_s(told.headers.get("retry-after")))

    def _require_here(self, told: "httpx2.Response") -> None:
        if told.is_redirect:
            raise UsageError(
                f"{self.url} sends on to {told.headers['location'][:200]}, to which nothing was sent: "
                "where that is your server too, give its address"
            )

    def _client(self) -> "httpx2.Client":
        import httpx2

        with self._lock:
            if self._opened is None:
                straight: dict[str, httpx2.BaseTransport | None] = dict.fromkeys(_HERE)
                self._opened = httpx2.Client(timeout=self._timeout_s, mounts=straight)
            return self._opened

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        return more if self._token is None else {**more, "Authorization": f"Bearer {self._token}"}

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        import httpx2

        try:
            yield
        except httpx2.InvalidURL as error:
            raise UsageError(f"{self.url} is no address of a server: {error}") from error
        except httpx2.TransportError as error:
            raise Unreachable(
                f"{self.url} does not answer ({str(error) or type(error).__name__}): is `trimtab server` running there?"
            ) from error

    def _read(self, path: str, body: bytes, answer: type[Some]) -> Some:
        try:
            return msgspec.json.decode(body, type=answer)
        except msgspec.DecodeError as error:
            raise self._misread(path, str(error)) from error

    def _misread(self, path: str, why: str) -> TrimtabError:
        return TrimtabError(
            f"{self.url}{path} did not answer as a Trimtab of this version does ({why}): "
            "is it the control plane's address, and the same version?"
        )

    def _refusal(self, path: str, told: Answer) -> TrimtabError:
        said = detail_of(told.body)
        if self._token is not None:
            said = said.replace(self._token, "tt_...")
        if told.status == 401 and self._token is None:
            said += " (no token was given: set TRIMTAB_TOKEN)"
        return _ERRORS.get(told.status, UsageError)(said or f"{self.url}{path} was answered {told.status}")


def place(*parts: str, rest: str = "") -> str:
    """The path of something below `/api/v1`.

    Args:
        parts: A slash in one of them is escaped.
        rest: A path that comes last; its slashes stay.
    """
    escaped = [quote(part, safe="") for part in parts]
    return "/".join(["/api/v1", *escaped, *([quote(rest)] if rest else [])])


def _checked(key: str) -> str:
    if not 0 < len(key) <= 128 or not key.isascii() or not key.isprintable() or '"' in key or "\\" in key:
        raise UsageError(
            f'{key[:40]!r} is no idempotency key: 1 to 128 printable ASCII characters but " and \\'
        )
    return f'"{key}"'


def _json(path: str, body: Any) -> bytes:
    try:
        return msgspec.json.encode(body)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{path}: this cannot be sent as JSON: {error}") from error


def _query(asked: Asked | None) -> Pairs:
    pairs: Pairs = []
    for name, value in (asked or {}).items():
        if value is None:
            continue
        if isinstance(value, bool):
            pairs.append((name, "true" if value else "false"))
        elif isinstance(value, str | int):
            pairs.append((name, str(value)))
        else:
            pairs.extend((name, each) for each in value)
    return pairs


__all__ = ["Asked", "Connection", "Unreachable", "place"]
