"""A server that dies, errs, or loses the way: nothing acknowledged is lost, nothing wrong is returned."""

import threading
import time
from collections.abc import Callable

import pytest

from parts import s3_way
from parts.s3 import BUCKET, RcloneServer, S3Server
from parts.s3_way import Request, S3Way
from trimtab.adapters.s3_blobs import S3Blobs, open_s3_blobs
from trimtab.atoms.digest import digest_bytes
from trimtab.atoms.error import StoreError

WayTo = Callable[..., S3Way]


@pytest.fixture
def way(s3_server: S3Server, way_to: WayTo) -> S3Way:
    return way_to(s3_server.endpoint)


@pytest.fixture
def blobs(way: S3Way, s3_url: str) -> S3Blobs:
    prefix = s3_url.partition("?")[0]
    return open_s3_blobs(f"{prefix}?endpoint={way.endpoint}")


class First:
    """Does one thing to the first requests of a method, and counts them."""

    def __init__(self, what: str, method: str, times: int) -> None:
        self.fired, self._what, self._method, self._times = 0, what, method, times

    def __call__(self, request: Request) -> str:
        if request.method != self._method or self.fired >= self._times:
            return s3_way.PASS
        self.fired += 1
        return self._what


FOR_EVER = 10**9


def test_a_server_that_errs_for_a_while_is_waited_for(blobs: S3Blobs, way: S3Way) -> None:
    for method in ("PUT", "HEAD", "GET", "DELETE"):
        way.decide = trouble = First(s3_way.UNAVAILABLE, method, 2)
        key = blobs.put(method.encode())
        assert blobs.get(key) == method.encode()
        assert [blob.key for blob in blobs.stored()] == [key]
        assert blobs.discard(key, 0.0)
        assert trouble.fired == 2


def test_a_server_that_errs_for_good_is_given_up_with_a_sentence(s3_server: S3Server, way: S3Way) -> None:
    url = s3_server.url().partition("?")[0] + f"?endpoint={way.endpoint}"
    blobs = open_s3_blobs(url, patience_s=1.0)
    key = blobs.put(b"abc")
    for method, ask in (
        ("PUT", lambda: blobs.put(b"def")),
        ("GET", lambda: blobs.get(key)),
        ("HEAD", lambda: blobs.find(key)),
        ("GET", lambda: list(blobs.stored())),
    ):
        way.decide = trouble = First(s3_way.UNAVAILABLE, method, FOR_EVER)
        started = time.monotonic()
        with pytest.raises(StoreError, match=r"fails \(SlowDown|status 503\): nothing was acknowledged"):
            ask()
        assert time.monotonic() - started < 4
        assert trouble.fired >= 3
    way.decide = lambda request: s3_way.PASS
    assert [blob.key for blob in blobs.stored()] == [key]


def test_a_lost_answer_is_no_lost_and_no_second_blob(blobs: S3Blobs, way: S3Way) -> None:
    way.decide = trouble = First(s3_way.LOSE_ANSWER, "PUT", 1)
    key = blobs.put(b"abc")
    assert trouble.fired == 1
    assert [blob.key for blob in blobs.stored()] == [key]
    way.decide = trouble = First(s3_way.LOSE_ANSWER, "DELETE", 1)
    assert blobs.discard(key, 0.0)
    assert trouble.fired == 1
    way.decide = trouble = First(s3_way.LOSE_ANSWER, "PUT", 3)
    blobs.put(b"abc")
    assert trouble.fired == 3
    assert blobs.get(key) == b"abc"


def test_a_download_that_is_cut_begins_again(blobs: S3Blobs, way: S3Way) -> None:
    content = bytes(range(256)) * 20_000
    key = blobs.put(content)
    way.decide = trouble = First(s3_way.CUT, "GET", 2)
    assert blobs.get(key) == content
    assert trouble.fired == 2
    way.decide = trouble = First(s3_way.CUT, "GET", 1)
    assert blobs.get_piece(key, 256, 512, digest_bytes(content[:512])) == content[:512]
    assert trouble.fired == 1


def test_a_download_that_is_cut_every_time_ends_with_a_sentence(s3_server: S3Server, way: S3Way) -> None:
    url = s3_server.url().partition("?")[0] + f"?endpoint={way.endpoint}"
    blobs = open_s3_blobs(url, patience_s=1.0)
    key = blobs.put(bytes(range(256)) * 20_000)
    way.decide = trouble = First(s3_way.CUT, "GET", FOR_EVER)
    started = time.monotonic()
    with pytest.raises(StoreError, match=r"fails \((the connection broke|no connection)\)"):
        blobs.get(key)
    assert time.monotonic() - started < 4
    assert trouble.fired >= 3


def test_a_server_that_hangs_is_given_up(s3_server: S3Server, way: S3Way) -> None:
    url = s3_server.url().partition("?")[0] + f"?endpoint={way.endpoint}"
    blobs = open_s3_blobs(url, patience_s=1.0)
    small, large = blobs.put(b"abc"), blobs.put(bytes(5_000_000))
    for method, ask in (
        ("PUT", lambda: blobs.put(b"def")),
        ("PUT", lambda: blobs.put(bytes(4_000_000))),
        ("GET", lambda: blobs.get(small)),
        ("GET", lambda: blobs.get(large)),
        ("HEAD", lambda: blobs.find(small)),
    ):
        way.decide = trouble = First(s3_way.HANG, method, FOR_EVER)
        started = time.monotonic()
        with pytest.raises(StoreError, match=r"fails \((no answer in time|no connection)\)"):
            ask()
        assert time.monotonic() - started < 9  # an upload may be silent five times as long
        assert trouble.fired >= 1


def test_a_server_killed_in_the_middle_of_puts_loses_nothing_acknowledged(
    rclone: RcloneServer, way_to: WayTo
) -> None:
    way = way_to(rclone.endpoint, create_only_in=rclone.data)
    url = f"s3://{BUCKET}/killed?endpoint={way.endpoint}"
    acknowledged: list[tuple[str, bytes]] = []
    wrong: list[BaseException] = []
    enough = threading.Event()

    def put(number: int) -> None:
        blobs = open_s3_blobs(url)
        step = 0
        try:
            while not enough.is_set():
                content = b"%d of %d" % (step, number) * 5000
                acknowledged.append((blobs.put(content), content))
                step += 1
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=put, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    kills = 0
    deadline = time.monotonic() + 60
    while kills < 5 and time.monotonic() < deadline and not wrong:
        aim, lost = len(acknowledged) + 40, way.lost
        while len(acknowledged) < aim and time.monotonic() < deadline and not wrong:
            time.sleep(0.001)
        rclone.kill()
        while way.lost == lost and time.monotonic() < deadline:  # somebody was under way, or came in vain
            time.sleep(0.001)
        rclone.start()
        kills += 1
    enough.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert kills == 5
    assert way.lost >= 5
    print(f"{kills} kills, {way.lost} requests lost, {len(acknowledged)} acknowledged")  # noqa: T201
    blobs = open_s3_blobs(url)
    for key, content in acknowledged:
        assert blobs.get(key) == content
    assert {key for key, _ in acknowledged} <= {blob.key for blob in blobs.stored()}
