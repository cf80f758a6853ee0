"""A copy of a store that is made anew for every case: what is equal already stays where it is."""

import filecmp
import shutil
from pathlib import Path


def mirror(source: Path, target: Path) -> Path:
    """Make the folder `target`, which may be there, what `source` is; a store has some 260 folders, most of them empty.

    Returns:
        `target`.
    """
    wanted = {path.relative_to(source): path for path in (source, *source.rglob("*"))}
    for path in sorted([target, *target.rglob("*")], reverse=True) if target.exists() else ():
        kept = wanted.get(path.relative_to(target))
        if kept is None or kept.is_dir() != path.is_dir():
            path.rmdir() if path.is_dir() else path.unlink()
    for name, path in sorted(wanted.items()):
        copy = target / name
        if path.is_dir():
            copy.mkdir(exist_ok=True)
        elif not copy.exists() or not filecmp.cmp(path, copy, shallow=False):
            shutil.copyfile(path, copy)
        shutil.copystat(path, copy)
    return target
