"""Registration: a bundle that serves, or a refusal that says why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import polars as pl
import pytest
from onnx import numpy_helper
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from trimtab.adapters.compile_onnx import compile_estimator
from trimtab.adapters.estimator_file import read_estimator, write_estimator
from trimtab.adapters.native_runtime import NativeRuntime
from trimtab.adapters.onnx_runtime import OnnxRuntime
from trimtab.adapters.signature import Signer
from trimtab.atoms.check import Verdict
from trimtab.atoms.content.bundle import Bundle
from trimtab.atoms.content.model import Environment
from trimtab.atoms.content.scorecard import Scorecard
from trimtab.atoms.content.snapshot import Snapshot, Span
from trimtab.atoms.error import ModelRefused, StoreError
from trimtab.engine.step import Done
from trimtab.loop.register import CARD as REGISTER
from trimtab.loop.register.refusal import RegisterRefused, record_refusal
from trimtab.loop.register.register import register
from trimtab.loop.serve.loaded_bundle import load_bundle
from trimtab.loop.train import CARD as TRAIN
from trimtab.loop.train.train import train
from trimtab.ports.online_features import FeatureValue
from trimtab.rows.bundled_code import load_declarations
from trimtab.rows.column import columns_of
from trimtab.rows.offline_features import offline_features
from trimtab.rows.point_in_time import view_rows
from trimtab.rows.served_row import answer_matrix
from trimtab.rows.table import read_table, table_bytes
from trimtab.spec.model import ModelSpec
from trimtab.testing.workbench import Workbench

CODE = b"""
import polars as pl
import trimtab as tt
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

rows = tt.source("rows", "rows.csv", key="id", event_time="at")
air = tt.source("air", "air.csv", event_time="at")

@tt.feature_view(air, entity="carrier")
def sky(rows):
    return rows.select("carrier", "at", "cloud")

@tt.request_features
def clock(rows):
    return rows.with_columns(hour=pl.col("at").dt.hour())

@tt.model("late", rows=rows, target="late", features=[clock, sky], slices=["carrier"])
def late(train, trial):
    return HistGradientBoostingClassifier(max_iter=6).fit(train.x, train.y)

@tt.model("plain", rows=rows, target="late", features=[clock], slices=["carrier"])
def plain(train, trial):
    return HistGradientBoostingClassifier(max_iter=6).fit(train.x, train.y)

@tt.model("sets", rows=rows, target="late", features=[clock])
def sets(train, trial):
    return HistGradientBoostingClassifier(max_iter=6, categorical_features=["carrier"]).fit(train.x, train.y)

@tt.model("delay", rows=rows, target="delay", features=[clock])
def delay(train, trial):
    return HistGradientBoostingRegressor(max_iter=6).fit(train.x, train.y)
"""
START = datetime(2013, 1, 1, tzinfo=UTC)


def request_rows(count: int = 900) -> pl.DataFrame:
    random = np.random.default_rng(2)
    wind, carrier = random.normal(size=count), random.choice(["AA", "UA", "DL"], count)
    score = wind + (carrier == "UA")
    return pl.DataFrame(
        {
            "id": range(count),
            "at": [START + timedelta(hours=place) for place in range(count)],
            "wind": [None if place % 11 == 0 else value for place, value in enumerate(wind.tolist())],
            "carrier": carrier.tolist(),
            "late": (score > 0.5).tolist(),
            "delay": (score * 1000).tolist(),
        }
    ).with_columns(pl.col("at").cast(pl.Datetime("us", "UTC")))


def air_rows() -> pl.DataFrame:
    moments = [START + timedelta(hours=6 * place) for place in range(150)]
    return pl.DataFrame(
        {
            "carrier": [name for _ in moments for name in ("AA", "UA")],
            "at": [moment for moment in moments for _ in range(2)],
            "cloud": [float(place % 17) for place in range(300)],
        }
    ).with_columns(pl.col("at").cast(pl.Datetime("us", "UTC")))


@dataclass
class Dock:
    """Trains and registers the models of a project file in an empty store."""

    folder: Path
    bench: Workbench = field(default_factory=Workbench)
    rows: pl.DataFrame = field(default_factory=request_rows)
    code: bytes = CODE
    compile: Callable[[Any, int, Sequence[str], str], bytes] = compile_estimator
    runtimes: dict[str, Any] = field(
        default_factory=lambda: {"onnx": OnnxRuntime(), "native": NativeRuntime()}
    )

    def __post_init__(self) -> None:
        self.signer = Signer(self.folder / "keys")

    def spec(self, name: str) -> ModelSpec:
        declared = load_declarations({"project": CODE}, "project").values()
        return next(item for item in declared if isinstance(item, ModelSpec) and item.name == name)

    def view(self) -> str:
        """The snapshot of what the view is computed from."""
        frame = air_rows()
        part = self._part(table_bytes(frame))
        span = Span(name="all", rows=frame.height, table=part)
        return self.bench.keep(
            Snapshot(source="air", columns=columns_of(frame), spans=(span,), event_time="at")
        )

    def put_online(self) -> None:
        values = [
            FeatureValue(entity=entity, event_time_us=round(moment.timestamp() * 1e6), values=(cloud,))
            for entity, moment, cloud in air_rows().iter_rows()
        ]
        self.bench.store.online.put("sky", values)

    def train(self, name: str) -> tuple[ModelSpec, str, str]:
        spec = self.spec(name)
        request = self.rows.drop(spec.target)
        views = [(view, view_rows(view, air_rows())) for view in spec.views]
        made = offline_features(request, spec.request_features, views, "at")
        names = [each for each in ("wind", "carrier", "hour", "cloud") if each in made.columns]
        frame = made.with_columns(self.rows[spec.target])
        table = self.bench.table(
            name, frame, names, target=spec.target, key="id", event_time="at", slices=spec.slices
        )
        trained = self.bench.run(
            TRAIN,
            "train",
            lambda work: train(
                work,
                spec,
                table,
                files={"project": self.code},
                environment=Environment(python="3.11", platform="test", packages={}),
                fixed={},
                trials=1,
                write_estimator=write_estimator,
                code="c0de",
            ),
            [table],
        )
        return spec, table, trained.first("model").id

    def register(self, name: str, *, raw: pl.DataFrame | None = None, **words: Any) -> Done:
        spec, table, model = self.train(name)
        card = Scorecard(
            model=name, candidate=model, champion=None, rows=1, blocks=1, scores=(), comparisons=()
        )
        scorecard = words.pop("scorecard", None) or self.bench.keep(card)
        views = {"sky": self.view()} if spec.views else {}
        words = {
            "model_id": model,
            "table_id": table,
            "scorecard_id": scorecard,
            "spec": spec,
            "inputs": columns_of(self.rows.drop("late", "delay")),
            "raw_rows": self.rows if raw is None else raw,
            "compile": self.compile,
            "runtimes": self.runtimes,
            "sign": self.signer.sign,
            "online": self.bench.store.online,
            "project_module": "project",
            "read_estimator": read_estimator,
            "view_ids": views,
            **words,
        }
        took = [model, table, scorecard, *views.values()]
        return self.bench.run(REGISTER, "register", lambda work: register(work, **words), took)

    def bundle(self, done: Done) -> Bundle:
        return self.bench.store.read(done.first("bundle").id, Bundle)

    def verdicts(self, done: Done) -> dict[str, Verdict]:
        return {check.name: check.verdict for check in done.checks}

    def _part(self, content: bytes) -> Any:
        return self.bench._tell.part(content)


@pytest.fixture
def dock(tmp_path: Path) -> Dock:
    return Dock(tmp_path)


ALL_PASS = {
    "parity.compiled": Verdict.PASS,
    "parity.features": Verdict.PASS,
    "budget.latency": Verdict.PASS,
    "budget.size": Verdict.PASS,
}


@pytest.mark.parametrize("name", ["plain", "delay"])
def test_a_bundle_serves_as_it_was_registered(dock: Dock, name: str) -> None:
    done = dock.register(name)
    assert dock.verdicts(done) == ALL_PASS
    manifest = dock.bundle(done).manifest
    assert (manifest.runtime, manifest.key, manifest.event_time) == ("onnx", "id", "at")
    assert manifest.parity.rows == 900
    assert manifest.parity.differing == 0
    loaded = load_bundle(
        dock.bench.store, done.first("bundle").id, runtimes=dock.runtimes, verify=dock.signer.verify
    )
    row = {"id": 5, "at": "2013-01-09T05:00:00Z", "wind": 0.1, "carrier": "UA"}
    answers = loaded.answer([row], dock.bench.store.now(), strict=True).answers
    assert np.asarray(answers).shape == ((1, 2) if name == "plain" else (1,))


def test_views_go_into_the_bundle_and_are_proved_online(dock: Dock) -> None:
    dock.put_online()
    done = dock.register("late")
    assert dock.verdicts(done) == ALL_PASS
    view = dock.bundle(done).manifest.views[0]
    assert (view.view, view.entity, [column.name for column in view.columns]) == ("sky", "carrier", ["cloud"])


def test_views_that_are_not_online_leave_the_parity_of_features_unsure(dock: Dock) -> None:
    assert dock.verdicts(dock.register("late"))["parity.features"] is Verdict.UNSURE


def test_the_same_model_gives_the_same_bundle(dock: Dock) -> None:
    first, again = (dock.register("plain").first("bundle").id for _ in range(2))
    assert first == again


def test_held_out_answers_are_the_served_models(dock: Dock) -> None:
    manifest = dock.bundle(dock.register("plain")).manifest
    assert manifest.holdout_answers is not None
    held = read_table(dock.bench.store.part(manifest.holdout_answers))
    assert held.columns == ["p0", "p1", "truth", "event_time", "feature.carrier"]
    assert set(held["truth"]) == {"true", "false"}
    assert held["event_time"].min() > START + timedelta(days=25)
    probabilities = answer_matrix(held, 2)
    right = (probabilities[:, 1] > 0.5) == (held["truth"] == "true").to_numpy()
    assert right.mean() > 0.8


def wrong_graph(estimator: Any, count: int, names: Sequence[str], task: str) -> bytes:
    """A graph of which one leaf in one tree is another."""
    model = onnx.load_from_string(compile_estimator(estimator, count, names, task))
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name in ("class_weights", "target_weights"):
                weights = list(attribute.floats)
                weights[3] += 0.5
                attribute.floats[:] = weights
    return bytes(model.SerializeToString())


def test_a_wrong_graph_is_refused_and_nothing_is_made(dock: Dock) -> None:
    dock.compile = wrong_graph
    with pytest.raises(RegisterRefused, match=r"parity\.compiled: \d+ of 900 real rows") as refused:
        dock.register("plain")
    assert not [record for record in artifacts(dock) if record.kind == "bundle"]
    failed = [each for each in refused.value.judgements if each.verdict is Verdict.FAIL]
    assert [each.rule for each in failed] == ["parity.compiled"]


def test_the_judgements_of_a_refusal_can_be_recorded(dock: Dock) -> None:
    dock.compile = wrong_graph
    with pytest.raises(RegisterRefused) as refused:
        dock.register("plain")
    took = [refused.value.model_id]
    done = dock.bench.run(REGISTER, "refuse", lambda work: record_refusal(work, refused.value), took)
    assert dock.verdicts(done) == {**ALL_PASS, "parity.compiled": Verdict.FAIL}
    assert "parity.compiled" in done.note


def test_another_models_graph_is_refused(dock: Dock) -> None:
    other = HistGradientBoostingClassifier(max_iter=3).fit(
        np.random.default_rng(0).random((50, 3)), [0, 1] * 25
    )
    dock.compile = lambda estimator, count, names, task: compile_estimator(other, count, names, task)
    with pytest.raises(RegisterRefused, match=r"parity\.compiled"):
        dock.register("plain")


def test_a_graph_of_another_task_is_refused(dock: Dock) -> None:
    other = HistGradientBoostingRegressor(max_iter=3).fit(np.random.default_rng(0).random((50, 3)), range(50))
    dock.compile = lambda estimator, count, names, task: compile_estimator(other, count, names, "regression")
    with pytest.raises(ModelRefused, match="dimensions"):
        dock.register("plain")


def test_what_cannot_be_compiled_is_served_natively_and_says_so(dock: Dock) -> None:
    dock.runtimes["native"] = _InProcess()
    done = dock.register("sets")
    assert dock.bundle(done).manifest.runtime == "native"
    says = next(check.says for check in done.checks if check.name == "parity.compiled")
    assert "served natively" in says
    assert "categorical_features" in says
    assert "categorical_features" in done.note
    assert dock.verdicts(done)["parity.compiled"] is Verdict.PASS


def test_a_native_model_may_be_asked_for(dock: Dock) -> None:
    dock.runtimes["native"] = _InProcess()
    done = dock.register("plain", prefer_native=True)
    assert dock.bundle(done).manifest.runtime == "native"
    assert "asked to be served natively" in done.note


class _InProcess:
    """Opens stored estimators in this process, to save the start of another."""

    name = "native"

    def load(self, graph: bytes, task: str) -> Any:
        estimator = read_estimator(graph)

        class Running:
            def answer(self, rows: Any) -> Any:
                return estimator.predict_proba(pd.DataFrame(rows, columns=estimator.feature_names_in_))

            def close(self) -> None: ...

        return Running()


def test_budgets_refuse(dock: Dock) -> None:
    with pytest.raises(RegisterRefused, match=r"budget\.size: the model is [\d,]+ bytes; 100 are allowed"):
        dock.register("plain", size_bytes=100)
    with pytest.raises(RegisterRefused, match=r"budget\.latency"):
        dock.register("plain", latency_ms=-1.0)


def test_code_that_gives_other_features_when_served_is_refused(dock: Dock) -> None:
    dock.code = CODE.replace(b"dt.hour()", b"dt.minute()")
    with pytest.raises(
        RegisterRefused, match=r"parity\.features: \d+ of \d+ rows have other features.*'hour'"
    ):
        dock.register("plain")


def test_request_rows_in_another_order_are_found_by_key(dock: Dock) -> None:
    mixed = dock.rows.sample(fraction=1.0, shuffle=True, seed=1)
    assert dock.verdicts(dock.register("plain", raw=mixed)) == ALL_PASS


def test_request_rows_of_another_table_are_refused(dock: Dock) -> None:
    with pytest.raises(StoreError, match="do not match"):
        dock.register("plain", raw=dock.rows.head(100))


def test_infinite_inputs_are_no_golden_rows(dock: Dock) -> None:
    dock.rows = dock.rows.with_columns(
        wind=pl.when(pl.col("id") % 2 == 0).then(float("inf")).otherwise(pl.col("wind"))
    )
    done = dock.register("plain")
    assert dock.verdicts(done) == ALL_PASS
    load_bundle(dock.bench.store, done.first("bundle").id, runtimes=dock.runtimes, verify=dock.signer.verify)


def test_the_scorecard_must_be_the_models_own(dock: Dock) -> None:
    _, _, model = dock.train("delay")
    other = Scorecard(model="x", candidate=model, champion=None, rows=1, blocks=1, scores=(), comparisons=())
    with pytest.raises(ModelRefused, match="another model"):
        dock.register("plain", scorecard=dock.bench.keep(other))


def test_the_compiled_graph_holds_no_names_of_the_project(dock: Dock) -> None:
    manifest = dock.bundle(dock.register("plain")).manifest
    graph = onnx.load_from_string(dock.bench.store.part(manifest.graph))
    assert [item.name for item in graph.graph.input] == ["x"]
    assert all(numpy_helper.to_array(item).dtype.kind in "fi" for item in graph.graph.initializer)


def artifacts(dock: Dock) -> list[Any]:
    return [entry.record for entry in dock.bench.store.ledger.entries() if hasattr(entry.record, "content")]
