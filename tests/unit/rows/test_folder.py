"""What lies in a folder, and which links stay in it."""

import os
from pathlib import Path

import pytest

from trimtab.atoms.error import UsageError
from trimtab.rows.file_list import Sort
from trimtab.rows.folder import scan, sort_of, stays_inside


def test_everything_is_found_in_order_of_its_path(tmp_path: Path) -> None:
    for name in ("b/2", "b/1", "b.c", "a b/é ü", "deep/er/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("b/1")
    (tmp_path / "dead").symlink_to("nowhere")
    (tmp_path / "run").write_text("x")
    (tmp_path / "run").chmod(0o755)
    (tmp_path / os.fsdecode(b"raw\xff")).write_text("x")
    (tmp_path / ("long" * 60)).write_text("x")
    (tmp_path / "store/inner").mkdir(parents=True)
    (tmp_path / "deep/.trimtab-incoming/x").mkdir(parents=True)
    found = scan(str(tmp_path), without=[str(tmp_path / "store")])
    assert list(found) == sorted(found)
    assert {os.fsdecode(path): sort_of(stat) for path, stat in found.items()} == {
        "a b/é ü": Sort.FILE,
        "b.c": Sort.FILE,
        "b/1": Sort.FILE,
        "b/2": Sort.FILE,
        "dead": Sort.LINK,
        "deep/er/x": Sort.FILE,
        "empty": Sort.EMPTY_FOLDER,
        "link": Sort.LINK,
        "long" * 60: Sort.FILE,
        os.fsdecode(b"raw\xff"): Sort.FILE,
        "run": Sort.PROGRAM,
    }


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="pipe is a pipe, socket or device"):
        scan(str(tmp_path))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="gone cannot be read"):
        scan(str(tmp_path / "gone"))


@pytest.mark.parametrize(
    ("path", "target", "inside"),
    [
        (b"l", b"x", True),
        (b"a/l", b"../x/y", True),
        (b"a/b/l", b"../..", True),
        (b"l", b".", True),
        (b"l", b"..", False),
        (b"a/l", b"../../x", False),
        (b"l", b"/etc/passwd", False),
        (b"a/l", b"x/../../..", False),
        # `x` may itself be a link to a folder that lies higher: what is above it nobody knows.
        (b"a/b/c/l", b"x/../y", False),
        (b"l", b"", False),
    ],
)
def test_links(path: bytes, target: bytes, inside: bool) -> None:
    assert stays_inside(path, target) is inside
