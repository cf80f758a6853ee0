"""Files of an MLflow store on this machine: where its addresses point, also after the store was moved."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

from trimtab.assembly.exchange.foreign import ForeignFile
from trimtab.atoms.error import UsageError
from trimtab.tracking.file import PIECE_BYTES


class ArtifactPlace:
    """Finds the folder that an artifact address means."""

    def __init__(self, root: Path, artifacts: Path | None = None, store: Path | None = None) -> None:
        """
        Args:
            root: The folder of the store, to which its addresses are relative. What lies elsewhere is not read, as
                whoever wrote the store may have named any place of this machine.
            artifacts: Where its server kept files (`--artifacts-destination`); None: the usual places.
            store: The folder of a file store, which holds files too; None: there is none.
        """
        self._root = root.resolve()
        self._served = [artifacts] if artifacts else [root / "mlartifacts", root / "mlruns", root]
        self._served += [store] if store else []
        self._allowed = [self._root, *([artifacts.resolve()] if artifacts else [])]

    def files(self, place: str) -> list[ForeignFile]:
        """Every file at an address, by path; none where there is no such folder.

        Raises:
            UsageError: The address is on another machine or outside of the store's folder. Where a link leads out of
                it, or a file cannot be read, reading that file raises it.
        """
        folder = self._folder(place)
        return [] if folder is None else list(_files(folder))

    def _folder(self, place: str) -> Path | None:
        parsed = urlsplit(place)
        path = unquote(parsed.path)
        if parsed.scheme == "mlflow-artifacts":
            candidates = [served / path.lstrip("/") for served in self._served]
        elif parsed.scheme in ("", "file"):
            candidates = [self._root / path, *self._moved(path)]
        else:
            raise UsageError(
                f"{place[:200]!r} lies elsewhere: import from the MLflow server that keeps it (http://...), which "
                "hands it out"
            )
        there = [folder for folder in candidates if folder.is_dir()]
        inside = [folder for folder in there if self._is_allowed(folder.resolve())]
        if there and not inside:
            raise UsageError(
                f"{there[0]} lies outside of the store's folder {self._root}: name the folder of its files with "
                "--artifacts DIR"
            )
        return inside[0] if inside else None

    def _is_allowed(self, folder: Path) -> bool:
        return any(folder.is_relative_to(allowed) for allowed in self._allowed)

    def _moved(self, path: str) -> Iterator[Path]:
        """The end of the address under the places of today: a store may have been copied from another machine."""
        parts = Path(path).parts
        for length in (3, 4, 2):  # EXPERIMENT/RUN/artifacts, EXPERIMENT/models/MODEL/artifacts, RUN/artifacts
            if len(parts) > length:
                for served in self._served:
                    yield served.joinpath(*parts[-length:])


def _files(folder: Path) -> Iterator[ForeignFile]:
    inside = folder.resolve()
    for where, folders, names in os.walk(folder, onerror=_refuse):
        folders.sort()
        links = [name for name in folders if Path(where, name).is_symlink()]
        for name in sorted([*names, *links]):
            file = Path(where, name)
            refusal = _refusal(file, inside)
            yield ForeignFile(
                path=file.relative_to(folder).as_posix(),
                read=partial(_pieces, file, refusal),
                at_us=0 if refusal else file.stat().st_mtime_ns // 1000,
            )


def _refusal(file: Path, inside: Path) -> str:
    """Why a file is not read; empty: it is."""
    if not file.resolve().is_relative_to(inside):
        return f"{file} is a link that leads out of {inside}: replace it by the file it means"
    if not file.exists():
        return f"{file} is a link to nothing"
    if file.is_dir():
        return f"{file} is a link to a folder: replace it by the folder it means"
    return "" if file.is_file() else f"{file} is no file"


def _refuse(error: OSError) -> None:
    raise UsageError(f"{error.filename} cannot be read: {error.strerror}") from error


def _pieces(file: Path, refusal: str) -> Iterator[bytes]:
    if refusal:
        raise UsageError(refusal)
    try:
        with file.open("rb") as content:
            while piece := content.read(PIECE_BYTES):
                yield piece
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
