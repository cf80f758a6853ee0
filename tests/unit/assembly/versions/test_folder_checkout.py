"""A version comes back without harm to what a person did in the folder."""

import os
import shutil
from pathlib import Path

import pytest

from trimtab.adapters.local_store import open_store
from trimtab.assembly.folder_steps import ingest_folder_source, place_name, silent, stat_index
from trimtab.assembly.project import Project, open_project
from trimtab.assembly.session import open_session
from trimtab.assembly.versions.data_checkout import check_out_files, request
from trimtab.assembly.versions.folder_checkout import CheckedOut
from trimtab.atoms.content.snapshot import Snapshot, Span
from trimtab.atoms.error import Damaged, StoreError, UsageError
from trimtab.testing.storyteller import Storyteller


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return open_project(tmp_path, declarations=False)


def ingest(project: Project) -> None:
    with open_session(project) as session:
        ingest_folder_source(session, "images", project.folder / "images")


def check_out(project: Project, what: str = "images", to: Path | None = None, **options: bool) -> CheckedOut:
    store = project.open_store()
    try:
        wanted = request(project, store, what, to)
        return check_out_files(project, store, wanted, force=options.get("force", False), progress=silent)
    finally:
        store.close()


def write(project: Project, **contents: bytes | None) -> Path:
    """Write files into `images`; None removes one. `_` stands for `/`."""
    folder = project.folder / "images"
    for name, content in contents.items():
        path = folder / name.replace("_", "/")
        if content is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return folder


def tree(folder: Path) -> dict[str, bytes | str | None]:
    """Everything below a folder: contents, the targets of links, None for folders; programs with a star."""
    found: dict[str, bytes | str | None] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_dir():
            found[name] = None
        else:
            found[name + ("*" if os.access(path, os.X_OK) and path.stat().st_mode & 0o100 else "")] = (
                path.read_bytes()
            )
    return found


def test_every_version_comes_back_as_it_was(project: Project, tmp_path: Path) -> None:
    folder = write(project, a=b"1", b_c=b"2", b_d=b"", large=os.urandom(9 << 20), own=os.urandom(2 << 20))
    (folder / "link").symlink_to("b/c")
    (folder / "hollow").mkdir()
    (folder / "a").chmod(0o755)
    (folder / os.fsdecode(b"raw\xff\n")).write_bytes(b"odd")
    (folder / ("é" * 120)).write_bytes(b"long")
    first = tree(folder)
    ingest(project)
    write(project, a=b"other", b_c=None, e=b"new")
    (folder / "link").unlink()
    (folder / "a").chmod(0o644)
    second = tree(folder)
    ingest(project)
    for what, wanted in (
        ("images@v1", first),
        ("images@v2", second),
        ("images@v1", first),
        ("images", second),
    ):
        check_out(project, what)
        assert tree(folder) == wanted, what
    check_out(project, "images@v1", tmp_path / "else" / "where")
    assert tree(tmp_path / "else" / "where") == first


def test_what_is_as_it_should_be_is_left_alone(project: Project) -> None:
    folder = write(project, a=b"1", b=b"2", c=b"3")
    ingest(project)
    before = {path.name: path.stat() for path in folder.iterdir()}
    write(project, b=None)
    done = check_out(project)
    assert (done.written, done.left, done.removed) == (1, 2, 0)
    assert (folder / "a").stat() == before["a"]
    assert (folder / "b").read_bytes() == b"2"


def test_a_persons_own_work_is_never_lost(project: Project) -> None:
    folder = write(project, a=b"1", b=b"2")
    ingest(project)
    write(project, a=b"mine", notes=b"mine too")
    before = tree(folder)
    with pytest.raises(UsageError, match=r"images: a would be overwritten and no version holds"):
        check_out(project)
    assert tree(folder) == before
    done = check_out(project, force=True)
    assert (done.written, done.foreign) == (1, [b"notes"])
    assert tree(folder) == {"a": b"1", "b": b"2", "notes": b"mine too"}


def test_a_folder_in_a_files_place_and_the_other_way_round(project: Project) -> None:
    folder = write(project, a=b"1", b_c=b"2")
    ingest(project)
    write(project, a=None, b_c=None)
    (folder / "b").rmdir()
    write(project, a_x=b"3", b=b"4")
    second = tree(folder)
    ingest(project)
    check_out(project, "images@v1")
    assert tree(folder) == {"a": b"1", "b": None, "b/c": b"2"}
    check_out(project, "images@v2")
    assert tree(folder) == second
    write(project, a_mine=b"mine")
    with pytest.raises(UsageError, match="a/mine would be overwritten"):
        check_out(project, "images@v1")
    assert tree(folder) == second | {"a/mine": b"mine"}


def test_links_that_a_person_made_are_not_followed(project: Project, tmp_path: Path) -> None:
    folder = write(project, b_c=b"2")
    ingest(project)
    outside = tmp_path / "outside"
    outside.mkdir()
    (folder / "b" / "c").unlink()
    (folder / "b").rmdir()
    (folder / "b").symlink_to(outside)
    with pytest.raises(UsageError, match="b would be overwritten"):
        check_out(project)
    check_out(project, force=True)
    assert list(outside.iterdir()) == []
    assert tree(folder) == {"b": None, "b/c": b"2"}


def test_a_change_beside_a_checkout_is_seen_later(project: Project) -> None:
    """What a checkout wrote is remembered only as it was written."""
    folder = write(project, a=b"1")
    ingest(project)
    write(project, a=None)
    check_out(project)
    stat = (folder / "a").stat()
    (folder / "a").write_bytes(b"2")
    os.utime(folder / "a", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with pytest.raises(UsageError, match="a would be overwritten"):
        check_out(project)


def test_a_change_during_a_checkout_is_not_taken_for_its_own(project: Project) -> None:
    """A person writes over a file between its being written and the end of the checkout."""
    folder = write(project, a=b"1", b=b"2")
    ingest(project)
    write(project, b=None)
    store = project.open_store()

    def meanwhile(done: int, total: int) -> None:
        (folder / "a").write_bytes(b"x")
        (folder / "b").write_bytes(b"y")

    try:
        check_out_files(
            project, store, request(project, store, "images", None), force=False, progress=meanwhile
        )
    finally:
        store.close()
    index = stat_index(project.store_folder)
    assert index.recall(place_name(str(folder))).stats == {}
    with pytest.raises(UsageError, match="would be overwritten"):
        check_out(project)
    assert tree(folder) == {"a": b"x", "b": b"y"}


def test_damaged_and_missing_bytes_are_never_written(project: Project) -> None:
    folder = write(project, a=b"1" * 100_000)
    ingest(project)
    store = open_store(project.store_folder)
    pack = max(store.blobs.stored(), key=lambda blob: blob.size_bytes).key
    store.close()
    path = project.store_folder / "blobs" / pack[:2] / pack
    write(project, a=None)
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"2")
    with pytest.raises(Damaged):
        check_out(project)
    path.unlink()
    with pytest.raises(StoreError, match="is not in the store"):
        check_out(project)
    assert tree(folder) == {}
    path.write_bytes(content)
    check_out(project)
    assert tree(folder) == {"a": b"1" * 100_000}


def test_the_spans_of_a_table_are_blobs_of_any_size(project: Project) -> None:
    """A file above the size from which a folder's files are cut is known for what it is, also by reading it."""
    store = project.open_store()
    teller = Storyteller(store, store.now())
    tables = [os.urandom(9 << 20), os.urandom(9 << 20)]
    for content in tables:
        span = Span(name="0001", rows=1, table=teller.part(content))
        made = teller.thing(Snapshot(source="sales", columns=(), spans=(span,)))
        teller.tell("ingest", "ingest", "sales", made=[made])
    store.close()
    place = project.folder / "sales"
    for version, content in ((1, tables[0]), (2, tables[1]), (1, tables[0])):
        done = check_out(project, f"sales@v{version}", place)
        assert (done.written, done.left) == (1, 0)
        assert (place / "0001.parquet").read_bytes() == content
        shutil.rmtree(project.store_folder / "cache")
        assert check_out(project, f"sales@v{version}", place).left == 1
        shutil.rmtree(project.store_folder / "cache")


def test_ingest_after_a_checkout_finds_nothing_new(project: Project) -> None:
    write(project, a=b"1", b_c=b"2")
    ingest(project)
    write(project, a=b"3")
    ingest(project)
    check_out(project, "images@v1")
    with open_session(project) as session:
        done = ingest_folder_source(session, "images", project.folder / "images")
        assert done is not None
        assert done.note.startswith("0 added, 1 changed, 0 removed; ")
        assert done.note.endswith(", 0 stored now")
        assert ingest_folder_source(session, "images", project.folder / "images") is None
