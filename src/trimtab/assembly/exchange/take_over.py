"""`trimtab import`: everything of a foreign store, taken over once, and read back."""

from datetime import datetime

from trimtab.assembly.exchange.account import Account, Progress
from trimtab.assembly.exchange.allowed import allowed
from trimtab.assembly.exchange.decision_batch import DecisionBatch
from trimtab.assembly.exchange.foreign import ForeignExperiment, ForeignStore
from trimtab.assembly.exchange.model_intake import ModelIntake
from trimtab.assembly.exchange.registry_intake import RegistryIntake
from trimtab.assembly.exchange.run_intake import RunIntake
from trimtab.atoms.action import Action, Closing, Outcome, action_id
from trimtab.atoms.content.change import Change
from trimtab.atoms.instant import iso
from trimtab.atoms.run import DEFAULT_EXPERIMENT, Experiment
from trimtab.engine.engine import Engine
from trimtab.tracking.decision import STAGE
from trimtab.tracking.fold import EXPERIMENT
from trimtab.tracking.rule import moment_of, require_tags
from trimtab.tracking.tracking import Tracking

#: Kind of the Action that everything which is taken over is a step of.
IMPORT = "import"


def take_over(
    tracking: Tracking, source: ForeignStore, *, by: str, progress: Progress = lambda *_: None
) -> Account:
    """Take over what a foreign store has and this one lacks, and read all of it back.

    Ids and times are kept. A run of it that was killed goes on where it is run again: what is here is not taken twice.

    Args:
        by: Who decides: `person:NAME`.

    Raises:
        UsageError: The source cannot be read.
    """
    store = tracking.store
    key = f"{STAGE}/{IMPORT}/{source.shown}"[:200]
    # While the key is claimed, no other process takes the open Action for a dead one's; nor imports the same.
    with Engine(store).claim(key):
        now = store.now()
        action = Action(
            id=action_id(now),
            kind=IMPORT,
            stage=STAGE,
            subject=source.shown,
            by=by,
            key=key,
            at=iso(now),
        )
        store.ledger.append([action])
        account, outcome, note = Account(source.shown, "this store"), Outcome.FAILED, ""
        try:
            _take(tracking, source, account, by, action.id, progress)
            runs, points = account.lines["runs"], account.lines["points"]
            outcome = Outcome.DONE
            note = f"{runs.taken:,} runs and {points.taken:,} points taken over; {account.differing:,} differences"
        except Exception as error:
            note = f"{type(error).__name__}: {error}"[:500]
            raise
        finally:
            closing = Closing(action=action.id, outcome=outcome, note=note, at=iso(store.now()))
            store.ledger.append([closing])
    return account


def _take(
    tracking: Tracking, source: ForeignStore, account: Account, by: str, action: str, progress: Progress
) -> None:
    experiments = _Experiments(tracking, account, by, action)
    there = source.experiments()
    known = experiments.take(there)
    overview = source.overview()
    count, done = overview.runs, 0
    runs = RunIntake(tracking, source, account, by, action)
    progress("runs", 0, count)
    for some in source.runs():
        runs.take(some, known)
        done += len(some)
        progress("runs", done, max(count, done))
    models = source.models()
    progress("logged models", 0, len(models))
    ModelIntake(tracking, source, account, by, action).take(models, known)
    registered = source.registered()
    progress("registered models", 0, len(registered))
    RegistryIntake(tracking, source, account, by, action).take(registered)
    experiments.end(there, known)
    account.left |= overview.left
    for damage in source.unread.values():
        account.differs(damage)


class _Experiments:
    """Experiments go by their names: one of the same name here is the same one. Ids are kept where they are free."""

    def __init__(self, tracking: Tracking, account: Account, by: str, action: str) -> None:
        self._tracking, self._account = tracking, account
        self._batch = DecisionBatch(tracking.store, by, action)

    def take(self, experiments: list[ForeignExperiment]) -> dict[str, str]:
        """Make those that are missing; returns ids here by ids there."""
        index = self._tracking.index.experiments
        self._tracking.follower.catch_up()
        known: dict[str, str] = {}
        free: set[str] = set()
        for experiment in experiments:
            here = index.named(experiment.name)
            if here is not None:
                known[experiment.id] = here.id
                continue
            taken = experiment.id in free or index.find(experiment.id) is not None
            usable = experiment.id.isdigit() and experiment.id != DEFAULT_EXPERIMENT and not taken
            id = (
                experiment.id if usable else str(10**17 + int(action_id(self._tracking.store.now())[:12], 16))
            )
            while id in free:
                id = str(int(id) + 1)
            free.add(id)
            known[experiment.id] = id
            tags = allowed(experiment.tags, require_tags)
            self._change(
                "create", id, {"name": experiment.name, "tags": tags}, _moment(experiment.created_ms)
            )
            self._account.took("experiments")
        self._batch.write()
        return known

    def end(self, experiments: list[ForeignExperiment], known: dict[str, str]) -> None:
        """Delete those that are deleted there, change tags that differ, and read all of them back."""
        index = self._tracking.index.experiments
        self._tracking.follower.catch_up()
        for experiment in experiments:
            here = index.find(known[experiment.id])
            assert here is not None
            values: dict[str, object] = {}
            if experiment.deleted and not here.deleted:
                values["deleted"] = True
            tags = {key: value for key, value in experiment.tags.items() if here.tags.get(key) != value}
            if tags := allowed(tags, require_tags):
                values["tags"] = tags
            if values or experiment.updated_ms > here.updated_ms:
                self._change("change", here.id, values, _moment(experiment.updated_ms))
        self._batch.write()
        self._tracking.follower.catch_up()
        for experiment in experiments:
            self._verify(experiment, index.find(known[experiment.id]))

    def _verify(self, there: ForeignExperiment, here: Experiment | None) -> None:
        same = here is not None and (here.name, here.deleted, here.tags) == (
            there.name,
            there.deleted,
            {**here.tags, **there.tags},
        )
        self._account.found("experiments", 1, int(same))
        if not same:
            self._account.differs(f"experiment {there.name!r}: {there} there, {here} here")

    def _change(self, does: str, id: str, values: dict[str, object], at: datetime) -> None:
        change = Change(what=EXPERIMENT, id=id, does=does, values=values)
        self._batch.add(f"{does}-{EXPERIMENT}", id, [change], at=at)


def _moment(milliseconds: int) -> datetime:
    return moment_of(milliseconds, "experiment")
