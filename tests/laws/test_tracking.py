"""Any history of tracking, by two processes: an index made anew says what the followed one says, and so does a seal."""

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.adapters.local_store import open_store
from trimtab.adapters.sqlite_run_index import open_run_index
from trimtab.atoms.actor import Actor
from trimtab.atoms.content.run_log import RunLog, sealed_metric
from trimtab.atoms.error import UsageError
from trimtab.atoms.metric_point import Points, encode_points
from trimtab.atoms.run import LoggedDataset, ModelLink, ModelStatus, RunStatus
from trimtab.atoms.run_event import RunEvent
from trimtab.atoms.run_query import Deleted, Query
from trimtab.engine.metric_series import read_sealed
from trimtab.ports.run_index import RunIndex
from trimtab.testing.memory_run_index import MemoryRunIndex
from trimtab.tracking.tracking import Tracking, open_tracking

ADA = Actor(by="person:ada")
DOES = """
open close resume delete restore log log log tag untag parameter file remove data follow
experiment rename delete-experiment restore-experiment model finish delete-model
"""
#: Which of the two processes does what, with numbers that say to whom and how.
MOVES = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from(DOES.split()), st.tuples(*[st.integers(0, 5)] * 3)),
    max_size=25,
)
VALUES = (0.0, -1.5, float("nan"), float("inf"), float("-inf"), 1e300)
WHATEVER = Query(deleted=Deleted.TOO, limit=1000)


class History:
    """Does what is asked; what is refused has no effect, and that is fine."""

    def __init__(self, processes: list[Tracking]) -> None:
        self._processes = processes
        self.runs: list[str] = []
        self.models: list[str] = []
        self.experiments: list[str] = ["0"]

    def move(self, process: int, does: str, numbers: tuple[int, ...]) -> None:
        with suppress(UsageError):
            self._move(self._processes[process], does, *numbers)

    def _move(self, tracking: Tracking, does: str, one: int, two: int, three: int) -> None:
        run = _of(self.runs, one) or "nobody"
        owner = _of([*self.runs, *self.models], one) or "nobody"
        experiment, model = str(_of(self.experiments, one)), _of(self.models, one) or "m-none"
        if does == "open":
            self.runs.append(tracking.runs.open(experiment, by=ADA, parameters={"p": str(two)}).head.id)
        elif does == "close":
            self._close(tracking, run, list(RunStatus)[2 + two % 3])
        elif does == "resume":
            tracking.runs.resume(run, by=ADA)
        elif does in ("delete", "restore"):
            tracking.runs.set_deleted(run, does == "delete", by=ADA)
        elif does == "follow":
            tracking.follower.catch_up()
        elif does == "experiment":
            self.experiments.append(tracking.experiments.create(f"e{two}", by=ADA).id)
        elif does == "rename":
            tracking.experiments.change(experiment, by=ADA, name=f"e{two}", tags={"t": str(three)})
        elif does in ("delete-experiment", "restore-experiment"):
            tracking.experiments.change(experiment, by=ADA, deleted=does == "delete-experiment")
        elif does == "model":
            self.models.append(tracking.models.create(experiment, by=ADA, tags={"t": "0"}).head.id)
        elif does == "finish":
            tracking.models.finish(model, (ModelStatus.READY, ModelStatus.FAILED)[two % 2], by=ADA)
        elif does == "delete-model":
            tracking.models.delete(model, by=ADA)
        elif does == "file":
            tracking.files.put(owner, ("a", "b/c", "b/d")[two % 3], [bytes([three])])
        elif does == "remove":
            tracking.files.remove(owner, ("a", "b", "b/c")[two % 3])
        else:
            tracking.logbook.log(_event(does, owner, two, three, _of(self.models, two) or ""))

    def _close(self, tracking: Tracking, run: str, status: RunStatus) -> None:
        """The seal says what the index says."""
        closed = tracking.runs.close(run, status, by=ADA)
        log = tracking.store.read(str(closed.head.sealed), RunLog)
        assert (log.run, log.experiment) == (run, closed.head.experiment)
        assert (log.parameters, log.tags) == (closed.parameters, closed.tags)
        assert log.metrics == {name: sealed_metric(last) for name, last in closed.metrics.items()}
        assert (log.datasets, log.models_out) == (closed.datasets, closed.models_out)
        files = tracking.index.files.under(run)
        assert [(file.path, tuple(part.blob for part in file.parts)) for file in log.files] == [
            (file.path, file.blobs) for file in files
        ]
        sealed = read_sealed(tracking.store.part(log.series)) if log.series else None
        for metric in closed.metrics:
            assert sealed is not None
            points = tracking.index.runs.points(run, metric)
            series = sealed.series(metric)
            assert repr(list(zip(series.steps, series.values, series.at_us, strict=True))) == repr(
                [(point.step, point.value, point.at_us) for point in points]
            )


def _of(items: list[str], number: int) -> str | None:
    return items[number % len(items)] if items else None


def _event(does: str, owner: str, two: int, three: int, model: str) -> RunEvent:
    if does == "log":
        points = Points()
        points.add(f"m{two % 2}", three, VALUES[two], 1000 * three)
        points.add("other", two, VALUES[three], 5)
        return RunEvent(owner=owner, points=encode_points(points), points_model=model if three % 2 else "")
    if does == "data":
        data = LoggedDataset(name=f"d{two}", digest="x")
        return RunEvent(owner=owner, datasets=(data,), models_out=(ModelLink(model=f"m-{three}"),))
    if does == "parameter":
        return RunEvent(owner=owner, parameters={f"p{two % 2}": str(three % 2)})
    return RunEvent(owner=owner, tags={f"t{two % 3}": str(three) if does == "tag" else None})


def said(index: RunIndex) -> str:
    """All that an index says."""
    runs = sorted(index.runs.search(WHATEVER).items, key=lambda run: run.head.id)
    models = sorted(index.models.search(WHATEVER).items, key=lambda model: model.head.id)
    owners = [*(run.head.id for run in runs), *(model.head.id for model in models)]
    told: list[Any] = [
        sorted(index.experiments.search(WHATEVER).items, key=lambda experiment: experiment.id),
        runs,
        models,
        [list(index.runs.points(run.head.id, metric)) for run in runs for metric in sorted(run.metrics)],
        [index.files.under(owner) for owner in owners],
    ]
    return "\n".join(_line(item) for part in told for item in part)


def _line(item: Any) -> str:
    """Maps have no order of their own."""
    if hasattr(item, "__struct_fields__"):
        fields = ((name, getattr(item, name)) for name in item.__struct_fields__)
        return repr(
            [(name, sorted(value.items()) if isinstance(value, dict) else value) for name, value in fields]
        )
    return repr(item)


@settings(max_examples=40, deadline=None)
@given(MOVES)
def test_an_index_made_anew_is_the_followed_one(moves: list[tuple[int, str, tuple[int, ...]]]) -> None:
    with TemporaryDirectory() as place:
        folder = Path(place)
        stores = [open_store(folder / "store") for _ in range(2)]
        shared = open_run_index(folder / "runs.sqlite")
        own = MemoryRunIndex()
        first, second = open_tracking(stores[0], shared), open_tracking(stores[1], own)
        history = History([first, second])
        for process, does, numbers in moves:
            history.move(process, does, numbers)
        for tracking in (first, second):
            tracking.follower.catch_up()
        fresh, anew = open_run_index(folder / "anew.sqlite"), MemoryRunIndex()
        for index in (fresh, anew):
            open_tracking(stores[0], index).follower.catch_up()
        assert said(own) == said(anew)
        assert said(shared) == said(fresh)
        assert said(shared) == said(own)
        for index in (shared, fresh):
            index.close()
        for store in stores:
            store.close()
