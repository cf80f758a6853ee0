"""A shop with real bundles and made-up models, and a client that calls the plane without a network."""

import asyncio
import hashlib
import json
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pytest

from trimtab.atoms.action import Action, Closing, Outcome, action_id
from trimtab.atoms.artifact import artifact_of
from trimtab.atoms.content.bundle import Bundle, Manifest, Parity, ViewInput, manifest_bytes
from trimtab.atoms.content.content import Content, Part
from trimtab.atoms.content.encoding import ColumnEncoding, Encoding
from trimtab.atoms.content.model import Environment, SourceFile
from trimtab.atoms.content.snapshot import Column
from trimtab.atoms.content.traffic_plan import TrafficPlan
from trimtab.atoms.error import ModelRefused
from trimtab.atoms.instant import iso
from trimtab.engine.store import Store
from trimtab.loop.serve.limit import Limits
from trimtab.loop.serve.loaded_bundle import load_bundle
from trimtab.loop.serve.plane import Plane
from trimtab.loop.serve.traffic import Traffic
from trimtab.testing.memory_store import memory_store

INPUTS = (
    Column(name="distance", dtype="Float64"),
    Column(name="carrier", dtype="String"),
    Column(name="stops", dtype="Int64"),
)
ENCODING = Encoding(
    columns=(
        ColumnEncoding(name="distance", dtype="Float64", role="number", nullable=True),
        ColumnEncoding(
            name="carrier", dtype="String", role="category", categories=("AA", "UA"), nullable=False
        ),
        ColumnEncoding(name="stops", dtype="Int64", role="number", nullable=False),
    )
)
ROW = {"distance": 12.5, "carrier": "UA", "stops": 2}


class StubModel:
    """Answers by a formula; raises, hangs or goes NaN where its recipe says so."""

    def __init__(self, recipe: dict[str, Any], task: str, gate: threading.Event) -> None:
        self._recipe = recipe
        self._task = task
        self._gate = gate
        self._calls = 0
        self.closed = False

    def answer(self, rows: np.ndarray) -> np.ndarray:
        assert not self.closed, "a closed model was asked"
        assert rows.dtype == np.float32
        self._calls += 1
        if self._calls > self._recipe.get("good_calls", 1):  # the golden rows are always answered well
            if "raise" in self._recipe:
                raise RuntimeError(self._recipe["raise"])
            if "hang" in self._recipe:
                self._gate.wait(30)
            if "nan" in self._recipe:
                return np.full(
                    (len(rows), 2) if self._task == "classification" else len(rows), np.nan, np.float32
                )
        level = np.nan_to_num(rows).sum(axis=1) * 0.01 + self._recipe.get("shift", 0.0)
        if self._task == "regression":
            return level.astype(np.float32)
        yes = 1 / (1 + np.exp(-level))
        return np.column_stack([1 - yes, yes]).astype(np.float32)

    def close(self) -> None:
        self.closed = True


class StubRuntime:
    """Reads a recipe in JSON; remembers what it loaded."""

    def __init__(self, name: str = "onnx") -> None:
        self.name = name
        self.loaded: list[StubModel] = []
        #: Set to let hanging models go on.
        self.gate = threading.Event()

    def load(self, graph: bytes, task: str) -> StubModel:
        try:
            recipe = json.loads(graph)
        except ValueError as error:
            raise ModelRefused("no recipe") from error
        self.loaded.append(StubModel(recipe, task, self.gate))
        return self.loaded[-1]


def sign(content: bytes) -> str:
    return hashlib.sha256(b"key" + content).hexdigest()


def verify(content: bytes, signature: str, key_id: str) -> None:
    if (signature, key_id) != (sign(content), "k"):
        raise ModelRefused("the signature does not fit")


@dataclass
class Shop:
    """A store that bundles and plans are put into as the loop would."""

    store: Store = field(default_factory=memory_store)
    runtime: StubRuntime = field(default_factory=StubRuntime)
    traffics: list[Traffic] = field(default_factory=list)

    def part(self, content: bytes) -> Part:
        return Part(blob=self.store.blobs.put(content), size_bytes=len(content))

    def record(
        self, stage: str, kind: str, model: str, content: Content, outcome: Outcome = Outcome.DONE
    ) -> str:
        artifact, body = artifact_of(content)
        self.store.blobs.put(body)
        at = iso(self.store.now())
        action = Action(
            id=action_id(self.store.now()), kind=kind, stage=stage, subject=model, by="person:test", at=at
        )
        closing = Closing(action=action.id, outcome=outcome, made=(artifact.id,), at=at)
        self.store.ledger.append([action, artifact, closing])
        return artifact.id

    def manifest(
        self,
        recipe: dict[str, Any] | None = None,
        *,
        model: str = "late",
        task: str = "classification",
        classes: tuple[Any, ...] = (False, True),
        inputs: tuple[Column, ...] = INPUTS,
        encoding: Encoding = ENCODING,
        code: str = "",
        functions: tuple[str, ...] = (),
        views: tuple[ViewInput, ...] = (),
        key: str | None = None,
        event_time: str | None = None,
        golden: dict[str, Any] | None = None,
    ) -> Manifest:
        recipe = recipe or {}
        if golden is None:
            features = [[12.5, 3.0, 2.0]]
            model_answers = StubModel({"shift": recipe.get("shift", 0.0)}, task, threading.Event()).answer(
                np.array(features, dtype=np.float32)
            )
            golden = {"rows": [ROW], "features": features, "outputs": model_answers.tolist()}
        return Manifest(
            model=model,
            trained="0" * 64,
            task=task,
            classes=classes if task == "classification" else (),
            target="late",
            runtime=self.runtime.name,
            graph=self.part(json.dumps(recipe).encode()),
            encoding=encoding,
            inputs=inputs,
            request_features=functions,
            views=views,
            slices=(),
            key=key,
            event_time=event_time,
            code="",
            files=(SourceFile(module="project", text=self.part(code.encode())),) if code else (),
            environment=Environment(python="3.11", platform="test", packages={}),
            parity=Parity(rows=1, differing=0, largest_difference=0.0, tolerance=1e-5),
            golden=self.part(json.dumps(golden).encode()),
        )

    def bundle(
        self, recipe: dict[str, Any] | None = None, *, signature: str | None = None, **words: Any
    ) -> str:
        manifest = self.manifest(recipe, **words)
        signed = signature or sign(manifest_bytes(manifest))
        content = Bundle(manifest=manifest, signature=signed, key_id="k")
        return self.record("register", "register", manifest.model, content)

    def plan(self, champion: str, version: int = 1, *, model: str = "late", **words: Any) -> str:
        plan = TrafficPlan(model=model, champion=champion, champion_version=version, **words)
        return self.record("release", "promote", model, plan)

    def traffic(self, **words: Any) -> Traffic:
        load = partial(load_bundle, self.store, runtimes={self.runtime.name: self.runtime}, verify=verify)
        self.traffics.append(Traffic(self.store, load, **words))
        self.traffics[-1].refresh()
        return self.traffics[-1]

    def plane(self, traffic: Traffic | None = None, **words: Any) -> Plane:
        limits = Limits(**words.pop("limits", {}))
        return Plane(self.store, traffic or self.traffic(), limits=limits, **words)

    def stream(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(record) for record in self.store.streams.read(name)[0]]

    def damage(self, part: Part) -> None:
        """Flip a bit of a blob."""
        content = bytearray(self.store.blobs.get(part.blob))
        content[0] ^= 1
        self.store.blobs._blobs[part.blob] = bytes(content)  # type: ignore[attr-defined]


@dataclass
class Told:
    """A response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def call(
    plane: Plane,
    method: str,
    path: str,
    body: Any = None,
    *,
    headers: dict[str, str] | None = None,
    chunks: list[bytes] | None = None,
    more_headers: tuple[tuple[str, str], ...] = (),
) -> Told:
    """One exchange with the plane; `body` is JSON unless it is bytes; of `more_headers`, a name may come again."""
    if chunks is None:
        chunks = [body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()]
    given = {"host": "localhost:8600"}
    if method == "POST":
        given["content-type"] = "application/json"
        given["content-length"] = str(sum(map(len, chunks)))
    given |= headers or {}
    messages = [
        {"type": "http.request", "body": chunk, "more_body": place < len(chunks) - 1}
        for place, chunk in enumerate(chunks)
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": [
            (name.encode(), value.encode("latin-1"))
            for name, value in (*given.items(), *more_headers)
            if value is not None
        ],
    }
    await plane(scope, receive, send)
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Told(sent[0]["status"], answered, b"".join(message["body"] for message in sent[1:]))


@pytest.fixture
def shop() -> Iterator[Shop]:
    opened = Shop()
    yield opened
    opened.runtime.gate.set()
    for traffic in opened.traffics:
        traffic.close()


@pytest.fixture
def client() -> Iterator[Callable[..., Told]]:
    with asyncio.Runner() as runner:

        def ask(plane: Plane, method: str, path: str, body: Any = None, **words: Any) -> Told:
            async def exchange() -> Told:
                told = await call(plane, method, path, body, **words)
                await plane.settle()
                return told

            return runner.run(exchange())

        yield ask


@pytest.fixture
def exchange() -> Callable[..., Coroutine[Any, Any, Told]]:
    return call
