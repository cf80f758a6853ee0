"""`trimtab export`: what is here, given to an MLflow store and read back from it."""

from pathlib import Path
from urllib.parse import urlsplit

from trimtab.assembly.exchange.account import Account, Progress
from trimtab.assembly.exchange.mlflow_rest import Rest
from trimtab.assembly.exchange.mlflow_schema import open_tables
from trimtab.assembly.exchange.mlflow_server import ServerStore
from trimtab.assembly.exchange.mlflow_sqlite import SqliteStore
from trimtab.assembly.exchange.own_store import OwnStore
from trimtab.assembly.exchange.same_store import SameStore
from trimtab.assembly.exchange.server_registry import ServerRegistry
from trimtab.assembly.exchange.server_target import ServerTarget
from trimtab.assembly.exchange.sqlite_target import SqliteTarget
from trimtab.atoms.error import UsageError
from trimtab.tracking.tracking import Tracking

#: What is made in a folder that is named as the target.
DATABASE, ARTIFACTS = "mlflow.db", "mlartifacts"


def give_back(
    tracking: Tracking, target: str, *, experiment: str = "", progress: Progress = lambda *_: None
) -> Account:
    """Give one experiment, or everything, to the MLflow store at `target`, and read it back.

    Run again, it gives what is missing there.

    Args:
        target: A folder, `sqlite:///FILE` (files go to `mlartifacts` beside it), or `http(s)://` of a server.
        experiment: Name of the one experiment; empty: all, and the registry.

    Raises:
        NotThere: No experiment has this name.
        UsageError: The target is of another kind, or cannot be made.
    """
    source = OwnStore(tracking, experiment)
    scheme = urlsplit(target).scheme
    if scheme == "sqlite":
        return _to_file(source, Path(target.removeprefix("sqlite:///")), progress)
    if scheme in ("", "file"):
        return _to_file(source, Path(target.removeprefix("file://")) / DATABASE, progress)
    if scheme in ("http", "https"):
        return _to_server(source, Rest(target), progress)
    raise UsageError(
        f"{scheme}:// is not written: give a folder, sqlite:///FILE, or http(s):// of an MLflow server"
    )


def _to_file(source: OwnStore, path: Path, progress: Progress) -> Account:
    account = Account(source.shown, f"sqlite:///{path}")
    artifacts = path.parent / ARTIFACTS
    overview = source.overview()
    count, done = overview.runs, 0
    with open_tables(path) as tables:
        writing = SqliteTarget(tables, artifacts, source, account)
        writing.experiments(source.experiments())
        for runs in source.runs():
            writing.runs(runs)
            done += len(runs)
            progress("runs", done, max(count, done))
        writing.models(source.models())
        writing.registered(source.registered())
    account.left = overview.left
    target = SqliteStore(path, artifacts if artifacts.is_dir() else None)
    proof, done = SameStore(account, source, target), 0
    proof.experiments(target.experiments())
    for runs in source.runs():
        there = {run.id: run for run in target.these([run.id for run in runs])}
        for run in runs:
            proof.run(run, there.get(run.id))
        done += len(runs)
        progress("reading back", done, max(count, done))
    proof.models({model.id: model for model in target.models()})
    proof.registered(target.registered())
    return account


def _to_server(source: OwnStore, rest: Rest, progress: Progress) -> Account:
    account = Account(source.shown, rest.shown)
    overview = source.overview()
    account.left = overview.left
    writing = ServerTarget(rest, source, account)
    experiments, models, registered = source.experiments(), source.models(), source.registered()
    writing.experiments(experiments)
    for part, write in (("runs begun", writing.begin), ("runs", writing.finish)):
        if part == "runs":
            writing.models(models)
            writing.measure(models)
        done = 0
        for runs in source.runs():
            write(runs)
            done += len(runs)
            progress(part, done, max(overview.runs, done))
    ServerRegistry(rest, source, writing, account).write(registered)
    writing.delete_experiments(experiments)
    target = ServerStore(rest)
    proof = SameStore(account, source, target)
    proof.experiments(target.experiments())
    own = {run.id: run for runs in source.runs() for run in runs}
    theirs = {
        run.id: run
        for there in writing.experiment_ids.values()
        for some in target.of_experiment(there)
        for run in some
    }
    for run in own.values():
        proof.run(run, theirs.get(writing.run_ids.get(run.id, "")), writing.tags(run))
    ids = {there: here for here, there in writing.model_ids.items()}
    proof.models({ids[model.id]: model for model in target.models() if model.id in ids})
    proof.registered(target.registered())
    return account
