"""Tracking in one hand: experiments, runs, what they log, their files and models."""

from dataclasses import dataclass

from trimtab.engine.store import Store
from trimtab.ports.run_index import RunIndex
from trimtab.tracking.experiment import Experiments
from trimtab.tracking.file import Files
from trimtab.tracking.follow import Follower
from trimtab.tracking.logbook import Logbook
from trimtab.tracking.logged_model import LoggedModels
from trimtab.tracking.registry import Registry
from trimtab.tracking.run import Runs


@dataclass(frozen=True, slots=True)
class Tracking:
    """All of it over one store. Safe to use from any number of threads."""

    store: Store
    index: RunIndex
    follower: Follower
    experiments: Experiments
    runs: Runs
    logbook: Logbook
    files: Files
    models: LoggedModels
    registry: Registry


def open_tracking(store: Store, index: RunIndex) -> Tracking:
    """Tracking over an open store and its index; the caller closes both."""
    follower = Follower(store, index)
    logbook = Logbook(store, index, follower)
    runs, models = Runs(store, index, follower, logbook), LoggedModels(store, index, follower, logbook)
    files = Files(store, index, follower, logbook)
    return Tracking(
        store=store,
        index=index,
        follower=follower,
        experiments=Experiments(store, index, follower),
        runs=runs,
        logbook=logbook,
        files=files,
        models=models,
        registry=Registry(store, runs, models, files),
    )
