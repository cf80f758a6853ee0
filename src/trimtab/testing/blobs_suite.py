"""What every blob store must do: subclass each class where there are the fixtures `make`, `damage` and `age`.

`make()` opens a store that is empty at first, and the same one again when called again. `damage(blobs, key)`
changes a stored byte behind the store's back; `age(blobs, key, seconds)` makes a blob idle for so long.
"""

import random
import threading
from collections.abc import Callable

import pytest

from trimtab.atoms.digest import digest_bytes
from trimtab.atoms.error import Damaged
from trimtab.ports.blob_flow import CHUNK_BYTES
from trimtab.ports.blobs import Blobs

MakeBlobs = Callable[[], Blobs]
Damage = Callable[[Blobs, str], None]
Age = Callable[[Blobs, str, float], None]


class BlobsKeep:
    """Bytes come back by their digest, or not at all."""

    @pytest.mark.parametrize(
        "content", [b"", b"\0", b"abc", b"x" * 3_000_000], ids=["empty", "nul", "abc", "3 MB"]
    )
    def test_bytes_come_back(self, make: MakeBlobs, content: bytes) -> None:
        key = make().put(content)
        assert key == digest_bytes(content)
        blobs = make()
        assert blobs.get(key) == content
        found = blobs.find(key)
        assert found is not None
        assert (found.key, found.size_bytes) == (key, len(content))

    def test_the_same_bytes_again_are_one_blob(self, make: MakeBlobs) -> None:
        blobs = make()
        assert blobs.put(b"abc") == blobs.put(b"abc")
        assert [blob.key for blob in blobs.stored()] == [digest_bytes(b"abc")]

    def test_every_key_is_listed(self, make: MakeBlobs) -> None:
        blobs = make()
        sizes = {blobs.put(b"x" * number): number for number in range(50)}
        assert {blob.key: blob.size_bytes for blob in blobs.stored()} == sizes

    @pytest.mark.parametrize("key", ["0" * 64, "../../etc/passwd", "", "ab", "G" * 64])
    def test_what_is_not_there(self, make: MakeBlobs, key: str) -> None:
        blobs = make()
        assert blobs.find(key) is None
        with pytest.raises(KeyError):
            blobs.get(key)
        with pytest.raises(KeyError):
            blobs.get_piece(key, 0, 1, digest_bytes(b"x"))

    def test_a_piece_comes_by_its_own_digest(self, make: MakeBlobs) -> None:
        blobs = make()
        key = blobs.put(bytes(range(256)) * 1000)
        piece = (bytes(range(256)) * 2)[10:266]
        assert blobs.get_piece(key, 10, 256, digest_bytes(piece)) == piece
        assert blobs.get_piece(key, 0, 0, digest_bytes(b"")) == b""
        for start, size_bytes in ((11, 256), (255_990, 256), (300_000, 256)):
            with pytest.raises(Damaged, match=key):
                blobs.get_piece(key, start, size_bytes, digest_bytes(piece))

    def test_damaged_bytes_are_never_returned_and_the_blob_is_named(
        self, make: MakeBlobs, damage: Damage
    ) -> None:
        blobs = make()
        key, other = blobs.put(b"abc"), blobs.put(b"def")
        damage(blobs, key)
        with pytest.raises(Damaged, match=key):
            blobs.get(key)
        assert blobs.get(other) == b"def"
        blobs.put(b"abc")
        assert blobs.get(key) == b"abc"

    def test_many_threads_put_the_same_and_other_bytes(self, make: MakeBlobs) -> None:
        first, second = make(), make()
        wrong: list[BaseException] = []

        def put(blobs: Blobs, number: int) -> None:
            try:
                for step in range(5):
                    blobs.put(b"shared" * 1000 + bytes([step]))
                    blobs.put(bytes([number, step]))
            except BaseException as error:
                wrong.append(error)

        threads = [threading.Thread(target=put, args=((first, second)[n % 2], n)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []
        assert len({blob.key for blob in first.stored()}) == 5 + 6 * 5
        assert all(first.get(blob.key) for blob in list(second.stored()))
        assert first.sweep() == 0


class BlobsFlow:
    """Bytes that come and go by and by are the same blobs."""

    @pytest.mark.parametrize("size_bytes", [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 5])
    def test_bytes_may_come_and_go_by_and_by(self, make: MakeBlobs, size_bytes: int) -> None:
        content = random.Random(size_bytes).randbytes(size_bytes)
        draft = make().flow.begin()
        for start in range(0, size_bytes, 300_000):
            draft.write(memoryview(content)[start : start + 300_000])
        assert list(make().stored()) == [], "a draft was seen before it was finished"
        key = draft.finish()
        draft.drop()
        assert key == digest_bytes(content)
        blobs = make()
        chunks = list(blobs.flow.chunks(key))
        assert b"".join(chunks) == blobs.get(key) == content
        assert max(map(len, chunks), default=0) <= CHUNK_BYTES

    def test_a_draft_that_was_dropped_leaves_nothing(self, make: MakeBlobs) -> None:
        blobs = make()
        draft = blobs.flow.begin()
        draft.write(b"x" * 2_000_000)
        draft.drop()
        draft.drop()
        assert list(blobs.stored()) == []
        assert blobs.sweep() == 0

    def test_a_draft_of_bytes_that_are_there_mends_and_renews_them(
        self, make: MakeBlobs, damage: Damage, age: Age
    ) -> None:
        blobs = make()
        key = blobs.put(b"abc")
        damage(blobs, key)
        age(blobs, key, 7200.0)
        draft = blobs.flow.begin()
        draft.write(b"abc")
        assert draft.finish() == key
        assert blobs.get(key) == b"abc"
        assert not blobs.discard(key, 3600.0)

    def test_of_damaged_bytes_no_chunk_is_given(self, make: MakeBlobs, damage: Damage) -> None:
        blobs = make()
        key = blobs.put(b"abc" * CHUNK_BYTES)
        damage(blobs, key)
        with pytest.raises(Damaged, match=key):
            next(blobs.flow.chunks(key))
        with pytest.raises(KeyError):
            next(blobs.flow.chunks("0" * 64))


class BlobsDiscard:
    """What nobody has put for a while can be forgotten; what somebody wants stays."""

    def test_discarded_is_gone_and_may_come_again(self, make: MakeBlobs) -> None:
        blobs = make()
        key = blobs.put(b"abc")
        assert blobs.discard(key, 0.0)
        assert not blobs.discard(key, 0.0)
        assert blobs.find(key) is None
        assert list(blobs.stored()) == []
        with pytest.raises(KeyError):
            blobs.get(key)
        assert blobs.put(b"abc") == key
        assert blobs.get(key) == b"abc"

    def test_what_was_put_lately_stays(self, make: MakeBlobs) -> None:
        blobs = make()
        key = blobs.put(b"abc")
        assert not blobs.discard(key, 3600.0)
        assert blobs.get(key) == b"abc"

    def test_putting_again_begins_anew(self, make: MakeBlobs, age: Age) -> None:
        blobs = make()
        key, other = blobs.put(b"abc"), blobs.put(b"def")
        age(blobs, key, 7200.0)
        age(blobs, other, 7200.0)
        found = blobs.find(key)
        assert found is not None
        assert 7100 < found.idle_seconds < 7300
        blobs.put(b"abc")
        assert not blobs.discard(key, 3600.0)
        assert blobs.discard(other, 3600.0)
        assert [blob.key for blob in blobs.stored()] == [key]

    def test_a_put_that_returns_wins_over_a_discard(self, make: MakeBlobs, age: Age) -> None:
        blobs, other = make(), make()
        gone = kept = 0
        for number in range(60):
            content = b"%d" % number
            key = blobs.put(content)
            age(blobs, key, 7200.0)
            together = threading.Barrier(2)

            def put(content: bytes = content, together: threading.Barrier = together) -> None:
                together.wait()
                other.put(content)

            thread = threading.Thread(target=put)
            thread.start()
            together.wait()
            dropped = blobs.discard(key, 3600.0)
            thread.join()
            assert other.get(key) == content
            gone, kept = gone + dropped, kept + (not dropped)
        assert gone + kept == 60
