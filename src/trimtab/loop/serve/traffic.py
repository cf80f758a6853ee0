"""Traffic: which loaded bundle answers which model, learnt from the ledger while requests run."""

import logging
import threading
import traceback
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import msgspec

from trimtab.atoms.action import Action, Closing, Outcome
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.content.traffic_plan import TrafficPlan
from trimtab.atoms.digest import SHORT
from trimtab.atoms.error import ModelRefused, StoreError
from trimtab.atoms.instant import iso
from trimtab.engine.store import Store
from trimtab.loop.serve.loaded_bundle import LoadedBundle

#: How often the ledger is asked whether anything is new: a release is learnt of within a second.
POLL_SECONDS = 0.25
#: How long a bundle that could not be loaded is left alone before it is tried again.
RETRY_SECONDS = 5.0

_log = logging.getLogger("trimtab.serve")


@dataclass(frozen=True, slots=True)
class Seat:
    """A bundle's place in a route."""

    bundle: str
    version: int
    #: None where it could not be loaded; `error` then says why, and every request to it counts as failed.
    loaded: LoadedBundle | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """How one model's requests are answered now."""

    plan_id: str
    plan: TrafficPlan
    champion: Seat
    challenger: Seat | None


class Traffic:
    """Follows the ledger's traffic plans; `routes` always holds bundles that are ready to answer."""

    def __init__(
        self, store: Store, load: Callable[[str], LoadedBundle], *, models: Collection[str] | None = None
    ) -> None:
        """
        Args:
            load: Makes a bundle ready by id, or raises.
            models: The models to serve; None: every model that has a plan.
        """
        self._store = store
        self._load = load
        self._models = None if models is None else frozenset(models)
        self._read = 0
        self._plans: set[str] = set()
        self._releases: set[str] = set()
        self._wanted: dict[str, str] = {}
        self._loaded: dict[str, LoadedBundle] = {}
        self._tried: dict[str, float] = {}
        self._routes: Mapping[str, Route] = MappingProxyType({})
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        #: False until the ledger has been read once.
        self.synced = False

    @property
    def routes(self) -> Mapping[str, Route]:
        """The routes by model; a new mapping replaces the old one whole, so one read of it is consistent."""
        return self._routes

    @property
    def ready(self) -> bool:
        """Whether every model that should be served can be, and there is one."""
        should = self._models if self._models is not None else self._wanted.keys()
        return self.synced and bool(should) and set(should) <= self._routes.keys()

    def knows(self, model: str) -> bool:
        """Whether requests for `model` may become answerable by waiting."""
        if model in self._wanted or (self._models is not None and model in self._models):
            return True
        return not self.synced or (not self._wanted and self._models is None)

    def start(self) -> None:
        """Follow the ledger in a thread until `close`."""
        self._thread = threading.Thread(target=self._follow, name="traffic", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop following; loaded bundles close when their last request ends."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
        self._routes = MappingProxyType({})
        for loaded in self._loaded.values():
            loaded.retire()
        self._loaded.clear()

    def refresh(self) -> bool:
        """Take in what the ledger got since the last call; True where a route changed."""
        if self._store.ledger.head()[0] != self._read:
            for entry in self._store.ledger.entries(after=self._read):
                self._take(entry.record)
                self._read = entry.seq
        routes = dict(self._routes)
        for model, plan_id in self._wanted.items():
            self._reroute(model, plan_id, routes)
        changed = routes != dict(self._routes)
        if changed:
            self._routes = MappingProxyType(routes)
            self._retire(routes)
        self.synced = True
        return changed

    def _take(self, record: object) -> None:
        if isinstance(record, Artifact):
            if record.kind == TrafficPlan.kind:
                self._plans.add(record.id)
        elif isinstance(record, Action):
            if record.stage == "release":
                self._releases.add(record.id)
        elif isinstance(record, Closing) and record.action in self._releases:
            self._releases.discard(record.action)
            if record.outcome is not Outcome.DONE:
                return
            for plan_id in record.made:
                if plan_id in self._plans:
                    self._want(plan_id)

    def _want(self, plan_id: str) -> None:
        try:
            model = self._store.read(plan_id, TrafficPlan).model
        except (StoreError, KeyError) as raised:  # one damaged plan must not hide the ones after it
            _log.error("traffic plan %s cannot be read and is passed over: %s", plan_id[:SHORT], raised)
            return
        if self._models is None or model in self._models:
            self._wanted[model] = plan_id

    def _reroute(self, model: str, plan_id: str, routes: dict[str, Route]) -> None:
        current = routes.get(model)
        waits_for_retry = current is not None and current.challenger is not None and current.challenger.error
        if current is not None and current.plan_id == plan_id and not waits_for_retry:
            return
        plan = self._store.read(plan_id, TrafficPlan)
        if not plan.champion:
            return
        champion = self._seat(model, plan.champion, plan.champion_version, "champion")
        if champion.loaded is None:
            return  # the old route goes on answering
        challenger = None
        if plan.challenger is not None:
            challenger = self._seat(model, plan.challenger, plan.challenger_version or 0, "challenger")
        routes[model] = Route(plan_id=plan_id, plan=plan, champion=champion, challenger=challenger)

    def _seat(self, model: str, bundle_id: str, version: int, role: str) -> Seat:
        loaded = self._loaded.get(bundle_id)
        if loaded is not None:
            return Seat(bundle_id, version, loaded)
        now = self._store.clock.monotonic()
        error = f"version {version} of model {model!r} could not be loaded"
        if now - self._tried.get(bundle_id, -RETRY_SECONDS) < RETRY_SECONDS:
            return Seat(bundle_id, version, None, error)
        self._tried[bundle_id] = now
        try:
            loaded = self._load(bundle_id)
            if loaded.manifest.model != model:
                loaded.retire()
                raise ModelRefused(
                    f"bundle {bundle_id[:SHORT]} is of model {loaded.manifest.model!r}, not of {model!r}"
                )
        except Exception as raised:
            self._report(model, bundle_id, version, role, raised)
            return Seat(bundle_id, version, None, error)
        self._loaded[bundle_id] = loaded
        self._tried.pop(bundle_id, None)
        return Seat(bundle_id, version, loaded)

    def _retire(self, routes: Mapping[str, Route]) -> None:
        seats = [seat for route in routes.values() for seat in (route.champion, route.challenger) if seat]
        in_use = {seat.bundle for seat in seats}
        for bundle_id in [bundle_id for bundle_id in self._loaded if bundle_id not in in_use]:
            self._loaded.pop(bundle_id).retire()

    def _report(self, model: str, bundle_id: str, version: int, role: str, raised: Exception) -> None:
        _log.error("%s version %d of model %r cannot be loaded: %s", role, version, model, raised)
        record = {
            "id": None,
            "at": iso(self._store.now()),
            "bundle": bundle_id,
            "version": version,
            "role": role,
            "error": f"{type(raised).__name__}: {raised}",
            "trace": "".join(traceback.format_exception(raised))[-4000:],
        }
        self._store.streams.append(f"exceptions/{model}", [msgspec.json.encode(record)])

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                self.refresh()
            except (
                Exception
            ) as raised:  # the ledger may be away for a while: what is loaded goes on answering
                _log.error("the ledger cannot be read, the routes stay as they are: %s", raised)
            self._stop.wait(POLL_SECONDS)
