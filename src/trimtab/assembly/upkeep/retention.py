"""Which artifacts keep their parts: what is live, what was in production, what is young, what a person pinned."""

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from trimtab.assembly.upkeep.census import Census, Progress, silent
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.content.traffic_plan import TrafficPlan
from trimtab.atoms.instant import iso
from trimtab.engine.store import Store

#: Kinds whose parts may be given up; of everything else all stays.
FORGETTABLE = ("snapshot", "feature-table", "model", "bundle", "window")
#: What stands behind a bundle and stays with it; a snapshot's own past does not.
_BEHIND = ("snapshot", "feature-table", "model", "scorecard")
#: Newest artifacts of a kind that stay for each source or model, however old. Windows are judged beside 60 before them.
_NEWEST_KEPT = {"window": 100}


class Condemned(NamedTuple):
    """An artifact that may be forgotten."""

    artifact: str
    #: Stored blobs that go with it.
    blobs: int


def condemn(
    census: Census,
    store: Store,
    stored: set[str],
    before: datetime,
    progress: Progress = silent,
    *,
    also: Iterable[Artifact] = (),
    tracked: Collection[str] = (),
) -> list[Condemned]:
    """Artifacts that nobody used since `before`, that nothing live needs, and whose parts nothing else needs.

    Args:
        stored: Keys of the blobs that there are.
        also: Artifacts of other kinds that may go, whatever `keeping` says, but what a person pinned.
        tracked: Blobs that files of runs and logged models need.
    """
    kept, pinned = keeping(census, store, before), set(census.forgetting.pinned)
    free = {artifact.id for artifact in also if artifact.id not in pinned}
    candidates = [
        artifact
        for artifact in census.whole()
        if artifact.id in free or (artifact.kind in FORGETTABLE and artifact.id not in kept)
    ]
    outside = {artifact.id for artifact in candidates}
    needed = census.needed((artifact for artifact in census.whole() if artifact.id not in outside), progress)
    needed |= set(tracked)
    condemned = []
    for artifact, digests in census.digests_of(candidates, progress):
        blobs = sum(1 for digest in digests if digest in stored and digest not in needed)
        if blobs:
            condemned.append(Condemned(artifact.id, blobs))
    return condemned


def keeping(census: Census, store: Store, before: datetime) -> set[str]:
    """Ids of artifacts that keep their parts.

    These are: every bundle that a traffic plan ever named, what a person pinned, what open Actions took, and the
    newest of each kind for each source and model, all with the model, feature table and snapshots behind them; and
    whatever was made or used at or after `before`.
    """
    roots = {
        *_in_production(census, store),
        *census.forgetting.pinned,
        *(taken for action in census.open_actions() for taken in action.took),
        *_newest(census),
    }
    young = iso(before)
    kept = {artifact for artifact, at in census.used_at.items() if at >= young}
    return kept | set(_with_what_is_behind(census, roots))


def _in_production(census: Census, store: Store) -> Iterator[str]:
    for artifact in census.artifacts.values():
        if artifact.kind == TrafficPlan.kind:
            plan = TrafficPlan.parse(store.blobs.get(artifact.content))
            yield from (bundle for bundle in (plan.champion, plan.challenger) if bundle)


def _newest(census: Census) -> Iterator[str]:
    """The newest of each kind for each subject, in the order of the ledger."""
    by_subject: dict[tuple[str, str], list[str]] = {}
    for artifact in census.artifacts.values():
        for subject in {census.actions[maker].subject for maker in _makers(census, artifact)}:
            by_subject.setdefault((artifact.kind, subject), []).append(artifact.id)
    for (kind, _), artifacts in by_subject.items():
        yield from sorted(artifacts, key=lambda item: census.used_at[item])[-_NEWEST_KEPT.get(kind, 1) :]


def _with_what_is_behind(census: Census, roots: Iterable[str]) -> Iterator[str]:
    seen = set(roots)
    waiting = deque(seen)
    while waiting:
        here = waiting.popleft()
        yield here
        artifact = census.artifacts.get(here)
        if artifact is None or artifact.kind not in ("bundle", *_BEHIND) or artifact.kind == "snapshot":
            continue
        for maker in _makers(census, artifact):
            for taken in census.actions[maker].took:
                if taken not in seen and census.artifacts[taken].kind in _BEHIND:
                    seen.add(taken)
                    waiting.append(taken)


def _makers(census: Census, artifact: Artifact) -> Iterator[str]:
    return (maker for maker in census.makers.get(artifact.id, ()) if maker in census.actions)
