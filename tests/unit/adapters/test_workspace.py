"""Nothing is written outside of a workspace, whoever made the list; a file is there wholly or not at all."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from trimtab.adapters.workspace import Workspace
from trimtab.atoms.error import Damaged, StoreError, UsageError
from trimtab.rows.folder import INCOMING

ESCAPES = [b"../x", b"a/../../x", b"/x", b"a//x", b"./x", b"a/.", b"", b"a\0b", INCOMING + b"/x", b".."]


@pytest.mark.parametrize("path", ESCAPES)
@pytest.mark.parametrize("fresh", [True, False])
def test_a_path_that_leads_out_is_not_written(tmp_path: Path, path: bytes, fresh: bool) -> None:
    target = tmp_path / "in" / "folder"
    if not fresh:
        target.mkdir(parents=True)
        (target / "there").write_text("x")
    for write in (
        lambda workspace: workspace.write(path, False, b"x"),
        lambda workspace: workspace.begin(path, False, 1),
        lambda workspace: workspace.link(path, b"there"),
        lambda workspace: workspace.make_folder(path),
        lambda workspace: workspace.remove(path),
    ):
        with pytest.raises(Damaged), Workspace(str(target)) as workspace:
            write(workspace)
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == ([] if fresh else ["there"])


@pytest.mark.parametrize("target", [b"/etc", b"../x", b"a/../../x"])
def test_a_link_that_leads_out_is_not_written(tmp_path: Path, target: bytes) -> None:
    with pytest.raises(Damaged, match="out of the folder"), Workspace(str(tmp_path / "w")) as workspace:
        workspace.link(b"l", target)
    assert list(tmp_path.iterdir()) == []


def test_a_link_on_the_way_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    folder = tmp_path / "w"
    folder.mkdir()
    (folder / "sub").symlink_to(outside)
    with pytest.raises(UsageError, match="in the way"), Workspace(str(folder)) as workspace:
        workspace.write(b"sub/x", False, b"x")
    assert list(outside.iterdir()) == []


def test_a_link_in_a_files_place_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    folder = tmp_path / "w"
    folder.mkdir()
    (folder / "x").symlink_to(outside)
    with Workspace(str(folder)) as workspace:
        workspace.write(b"x", False, b"theirs")
    assert (outside.read_text(), (folder / "x").read_text()) == ("mine", "theirs")
    assert not (folder / "x").is_symlink()


def test_a_folder_that_was_not_there_comes_whole_or_not_at_all(tmp_path: Path) -> None:
    with suppress(RuntimeError), Workspace(str(tmp_path / "a" / "w")) as workspace:
        workspace.write(b"x", False, b"x")
        raise RuntimeError
    assert not (tmp_path / "a" / "w").exists()
    with Workspace(str(tmp_path / "a" / "w")) as workspace:
        workspace.write(b"d/x", True, b"content")
        draft = workspace.begin(b"large", False, 6)
        draft.write(3, b"def")
        draft.write(0, b"abc")
        draft.settle()
        draft.close()
        assert not (tmp_path / "a" / "w").exists()
    assert (tmp_path / "a/w/d/x").read_bytes() == b"content"
    assert os.access(tmp_path / "a/w/d/x", os.X_OK)
    assert (tmp_path / "a/w/large").read_bytes() == b"abcdef"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["w"]


def test_a_file_that_was_not_settled_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "large").write_text("before")
    with suppress(RuntimeError), Workspace(str(tmp_path)) as workspace:
        draft = workspace.begin(b"large", False, 6)
        draft.write(0, b"abc")
        draft.close()
        raise RuntimeError
    assert (tmp_path / "large").read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["large"]


KILLED = """
import os, signal, sys
from trimtab.adapters.workspace import Workspace
with Workspace(sys.argv[1]) as workspace:
    workspace.write(b"x", False, b"half of it")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("fresh", [True, False])
def test_what_a_killed_checkout_left_is_swept(tmp_path: Path, fresh: bool) -> None:
    folder = tmp_path / "w"
    if not fresh:
        folder.mkdir()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder)], env=environment, check=False, timeout=30
    )
    assert killed.returncode == -signal.SIGKILL
    left = (tmp_path if fresh else folder) / os.fsdecode(INCOMING)
    assert len(list(left.iterdir())) == 1
    with Workspace(str(folder)) as other, Workspace(str(tmp_path / "other")):
        other.write(b"y", False, b"y")
        assert len(list(left.iterdir())) == (2 if fresh else 1)
    assert sorted(path.name for path in folder.iterdir()) == (["y"] if fresh else ["x", "y"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "w"]


def test_removing_takes_empty_folders_along(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/x").write_text("x")
    (tmp_path / "keep").write_text("x")
    with Workspace(str(tmp_path)) as workspace:
        workspace.remove(b"a/b/x")
        workspace.remove(b"never-there")
    assert [path.name for path in tmp_path.iterdir()] == ["keep"]


def test_a_full_name_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written"), Workspace(str(tmp_path / "w")) as workspace:
        workspace.write(b"n" * 300, False, b"x")
