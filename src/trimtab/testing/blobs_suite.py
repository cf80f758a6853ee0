"""What every blob store must do: subclass the class where there are fixtures `make` and `damage`.

`make()` opens a store that is empty at first, and the same one again when called again. `damage(blobs, key)`
changes a stored byte behind the store's back.
"""

import threading
from collections.abc import Callable

import pytest

from trimtab.atoms.digest import digest_bytes
from trimtab.atoms.error import Damaged
from trimtab.ports.blobs import Blobs

MakeBlobs = Callable[[], Blobs]
Damage = Callable[[Blobs, str], None]


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
        assert blobs.has(key)
        assert blobs.size_bytes(key) == len(content)

    def test_the_same_bytes_again_are_one_blob(self, make: MakeBlobs) -> None:
        blobs = make()
        assert blobs.put(b"abc") == blobs.put(b"abc")
        assert list(blobs.keys()) == [digest_bytes(b"abc")]

    def test_every_key_is_listed(self, make: MakeBlobs) -> None:
        blobs = make()
        keys = {blobs.put(str(number).encode()) for number in range(50)}
        assert set(blobs.keys()) == keys

    @pytest.mark.parametrize("key", ["0" * 64, "../../etc/passwd", "", "ab", "G" * 64])
    def test_what_is_not_there(self, make: MakeBlobs, key: str) -> None:
        blobs = make()
        assert not blobs.has(key)
        with pytest.raises(KeyError):
            blobs.get(key)
        with pytest.raises(KeyError):
            blobs.size_bytes(key)

    def test_deleted_is_gone_and_deleting_again_is_no_error(self, make: MakeBlobs) -> None:
        blobs = make()
        key = blobs.put(b"abc")
        blobs.delete(key)
        blobs.delete(key)
        assert not blobs.has(key)
        assert blobs.put(b"abc") == key
        assert blobs.get(key) == b"abc"

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
        assert len(set(first.keys())) == 5 + 6 * 5
        assert all(first.get(key) for key in list(second.keys()))
        assert first.sweep() == 0
