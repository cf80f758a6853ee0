"""The prediction plane: an ASGI application that takes predictions, outcomes and questions about both."""

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple

import msgspec

from trimtab.atoms.error import WritingEnded
from trimtab.atoms.instant import iso
from trimtab.atoms.permission import Permission
from trimtab.engine.store import Store
from trimtab.loop.serve import mlflow_scoring, open_inference
from trimtab.loop.serve.door import Door
from trimtab.loop.serve.exchange import JSON, TEXT, Load, Receive, Reply, Request, Scope, Send
from trimtab.loop.serve.guard import Guard
from trimtab.loop.serve.limit import Limits
from trimtab.loop.serve.meter import Meter
from trimtab.loop.serve.outcome import OutcomeRequest, records_of
from trimtab.loop.serve.prediction import Prediction
from trimtab.loop.serve.prediction_log import PredictionLog
from trimtab.loop.serve.predictor import Predictor
from trimtab.loop.serve.problem import Problem, busy, not_ready
from trimtab.loop.serve.repeat import HEADER, Repeats
from trimtab.loop.serve.traffic import Traffic

_log = logging.getLogger("trimtab.serve")

#: Bytes of a refused body that are logged.
_REFUSED_BYTES = 4096
_PROBLEM = b"application/problem+json"
#: Paths whose endpoint is remembered.
_MOST_REMEMBERED = 1024

_encode = msgspec.json.Encoder().encode


class PredictRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /predict/{model}`."""

    rows: list[Any]
    request_id: str | None = None


class _Endpoint(NamedTuple):
    method: str
    path: str
    permission: Permission
    answer: Callable[[Request], Awaitable[Reply]]


class Plane:
    """Raw ASGI: a framework would cost more than the prediction."""

    def __init__(
        self,
        store: Store,
        traffic: Traffic,
        *,
        limits: Limits | None = None,
        strict: bool = True,
        best_effort_log: bool = False,
        hosts: Iterable[str] = (),
        guard: Guard | None = None,
    ) -> None:
        """
        Args:
            guard: Asks for tokens; None: whoever reaches this plane may ask it.
            strict: Refuse categories and missing values that training never saw; else `other` and missing.
            best_effort_log: Answers do not wait until they are logged; `/metrics` counts what is dropped.
            hosts: Names that requests may call this server by, beside loopback's.
        """
        self.meter = Meter()
        self._store = store
        self._traffic = traffic
        self._limits = limits or Limits()
        self._strict = strict
        self._load = Load(self._limits)
        self._door = Door(hosts)
        self._guard = guard
        self._repeats = Repeats()
        self._log = PredictionLog(store.streams, best_effort=best_effort_log)
        self.meter.log_dropped = self._log.dropped
        self._predictor = Predictor(store, traffic, self._log, self.meter, self._limits, strict=strict)
        self.endpoints = self._endpoints()
        self._paths: dict[tuple[str, int], list[tuple[list[str], dict[str, _Endpoint]]]] = {}
        for endpoint in self.endpoints:
            self._place(endpoint)
        #: Where requests went before, by method and path.
        self._found: dict[tuple[str, str], tuple[_Endpoint, dict[str, str]]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection's request, or follow the server's life."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._exchange(Request(scope, receive, self._load), send)
        else:
            raise NotImplementedError(f"the prediction plane speaks no {scope['type']}")

    @property
    def ended(self) -> WritingEnded | None:
        """Why nothing can be logged any more, where that is so: the process must end."""
        return self._log.ended

    async def settle(self) -> None:
        """Return when what runs in the background (shadows) has ended, or has had its time, and is logged."""
        await self._predictor.settle()
        await self._log.settle()

    async def close(self) -> None:
        """End what runs in the background; every record that waits is written first."""
        await self.settle()
        self._predictor.close()
        await self._log.settle()

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._traffic.start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                self._traffic.close()
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _exchange(self, request: Request, send: Send) -> None:
        self._load.requests += 1
        try:
            reply = await self._reply(request)
        finally:
            self._load.requests -= 1
            request.release()
        if request.unread and request.is_small:
            await request.drain()
            request.unread = False
        headers = [
            (b"content-type", reply.media_type),
            (b"content-length", b"%d" % len(reply.body)),
            (b"x-content-type-options", b"nosniff"),
            *reply.headers,
        ]
        if request.request_id is not None:
            headers.append((b"x-request-id", request.request_id.encode("ascii")))
        if request.unread:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        body = b"" if request.method == "HEAD" else reply.body
        await send({"type": "http.response.body", "body": body, "more_body": request.unread})
        if request.unread:
            await request.drain()
            await send({"type": "http.response.body", "body": b""})

    async def _reply(self, request: Request) -> Reply:
        try:
            self._door.admit(request)
            endpoint = self._find(request)
            if self._guard is not None and endpoint.permission is not Permission.OPEN:
                request.unread = endpoint.method == "POST"
                await self._guard.admit(request, endpoint.permission)
                request.unread = False
            if endpoint.method == "POST" and self._load.requests > self._limits.in_flight:
                request.unread = True
                raise busy(f"{self._limits.in_flight} requests are under way; come back in a second")
            if HEADER in request.headers and endpoint.method == "POST":
                return await self._repeats.answer(request, endpoint.answer)
            return await endpoint.answer(request)
        except Problem as problem:
            return self._refuse(request, problem)
        except Exception:
            # A mistake of ours. The client is told nothing of it but that it may come back.
            _log.exception("an endpoint raised")
            return self._refuse(
                request, Problem(503, "the server could not answer", rule="server", retry_after_s=1)
            )

    def _refuse(self, request: Request, problem: Problem) -> Reply:
        request_id = request.request_id or ""
        body = problem.body(request_id, protocol_v2=request.path.startswith("/v2"))
        if request.model is not None:
            self.meter.refused(request.model, problem.status)
            record = {
                "id": request_id or None,
                "at": iso(self._store.now()),
                "status": problem.status,
                "error": problem.detail,
                "inputs": request.body[:_REFUSED_BYTES].decode("utf-8", "replace"),
            }
            self._log.note(f"refusals/{request.model}", _encode(record))
        return Reply(body, problem.status, _PROBLEM, tuple(problem.headers()))

    def _find(self, request: Request) -> _Endpoint:
        found = self._found.get((request.method, request.path))
        if found is not None:
            endpoint, request.names = found
            return endpoint
        endpoint = self._search(request)
        if len(self._found) < _MOST_REMEMBERED:
            self._found[request.method, request.path] = (endpoint, request.names)
        return endpoint

    def _search(self, request: Request) -> _Endpoint:
        parts = request.path.split("/")
        for pattern, by_method in self._paths.get((parts[1] if len(parts) > 1 else "", len(parts)), ()):
            names = {}
            for wanted, given in zip(pattern, parts, strict=True):
                if wanted[:1] == "{":
                    names[wanted[1:-1]] = given
                elif wanted != given:
                    break
            else:
                endpoint = by_method.get("GET" if request.method == "HEAD" else request.method)
                if endpoint is None:
                    request.unread = request.method not in ("GET", "HEAD")
                    methods = ", ".join(by_method)
                    raise Problem(405, f"{request.path[:100]} takes {methods}", rule="method", allow=methods)
                request.names = names
                return endpoint
        request.unread = request.method not in ("GET", "HEAD")
        raise Problem(404, f"there is nothing at {request.path[:100]}", rule="path")

    def _place(self, endpoint: _Endpoint) -> None:
        pattern = endpoint.path.split("/")
        places = self._paths.setdefault((pattern[1], len(pattern)), [])
        for known, by_method in places:
            if known == pattern:
                by_method[endpoint.method] = endpoint
                return
        places.append((pattern, {endpoint.method: endpoint}))

    def _endpoints(self) -> tuple[_Endpoint, ...]:
        is_open, read, predict = Permission.OPEN, Permission.READ, Permission.PREDICT
        return (
            _Endpoint("POST", "/predict/{model}", predict, self._predict),
            _Endpoint("POST", "/outcomes/{model}", predict, self._outcomes),
            _Endpoint("GET", "/v2", is_open, self._v2),
            _Endpoint("GET", "/v2/health/live", is_open, self._live_now),
            _Endpoint("GET", "/v2/health/ready", is_open, self._ready),
            _Endpoint("GET", "/v2/models/{model}", predict, self._v2_model),
            _Endpoint("GET", "/v2/models/{model}/ready", predict, self._v2_model_ready),
            _Endpoint("POST", "/v2/models/{model}/infer", predict, self._v2_infer),
            _Endpoint("GET", "/v2/models/{model}/versions/{version}", predict, self._v2_model),
            _Endpoint("GET", "/v2/models/{model}/versions/{version}/ready", predict, self._v2_model_ready),
            _Endpoint("POST", "/v2/models/{model}/versions/{version}/infer", predict, self._v2_infer),
            _Endpoint("POST", "/invocations", predict, self._invocations),
            _Endpoint("GET", "/ping", is_open, self._ready),
            _Endpoint("GET", "/metrics", read, self._metrics),
            _Endpoint("GET", "/healthz", is_open, self._alive),
        )

    async def _predict(self, request: Request) -> Reply:
        model = self._known(request)
        body = await request.json(PredictRequest)
        prediction = await self._predictor.predict(model, body.rows, request.identify(body.request_id))
        request.request_id = prediction.request_id
        return Reply(_encode(_told(prediction)))

    async def _outcomes(self, request: Request) -> Reply:
        model = self._known(request)
        manifest = self._manifest(model)
        body = await request.json(OutcomeRequest)
        at = iso(self._store.now())
        records = records_of(body, manifest, at, most=self._limits.rows, call=request.call_id)
        try:
            await self._log.write_all(f"outcomes/{model}", records)
        except Exception as raised:
            _log.error("the outcomes cannot be written: %s", raised)
            raise Problem(
                503, "the outcomes could not be kept; send them again", rule="log", retry_after_s=5
            ) from raised
        return Reply(_encode({"accepted": len(records)}))

    async def _v2_infer(self, request: Request) -> Reply:
        model = self._known(request)
        body = await request.json(open_inference.InferRequest)
        version = self._version(request)
        request_id = request.identify(body.id)
        open_inference.require_outputs(body.outputs, self._manifest(model))
        rows = open_inference.rows_of(body)
        prediction = await self._predictor.predict(model, rows, request_id, version=version)
        request.request_id = prediction.request_id
        return Reply(open_inference.infer_reply(prediction, body.outputs))

    async def _invocations(self, request: Request) -> Reply:
        header = request.headers.get(b"x-trimtab-model")
        routes = self._traffic.routes
        if header is None and len(routes) > 1:
            raise Problem(
                422,
                f"name one of the models in the header X-Trimtab-Model: {', '.join(sorted(routes))}",
                rule="model",
            )
        if header is None and not routes:
            raise not_ready("no model is ready to answer yet")
        request.names = {"model": header.decode("latin-1") if header is not None else next(iter(routes))}
        model = self._known(request)
        body = await request.json(mlflow_scoring.Invocation)
        request_id = request.identify(None)
        rows = mlflow_scoring.rows_of(body, self._manifest(model))
        prediction = await self._predictor.predict(model, rows, request_id)
        request.request_id = prediction.request_id
        return Reply(_encode(_told(prediction)))

    async def _v2(self, request: Request) -> Reply:
        return Reply(_encode({"name": "trimtab", "version": "2", "extensions": []}))

    async def _v2_model(self, request: Request) -> Reply:
        route = self._predictor.route(request.names["model"])
        version = self._version(request)
        versions = [route.champion.version]
        if route.challenger is not None:
            versions.append(route.challenger.version)
        if version is not None and version not in versions:
            raise Problem(
                404, f"version {version} of this model is not served; served are: {versions}", rule="version"
            )
        seat = route.challenger if version not in (None, route.champion.version) else route.champion
        if seat is None or seat.loaded is None:
            raise not_ready("this version is not ready")
        return Reply(_encode(open_inference.model_metadata(seat.loaded.manifest, versions)))

    async def _v2_model_ready(self, request: Request) -> Reply:
        metadata = await self._v2_model(request)
        return metadata._replace(body=_encode({"ready": True}))

    async def _live_now(self, request: Request) -> Reply:
        return Reply(b'{"live":true}')

    async def _alive(self, request: Request) -> Reply:
        """Alive, and which traffic plan each model follows: a release is in force once its plan stands here."""
        if self._guard is not None and not await self._guard.lets(request, Permission.PREDICT):
            return Reply(b'{"live":true}')
        plans = {model: route.plan_id for model, route in self._traffic.routes.items()}
        return Reply(msgspec.json.encode({"live": True, "plans": plans}))

    async def _ready(self, request: Request) -> Reply:
        if not self._traffic.ready:
            raise not_ready("not every model that is to be served can answer yet")
        return Reply(b'{"ready":true}')

    async def _metrics(self, request: Request) -> Reply:
        self.meter.in_flight = self._load.requests
        self.meter.ready = self._traffic.ready
        return Reply(self.meter.exposition(), media_type=TEXT)

    def _known(self, request: Request) -> str:
        """The model in the path, once it is known to be served; refusals are logged under it from then on."""
        model = request.names["model"]
        try:
            self._predictor.route(model)
        except Problem:
            request.unread = True
            raise
        request.model = model
        return model

    def _manifest(self, model: str) -> Any:
        loaded = self._predictor.route(model).champion.loaded
        assert loaded is not None, "a route's champion is loaded"
        return loaded.manifest

    def _version(self, request: Request) -> int | None:
        version = request.names.get("version")
        if version is None:
            return None
        if not version.isdigit() or len(version) > 9:
            raise Problem(404, f"{version[:20]!r} is no version: versions are numbers", rule="version")
        return int(version)


def _told(prediction: Prediction) -> dict[str, Any]:
    told: dict[str, Any] = {"predictions": prediction.values()}
    if prediction.manifest.task == "classification":
        told["probabilities"] = prediction.answers
        told["classes"] = prediction.manifest.classes
    told["model_version"] = str(prediction.version)
    told["request_id"] = prediction.request_id
    return told


__all__ = ["JSON", "Plane", "PredictRequest"]
