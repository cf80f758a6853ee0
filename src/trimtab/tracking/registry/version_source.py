"""Where a version comes from: the files that a client's address means, in this store and nowhere else."""

import re
from urllib.parse import unquote, urlsplit

import msgspec

from trimtab.atoms.content.stored_model import StoredModel
from trimtab.atoms.error import NotThere, UsageError
from trimtab.atoms.run import LoggedFile
from trimtab.tracking.file import Files
from trimtab.tracking.logged_model import LoggedModels
from trimtab.tracking.registry.book import Book
from trimtab.tracking.registry.registered_model import ModelVersion, RegisteredModel
from trimtab.tracking.run import Runs
from trimtab.tracking.seal import stored_model

_RUN = re.compile(r"[^/]+/(?P<run>[^/]+)/artifacts(?:/(?P<path>.+))?")
_LOGGED = re.compile(r"[^/]+/models/(?P<model>m-[^/]+)/artifacts(?:/(?P<path>.+))?")


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What an address means."""

    #: Ids of the run and the logged model; empty: none.
    run: str = ""
    logged_model: str = ""
    #: Artifact id of files that are kept already; empty: `files` are to be kept.
    kept: str = ""
    files: StoredModel | None = None


class VersionSources:
    """Reads `runs:/RUN/PATH`, `models:/m-...`, `models:/NAME/3`, `models:/NAME@ALIAS` and `mlflow-artifacts:/...`."""

    def __init__(self, book: Book, runs: Runs, logged_models: LoggedModels, files: Files) -> None:
        self._book, self._runs, self._logged_models, self._files = book, runs, logged_models, files

    def find(self, source: str, *, run: str = "", logged_model: str = "") -> Source:
        """The files that an address means.

        Args:
            run: The run that it must belong to, as far as the caller knows; empty: any.
            logged_model: The same of the logged model.

        Raises:
            UsageError: It is no address of something in this store, or it contradicts `run` or `logged_model`.
            NotThere: Nothing is there.
        """
        parsed = urlsplit(source)
        path = unquote(parsed.path).strip("/")
        found = None
        if parsed.scheme == "runs":
            owner, _, below = path.partition("/")
            found = self._of_run(owner, below)
        elif parsed.scheme == "models":
            found = self._of_model(path)
        elif parsed.scheme == "mlflow-artifacts":
            if match := _LOGGED.fullmatch(path):
                found = self._of_logged(match["model"], match["path"] or "")
            elif match := _RUN.fullmatch(path):
                found = self._of_run(match["run"], match["path"] or "")
        if found is None:
            raise UsageError(
                f"{source[:200]!r} is no source of a version here: give runs:/RUN/PATH, models:/MODEL_ID, "
                "models:/NAME/VERSION or the mlflow-artifacts:/ address of a run's files; files from elsewhere are "
                "logged to a run first"
            )
        for what, said, known in (("run", run, found.run), ("model", logged_model, found.logged_model)):
            if said and known and said != known:
                raise UsageError(f"source {source[:200]!r} is of {what} {known!r}, not of {said!r}")
        return msgspec.structs.replace(
            found, run=run or found.run, logged_model=logged_model or found.logged_model
        )

    def _of_run(self, run: str, below: str) -> Source:
        self._runs.find(run)
        files = self._files.under(run, below)
        if not files:
            raise NotThere(f"run {run!r} has no files in {below or 'its folder'!r}")
        return Source(run=run, files=stored_model(files, below.strip("/")))

    def _of_logged(self, model: str, below: str) -> Source:
        found = self._logged_models.find(model)
        files = self._files.under(model, below)
        if not files:
            raise NotThere(f"logged model {model!r} has no files in {below or 'its folder'!r}")
        return Source(run=found.head.run, logged_model=model, files=stored_model(files, below.strip("/")))

    def _of_model(self, path: str) -> Source:
        name, _, number = path.partition("/")
        if not number and "@" not in name:
            return self._of_logged(name, "")
        if not number:
            name, _, alias = name.rpartition("@")
            number = str(self._model(name).aliases.get(alias, f"@{alias}"))
        for version in self._model(name).versions:
            if str(version.number) == number:
                return _copied(version)
        raise NotThere(f"registered model {name!r} has no version {number}")

    def _model(self, name: str) -> RegisteredModel:
        model = self._book.read(lambda stored, pipeline: pipeline.find(name) or stored.find(name))
        if model is None:
            raise NotThere(f"no registered model {name!r}")
        return model


def kept_files(model: StoredModel) -> list[LoggedFile]:
    """The files of a stored model as `Files.read` reads them."""
    return [
        LoggedFile(
            path=file.path,
            size_bytes=file.size_bytes,
            blobs=tuple(piece.blob for piece in file.pieces),
            at_us=0,
        )
        for file in model.files
    ]


def _copied(version: ModelVersion) -> Source:
    if version.bundle:
        raise UsageError(
            f"version {version.number} of {version.model!r} is a signed bundle of this project's pipeline: it is "
            "released with `trimtab release`, and has no files for MLflow's clients to copy"
        )
    return Source(run=version.run, logged_model=version.logged_model, kept=version.files)
