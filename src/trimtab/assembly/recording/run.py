"""`trimtab.run()`: begin a run, or let one go on."""

import atexit
import os
import secrets
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from time import time_ns
from typing import Any, Literal

from trimtab.assembly.recording.active_run import ActiveRun, active_run, end_at_exit
from trimtab.assembly.recording.local_way import LocalWay
from trimtab.assembly.recording.machine import EVERY_S, MachineSampler, require_every
from trimtab.assembly.recording.outlet import Outlet
from trimtab.assembly.recording.process_tag import process_tags
from trimtab.assembly.recording.remote_way import RemoteWay
from trimtab.assembly.recording.seed import set_seeds, told_seeds
from trimtab.assembly.recording.surroundings import first_tags, record_surroundings
from trimtab.assembly.recording.way import Beginning, Way
from trimtab.atoms.error import UsageError
from trimtab.atoms.run import NAME_TAG, NOTE_TAG, PARENT_TAG
from trimtab.tracking.rule import require_id, require_name, require_parameters, require_tags
from trimtab.tracking.word import made_up_name

#: The environment variables that stand for arguments which are not given.
SERVER, TOKEN, RUN, EXPERIMENT = "TRIMTAB_SERVER", "TRIMTAB_TOKEN", "TRIMTAB_RUN", "TRIMTAB_EXPERIMENT"


def run(
    name: str | None = None,
    *,
    experiment: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
    note: str | None = None,
    parent: "ActiveRun | str | None" = None,
    id: str | None = None,
    server: str | None = None,
    project: str | os.PathLike[str] | None = None,
    seed: int | None = None,
    system_metrics: bool | float = True,
    capture: bool | Literal["diff"] = True,
) -> ActiveRun:
    """Begin a run: a record of what was tried, with what, and what came of it.

    ```python
    with trimtab.run("deeper trees", experiment="flights") as run:
        run.parameters(depth=8, rate=0.1)
        for epoch in range(20):
            run.metric("loss", train(epoch), epoch)
        run.file("model.onnx")
    ```

    Leaving the `with` block ends it: FINISHED, FAILED by an exception, KILLED by Ctrl-C. Without a block, call
    `end()`; what nobody ended ends with the interpreter. A process that is killed leaves its run RUNNING, and `id`
    lets it go on. A run that begins inside the block of another, in the same thread or task, becomes its child.

    What counts as kept: parameters, tags, files and datasets when their call has returned, metric points when `flush()`
    or the end of the run has. Kept is in the project's store, or, with a server, in a spool on this machine
    (`TRIMTAB_SPOOL`), from where this process, the next one that records or `trimtab.sync()` brings it to the server,
    once. A server that is away never holds up more than the beginning of a run, by a second.

    Args:
        name: What people call it; None: two words and a number.
        experiment: Name of the group it belongs to, made where there is none; None: that of the run that it is a part
            of, else `TRIMTAB_EXPERIMENT`, else `Default`. A run that goes on stays where it is.
        parameters: As `ActiveRun.parameters`.
        tags: As `ActiveRun.tag`.
        note: As `ActiveRun.note`.
        parent: The run that it is a part of; None: the innermost one whose block is open.
        id: Lets the run of this id go on; where there is none it begins with it, so that a script which is started
            again needs no change. None: `TRIMTAB_RUN`, whose run this process adds to and leaves to whoever began it
            to end; else a new one.
        server: Address of a control plane; None: `TRIMTAB_SERVER`, else the project's store on this machine. A token is
            read from `TRIMTAB_TOKEN`.
        project: Folder of the project whose store is meant; None: the nearest one upwards with `trimtab.toml`, else
            here.
        seed: Is set for `random`, and for NumPy and PyTorch where they are loaded; None: nothing is set.
        system_metrics: Whether to sample processor, memory, disk, network and NVIDIA cards, every 10 s or so many
            seconds.
        capture: Whether to keep command line (without what looks like a secret), git commit, packages and machine;
            "diff": also the text of what changed since the commit.

    Raises:
        UsageError: A name or a value breaks a rule, or the server lets nobody in so; the message says which.
        Conflict: The run to go on is deleted, made by the engine, or has another value of a parameter.
        StoreError: The store or the spool cannot be written.
    """
    outer = active_run()
    joined = id is None and outer is None and bool(os.environ.get(RUN))
    told = (
        require_id(str(id or (os.environ[RUN] if joined else "")), "run") if id is not None or joined else ""
    )
    asked = _asked_tags(None if joined else name, tags, note, parent)
    if capture not in (True, False, "diff"):
        raise UsageError(f'capture={capture!r}: give True, False or "diff"')
    every_s = EVERY_S if system_metrics is True else system_metrics and require_every(system_metrics)
    if capture and not joined:
        asked |= process_tags()
    given = {str(key): str(value) for key, value in (parameters or {}).items()}
    require_parameters(given)
    if seed is not None:
        seed = set_seeds(seed)
        asked["trimtab.seed"] = str(seed)
    way = _way(server, project)
    if outer is not None and outer.place != way.place:
        outer = None  # what is recorded elsewhere has no parts here
    if experiment is None:
        experiment = _experiment_above(way, outer if parent is None else parent)
    try:
        begun = way.begin(
            Beginning(
                run=told or secrets.token_hex(16),
                experiment=require_name(str(experiment), "experiment") if experiment else "",
                resumes=bool(told),
                started_ms=time_ns() // 1_000_000,
                tags=asked,
                first_tags=_first_tags(capture, outer),
                parameters=given,
            )
        )
    except BaseException:
        way.close()
        raise
    outlet = Outlet(begun, way)
    active = ActiveRun(begun, outlet, joined=joined)
    for tag in [name for name, value in (tags or {}).items() if value is None and told]:
        active.tag(tag, None)
    _watch(active, outlet, seed, every_s, capture)
    return active


def _experiment_above(way: Way, parent: "ActiveRun | str | None") -> str:
    """The experiment of the run that one without an experiment is a part of, else what the environment says."""
    known = isinstance(parent, ActiveRun) and parent.place == way.place
    return (parent.experiment if known else "") or os.environ.get(EXPERIMENT, "")  # type: ignore[union-attr]


def _asked_tags(
    name: str | None,
    tags: Mapping[str, Any] | None,
    note: str | None,
    parent: "ActiveRun | str | None",
) -> dict[str, str]:
    asked = {str(key): str(value) for key, value in (tags or {}).items() if value is not None}
    if name is not None:
        asked[NAME_TAG] = require_name(str(name), "run")
    if note is not None:
        asked[NOTE_TAG] = str(note)
    if parent is not None:
        told = parent.id if isinstance(parent, ActiveRun) else str(parent)
        asked[PARENT_TAG] = require_id(told, "parent run")
    require_tags(asked)
    return asked


def _first_tags(capture: bool | str, outer: ActiveRun | None) -> dict[str, str]:
    """Of a run that is new."""
    told = {NAME_TAG: made_up_name()} | (first_tags() if capture else {})
    return told if outer is None else told | {PARENT_TAG: outer.id}


def _way(server: str | None, project: str | os.PathLike[str] | None) -> Way:
    if server is not None and project is not None:
        raise UsageError("give a server or a project, not both: a server knows its project")
    address = server or (os.environ.get(SERVER) if project is None else None)
    if address:
        return RemoteWay(address, os.environ.get(TOKEN) or None)
    return LocalWay(None if project is None else Path(project))


def _watch(active: ActiveRun, outlet: Outlet, seed: int | None, every_s: float, capture: bool | str) -> None:
    """Begin what goes on beside the run, and say how it ends with it."""
    stops: list[Callable[[], None]] = []
    if every_s and not active.joined:
        stops.append(MachineSampler(outlet.points.metrics, every_s).close)
    if capture and not active.joined:
        arguments = (outlet, told_seeds(seed), capture == "diff")
        looking = threading.Thread(
            target=record_surroundings, args=arguments, name="trimtab-surroundings", daemon=True
        )
        looking.start()
        stops.append(lambda: looking.join() if looking.is_alive() else None)
    active.before_end += stops
    _OPEN.difference_update([each for each in _OPEN if each.ended])
    _OPEN.add(active)


#: Runs of this process that nobody may have ended yet.
_OPEN: set[ActiveRun] = set()


@atexit.register
def _end_all() -> None:
    for active in list(_OPEN):
        end_at_exit(active)
