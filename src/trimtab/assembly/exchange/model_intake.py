"""Logged models on their way into the store, with what was measured on them and their files."""

from trimtab.assembly.exchange.account import Account
from trimtab.assembly.exchange.allowed import allowed
from trimtab.assembly.exchange.decision_batch import DecisionBatch
from trimtab.assembly.exchange.file_intake import digest_of, keep_files
from trimtab.assembly.exchange.foreign import ForeignModel, ForeignModelPoints, ForeignStore
from trimtab.atoms.content.change import Change
from trimtab.atoms.error import UsageError
from trimtab.atoms.metric_point import encode_points
from trimtab.atoms.run import LoggedFile, LoggedModel, ModelStatus
from trimtab.atoms.run_event import RunEvent
from trimtab.tracking.fold import LOGGED_MODEL
from trimtab.tracking.rule import moment_of, require_parameters, require_tags
from trimtab.tracking.tracking import Tracking

THREADS = 8


class ModelIntake:
    """Takes logged models over; their files are copied as they are, and never opened."""

    def __init__(
        self, tracking: Tracking, source: ForeignStore, account: Account, by: str, parent: str
    ) -> None:
        self._tracking, self._source, self._account = tracking, source, account
        self._by, self._parent = by, parent

    def take(self, models: list[ForeignModel], experiments: dict[str, str]) -> None:
        """Take logged models over and read them back; their runs are here already.

        Args:
            experiments: Id here by id there.
        """
        index = self._tracking.index
        self._tracking.follower.catch_up()
        before = {model.id: index.models.find(model.id) for model in models}
        self._create([model for model in models if before[model.id] is None], experiments)
        self._count: dict[str, int] = {}
        kept = {model.id: self._keep(model) for model in models}
        events = [
            event for model in models for event in self._missing(model, before[model.id], kept[model.id])
        ]
        for event, landed in zip(events, self._tracking.logbook.log_nowait(events), strict=True):
            try:
                landed.result()
            except UsageError as error:
                self._account.differs(f"logged model {event.owner}: {error}")
        self._finish(models, before)
        self._tracking.follower.catch_up()
        for model in models:
            self._verify(model, kept[model.id])

    def _create(self, models: list[ForeignModel], experiments: dict[str, str]) -> None:
        batch = DecisionBatch(self._tracking.store, self._by, self._parent)
        for model in models:
            values = {
                "experiment": experiments[model.experiment],
                "name": model.name,
                "type": model.type,
                "run": model.run,
                "parameters": allowed(model.parameters, require_parameters),
                "tags": allowed(model.tags, require_tags),
            }
            change = Change(what=LOGGED_MODEL, id=model.id, does="create", values=values)
            at = moment_of(model.created_ms, f"logged model {model.id}: creation")
            batch.add(f"create-{LOGGED_MODEL}", model.id, [change], at=at)
        batch.write()
        self._account.took("logged models", len(models))
        self._tracking.follower.catch_up()

    def _keep(self, model: ForeignModel) -> list[tuple[LoggedFile, str]]:
        try:
            files = self._source.files(model.place) if model.place else []
        except UsageError as error:
            self._account.differs(f"logged model {model.id}: its files were not taken over: {error}")
            files = []
        self._count[model.id] = len(files)
        kept, refused = keep_files(self._tracking.store, files, threads=THREADS)
        for refusal in refused:
            self._account.differs(f"logged model {model.id}: {refusal}")
        return kept

    def _missing(
        self, model: ForeignModel, before: LoggedModel | None, kept: list[tuple[LoggedFile, str]]
    ) -> list[RunEvent]:
        if before is not None and before.head.deleted:
            return []
        events = [self._event_of_points(model, points) for points in model.points]
        if before is not None:
            tags = {key: value for key, value in model.tags.items() if before.tags.get(key) != value}
            tags = allowed(tags, require_tags)
            if tags:
                events.append(RunEvent(owner=model.id, tags=dict(tags)))
        here = {file.path: file.blobs for file in self._tracking.index.files.under(model.id)}
        files = tuple(file for file, _ in kept if here.get(file.path) != file.blobs)
        if files:
            self._account.took("files", len(files))
            self._account.took("file bytes", sum(file.size_bytes for file in files))
            events.append(RunEvent(owner=model.id, files=files))
        return events

    def _event_of_points(self, model: ForeignModel, points: ForeignModelPoints) -> RunEvent:
        return RunEvent(
            owner=points.run,
            points=encode_points(points.points),
            points_model=model.id,
            points_dataset=points.dataset,
        )

    def _finish(self, models: list[ForeignModel], before: dict[str, LoggedModel | None]) -> None:
        batch = DecisionBatch(self._tracking.store, self._by, self._parent)
        for model in models:
            here = before[model.id]
            at = moment_of(model.updated_ms, f"logged model {model.id}: update")
            status = here.head.status if here else ModelStatus.PENDING
            if model.status is not status:
                values = {"status": model.status.value, "note": model.note}
                change = Change(what=LOGGED_MODEL, id=model.id, does="finish", values=values)
                batch.add(f"finish-{LOGGED_MODEL}", model.id, [change], at=at)
            if model.deleted and not (here and here.head.deleted):
                change = Change(what=LOGGED_MODEL, id=model.id, does="delete")
                batch.add(f"delete-{LOGGED_MODEL}", model.id, [change], at=at)
        batch.write()

    def _verify(self, model: ForeignModel, kept: list[tuple[LoggedFile, str]]) -> None:
        here = self._tracking.index.models.find(model.id)
        differing = "is not here" if here is None else _difference(model, here)
        self._account.found("logged models", 1, int(not differing))
        if differing:
            self._account.differs(f"logged model {model.id}: {differing}")
        files = {file.path: file for file in self._tracking.index.files.under(model.id)}
        same = [
            file
            for file, digest in kept
            if file.path in files and digest_of(self._tracking.files.read(files[file.path])) == digest
        ]
        self._account.found("files", self._count[model.id], len(same))
        self._account.found(
            "file bytes", sum(file.size_bytes for file, _ in kept), sum(file.size_bytes for file in same)
        )
        for file, _ in kept:
            if file not in same:
                self._account.differs(f"logged model {model.id}: file {file.path!r} is not the same here")


def _difference(model: ForeignModel, here: LoggedModel) -> str:
    """What differs, in words; empty: nothing."""
    head = here.head
    pairs = {
        "name": (model.name, head.name),
        "type": (model.type, head.type),
        "run": (model.run, head.run),
        "status": (model.status, head.status),
        "creation": (model.created_ms, head.created_ms),
        "deleted": (model.deleted, head.deleted),
        "parameters": (model.parameters, here.parameters),
        "tags": (model.tags, {key: here.tags.get(key) for key in model.tags}),
        "metrics": (
            {(name, points.run, points.dataset) for points in model.points for name in points.points.names},
            {(metric.name, metric.run, metric.dataset) for metric in here.metrics},
        ),
    }
    return "; ".join(f"{what}: {a!r} there, {b!r} here" for what, (a, b) in pairs.items() if a != b)
