"""The requests to a bucket: small ones in one piece, large ones in several side by side."""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from trimtab.adapters.s3_blobs.patience import PATIENCE_S, insist, missing
from trimtab.adapters.s3_blobs.place import Place
from trimtab.atoms.error import ConfigurationRefused
from trimtab.engine.side_by_side import side_by_side

Answer = TypeVar("Answer")

#: Above this size objects travel in pieces.
LARGE_BYTES = 64 * 2**20
PIECE_BYTES = 16 * 2**20
#: Pieces of one object that travel at once.
_PIECE_THREADS = 4
_SHORT_BYTES = 2**20
#: Seconds that a server may be silent, and that 64 MB may take on their way to it.
_ANSWER_S, _UPLOAD_S = 30.0, 300.0


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An object as the server tells of it."""

    name: str
    size_bytes: int
    #: Seconds since 1970 by the server's clock, which may cut them to whole ones.
    modified_at: float
    #: Without quotes; empty where the server gives none.
    e_tag: str


class Bucket:
    """Objects by name under a prefix; every method may be called from any thread, none after a fork."""

    def __init__(self, place: Place, *, patience_s: float = PATIENCE_S) -> None:
        """Connects to nothing yet.

        Raises:
            ConfigurationRefused: The library that speaks S3 is not installed.
        """
        self.place = place
        self._patience_s = patience_s
        answer = timedelta(seconds=min(_ANSWER_S, patience_s))
        # An upload says nothing until it ends, so silence alone is no sign of trouble there.
        sent = timedelta(seconds=min(_UPLOAD_S, 5 * patience_s))
        self._short = _client(place, timeout=answer)
        self._sending = _client(place, timeout=sent)
        self._reading = _client(place, timeout=timedelta(hours=1), read_timeout=answer)

    def create(self, name: str, content: bytes) -> bool:
        """Store `content` as `name` in one piece; False where the name is taken."""
        import obstore
        from obstore.exceptions import AlreadyExistsError

        client = self._short if len(content) <= _SHORT_BYTES else self._sending
        try:
            self._insist(lambda: obstore.put(client, name, content, mode="create", use_multipart=False))
        except AlreadyExistsError:
            return False
        except FileNotFoundError:
            raise missing(self.place) from None
        return True

    def replace(self, name: str, content: bytes) -> None:
        """Store `content` as `name`, whatever was there."""
        import obstore

        large = len(content) > LARGE_BYTES
        client = self._short if len(content) <= _SHORT_BYTES else self._sending
        try:
            self._insist(
                lambda: obstore.put(
                    client,
                    name,
                    content,
                    use_multipart=large,
                    chunk_size=PIECE_BYTES,
                    max_concurrency=_PIECE_THREADS,
                )
            )
        except FileNotFoundError:
            raise missing(self.place) from None

    def read(self, name: str) -> bytes | None:
        """All bytes of an object, None where it is absent."""
        import obstore

        def ask() -> bytes | int:
            answer = obstore.get(self._reading, name)
            size_bytes = int(answer.meta["size"])
            return size_bytes if size_bytes > LARGE_BYTES else bytes(answer.bytes())

        def piece(start: int) -> bytes:
            end = min(start + PIECE_BYTES, size_bytes)
            return self._insist(lambda: bytes(obstore.get_range(self._reading, name, start=start, end=end)))

        try:
            got = self._insist(ask)
            if isinstance(got, bytes):
                return got
            size_bytes = got
            return b"".join(side_by_side(piece, range(0, size_bytes, PIECE_BYTES), threads=_PIECE_THREADS))
        except FileNotFoundError:
            return None

    def read_piece(self, name: str, start: int, size_bytes: int) -> bytes | None:
        """Bytes from `start` on, fewer where the object ends before; None where it is absent."""
        import obstore

        found = self.look(name)
        if found is None:
            return None
        # Servers differ in what they answer to a range that reaches beyond the end.
        end = min(start + size_bytes, found.size_bytes)
        if end <= start:
            return b""
        try:
            return self._insist(lambda: bytes(obstore.get_range(self._reading, name, start=start, end=end)))
        except FileNotFoundError:
            return None

    def look(self, name: str) -> Found | None:
        """What the server tells of an object, None where it is absent."""
        import obstore

        try:
            return _found(self._insist(lambda: obstore.head(self._short, name)))
        except FileNotFoundError:
            return None

    def drop(self, name: str) -> None:
        """Delete an object, which may be absent."""
        import obstore

        try:
            self._insist(lambda: obstore.delete(self._short, name))
        except FileNotFoundError:
            return

    def listed(self, folder: str) -> Iterator[Found]:
        """Every object whose name begins with `folder/`, in the server's order, a thousand a request."""
        last: str | None = None
        while page := self._insist(partial(self._page, folder, last)):
            for item in page:
                yield _found(item)
            last = page[-1]["path"]

    def _page(self, folder: str, last: str | None) -> list[Any]:
        import obstore

        return list(next(iter(obstore.list(self._short, folder, offset=last, chunk_size=1000)), ()))

    def _insist(self, ask: Callable[[], Answer]) -> Answer:
        return insist(ask, self.place, patience_s=self._patience_s)


def _found(told: Any) -> Found:
    return Found(
        name=told["path"],
        size_bytes=told["size"],
        modified_at=told["last_modified"].timestamp(),
        e_tag=(told["e_tag"] or "").strip('"'),
    )


def _client(place: Place, **timeouts: timedelta) -> Any:
    try:
        from obstore.store import S3Store
    except ImportError as error:
        raise ConfigurationRefused(
            "blobs on S3 need a library: install it with `pip install 'trimtab[s3]'`"
        ) from error
    config: Any = {"region": place.region, "conditional_put": "etag", "disable_bulk_delete": True}
    options: Any = {"connect_timeout": timedelta(seconds=5), **timeouts}
    if place.endpoint is not None:
        # The second name too: by itself it would be read from the environment and win over the URL.
        config |= {"endpoint": place.endpoint, "aws_endpoint_url_s3": place.endpoint}
        options["allow_http"] = place.endpoint.startswith("http:")
    authorities = os.environ.get("AWS_CA_BUNDLE")
    if authorities and not options.get("allow_http"):
        try:
            options["root_certificate"] = Path(authorities).read_bytes()
        except OSError as error:
            raise ConfigurationRefused(
                f"AWS_CA_BUNDLE names {authorities}, which cannot be read: {error.strerror}"
            ) from error
    return S3Store(
        place.bucket,
        prefix=place.prefix or None,
        config=config,
        client_options=options,
        retry_config={"max_retries": 0},  # asking again is `insist`'s part
    )
