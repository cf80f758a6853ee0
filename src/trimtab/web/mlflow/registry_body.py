"""What MLflow's clients send to the registry."""

import msgspec

from trimtab.web.mlflow.number import Number


class Tag(msgspec.Struct, frozen=True):
    """A name and a value; a value that is not told is empty."""

    key: str | None = None
    value: str | None = None


class ModelBody(msgspec.Struct, frozen=True):
    """What is asked of a registered model."""

    name: str | None = None
    new_name: str | None = None
    description: str | None = None
    tags: list[Tag] | None = None
    key: str | None = None
    value: str | None = None
    alias: str | None = None
    version: str | int | None = None
    stages: list[str] | None = None


class VersionBody(msgspec.Struct, frozen=True):
    """What is asked of a version."""

    name: str | None = None
    version: str | int | None = None
    source: str | None = None
    run_id: str | None = None
    model_id: str | None = None
    run_link: str | None = None
    description: str | None = None
    tags: list[Tag] | None = None
    key: str | None = None
    value: str | None = None
    stage: str | None = None
    archive_existing_versions: bool | None = None


class Which(msgspec.Struct, frozen=True):
    """Query of what names one thing."""

    name: str | None = None
    version: str | None = None
    alias: str | None = None
    stages: list[str] = []


class RegistrySearch(msgspec.Struct, frozen=True):
    """Query of both searches."""

    filter: str | None = None
    max_results: Number | None = None
    order_by: list[str] = []
    page_token: str | None = None
