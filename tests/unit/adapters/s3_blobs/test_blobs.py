"""What blobs on S3 add to the port: what is sent, what is replaced, and names that are never used again."""

import threading
from collections.abc import Callable

import pytest

from parts import s3_way
from parts.s3 import BUCKET, S3Server
from parts.s3_way import Request, S3Way
from trimtab.adapters.s3_blobs import S3Blobs, open_s3_blobs
from trimtab.adapters.s3_blobs.bucket import LARGE_BYTES
from trimtab.atoms.digest import digest_bytes
from trimtab.atoms.error import Damaged

WayTo = Callable[..., S3Way]
ABC = digest_bytes(b"abc")


@pytest.fixture
def way(s3_server: S3Server, way_to: WayTo) -> S3Way:
    return way_to(s3_server.endpoint)


@pytest.fixture
def prefix(s3_url: str) -> str:
    return s3_url.partition("?")[0].rpartition("/")[2]


@pytest.fixture
def blobs(way: S3Way, prefix: str) -> S3Blobs:
    return open_s3_blobs(f"s3://{BUCKET}/{prefix}?endpoint={way.endpoint}")


@pytest.fixture
def age(s3_server: S3Server, prefix: str) -> Callable[..., None]:
    def change(key: str, seconds: float = 7200.0, *, generation: str = "") -> None:
        s3_server.age(f"{prefix}/{name_of(key, generation)}", seconds)

    return change


def name_of(key: str, generation: str = "") -> str:
    return f"blobs/{key[:2]}/{key}{generation}"


def names(blobs: S3Blobs) -> list[str]:
    """Names of the objects that hold blobs."""
    return sorted(found.name for found in blobs._bucket.listed("blobs"))


def sent(way: S3Way) -> int:
    """Bytes that were put."""
    return sum(request.size_bytes for request in way.seen if request.method == "PUT")


def test_objects_lie_under_the_prefix_by_digest(blobs: S3Blobs) -> None:
    blobs.put(b"abc")
    assert names(blobs) == [name_of(ABC)]


def test_what_is_there_is_not_sent_again(blobs: S3Blobs, way: S3Way) -> None:
    content = bytes(range(256)) * 1000
    blobs.put(content)
    assert sent(way) == len(content)
    blobs.put(content)
    assert sent(way) == len(content)


def test_what_is_old_is_sent_again(blobs: S3Blobs, age: Callable[..., None]) -> None:
    blobs.put(b"abc")
    age(ABC)
    found = blobs.find(ABC)
    assert found is not None
    assert 7190 < found.idle_seconds < 7210
    blobs.put(b"abc")
    found = blobs.find(ABC)
    assert found is not None
    assert found.idle_seconds < 10


def test_other_bytes_under_the_name_are_replaced_by_whoever_puts(blobs: S3Blobs) -> None:
    blobs.put(b"abc")
    blobs._bucket.replace(name_of(ABC), b"abd")
    another = S3Blobs(blobs._bucket)
    another.put(b"abc")
    assert blobs.get(ABC) == b"abc"


def test_a_cut_blob_is_replaced(blobs: S3Blobs) -> None:
    blobs.put(b"abc")
    blobs._bucket.replace(name_of(ABC), b"ab")
    with pytest.raises(Damaged, match=ABC):
        blobs.get(ABC)
    S3Blobs(blobs._bucket).put(b"abc")
    assert blobs.get(ABC) == b"abc"


def test_bytes_that_changed_on_the_way_are_not_returned(blobs: S3Blobs, way: S3Way) -> None:
    blobs.put(b"abc")
    way.decide = lambda request: s3_way.FLIP if request.method == "GET" else s3_way.PASS
    with pytest.raises(Damaged, match=ABC):
        blobs.get(ABC)
    with pytest.raises(Damaged, match=ABC):
        blobs.get_piece(ABC, 0, 2, digest_bytes(b"ab"))
    way.decide = lambda request: s3_way.PASS
    assert blobs.get(ABC) == b"abc"


def test_what_comes_again_lives_under_another_name(blobs: S3Blobs, age: Callable[..., None]) -> None:
    for generation in ("", ".1", ".2"):
        blobs.put(b"abc")
        assert names(blobs) == [name_of(ABC, generation)]
        assert blobs.get(ABC) == b"abc"
        assert blobs.get_piece(ABC, 1, 2, digest_bytes(b"bc")) == b"bc"
        assert [blob.key for blob in blobs.stored()] == [ABC]
        age(ABC, generation=generation)
        assert blobs.discard(ABC, 3600.0)
        assert blobs.find(ABC) is None


def test_a_delete_that_arrives_late_hurts_nobody(blobs: S3Blobs, age: Callable[..., None]) -> None:
    blobs.put(b"abc")
    age(ABC)
    assert blobs.discard(ABC, 3600.0)
    blobs.put(b"abc")
    blobs._bucket.drop(name_of(ABC))
    assert blobs.get(ABC) == b"abc"


def test_a_discard_that_died_is_finished_by_the_next(blobs: S3Blobs, age: Callable[..., None]) -> None:
    blobs.put(b"abc")
    age(ABC)
    blobs._bucket.create(f"discarded/{ABC[:2]}/{ABC}.0", b"")
    assert blobs.get(ABC) == b"abc"
    assert blobs.discard(ABC, 3600.0)
    assert names(blobs) == []


def test_a_discard_that_died_after_a_put_returned_keeps_the_bytes(blobs: S3Blobs) -> None:
    blobs.put(b"abc")
    blobs._bucket.create(f"discarded/{ABC[:2]}/{ABC}.0", b"")
    assert not blobs.discard(ABC, 3600.0)
    assert names(blobs) == [name_of(ABC, ".1")]
    assert blobs.get(ABC) == b"abc"


def test_margin_after_the_idle_time(blobs: S3Blobs, age: Callable[..., None]) -> None:
    blobs.put(b"abc")
    age(ABC, 5000.0)
    assert not blobs.discard(ABC, 3600.0)
    age(ABC, 500.0)
    assert blobs.discard(ABC, 3600.0)


class Gate:
    """Holds the first request of a kind until it is opened."""

    def __init__(self, way: S3Way, wanted: Callable[[Request], bool]) -> None:
        self.reached, self._opened = threading.Event(), threading.Event()

        def decide(request: Request) -> str:
            if wanted(request) and not self.reached.is_set():
                self.reached.set()
                assert self._opened.wait(20)
            return s3_way.PASS

        way.decide = decide

    def open(self) -> None:
        self._opened.set()


def test_a_put_between_its_bytes_and_its_look_sees_the_discard(
    blobs: S3Blobs, way: S3Way, s3_url: str, age: Callable[..., None]
) -> None:
    blobs.put(b"abc")
    gate = Gate(way, lambda request: request.method == "HEAD" and "discarded/" in request.name)
    thread = threading.Thread(target=blobs.put, args=(b"abc",))
    thread.start()
    assert gate.reached.wait(20)
    age(ABC)
    assert open_s3_blobs(s3_url).discard(ABC, 3600.0)
    gate.open()
    thread.join()
    assert blobs.get(ABC) == b"abc"
    assert names(blobs) == [name_of(ABC, ".1")]


def test_a_discard_between_its_look_and_its_mark_sees_the_put(
    blobs: S3Blobs, way: S3Way, s3_url: str, age: Callable[..., None]
) -> None:
    blobs.put(b"abc")
    age(ABC)
    gate = Gate(way, lambda request: request.method == "PUT" and "discarded/" in request.name)
    dropped: list[bool] = []
    thread = threading.Thread(target=lambda: dropped.append(blobs.discard(ABC, 3600.0)))
    thread.start()
    assert gate.reached.wait(20)
    open_s3_blobs(s3_url).put(b"abc")
    gate.open()
    thread.join()
    assert dropped == [False]
    assert blobs.get(ABC) == b"abc"
    assert names(blobs) == [name_of(ABC, ".1")]


def test_a_discard_that_sleeps_before_its_delete_hurts_no_later_put(
    blobs: S3Blobs, way: S3Way, s3_url: str, age: Callable[..., None]
) -> None:
    blobs.put(b"abc")
    age(ABC)
    gate = Gate(way, lambda request: request.method == "DELETE")
    thread = threading.Thread(target=blobs.discard, args=(ABC, 3600.0))
    thread.start()
    assert gate.reached.wait(20)
    other = open_s3_blobs(s3_url)
    other.discard(ABC, 3600.0)
    other.put(b"abc")
    gate.open()
    thread.join()
    assert other.get(ABC) == b"abc"


def test_a_large_blob_travels_in_pieces_and_is_known_again(blobs: S3Blobs, way: S3Way) -> None:
    content = bytes(range(256)) * (LARGE_BYTES // 256) + b"and a little more"
    key = blobs.put(content)
    assert sum(request.method == "PUT" and request.size_bytes > 0 for request in way.seen) == 5
    before = sent(way)
    assert before == len(content)
    assert blobs.get(key) == content
    assert sum(request.method == "GET" for request in way.seen) == 1 + 5
    reads = len(way.seen)
    blobs.put(content)
    assert sent(way) == before
    assert not any(request.method == "GET" for request in way.seen[reads:])
