"""Reading a run back: what is here beside what is there, thing by thing."""

from collections.abc import Mapping
from typing import Any

from trimtab.assembly.exchange.account import Account
from trimtab.assembly.exchange.file_intake import digest_of
from trimtab.assembly.exchange.foreign import ForeignRun
from trimtab.assembly.exchange.point_set import OnePoint, point_set
from trimtab.atoms.run import LoggedFile
from trimtab.tracking.tracking import Tracking


def prove_run(
    tracking: Tracking,
    account: Account,
    run: ForeignRun,
    files: list[tuple[LoggedFile, str]],
    file_count: int,
) -> None:
    """Count what the run has there, and what of it is here and the same; note every difference.

    Args:
        files: Its files with the SHA-256 of what was read there; each is read again here.
        file_count: Of the files there: those that could not be taken are not among `files`.
    """
    here = tracking.index.runs.find(run.id)
    if here is None:
        account.found("runs", 1, 0)
        account.differs(f"run {run.id} is not here")
        return
    ended = run.ended_ms if run.ended_ms is not None or not run.status.ended else run.started_ms
    head = {"head": (run.status, run.deleted, run.started_ms, ended)}
    own = {"head": (here.head.status, here.head.deleted, here.head.started_ms, here.head.ended_ms)}
    proof = _Proof(account, run.id)
    proof.same("runs", head, own)
    proof.same("parameters", run.parameters, here.parameters)
    proof.same("tags", run.tags, here.tags)
    proof.same("datasets", _by_name(run.datasets), _by_name(here.datasets))
    proof.same_points(point_set(run.points), points_here(tracking, run.id))
    _prove_files(tracking, account, run.id, files, file_count)


def points_here(tracking: Tracking, run: str) -> set[OnePoint]:
    """Every point of a run as the index tells it; none where there is no such run."""
    found = tracking.index.runs.find(run)
    points: set[OnePoint] = set()
    for metric in found.metrics if found else ():
        points |= point_set(tracking.index.runs.points(run, metric))
    return points


class _Proof:
    def __init__(self, account: Account, run: str) -> None:
        self._account, self._run = account, run

    def same(self, kind: str, there: Mapping[Any, Any], here: Mapping[Any, Any]) -> None:
        other = [key for key, value in there.items() if here.get(key) != value]
        self._account.found(kind, len(there), len(there) - len(other))
        for key in other:
            says = f"{there[key]!r:.200} there, {here.get(key)!r:.200} here"
            self._account.differs(f"run {self._run}: {kind} {key!r}: {says}")

    def same_points(self, there: set[OnePoint], here: set[OnePoint]) -> None:
        missing = there - here
        self._account.found("points", len(there), len(there) - len(missing))
        if missing:
            self._account.differs(f"run {self._run}: {len(missing):,} of {len(there):,} points are not here")


def _by_name(datasets: Any) -> dict[tuple[str, str], Any]:
    return {(each.name, each.digest): each for each in datasets}


def _prove_files(
    tracking: Tracking, account: Account, run: str, kept: list[tuple[LoggedFile, str]], count: int
) -> None:
    files = {file.path: file for file in tracking.index.files.under(run)} if kept else {}
    same = same_bytes = 0
    for there, digest in kept:
        here = files.get(there.path)
        if here is not None and digest_of(tracking.files.read(here)) == digest:
            same, same_bytes = same + 1, same_bytes + there.size_bytes
        else:
            account.differs(f"run {run}: file {there.path!r} is not the same here")
    account.found("files", count, same)
    account.found("file bytes", sum(file.size_bytes for file, _ in kept), same_bytes)
