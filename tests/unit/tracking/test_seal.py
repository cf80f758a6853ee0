"""What a sealed model consists of."""

from trimtab.atoms.content.content import Part
from trimtab.atoms.content.stored_model import StoredFile
from trimtab.atoms.run import LoggedFile
from trimtab.tracking.file import PIECE_BYTES
from trimtab.tracking.seal import stored_model


def logged(path: str, size_bytes: int, *blobs: str) -> LoggedFile:
    return LoggedFile(path=path, size_bytes=size_bytes, blobs=blobs, at_us=7)


def test_files_are_kept_by_path_from_the_folder_with_the_sizes_of_their_pieces() -> None:
    model = stored_model(
        [
            logged("m/z.bin", 2 * PIECE_BYTES + 5, "a", "b", "c"),
            logged("m/full", PIECE_BYTES, "d"),
            logged("m/empty", 0, "e"),
        ],
        "m",
    )
    assert model.files == (
        StoredFile(path="empty", size_bytes=0, pieces=(Part(blob="e", size_bytes=0),)),
        StoredFile(path="full", size_bytes=PIECE_BYTES, pieces=(Part(blob="d", size_bytes=PIECE_BYTES),)),
        StoredFile(
            path="z.bin",
            size_bytes=2 * PIECE_BYTES + 5,
            pieces=(
                Part(blob="a", size_bytes=PIECE_BYTES),
                Part(blob="b", size_bytes=PIECE_BYTES),
                Part(blob="c", size_bytes=5),
            ),
        ),
    )


def test_the_same_files_are_the_same_content_in_whatever_order_they_came() -> None:
    files = [logged("b", 1, "x"), logged("a", 1, "y")]
    assert stored_model(files) == stored_model(files[::-1])
    assert [file.path for file in stored_model(files).files] == ["a", "b"]
