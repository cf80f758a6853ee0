"""Asking an MLflow server over HTTP, with the credentials that MLflow's own clients take from the environment."""

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2

from trimtab.atoms.error import NotThere, StoreError, UsageError
from trimtab.tracking.file import PIECE_BYTES

_TRIES, _FIRST_WAIT_S = 4, 0.5
_TIMEOUT_S = 120.0
#: Answers after which the same question may be asked again.
_AGAIN = (408, 429, 502, 503, 504)
#: Of a page of HTML, by which servers tell what they did not expect.
_ELEMENT = re.compile(r"<[^>]*>")

Json = dict[str, Any]


class Rest:
    """One server. A question that found it away is asked again a few times."""

    def __init__(self, url: str) -> None:
        """
        Raises:
            UsageError: It is no address of a server.
        """
        parsed = urlsplit(url)
        if not parsed.hostname:
            raise UsageError(f"{url[:100]!r} is no address: give http://HOST:PORT")
        port = f":{parsed.port}" if parsed.port else ""
        #: Without a name and a password.
        self.shown = f"{parsed.scheme}://{parsed.hostname}{port}{parsed.path.rstrip('/')}"
        name, password = (
            os.environ.get("MLFLOW_TRACKING_USERNAME"),
            os.environ.get("MLFLOW_TRACKING_PASSWORD"),
        )
        token = os.environ.get("MLFLOW_TRACKING_TOKEN")
        if parsed.username:
            name, password = parsed.username, parsed.password
        self._client = httpx2.Client(
            timeout=_TIMEOUT_S,
            auth=(name, password or "") if name else None,
            headers={"Authorization": f"Bearer {token}"} if token and not name else {},
        )

    def get(self, path: str, /, **asked: Any) -> Json:
        """The answer to `GET /api/2.0/mlflow/PATH`; errors as `send`."""
        return self.send("GET", f"/api/2.0/mlflow/{path}", asked)

    def post(self, path: str, /, **said: Any) -> Json:
        """The answer to `POST /api/2.0/mlflow/PATH`; errors as `send`."""
        return self.send("POST", f"/api/2.0/mlflow/{path}", said)

    def pages(self, ask: Callable[..., Json], path: str, items: str, /, **asked: Any) -> Iterator[Json]:
        """Every item of all pages of a search."""
        token = ""
        while True:
            page = ask(path, **asked, **({"page_token": token} if token else {}))
            yield from page.get(items, ())
            token = page.get("next_page_token") or ""
            if not token:
                return

    def send(self, method: str, path: str, values: Mapping[str, Any]) -> Json:
        """Ask, and return the JSON of the answer.

        Raises:
            NotThere: The server knows no such thing.
            UsageError: It refuses the question; with its own words.
            StoreError: It cannot be reached.
        """
        asked, said = (dict(values), None) if method == "GET" else (None, dict(values))
        answer = self._ask(lambda: self._client.request(method, self.shown + path, params=asked, json=said))
        found: Json = answer.json() if answer.content else {}
        return found

    def read(self, path: str, asked: Mapping[str, str] | None = None) -> Iterator[bytes]:
        """The content of a file at a path, a piece at a time; errors as `send`."""
        try:
            with self._client.stream("GET", self.shown + path, params=dict(asked or {})) as answer:
                if answer.status_code >= 400:
                    answer.read()
                    raise _refusal(answer)
                yield from answer.iter_bytes(PIECE_BYTES)
        except httpx2.HTTPError as error:
            raise StoreError(f"{self.shown}{path} cannot be read: {error}") from error

    def write(self, path: str, content: Callable[[], Iterator[bytes]]) -> None:
        """Send a file's content; errors as `send`."""
        self._ask(lambda: self._client.put(self.shown + path, content=content()))

    def _ask(self, ask: Callable[[], httpx2.Response]) -> httpx2.Response:
        wait = _FIRST_WAIT_S
        for attempt in range(_TRIES):
            try:
                answer = ask()
            except httpx2.HTTPError as error:
                if attempt == _TRIES - 1:
                    raise StoreError(f"{self.shown} cannot be reached: {error}") from error
            else:
                if answer.status_code not in _AGAIN or attempt == _TRIES - 1:
                    if answer.status_code >= 400:
                        raise _refusal(answer)
                    return answer
            time.sleep(wait)
            wait *= 2
        raise AssertionError("the last attempt returns or raises")


def artifact_path(place: str) -> str:
    """Where a server hands out what is at `mlflow-artifacts:/...`."""
    path = urlsplit(place).path.lstrip("/")
    return f"/api/2.0/mlflow-artifacts/artifacts/{quote(path)}"


def _refusal(answer: httpx2.Response) -> Exception:
    try:
        told: Any = answer.json()
        says = str(told.get("message") or told.get("detail") or told)
    except (ValueError, AttributeError):
        says = " ".join(_ELEMENT.sub(" ", answer.text).split())
    sentence = f"{answer.request.url.path}: the server answered {answer.status_code}: {says[:300]}"
    if answer.status_code == 404:
        return NotThere(sentence)
    return UsageError(sentence) if answer.status_code < 500 else StoreError(sentence)
