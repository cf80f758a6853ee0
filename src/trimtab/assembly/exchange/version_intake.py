"""Files of registered versions on their way into the store, from wherever their sources point."""

import re
from urllib.parse import unquote, urlsplit

from trimtab.assembly.exchange.account import Account
from trimtab.assembly.exchange.file_intake import digest_of, keep_files
from trimtab.assembly.exchange.foreign import ForeignRegistered, ForeignStore, ForeignVersion
from trimtab.atoms.error import UsageError
from trimtab.atoms.run import LoggedFile
from trimtab.tracking.registry.rule import PROMPT_TAG
from trimtab.tracking.tracking import Tracking

#: What is said of versions at whose source nothing is.
GONE = "versions' files: at their source is nothing any more"
THREADS = 8
_RUN_FOLDER = re.compile(r"/(?P<owner>[^/]+)/artifacts(?:/(?P<below>.+))?")
_MODEL_FOLDER = re.compile(r"/models/(?P<owner>m-[^/]+)/artifacts(?:/(?P<below>.+))?")

Kept = list[tuple[LoggedFile, str]]


class VersionIntake:
    """Keeps versions' files: from the foreign store, or from the run or model here that the source is a folder of."""

    def __init__(
        self, tracking: Tracking, source: ForeignStore, account: Account, models: list[ForeignRegistered]
    ) -> None:
        self._tracking, self._source, self._account = tracking, source, account
        self._versions = {
            (model.name, version.number): version for model in models for version in model.versions
        }
        #: Whose versions have no files, and a source that is no address.
        self._prompts = {model.name for model in models if PROMPT_TAG in model.tags}

    def keep(self, name: str, number: int, here: str = "") -> Kept:
        """The files of a version as they are kept, with the SHA-256 of what was read.

        What cannot be taken is noted as a difference; a source at which nothing is, is counted as left.

        Args:
            here: Artifact id of the files that the version has here; empty: none.
        """
        place = self._place(self._versions[name, number])
        if not place or name in self._prompts:
            return []
        known = True
        refused: list[UsageError] = []
        try:
            kept, refused = keep_files(self._tracking.store, self._source.files(place), threads=THREADS)
        except UsageError as refusal:
            kept, known = self._from_here(place)
            refused = [] if known else [refusal]
        for error in refused:
            self._account.differs(f"version {number} of {name!r}: its files were not taken over: {error}")
        if not kept and not refused and not here:
            self._account.left[GONE] = self._account.left.get(GONE, 0) + 1
        return kept

    def _place(self, version: ForeignVersion) -> str:
        """Where its files are: a copy of a version has them where that one has."""
        seen: set[str] = set()
        place = version.place
        while place.startswith("models:/") and place not in seen:
            seen.add(place)
            name, _, number = unquote(urlsplit(place).path).strip("/").rpartition("/")
            copied = self._versions.get((name, int(number))) if name and number.isdecimal() else None
            place = copied.place if copied else place
        return place

    def _from_here(self, place: str) -> tuple[Kept, bool]:
        """Files that were taken over with their run or model, and whether that is here."""
        parsed = urlsplit(place)
        path = unquote(parsed.path).strip("/")
        if parsed.scheme in ("runs", "models"):
            owner, _, below = path.partition("/")
            return self._under(owner, below)
        for folder in (_MODEL_FOLDER, _RUN_FOLDER):
            if match := folder.search(f"/{path}"):
                return self._under(match["owner"], match["below"] or "")
        return [], False

    def _under(self, owner: str, below: str) -> tuple[Kept, bool]:
        index, folder = self._tracking.index, below.strip("/")
        known = index.runs.find(owner) is not None or index.models.find(owner) is not None
        files = index.files.under(owner, folder)
        kept = [
            (
                LoggedFile(
                    path=file.path.removeprefix(f"{folder}/") if folder else file.path,
                    size_bytes=file.size_bytes,
                    blobs=file.blobs,
                    at_us=file.at_us,
                ),
                digest_of(self._tracking.files.read(file)),
            )
            for file in files
        ]
        return kept, known
