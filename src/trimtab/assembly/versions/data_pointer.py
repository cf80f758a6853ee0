"""A pointer: a small text that names a version of data, for git; the bytes stay in the store."""

import os
import re
import tomllib
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from trimtab.assembly.project import Project
from trimtab.assembly.versions.data_version import Chosen, choose
from trimtab.atoms.artifact import artifact_id
from trimtab.atoms.content.snapshot import Snapshot
from trimtab.atoms.error import UsageError
from trimtab.engine.store import Store
from trimtab.views.version import read_versions

SUFFIX = ".trimtab"
#: Options of a store's URL that another machine needs and that are no secrets.
_OPTIONS = ("endpoint", "region")
#: Layout of the text; a program refuses one that it does not know.
LAYOUT = 1


class Pointer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the text says. Everything but `content` and `path` is for people."""

    layout: int
    source: str
    #: `folder` or `table`.
    sort: str
    #: Where the data lies, from the folder of the pointer; parted by `/`.
    path: str
    #: Artifact id of the snapshot.
    snapshot: str
    #: Blob of the snapshot's content: from it on everything is found in the blobs alone.
    content: str
    #: When the version was ingested.
    at: str
    files: int
    size_bytes: int
    rows: int | None = None
    #: Where the blobs are, without secrets; empty: in the folder of a store.
    blobs: str = ""

    def text(self) -> str:
        """The pointer as TOML."""
        lines = [
            "# A version of data that Trimtab keeps. To bring it here: trimtab data checkout THIS_FILE",
            *(
                f"{name} = {_toml(value)}"
                for name, value in msgspec.structs.asdict(self).items()
                if value is not None
            ),
        ]
        return "\n".join(lines) + "\n"


def read_pointer(path: Path) -> Pointer:
    """Read a pointer; it may come from anywhere, so nothing of it is believed that a digest does not prove.

    Raises:
        UsageError: It is no pointer, was altered, or is of a later layout.
    """
    try:
        pointer = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Pointer)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise UsageError(
            f"{path} is no pointer to data: {error}; make it with `trimtab data pointer`"
        ) from error
    if pointer.layout != LAYOUT:
        raise UsageError(f"{path} is of layout {pointer.layout}: upgrade Trimtab, which knows {LAYOUT}")
    if not re.fullmatch(r"[0-9a-f]{64}", pointer.content):
        raise UsageError(f"{path}: content = {pointer.content!r} is no digest")
    if artifact_id(Snapshot.kind, pointer.content) != pointer.snapshot:
        raise UsageError(f"{path}: snapshot and content do not belong together: the file was altered")
    return pointer


def write_pointer(project: Project, store: Store, name: str, output: Path | None) -> tuple[Path, Pointer]:
    """Write the pointer of NAME[@WHICH].

    Args:
        output: The file; by default beside the data, called after the source.

    Raises:
        UsageError: Nothing is called so, a span was asked for, or the data does not lie below the file's folder.
    """
    chosen = choose(store, read_versions(store.ledger), name)
    if chosen.span is not None or chosen.known_by is not None:
        raise UsageError(
            f"{name}: a pointer names a whole version: give one such as {chosen.version.source}@v1"
        )
    source, snapshot = chosen.version.source, chosen.snapshot
    place = place_of_data(project, chosen)
    path = Path(os.path.abspath(output)) if output is not None else place.parent / f"{source}{SUFFIX}"
    folder = snapshot.folder
    pointer = Pointer(
        layout=LAYOUT,
        source=source,
        sort="folder" if folder is not None else "table",
        path=_below(place, path, source),
        snapshot=chosen.version.snapshot,
        content=chosen.version.content,
        at=chosen.version.at,
        files=folder.files if folder is not None else len(snapshot.spans),
        size_bytes=folder.size_bytes
        if folder is not None
        else sum(span.table.size_bytes for span in snapshot.spans),
        rows=None if folder is not None else sum(span.rows for span in snapshot.spans),
        blobs=without_secrets(project.place.blobs),
    )
    try:
        path.write_text(pointer.text(), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    return path, pointer


def place_of_data(project: Project, chosen: Chosen) -> Path:
    """Where a source lies by itself: where the project declares it or it lay, else in a folder of its name here."""
    declared = project.sources.get(chosen.version.source)
    folder = chosen.snapshot.folder
    if folder is not None and declared is not None:
        return Path(os.path.abspath(project.folder / declared.path))
    if folder is not None and stays_below(folder.place):
        return Path(os.path.abspath(project.folder / folder.place))
    return Path(os.path.abspath(chosen.version.source))


def stays_below(path: str) -> bool:
    """Whether a stored path leads to a place below the folder that it starts from."""
    return bool(path) and not path.startswith("/") and ".." not in path.split("/") and "\0" not in path


def _below(place: Path, pointer: Path, source: str) -> str:
    """Where the data lies from the pointer's folder on; in a folder of the source's name where it does not."""
    if place.is_relative_to(pointer.parent) and place != pointer.parent:
        return place.relative_to(pointer.parent).as_posix()
    return source


def without_secrets(url: str) -> str:
    """A URL with its scheme, host, path, endpoint and region, and nothing else."""
    if not url:
        return ""
    parts = urlsplit(url)
    options = [
        (name, value) for name, value in parse_qsl(parts.query) if name in _OPTIONS and "@" not in value
    ]
    query = f"?{urlencode(options, safe='/:')}" if options else ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}{query}"


def _toml(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    return msgspec.json.encode(value).decode()
