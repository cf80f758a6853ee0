"""A registered model and its versions, as the registry tells of them."""

from enum import StrEnum

import msgspec


class Stage(StrEnum):
    """A version's place, in the words of MLflow's clients; any number of versions may be in one."""

    NONE = "None"
    STAGING = "Staging"
    PRODUCTION = "Production"
    ARCHIVED = "Archived"


class ModelVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a registered model."""

    model: str
    #: 1, 2, 3 ... by model; never given twice.
    number: int
    #: As whoever registered it wrote it: `runs:/...`, `models:/...`, `mlflow-artifacts:/...`.
    source: str = ""
    #: Ids of the run and of the logged model that it came of; empty: none.
    run: str = ""
    logged_model: str = ""
    run_link: str = ""
    description: str = ""
    tags: dict[str, str] = {}
    stage: Stage = Stage.NONE
    #: Milliseconds since 1970, UTC.
    created_ms: int
    updated_ms: int
    by: str = ""
    #: The Action that made it.
    action: str = ""
    #: Artifact id of its files; empty: it has none.
    files: str = ""
    #: Artifact id of the signed bundle that it is; empty: it was stored by a client, and is not served.
    bundle: str = ""


class RegisteredModel(msgspec.Struct, frozen=True, kw_only=True):
    """A name with its versions."""

    name: str
    description: str = ""
    tags: dict[str, str] = {}
    #: Number of a version by alias.
    aliases: dict[str, int] = {}
    created_ms: int
    updated_ms: int
    by: str = ""
    #: Oldest first, without the deleted ones.
    versions: tuple[ModelVersion, ...] = ()
    #: Whether it is the project's own pipeline that registers and releases it: clients can only read it.
    own: bool = False

    def aliases_of(self, number: int) -> tuple[str, ...]:
        """The aliases that mean a version, sorted."""
        return tuple(sorted(alias for alias, meant in self.aliases.items() if meant == number))

    def newest_by_stage(self) -> list[ModelVersion]:
        """Of each stage that has any the version with the highest number, by number."""
        newest = {version.stage: version for version in self.versions}
        return sorted(newest.values(), key=lambda version: version.number)


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """One step in the history of a model's aliases and stages."""

    #: UTC, ISO 8601.
    at: str
    by: str
    #: The Action that did it.
    action: str
    #: The alias that moved; empty: a stage did.
    alias: str = ""
    #: The version's new stage; empty: an alias moved.
    stage: str = ""
    #: The version that the alias means now, or whose stage it is; None: the alias was taken away.
    number: int | None
    #: What the alias meant before, or the version's earlier stage; empty: nothing.
    before: str = ""
