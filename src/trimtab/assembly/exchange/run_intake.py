"""Runs on their way into the store: a few hundred at a time, with all that they logged, and read back."""

from collections.abc import Iterator
from dataclasses import dataclass

from trimtab.assembly.exchange.account import Account
from trimtab.assembly.exchange.allowed import allowed
from trimtab.assembly.exchange.decision_batch import DecisionBatch
from trimtab.assembly.exchange.file_intake import keep_file
from trimtab.assembly.exchange.foreign import ForeignFile, ForeignRun, ForeignStore
from trimtab.assembly.exchange.point_set import among, point_set
from trimtab.assembly.exchange.run_proof import points_here, prove_run
from trimtab.atoms.action import Action, Closing, Outcome
from trimtab.atoms.actor import Actor
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.error import UsageError
from trimtab.atoms.instant import iso
from trimtab.atoms.metric_point import encode_points
from trimtab.atoms.run import LoggedFile, Run, RunStatus
from trimtab.atoms.run_event import RunEvent
from trimtab.engine.side_by_side import side_by_side
from trimtab.tracking.decision import STAGE
from trimtab.tracking.fold import DELETE, RUN
from trimtab.tracking.rule import moment_of, require_parameters, require_tags
from trimtab.tracking.seal import seal_run
from trimtab.tracking.tracking import Tracking

#: Files that are read and kept at once; each may hold a piece in memory.
THREADS = 8
_OUTCOME = {
    RunStatus.FINISHED: Outcome.DONE,
    RunStatus.FAILED: Outcome.FAILED,
    RunStatus.KILLED: Outcome.ABANDONED,
}


@dataclass(slots=True)
class _Pair:
    """A run there, and what became of it here."""

    foreign: ForeignRun
    #: As it was here before; None: it was not.
    before: Run | None
    files: list[ForeignFile]
    #: Files as they are kept, with the digests of what was read.
    kept: list[tuple[LoggedFile, str]]


class RunIntake:
    """Takes runs over. What is here already is left as it is; of a run that is here, what is missing is added."""

    def __init__(
        self, tracking: Tracking, source: ForeignStore, account: Account, by: str, parent: str
    ) -> None:
        self._tracking, self._source, self._account = tracking, source, account
        self._by, self._parent = by, parent

    def take(self, runs: list[ForeignRun], experiments: dict[str, str]) -> None:
        """Take runs over and read them back.

        Args:
            experiments: Id here by id there.
        """
        self._tracking.follower.catch_up()
        pairs = [self._pair(run) for run in runs]
        self._keep_files(pairs)
        self._open(pairs, experiments)
        self._log(pairs)
        self._tracking.follower.catch_up()
        self._close(pairs)
        self._tracking.follower.catch_up()
        for pair in pairs:
            prove_run(self._tracking, self._account, pair.foreign, pair.kept, len(pair.files))

    def _pair(self, run: ForeignRun) -> _Pair:
        try:
            files = self._source.files(run.place) if run.place else []
        except UsageError as error:
            self._account.differs(f"run {run.id}: its files were not taken over: {error}")
            files = []
        return _Pair(run, self._tracking.index.runs.find(run.id), files, [])

    def _keep_files(self, pairs: list[_Pair]) -> None:
        wanted = [(pair, file) for pair in pairs for file in pair.files]

        def keep(one: tuple[_Pair, ForeignFile]) -> tuple[LoggedFile, str] | UsageError:
            try:
                return keep_file(self._tracking.store, one[1])
            except UsageError as error:
                return error

        threads = max(THREADS, self._tracking.store.blobs.threads)
        for (pair, _), kept in zip(wanted, side_by_side(keep, wanted, threads=threads), strict=True):
            if isinstance(kept, UsageError):
                self._account.differs(f"run {pair.foreign.id}: {kept}")
            else:
                pair.kept.append(kept)

    def _open(self, pairs: list[_Pair], experiments: dict[str, str]) -> None:
        actions = [
            Action(
                id=pair.foreign.id,
                kind=RUN,
                stage=STAGE,
                subject=experiments[pair.foreign.experiment],
                by=self._by,
                parent=self._parent,
                at=iso(moment_of(pair.foreign.started_ms, f"run {pair.foreign.id}: start")),
            )
            for pair in pairs
            if pair.before is None
        ]
        if actions:
            self._tracking.store.ledger.append(actions)
            self._account.took("runs", len(actions))

    def _log(self, pairs: list[_Pair]) -> None:
        """Log what is missing. A run that is deleted here takes nothing more."""
        events = [
            event
            for pair in pairs
            if pair.before is None or not pair.before.head.deleted
            for event in self._missing(pair)
        ]
        for event, landed in zip(events, self._tracking.logbook.log_nowait(events), strict=True):
            try:
                landed.result()
            except UsageError as error:
                self._account.differs(f"run {event.owner}: {error}")
        more = {event.owner for event in events}
        for pair in pairs:
            if pair.foreign.id in more and pair.before is not None and pair.before.head.status.ended:
                self._seal_again(pair.foreign)

    def _seal_again(self, run: ForeignRun) -> None:
        """What came after the end belongs to a run log that is sealed anew."""
        if run.status.ended:
            by = Actor(by=self._by, parent=self._parent)
            self._tracking.runs.close(run.id, run.status, by=by, ended_ms=run.ended_ms or run.started_ms)

    def _missing(self, pair: _Pair) -> Iterator[RunEvent]:
        """What the run says and is not here. What breaks a rule here is left out, and found to differ afterwards."""
        run, before = pair.foreign, pair.before
        known = before.parameters if before else {}
        parameters = {key: value for key, value in run.parameters.items() if key not in known}
        tags = {key: value for key, value in run.tags.items() if not before or before.tags.get(key) != value}
        parameters, tags = allowed(parameters, require_parameters), allowed(tags, require_tags)
        if tags or parameters:
            self._account.took("tags", len(tags))
            self._account.took("parameters", len(parameters))
            yield RunEvent(owner=run.id, tags=dict(tags), parameters=parameters)
        missing = point_set(run.points) - (points_here(self._tracking, run.id) if before else set())
        if missing:
            self._account.took("points", len(missing))
            yield RunEvent(owner=run.id, points=encode_points(among(run.points, missing)))
        datasets = tuple(each for each in run.datasets if not before or each not in before.datasets)
        links = before is None or (before.models_in, before.models_out) != (run.models_in, run.models_out)
        if datasets or (links and (run.models_in or run.models_out)):
            self._account.took("datasets", len(datasets))
            yield RunEvent(
                owner=run.id, datasets=datasets, models_in=run.models_in, models_out=run.models_out
            )
        files = self._missing_files(pair)
        if files:
            self._account.took("files", len(files))
            self._account.took("file bytes", sum(file.size_bytes for file in files))
            yield RunEvent(owner=run.id, files=files)

    def _missing_files(self, pair: _Pair) -> tuple[LoggedFile, ...]:
        if pair.before is None:
            return tuple(file for file, _ in pair.kept)
        here = {file.path: file.blobs for file in self._tracking.index.files.under(pair.foreign.id)}
        return tuple(file for file, _ in pair.kept if here.get(file.path) != file.blobs)

    def _close(self, pairs: list[_Pair]) -> None:
        """Close what ended there and not here, with its sealed run log; delete what is deleted there."""
        ended = [
            (pair, run)
            for pair in pairs
            if (run := self._tracking.index.runs.find(pair.foreign.id)) is not None
            and pair.foreign.status.ended
            and not run.head.status.ended
        ]
        batch = DecisionBatch(self._tracking.store, self._by, self._parent)

        def seal(one: tuple[_Pair, Run]) -> Artifact:
            return seal_run(self._tracking.store, self._tracking.index, one[1])

        for (pair, _), artifact in zip(ended, side_by_side(seal, ended, threads=THREADS), strict=True):
            there = pair.foreign
            end = there.ended_ms if there.ended_ms is not None else there.started_ms
            closing = Closing(
                action=there.id,
                outcome=_OUTCOME[there.status],
                made=(artifact.id,),
                at=iso(moment_of(end, f"run {there.id}: end")),
            )
            batch.records += [artifact, closing]
        for pair in pairs:
            if pair.foreign.deleted and (pair.before is None or not pair.before.head.deleted):
                batch.add(DELETE, pair.foreign.id, parent=pair.foreign.id)
        batch.write()
