"""Blobs as objects, named by the digest of their content: `blobs/ab/abcdef...`."""

import hashlib
import itertools
import os
import re
import time
from collections.abc import Iterator

from trimtab.adapters.s3_blobs.bucket import LARGE_BYTES, PIECE_BYTES, Bucket, Found
from trimtab.adapters.s3_blobs.patience import PATIENCE_S
from trimtab.adapters.s3_blobs.place import read_place
from trimtab.adapters.s3_blobs.server_time import ServerTime
from trimtab.atoms.digest import digest_bytes
from trimtab.atoms.error import ConfigurationRefused, Damaged
from trimtab.ports.blob_flow import BlobFlow, HeldFlow
from trimtab.ports.blobs import StoredBlob

_KEY = re.compile(r"[0-9a-f]{64}")
#: Seconds after which a blob that is put again is stored anew, so that its date says so.
RENEW_AFTER_S = 900.0
#: Seconds that a put may take between looking at the date of a blob and returning; it looks again if it took longer.
_LOOK_AGAIN_S = 300.0
#: What `discard` adds to the idle time it is told: more than the two above together, and a minute of slack.
MARGIN_S = 1800.0
#: Smaller ones are sent without asking first whether they are there.
_TINY_BYTES = 16_000
#: Smaller ones are sent without asking first whether their generation is doomed.
_SMALL_BYTES = 1_000_000
#: Seconds for which opening waits for a server that does not answer.
_OPENING_S = 10.0


class S3Blobs:
    """Contract of the port, on an S3 server where a put is seen by the next request.

    S3 can neither rename nor delete on a condition, and a delete that a dying process sent may arrive late. So a
    name that may be deleted is never relied on again. A blob lives under `blobs/ab/KEY`, its generation 0. To
    discard it, an empty object `discarded/ab/KEY.0` is made, for good: it dooms generation 0, and from then on the
    blob lives under `blobs/ab/KEY.1`, and so on.

    - `put` stores the bytes under the first generation, or finds them there with a date of the last RENEW_AFTER_S;
      then it looks whether that generation is doomed. If not, it returns. If so, it does the same with the next.
    - `discard` finds the first generation that is not doomed idle, dooms it, and looks at its date again. Is it
      still idle, it deletes it. Is it not, it first stores the bytes under the next generation.

    Why no `put` that returned loses its blob: say it returned with generation n. Only a doomed generation is
    deleted. The put saw n undoomed after its bytes were there, so whoever dooms n does so later, and looks at the
    date later still: it sees a date at most RENEW_AFTER_S + _LOOK_AGAIN_S older than the put's return. Within
    `idle_seconds` after that return the blob is thus not idle by `idle_seconds + MARGIN_S`, and its bytes are under
    n + 1 before n is deleted. There the same holds. A delete that arrives late, or twice, meets a doomed name.
    No lock is taken, so nobody waits for a process that died. The price is one empty object for each discard.

    Told `idle_seconds` of 0, `discard` forgets the blob whatever its date.
    """

    #: Where each call waits for a server some way off.
    threads = 8

    def __init__(self, bucket: Bucket) -> None:
        """Use `bucket` unproved; `open_s3_blobs` proves it first."""
        self.flow: BlobFlow = HeldFlow(self.put, self.get)
        self._bucket = bucket
        self._time = ServerTime(bucket)
        #: Blobs that this process found damaged although the server's checksum of them is right.
        self._suspects: set[str] = set()

    def __repr__(self) -> str:
        """Where the blobs are, without any secret."""
        place = self._bucket.place
        return f"S3Blobs({place.bucket!r}, {place.prefix!r}, at {place.server!r})"

    def put(self, content: bytes) -> str:
        """See the port; a stored blob whose size or checksum is wrong is replaced."""
        key = digest_bytes(content)
        generation, doomed = 0, []
        while True:
            started = time.monotonic()
            if len(content) > _SMALL_BYTES and self._is_doomed(key, generation):
                generation += 1  # asked again below: this only saves an upload
                continue
            self._place(key, generation, content)
            if self._is_doomed(key, generation):
                doomed.append(_name(key, generation))
                generation += 1
            elif time.monotonic() - started < _LOOK_AGAIN_S:
                break
        # Not sooner: another put may have returned before these were doomed.
        for name in doomed:
            self._bucket.drop(name)
        return key

    def get(self, key: str) -> bytes:
        """See the port."""
        for generation in self._generations(key):
            content = self._bucket.read(_name(key, generation))
            if content is not None and digest_bytes(content) == key:
                return content
            if not self._is_doomed(key, generation):
                raise KeyError(key) if content is None else self._damaged(key)
        raise KeyError(key)

    def get_piece(self, key: str, start: int, size_bytes: int, digest: str) -> bytes:
        """See the port."""
        for generation in self._generations(key):
            content = self._bucket.read_piece(_name(key, generation), start, size_bytes)
            if content is not None and digest_bytes(content) == digest:
                return content
            if not self._is_doomed(key, generation):
                raise KeyError(key) if content is None else self._damaged(key)
        raise KeyError(key)

    def find(self, key: str) -> StoredBlob | None:
        """See the port."""
        for generation in self._generations(key) if _KEY.fullmatch(key) else ():
            found = self._bucket.look(_name(key, generation))
            if found is not None:
                return self._stored(key, found)
            if not self._is_doomed(key, generation):
                return None
        return None

    def stored(self) -> Iterator[StoredBlob]:
        """See the port; idle by up to RENEW_AFTER_S less than is told."""
        by_key = itertools.groupby(self._bucket.listed("blobs"), key=lambda found: found.name[9:73])
        for key, generations in by_key:
            if _KEY.fullmatch(key):
                yield self._stored(key, max(generations, key=lambda found: found.modified_at))

    def discard(self, key: str, idle_seconds: float) -> bool:
        """See the port."""
        dropped = False
        for generation in self._generations(key):
            if not self._is_doomed(key, generation):
                found = self._bucket.look(_name(key, generation))
                if found is None or not self._is_idle(found, idle_seconds):
                    return dropped and found is None
                self._bucket.create(_doom(key, generation), b"")
            # Also where it was doomed before: whoever did so may have died since.
            dropped = self._end(key, generation, idle_seconds)
        return dropped

    def sweep(self) -> int:
        """See the port: a put that was interrupted leaves nothing that can be seen.

        Pieces of a large blob stay hidden in the bucket until its own rule for incomplete uploads removes them.
        """
        return 0

    def _place(self, key: str, generation: int, content: bytes) -> None:
        """Have the bytes under this generation, with a date that is not old."""
        name = _name(key, generation)
        if len(content) <= _TINY_BYTES and self._bucket.create(name, content):
            return
        found = self._bucket.look(name)
        if found is None and len(content) <= LARGE_BYTES and self._bucket.create(name, content):
            return
        if found is not None and self._is_kept(key, found, content):
            return
        self._bucket.replace(name, content)
        self._suspects.discard(key)

    def _is_kept(self, key: str, found: Found, content: bytes) -> bool:
        if found.size_bytes != len(content) or key in self._suspects:
            return False
        if self._time.now() - found.modified_at > RENEW_AFTER_S:
            return False
        # An encrypted bucket gives other tags: there the bytes themselves are compared.
        return found.e_tag == _tag(content) or self._bucket.read(found.name) == content

    def _end(self, key: str, generation: int, idle_seconds: float) -> bool:
        """Delete a doomed generation, if need be after its bytes are under the next; True where they are not."""
        name = _name(key, generation)
        found = self._bucket.look(name)
        if found is None:
            return False
        idle = self._is_idle(found, idle_seconds)
        if not idle:
            content = self._bucket.read(name)
            if content is None or digest_bytes(content) != key:
                return False
            self._place(key, generation + 1, content)
        self._bucket.drop(name)
        return idle

    def _is_idle(self, found: Found, idle_seconds: float) -> bool:
        if idle_seconds <= 0.0:
            return True
        return self._time.now() - found.modified_at >= idle_seconds + MARGIN_S

    def _is_doomed(self, key: str, generation: int) -> bool:
        return self._bucket.look(_doom(key, generation)) is not None

    def _generations(self, key: str) -> Iterator[int]:
        if not _KEY.fullmatch(key):
            raise KeyError(key)
        return itertools.count()

    def _stored(self, key: str, found: Found) -> StoredBlob:
        idle = max(self._time.now() - found.modified_at, 0.0)
        return StoredBlob(key=key, size_bytes=found.size_bytes, idle_seconds=idle)

    def _damaged(self, key: str) -> Damaged:
        self._suspects.add(key)
        place = self._bucket.place
        return Damaged(
            f"blob {key} is damaged in bucket {place.bucket} at {place.server}: restore it from a backup"
        )


def open_s3_blobs(url: str, *, patience_s: float = PATIENCE_S) -> S3Blobs:
    """The blobs that `url` names, after a proof that its server is there and knows create-only puts.

    Args:
        url: `s3://bucket/prefix`, with the options `endpoint`, `region`, `allow_http` and `metadata`; who asks is
            told by the usual `AWS_...` variables.
        patience_s: Seconds for which a request is made again while the server or the way to it is in trouble; a
            call ends within that and one request more, which takes 30 at most, or 300 for an upload above 1 MB.

    Raises:
        UsageError: The URL has another form.
        StoreError: No connection, no such bucket, or credentials that are refused.
        ConfigurationRefused: The server ignores `If-None-Match`, or the library is not installed.
    """
    place = read_place(url, os.environ)
    prove_create_only(Bucket(place, patience_s=min(patience_s, _OPENING_S)))
    return S3Blobs(Bucket(place, patience_s=patience_s))


def prove_create_only(bucket: Bucket) -> None:
    """Make an object that must not be made twice.

    Raises:
        ConfigurationRefused: It was made twice.
    """
    # It stays, so that every later opening needs one request: the one that must be refused.
    if bucket.create("create-only", b"") and bucket.create("create-only", b""):
        raise ConfigurationRefused(
            f"{bucket.place.server} overwrites an object although it is asked not to (it ignores If-None-Match), so "
            "two machines could undo each other's work there: use a server that knows create-only puts, such as "
            "Amazon S3, Cloudflare R2, MinIO or Ceph"
        )


def _name(key: str, generation: int) -> str:
    return f"blobs/{key[:2]}/{key}" + (f".{generation}" if generation else "")


def _doom(key: str, generation: int) -> str:
    return f"discarded/{key[:2]}/{key}.{generation}"


def _tag(content: bytes) -> str:
    """What S3 gives as the tag of an object that is not encrypted with a key of the user's."""
    if len(content) <= LARGE_BYTES:
        return hashlib.md5(content, usedforsecurity=False).hexdigest()
    pieces = [
        hashlib.md5(content[start : start + PIECE_BYTES], usedforsecurity=False).digest()
        for start in range(0, len(content), PIECE_BYTES)
    ]
    return f"{hashlib.md5(b''.join(pieces), usedforsecurity=False).hexdigest()}-{len(pieces)}"
