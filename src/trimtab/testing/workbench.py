"""A workbench: an empty store with an engine, and the things that a stage starts from, made by hand."""

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from trimtab.atoms.content.bundle import Bundle, Manifest, Parity
from trimtab.atoms.content.content import Content
from trimtab.atoms.content.encoding import Encoding
from trimtab.atoms.content.feature_table import FeatureTable
from trimtab.atoms.content.model import Environment, Model, SourceFile
from trimtab.atoms.content.snapshot import Column, Span
from trimtab.engine.card import Card
from trimtab.engine.engine import Engine
from trimtab.engine.step import Done, Step
from trimtab.engine.store import Store
from trimtab.engine.work import Work
from trimtab.rows.encoding import learn_encoding
from trimtab.rows.table import table_bytes
from trimtab.testing.memory_store import memory_store
from trimtab.testing.storyteller import Storyteller

_NOWHERE = Environment(python="3.11", platform="workbench", packages={})


class Workbench:
    """Keeps content without its history, and runs steps as the engine does.

    >>> bench = Workbench()
    >>> bench.model("toy", pl.DataFrame({"x": [1.0]}), ["x"])[:0]
    ''
    """

    def __init__(self, store: Store | None = None) -> None:
        self.store = store or memory_store()
        self.engine = Engine(self.store)
        self._tell = Storyteller(self.store, self.store.now())
        self._runs = 0

    def keep(self, content: Content) -> str:
        """The id of an artifact with this content."""
        artifact = self._tell.thing(content)
        self._tell.tell("engine", "keep", "workbench", made=[artifact])
        return artifact.id

    def run(self, card: Card, kind: str, function: Callable[[Work], Any], took: Sequence[str] = ()) -> Done:
        """Run a function as a step of a stage, by a person, as one that nobody did before."""
        self._runs += 1
        step = Step(
            card=card,
            kind=kind,
            subject="workbench",
            by="person:test",
            took=tuple(took),
            parameters={"run": self._runs},
        )
        return self.engine.run(step, function)

    def table(
        self,
        model: str,
        frame: pl.DataFrame,
        features: Sequence[str],
        *,
        target: str = "y",
        key: str | None = None,
        event_time: str | None = None,
        slices: Sequence[str] = (),
    ) -> str:
        """A feature table of one span."""
        part = self._tell.part(table_bytes(frame))
        return self.keep(
            FeatureTable(
                model=model,
                spans=(Span(name="all", rows=frame.height, table=part),),
                features=tuple(Column(name=name, dtype=str(frame.schema[name])) for name in features),
                target=target,
                key=key,
                event_time=event_time,
                slices=tuple(slices),
            )
        )

    def model(
        self,
        name: str,
        frame: pl.DataFrame,
        features: Sequence[str],
        *,
        task: str = "classification",
        classes: Sequence[Any] = (0, 1),
        holdout_from: str | None = None,
        seed: int = 0,
    ) -> str:
        """A trained model, whose estimator is a name only."""
        return self.keep(
            Model(
                name=name,
                task=task,
                classes=tuple(classes),
                encoding=learn_encoding(frame, tuple(features)),
                estimator=self._tell.part(f"estimator {seed}".encode()),
                parameters={},
                seed=seed,
                code="",
                files=(),
                environment=_NOWHERE,
                rows_train=frame.height,
                rows_holdout=0,
                holdout_from=holdout_from,
            )
        )

    def bundle(
        self,
        name: str,
        trained: str,
        encoding: Encoding,
        *,
        task: str = "classification",
        classes: Sequence[Any] = (0, 1),
        key: str | None = None,
        event_time: str | None = None,
        held_out: pl.DataFrame | None = None,
    ) -> str:
        """An unsigned bundle without a graph.

        Args:
            held_out: Answer columns, `truth` and `event_time`.
        """
        nothing = self._tell.part(b"")
        manifest = Manifest(
            model=name,
            trained=trained,
            task=task,
            classes=tuple(classes),
            target="y",
            runtime="onnx",
            graph=nothing,
            encoding=encoding,
            inputs=(),
            request_features=(),
            views=(),
            slices=(),
            key=key,
            event_time=event_time,
            code="",
            files=(SourceFile(module="project", text=nothing),),
            environment=_NOWHERE,
            parity=Parity(rows=0, differing=0, largest_difference=0.0, tolerance=0.0),
            golden=nothing,
            holdout_answers=None if held_out is None else self._tell.part(table_bytes(held_out)),
        )
        return self.keep(Bundle(manifest=manifest, signature="", key_id=""))
