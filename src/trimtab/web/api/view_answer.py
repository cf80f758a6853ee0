"""What the views answer: the shapes of the accounts of `trimtab.views.account`."""

from typing import Any

import msgspec

from trimtab.atoms.action import Action, Closing
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Check
from trimtab.tracking.registry.registered_model import Placement, Stage
from trimtab.views.incident import Incident
from trimtab.views.lineage import Graph
from trimtab.views.quality import QualityPoint
from trimtab.views.release import PlanState, Version
from trimtab.views.retrain import RetrainState
from trimtab.views.training import Training


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """Number and chain value of the ledger's last entry."""

    entries: int
    chain: str


class ActionAnswer(Action, frozen=True, kw_only=True):
    """An Action with how it ended; null while it runs."""

    closing: Closing | None


class ModelStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a model stands."""

    #: Version that answers by default, and its bundle.
    champion: int | None
    bundle: str | None
    champion_since: str | None
    plan_since: str | None
    #: `full`, `shadow` or `canary`.
    stage: str | None
    challenger: int | None
    #: Share of requests that the challenger answers, in [0, 1].
    share: float
    versions: int
    windows: int
    last_window: str | None
    loss: QualityPoint | None
    bias: QualityPoint | None
    retrain: RetrainState | None
    retrains: list[RetrainState]


class ShortCheck(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A Check in a line."""

    id: str
    rule: str | None = None
    verdict: str | None = None
    says: str | None = None


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """A span in quarantine."""

    span: str
    because: list[ShortCheck]


class SourceStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a source stands."""

    snapshot: str | None
    schema: str | None
    spans: int
    rows: int
    last_span: str | None
    unvalidated: list[str]
    quarantined: list[Quarantined]


class LastAction(msgspec.Struct, frozen=True, kw_only=True):
    """The newest Action of a stage."""

    id: str
    kind: str
    at: str


class StageStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a stage stands."""

    verdict: str | None
    last: LastAction | None
    outcome: str | None
    done: int
    failed: int
    abandoned: int
    #: By verdict.
    checks: dict[str, int]


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Where everything stands."""

    head: Head
    models: dict[str, ModelStatus]
    sources: dict[str, SourceStatus]
    stages: dict[str, StageStatus]
    #: Actions that are open.
    running: list[Action]
    #: The newest alerts.
    alarms: list[ActionAnswer]


class ModelHistory(msgspec.Struct, frozen=True, kw_only=True):
    """Every version of a model, and the order in which versions became champion."""

    versions: list[Version]
    champions: list[int]
    releases: list[PlanState]


class StoredVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a model that a client registered."""

    number: int
    #: What becomes of it, in words.
    status: str
    #: In the words of MLflow's clients.
    stage: Stage
    aliases: list[str]
    #: As whoever registered it wrote it.
    source: str
    #: Id of the run that it came of; empty: none.
    run: str
    by: str
    registered_at: str


class StoredModelAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A model that a client registered."""

    description: str
    #: Number of a version by alias.
    aliases: dict[str, int]
    by: str
    #: Oldest first.
    versions: list[StoredVersion]


class Models(msgspec.Struct, frozen=True, kw_only=True):
    """Every model."""

    #: Those that the pipeline registers and releases.
    models: dict[str, ModelHistory]
    #: Those that clients registered.
    stored: dict[str, StoredModelAnswer]


class Placements(msgspec.Struct, frozen=True, kw_only=True):
    """Which version each alias and stage of a registered model meant, and by whose decision; oldest first."""

    history: list[Placement]


class VersionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Versions of a model, oldest first."""

    versions: list[Version]
    #: For the next page; empty: this is the last one.
    after: str


class ReleasePage(msgspec.Struct, frozen=True, kw_only=True):
    """Traffic plans of a model, oldest first."""

    releases: list[PlanState]
    #: For the next page; empty: this is the last one.
    after: str


class TrainingRuns(msgspec.Struct, frozen=True, kw_only=True):
    """Runs of the stage that trains, oldest first."""

    runs: list[Training]


class CheckPage(msgspec.Struct, frozen=True, kw_only=True):
    """Checks, newest first."""

    checks: list[Check]
    #: For the next page; empty: this is the last one.
    after: str


class ActionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Actions, newest first."""

    actions: list[ActionAnswer]
    #: For the next page; empty: this is the last one.
    after: str


class IncidentPage(msgspec.Struct, frozen=True, kw_only=True):
    """Incidents, newest first."""

    incidents: list[Incident]
    #: For the next page; empty: this is the last one.
    after: str


class ArtifactPage(msgspec.Struct, frozen=True, kw_only=True):
    """Artifacts, oldest first. A page may hold fewer than were asked for, and not be the last."""

    artifacts: list[Artifact]
    #: For the next page; empty: this is the last one.
    after: str


class EntryAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A record where it stands in the ledger."""

    #: 1, 2, 3 ... without gaps.
    seq: int
    #: `artifact`, `check`, `action` or `closing`.
    sort: str
    record: dict[str, Any]
    #: Digest of the chain value before and of the record.
    chain: str


class EntryPage(msgspec.Struct, frozen=True, kw_only=True):
    """Entries of the ledger, oldest first: everything that is remembered."""

    entries: list[EntryAnswer]
    #: For the next page; empty: this is the last one.
    after: str


class LineageAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """All that a record came of, and all that it led to."""

    id: str
    up: Graph
    down: Graph


class LinkedNode(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A record that another one is linked with directly."""

    #: `took`, `made`, `judged`, `about` or `because`.
    relation: str
    id: str
    sort: str
    kind: str
    label: str = ""
    says: str = ""
    at: str = ""


class NodeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A record in short."""

    id: str
    sort: str
    kind: str
    label: str
    says: str
    at: str


class RecordAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One record with its links, and the content of a small artifact."""

    id: str
    #: An artifact, a Check or an Action.
    record: dict[str, Any]
    up: list[LinkedNode]
    down: list[LinkedNode]
    node: NodeAnswer | None
    #: Of whose parts a person gave up.
    forgotten: dict[str, Any] | None = None
    content: Any = None
    #: Why the content is not shown here.
    content_left_out: str = ""


class TokenAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A token without its secret."""

    name: str
    #: `living`, `expired` or `revoked`.
    state: str
    roles: list[str]
    project: str
    given_at: str
    given_by: str
    #: UTC, ISO 8601; empty: never.
    expires_at: str
    #: UTC, ISO 8601; empty: not revoked.
    revoked_at: str
    #: The Action that gave it.
    action: str


class NewToken(TokenAnswer, frozen=True, kw_only=True):
    """A token that was given now."""

    #: What its holder shows; nobody can show it again.
    token: str


class TokenList(msgspec.Struct, frozen=True, kw_only=True):
    """Every token that was ever given for the server's project, oldest first."""

    tokens: list[TokenAnswer]
