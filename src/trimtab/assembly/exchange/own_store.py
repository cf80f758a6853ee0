"""This store as an exchange sees one: what is given to an MLflow store, in the form in which one is read."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from trimtab.assembly.exchange.foreign import (
    ForeignExperiment,
    ForeignFile,
    ForeignModel,
    ForeignModelPoints,
    ForeignRegistered,
    ForeignRun,
    ForeignVersion,
    Overview,
)
from trimtab.assembly.exchange.portion import RUNS_AT_ONCE, portions
from trimtab.atoms.metric_point import Points
from trimtab.atoms.run import LoggedFile, LoggedModel, Run
from trimtab.atoms.run_query import Deleted, Query
from trimtab.tracking.registry.registered_model import RegisteredModel
from trimtab.tracking.tracking import Tracking

_VERSION = "version:"


class OwnStore:
    """Experiments, runs and logged models of one experiment or of all; the registry only with all."""

    shown = "this store"

    def __init__(self, tracking: Tracking, experiment: str = "") -> None:
        """
        Raises:
            NotThere: No experiment has this name.
        """
        self._tracking = tracking
        self.unread: dict[Path, str] = {}
        self._only = (tracking.experiments.named(experiment).id,) if experiment else ()

    def experiments(self) -> list[ForeignExperiment]:
        found = []
        query = Query(deleted=Deleted.TOO, limit=RUNS_AT_ONCE)
        while True:
            page = self._tracking.experiments.search(query)
            found += [each for each in page.items if not self._only or each.id in self._only]
            if not page.after:
                break
            query = replace(query, after=page.after)
        return [
            ForeignExperiment(
                id=each.id,
                name=each.name,
                deleted=each.deleted,
                created_ms=each.created_ms,
                updated_ms=each.updated_ms,
                tags=dict(each.tags),
            )
            for each in found
        ]

    def runs(self) -> Iterator[list[ForeignRun]]:
        query = Query(experiments=self._only, deleted=Deleted.TOO, limit=RUNS_AT_ONCE)
        while True:
            page = self._tracking.runs.search(query)
            yield from portions(map(self._run, page.items))
            if not page.after:
                return
            query = replace(query, after=page.after)

    def models(self) -> list[ForeignModel]:
        found = []
        query = Query(experiments=self._only, limit=RUNS_AT_ONCE)
        while True:
            page = self._tracking.models.search(query)
            found += [self._model(model) for model in page.items]
            if not page.after:
                return found
            query = replace(query, after=page.after)

    def registered(self) -> list[ForeignRegistered]:
        if self._only:
            return []
        return [_registered(model) for model in self._tracking.registry.models.all() if not model.own]

    def files(self, place: str) -> list[ForeignFile]:
        if place.startswith(_VERSION):
            kept = place.removeprefix(_VERSION)
            files = self._tracking.registry.versions.files(kept) if kept else []
        else:
            files = self._tracking.files.under(place)
        return [self._file(file) for file in files]

    def overview(self) -> Overview:
        own = sum(1 for model in self._tracking.registry.models.all() if model.own)
        return Overview(
            self._tracking.runs.count(Query(experiments=self._only, deleted=Deleted.TOO)),
            {"models of the pipeline, whose versions are signed bundles": own} if own else {},
        )

    def _run(self, run: Run) -> ForeignRun:
        points = Points()
        for metric in run.metrics:
            points.extend(self._tracking.index.runs.points(run.head.id, metric))
        return ForeignRun(
            id=run.head.id,
            experiment=run.head.experiment,
            status=run.head.status,
            deleted=run.head.deleted,
            started_ms=run.head.started_ms,
            ended_ms=run.head.ended_ms,
            parameters=dict(run.parameters),
            tags=dict(run.tags),
            points=points,
            datasets=run.datasets,
            models_in=run.models_in,
            models_out=run.models_out,
            place=run.head.id,
        )

    def _model(self, model: LoggedModel) -> ForeignModel:
        head = model.head
        points = []
        for metric in model.metrics:
            one = Points()
            one.add(metric.name, metric.last.step, metric.last.value, metric.last.at_us)
            points.append(ForeignModelPoints(run=metric.run, dataset=metric.dataset, points=one))
        return ForeignModel(
            id=head.id,
            experiment=head.experiment,
            name=head.name,
            type=head.type,
            run=head.run,
            status=head.status,
            note=head.note,
            created_ms=head.created_ms,
            updated_ms=head.updated_ms,
            deleted=head.deleted,
            parameters=dict(model.parameters),
            tags=dict(model.tags),
            points=points,
            place=head.id,
        )

    def _file(self, file: LoggedFile) -> ForeignFile:
        return ForeignFile(path=file.path, read=partial(self._tracking.files.read, file), at_us=file.at_us)


def _registered(model: RegisteredModel) -> ForeignRegistered:
    return ForeignRegistered(
        name=model.name,
        description=model.description,
        created_ms=model.created_ms,
        updated_ms=model.updated_ms,
        tags=dict(model.tags),
        aliases=dict(model.aliases),
        versions=[
            ForeignVersion(
                number=version.number,
                source=version.source,
                run=version.run,
                logged_model=version.logged_model,
                run_link=version.run_link,
                description=version.description,
                stage=version.stage,
                created_ms=version.created_ms,
                updated_ms=version.updated_ms,
                tags=dict(version.tags),
                place=f"{_VERSION}{version.files}",
            )
            for version in model.versions
        ],
    )
