"""Versions of registered models: made, changed, placed in stages, and their files."""

from trimtab.atoms.actor import Actor
from trimtab.atoms.artifact import Artifact, artifact_of
from trimtab.atoms.content.change import Change
from trimtab.atoms.content.content import Content
from trimtab.atoms.content.stored_model import StoredModel
from trimtab.atoms.error import NotThere, UsageError
from trimtab.atoms.run import LoggedFile
from trimtab.tracking.registry.book import Book
from trimtab.tracking.registry.registered_model import ModelVersion, RegisteredModel, Stage
from trimtab.tracking.registry.rule import PROMPT_TAG, require_description, require_stored, require_tags
from trimtab.tracking.registry.stored_fold import MODEL, VERSION
from trimtab.tracking.registry.version_source import Source, VersionSources, kept_files


class ModelVersions:
    """The versions. Those that the pipeline makes can only be read: Conflict says how they are released."""

    def __init__(self, book: Book, sources: VersionSources) -> None:
        self._book, self._sources = book, sources

    def add(
        self,
        name: str,
        source: str,
        *,
        by: Actor,
        run: str = "",
        logged_model: str = "",
        run_link: str = "",
        description: str = "",
        tags: dict[str, str] | None = None,
    ) -> ModelVersion:
        """Make the next version of a registered model. Its files are kept as they are now, whatever becomes of the run.

        Two that are made at once get different numbers, in the ledger's order.

        Args:
            source: See `VersionSources`. A prompt (tag `mlflow.prompt.is_prompt`) has no files and any source.

        Raises:
            NotThere: No such registered model, or nothing is at the source.
            UsageError: The source is not in this store, or a tag breaks a rule.
        """
        self._stored(name)
        tags = tags or {}
        require_tags(tags)
        require_description(description)
        prompt = tags.get(PROMPT_TAG, "").lower() == "true"
        found = Source() if prompt else self._sources.find(source, run=run, logged_model=logged_model)
        made: list[Content] = []
        files, took = found.kept, [found.kept] if found.kept else []
        if found.files is not None:
            files, made = artifact_of(found.files)[0].id, [found.files]
        values = {
            "source": source,
            "run": run or found.run,
            "logged_model": logged_model or found.logged_model,
            "run_link": run_link,
            "description": description,
            "tags": tags,
            "files": files,
        }
        change = Change(what=MODEL, id=name, does="add-version", values=values)
        action = self._book.decide([*made, change], by=by, subject=name, took=took)
        return self._book.read(lambda stored, pipeline: stored.made_by(action))

    def change(
        self,
        name: str,
        number: int,
        *,
        by: Actor,
        description: str | None = None,
        tags: dict[str, str | None] | None = None,
    ) -> ModelVersion:
        """Change what is given; a tag that is None goes. NotThere."""
        self._one_stored(name, number)
        values: dict[str, object] = {}
        if tags:
            require_tags(tags)
            values["tags"] = tags
        if description is not None:
            require_description(description)
            values["description"] = description
        if values:
            self._decide(name, number, "change", values, by)
        return self.find(name, number)

    def place(
        self, name: str, number: int, stage: Stage, *, by: Actor, archive_others: bool = False
    ) -> ModelVersion:
        """Move a version to a stage.

        Args:
            archive_others: Versions that are in that stage go to Archived; only for Staging and Production.

        Raises:
            NotThere: There is no such version.
            UsageError: `archive_others` with another stage.
        """
        self._one_stored(name, number)
        if archive_others and stage not in (Stage.STAGING, Stage.PRODUCTION):
            raise UsageError(
                f"versions in stage {stage.value} are not archived: only Staging and Production hold active ones"
            )
        self._decide(name, number, "place", {"stage": stage.value, "archive": archive_others}, by)
        return self.find(name, number)

    def delete(self, name: str, number: int, *, by: Actor) -> None:
        """Take a version and the aliases that mean it away; its number is not given again. NotThere."""
        self._one_stored(name, number)
        self._decide(name, number, "delete", {}, by)

    def find(self, name: str, number: int) -> ModelVersion:
        """One version; NotThere."""
        for version in self._model(name).versions:
            if version.number == number:
                return version
        raise NotThere(f"registered model {name!r} has no version {number}")

    def files(self, kept: str) -> list[LoggedFile]:
        """Files by path, as they were when they were registered; `Files.read` reads them.

        Args:
            kept: `ModelVersion.files`.

        Raises:
            NotThere: No version ever had them.
        """
        artifact = self._book.store.ledger.find(kept) if kept else None
        if not isinstance(artifact, Artifact) or artifact.kind != StoredModel.kind:
            raise NotThere(f"no version has the files {kept[:80]!r}")
        return kept_files(self._book.store.read(kept, StoredModel))

    def _model(self, name: str) -> RegisteredModel:
        model = self._book.read(lambda stored, pipeline: pipeline.find(name) or stored.find(name))
        if model is None:
            raise NotThere(f"no registered model {name!r}")
        return model

    def _stored(self, name: str) -> None:
        require_stored(self._model(name))

    def _one_stored(self, name: str, number: int) -> None:
        self._stored(name)
        self.find(name, number)

    def _decide(self, name: str, number: int, does: str, values: dict[str, object], by: Actor) -> None:
        change = Change(what=VERSION, id=f"{name}/{number}", does=does, values=values)
        self._book.decide([change], by=by, subject=name)
