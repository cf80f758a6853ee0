"""What became of a folder's files between two versions."""

from dataclasses import dataclass, field
from typing import Any

from trimtab.atoms.content.snapshot import Snapshot
from trimtab.engine.store import Store
from trimtab.rows.file_list import File, read_list


@dataclass(slots=True)
class FolderDiff:
    """Files by what became of them, in order of path."""

    added: list[File] = field(default_factory=list)
    removed: list[File] = field(default_factory=list)
    #: Before, and after.
    changed: list[tuple[File, File]] = field(default_factory=list)
    #: Files whose bytes stayed while the permission to execute changed.
    permission: list[tuple[File, File]] = field(default_factory=list)
    unchanged: int = 0

    def account(self, sample: int) -> dict[str, Any]:
        """The difference as JSON values, with up to `sample` names of each."""
        return {
            "added": len(self.added),
            "removed": len(self.removed),
            "changed": len(self.changed),
            "permission": len(self.permission),
            "unchanged": self.unchanged,
            "added_bytes": sum(file.size_bytes for file in self.added),
            "removed_bytes": sum(file.size_bytes for file in self.removed),
            "changed_bytes": sum(after.size_bytes for _, after in self.changed),
            "sample": {
                "added": [_shown(file) for file in self.added[:sample]],
                "removed": [_shown(file) for file in self.removed[:sample]],
                "changed": [_shown(after) for _, after in self.changed[:sample]],
                "permission": [_shown(after) for _, after in self.permission[:sample]],
            },
        }


def diff_folders(store: Store, before: Snapshot, after: Snapshot) -> FolderDiff:
    """Compare by path; lists that both versions share are not read."""
    was_folder, is_folder = before.folder, after.folder
    was_lists = was_folder.lists if was_folder is not None else ()
    is_lists = is_folder.lists if is_folder is not None else ()
    shared = {part.blob for part in was_lists} & {part.blob for part in is_lists}
    was = _files(store, [part.blob for part in was_lists if part.blob not in shared])
    now = _files(store, [part.blob for part in is_lists if part.blob not in shared])
    found = FolderDiff(unchanged=sum(len(read_list(store.blobs.get(blob))) for blob in shared))
    for path, file in now.items():
        old = was.get(path)
        if old is None:
            found.added.append(file)
        elif old.digest != file.digest:
            found.changed.append((old, file))
        elif old.sort != file.sort:
            found.permission.append((old, file))
        else:
            found.unchanged += 1
    found.removed += (file for path, file in was.items() if path not in now)
    return found


def _files(store: Store, blobs: list[str]) -> dict[bytes, File]:
    return {file.path: file for blob in blobs for file in read_list(store.blobs.get(blob))}


def _shown(file: File) -> str:
    """A path for people; what is no text, and what would steer a terminal, is escaped."""
    text = file.path.decode("utf-8", "backslashreplace")
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text
    )
