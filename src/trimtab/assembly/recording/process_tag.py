"""Which process records a run, so that a reader on the same machine can tell that it is gone."""

from trimtab.adapters.process_holder import is_dead, this_process
from trimtab.atoms.run import Run

#: `host:pid:start` of the process that began the run, or let it go on last.
PROCESS_TAG = "trimtab.process"
#: What people are told of a run that is left.
LEFT = "its process is gone"


def process_tags() -> dict[str, str]:
    """The tag of a run that this process records."""
    return {PROCESS_TAG: this_process()}


def is_left(run: Run) -> bool:
    """Whether nobody records a run any more that has not ended: its process is gone, certainly.

    False where that cannot be known: its process ran on another machine, or is not named.
    """
    return not run.head.status.ended and is_dead(run.tags.get(PROCESS_TAG, ""))


def ended_ms(run: Run, now_ms: int) -> int:
    """Until when the run went, milliseconds since 1970, UTC: its end, its last point where it is left, else now."""
    if run.head.ended_ms is not None:
        return run.head.ended_ms
    if not is_left(run):
        return now_ms
    return max((point.at_us // 1000 for point in run.metrics.values()), default=run.head.started_ms)
