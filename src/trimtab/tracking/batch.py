"""What a stretch of the ledger changes, seen together with what the index holds."""

from collections.abc import Iterator

from msgspec.structs import replace

from trimtab.atoms.run import Experiment, LoggedModelHead, RunHead
from trimtab.atoms.run_event import RunEvent
from trimtab.atoms.run_query import Comparison, Deleted, Field, Query
from trimtab.ports.run_index import RunIndex, Tracked

#: Tag of a run of the engine: artifact id of the model that it made.
ARTIFACT_TAG = "trimtab.artifact"
#: Runs that are looked up at once when their experiment is deleted or restored.
_PAGE = 10_000


class Batch:
    """Heads as they stand after the entries that were taken so far."""

    def __init__(self, index: RunIndex) -> None:
        self._index = index
        self._experiments: dict[str, Experiment] = {}
        self._runs: dict[str, RunHead] = {}
        self._models: dict[str, LoggedModelHead] = {}
        self._events: list[RunEvent] = []
        #: Runs of the engine by the model artifact that they made.
        self._trained: dict[str, str] = {}

    def put(self, tracked: Tracked) -> None:
        """Add a head in place of the one before it, or an event."""
        if isinstance(tracked, Experiment):
            self._experiments[tracked.id] = tracked
        elif isinstance(tracked, RunHead):
            self._runs[tracked.id] = tracked
        elif isinstance(tracked, LoggedModelHead):
            self._models[tracked.id] = tracked
        else:
            self._events.append(tracked)
            if ARTIFACT_TAG in tracked.tags:
                self._trained[str(tracked.tags[ARTIFACT_TAG])] = tracked.owner

    def tracked(self) -> list[Tracked]:
        """All of it; heads come before what is said about them."""
        return [
            *self._experiments.values(),
            *self._runs.values(),
            *self._models.values(),
            *self._events,
        ]

    def experiment(self, experiment: str = "", *, name: str = "") -> Experiment | None:
        """The experiment with this id, or with this name."""
        if experiment:
            return self._experiments.get(experiment) or self._index.experiments.find(experiment)
        for each in self._experiments.values():
            if each.name == name:
                return each
        found = self._index.experiments.named(name)
        return None if found is None or found.id in self._experiments else found

    def run(self, run: str) -> RunHead | None:
        """The head of a run."""
        if run in self._runs:
            return self._runs[run]
        found = self._index.runs.find(run)
        return found.head if found else None

    def model(self, model: str) -> LoggedModelHead | None:
        """The head of a logged model."""
        if model in self._models:
            return self._models[model]
        found = self._index.models.find(model)
        return found.head if found else None

    def trainer(self, artifact: str) -> str | None:
        """The engine's run that made a model artifact."""
        if artifact in self._trained:
            return self._trained[artifact]
        made = Comparison(field=Field.TAG, key=ARTIFACT_TAG, operator="=", value=artifact)
        found = self._index.runs.search(Query(where=(made,), deleted=Deleted.TOO, limit=1)).items
        return found[0].head.id if found else None

    def runs_of(self, experiment: str) -> Iterator[RunHead]:
        """Every run of an experiment, deleted or not."""
        mine = [run for run in self._runs.values() if run.experiment == experiment]
        known = set(self._runs)
        query = Query(experiments=(experiment,), deleted=Deleted.TOO, limit=_PAGE)
        while True:
            page = self._index.runs.search(query)
            yield from (run.head for run in page.items if run.head.id not in known)
            if not page.after:
                break
            query = replace(query, after=page.after)
        yield from mine
