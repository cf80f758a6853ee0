"""Taking in: what came is gathered and written some thousands at a time, all in one transaction."""

import sqlite3
from array import array
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter

from trimtab.adapters.sqlite_run_index.card import Card, MetricKey, card_of, encode_head
from trimtab.adapters.sqlite_run_index.file_intake import take_files
from trimtab.adapters.sqlite_run_index.merge import merged, tag_rank
from trimtab.adapters.sqlite_run_index.number import Numbers
from trimtab.adapters.sqlite_run_index.point_row import Row, pack_of, point_rank, ranks, value_of
from trimtab.adapters.sqlite_run_index.schema import Kind
from trimtab.atoms.metric_point import decode_points, sole_point
from trimtab.atoms.run import Experiment, LastPoint, LoggedDataset, LoggedModelHead, ModelMetric, RunHead
from trimtab.atoms.run_event import RunEvent
from trimtab.ports.run_index import Tracked

#: What is gathered at most before it is written.
_MOST_POINTS, _MOST_CARDS = 100_000, 1_000
#: The tag of a dataset that says what the run used it for.
_CONTEXT_TAG = "mlflow.data.context"

_CARD = "SELECT head, logged, metrics, stamps FROM card WHERE owner = ?"
_PUT_CARD = "INSERT OR REPLACE INTO card VALUES (?, ?, ?, ?, ?)"
_PUT_RUN = "INSERT OR REPLACE INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_PUT_MODEL = "INSERT OR REPLACE INTO model VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_PUT_EXPERIMENT = "INSERT OR REPLACE INTO experiment VALUES (?, ?, ?, ?, ?, ?)"
_PUT_DATASET = "INSERT OR REPLACE INTO dataset VALUES (?, ?, ?, ?)"
_PUT_PACK = "INSERT INTO points VALUES (?, ?, ?, ?)"
_PUT_PARAMETER = "INSERT OR REPLACE INTO parameter VALUES (?, ?, ?)"
_PUT_TAG = "INSERT OR REPLACE INTO tag VALUES (?, ?, ?)"
_PUT_LAST = "INSERT OR REPLACE INTO last_value VALUES (?, ?, ?)"
_PUT_MEASURED = "INSERT OR REPLACE INTO model_value VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


class Intake:
    """One `take`: give it everything in order, then `settle`."""

    def __init__(self, connection: sqlite3.Connection, numbers: Numbers) -> None:
        self._connection, self._numbers = connection, numbers
        self._cards: dict[int, Card] = {}
        #: Name, owner, value.
        self._parameters: list[tuple[int, int, str]] = []
        self._changed_tags: dict[tuple[int, int], str | None] = {}
        self._owners: list[int] = []
        self._names: list[int] = []
        self._steps, self._at_us, self._values = array("q"), array("q"), array("d")

    def take(self, tracked: Iterable[Tracked]) -> None:
        """Take things in, in their order."""
        for each in tracked:
            if isinstance(each, RunEvent):
                self._event(each)
            elif isinstance(each, RunHead):
                self._run(each)
            elif isinstance(each, LoggedModelHead):
                self._model(each)
            else:
                self._experiment(each)
            if len(self._values) >= _MOST_POINTS or len(self._cards) >= _MOST_CARDS:
                self.settle()

    def settle(self) -> None:
        """Write what was gathered."""
        self._settle_points()
        self._settle_texts()
        rows = [(owner, *card.stored()) for owner, card in self._cards.items()]
        self._connection.executemany(_PUT_CARD, rows)
        self._cards.clear()

    def _run(self, head: RunHead) -> None:
        owner = self._with_head(Kind.RUN, head)
        row = (
            owner, head.id, head.experiment, head.deleted, head.status, head.started_ms, head.ended_ms, head.by,
            head.stage,
        )  # fmt: skip
        self._connection.execute(_PUT_RUN, row)

    def _model(self, head: LoggedModelHead) -> None:
        owner = self._with_head(Kind.MODEL, head)
        row = (
            owner, head.id, head.experiment, head.deleted, head.status, head.name, head.type, head.run,
            head.created_ms, head.updated_ms,
        )  # fmt: skip
        self._connection.execute(_PUT_MODEL, row)

    def _experiment(self, head: Experiment) -> None:
        owner = self._with_head(Kind.EXPERIMENT, head)
        row = (owner, head.id, head.name, head.deleted, head.created_ms, head.updated_ms)
        self._connection.execute(_PUT_EXPERIMENT, row)
        card = self._cards[owner]
        for key in {*card.logged.tags, *head.tags}:
            self._tag(owner, card, key, head.tags.get(key))

    def _with_head(self, kind: Kind, head: RunHead | LoggedModelHead | Experiment) -> int:
        owner = self._numbers.owner(self._connection, kind, head.id)
        body = encode_head(head)
        if owner in self._cards:
            self._cards[owner].head = body
            return owner
        stored = self._connection.execute(_CARD, (owner,)).fetchone()
        card = self._cards[owner] = Card(body) if stored is None else card_of(stored)
        card.head = body
        return owner

    def _card(self, owner: int) -> Card:
        card = self._cards.get(owner)
        if card is None:
            card = self._cards[owner] = card_of(self._connection.execute(_CARD, (owner,)).fetchone())
        return card

    def _event(self, event: RunEvent) -> None:
        found = self._numbers.logging.get(event.owner)
        if found is None:
            found = self._numbers.find_logging(self._connection, event.owner)
            if found is None:
                return
        owner, kind = found
        if event.points:
            if kind is Kind.RUN:
                self._points(owner, event.points)
            if event.points_model or kind is Kind.MODEL:
                self._measured(event, kind)
        if event.parameters or event.tags or event.datasets or event.models_in or event.models_out:
            self._logged(owner, event)
        if event.files or event.removed:
            take_files(self._connection, owner, event)

    def _points(self, owner: int, record: bytes) -> None:
        name, connection = self._numbers.name, self._connection
        sole = sole_point(record)
        if sole is not None:
            metric, step, value, at_us = sole
            self._owners.append(owner)
            self._names.append(name(connection, metric))
            self._steps.append(step)
            self._at_us.append(at_us)
            self._values.append(value)
            return
        points = decode_points(record)
        count = len(points)
        numbers = [name(connection, metric) for metric in points.names]
        self._owners += [owner] * count
        self._names += [numbers[place] for place in points.metrics]
        self._steps.extend(points.steps)
        self._at_us.extend(points.at_us if len(points.at_us) == count else [points.at_us[0]] * count)
        self._values.extend(points.values)

    def _settle_points(self) -> None:
        """Write the points in packs, and what is the last one of each metric of each run."""
        columns = (self._owners, self._names, self._steps, self._at_us, ranks(self._values))
        rows: list[Row] = sorted(zip(*columns, strict=True))
        if not rows:
            return
        self._connection.execute("UPDATE meta SET packs = packs + 1")
        (number,) = self._connection.execute("SELECT packs FROM meta").fetchone()
        packs, changed = [], []
        for (owner, name), group in groupby(rows, key=itemgetter(0, 1)):
            together = list(group)
            packs.append((owner, name, number, pack_of(together)))
            metric = self._numbers.text(self._connection, name)
            last, highest = self._card(owner).last, together[-1]
            known = last.get(metric)
            if known is None or highest[2:] > point_rank(known):
                value = value_of(highest[4])
                last[metric] = LastPoint(value=value, step=highest[2], at_us=highest[3])
                changed.append((name, owner, value))
        self._connection.executemany(_PUT_PACK, packs)
        self._connection.executemany(_PUT_LAST, sorted(changed, key=itemgetter(0, 1)))
        self._owners, self._names = [], []
        self._steps, self._at_us, self._values = array("q"), array("q"), array("d")

    def _settle_texts(self) -> None:
        """Write parameters and tags."""
        self._connection.executemany(_PUT_PARAMETER, sorted(self._parameters))
        tags = sorted((*key, value) for key, value in self._changed_tags.items() if value is not None)
        self._connection.executemany(_PUT_TAG, tags)
        gone = [key for key, value in self._changed_tags.items() if value is None]
        self._connection.executemany("DELETE FROM tag WHERE name = ? AND owner = ?", gone)
        self._parameters, self._changed_tags = [], {}

    def _measured(self, event: RunEvent, kind: Kind) -> None:
        """Points that measure a logged model, as its metrics."""
        run = "" if kind is Kind.MODEL else event.owner
        found = self._numbers.find_logging(self._connection, event.points_model or event.owner)
        if found is None or found[1] is not Kind.MODEL:
            return
        model = found[0]
        measured = self._card(model).measured
        changed: dict[MetricKey, LastPoint] = {}
        for metric, step, value, at_us in decode_points(event.points):
            key = (metric, run, *event.points_dataset)
            point = LastPoint(value=value, step=step, at_us=at_us)
            known = measured.get(key)
            if known is None or point_rank(point) > point_rank(known.last):
                measured[key] = ModelMetric(name=metric, last=point, run=run, dataset=event.points_dataset)
                changed[key] = point
        rows = [
            (
                self._numbers.name(self._connection, metric),
                model,
                run,
                *data,
                last.value,
                last.at_us,
                last.step,
            )
            for (metric, run, *data), last in changed.items()
        ]
        self._connection.executemany(_PUT_MEASURED, rows)

    def _logged(self, owner: int, event: RunEvent) -> None:
        card, at_us = self._card(owner), event.at_us
        logged, stamps = card.logged, card.stamps
        for key, value in event.parameters.items():
            known = stamps.parameters.get(key)
            if known is None or (at_us, value) < (known, logged.parameters[key]):
                stamps.parameters[key], logged.parameters[key] = at_us, value
                self._parameters.append((self._numbers.name(self._connection, key), owner, value))
        for key, tag in event.tags.items():
            known = stamps.tags.get(key)
            if known is None or tag_rank(at_us, tag) > tag_rank(known, logged.tags.get(key)):
                stamps.tags[key] = at_us
                self._tag(owner, card, key, tag)
        if event.datasets:
            logged.datasets, stamps.datasets = merged(logged.datasets, stamps.datasets, event.datasets, at_us)
            asked = {(each.name, each.digest) for each in event.datasets}
            rows = [
                _dataset_row(owner, each) for each in logged.datasets if (each.name, each.digest) in asked
            ]
            self._connection.executemany(_PUT_DATASET, rows)
        if event.models_in:
            logged.models_in, stamps.models_in = merged(
                logged.models_in, stamps.models_in, event.models_in, at_us
            )
        if event.models_out:
            logged.models_out, stamps.models_out = merged(
                logged.models_out, stamps.models_out, event.models_out, at_us
            )

    def _tag(self, owner: int, card: Card, key: str, value: str | None) -> None:
        self._changed_tags[self._numbers.name(self._connection, key), owner] = value
        if value is None:
            card.logged.tags.pop(key, None)
        else:
            card.logged.tags[key] = value


def _dataset_row(owner: int, dataset: LoggedDataset) -> tuple[int, str, str, str | None]:
    return owner, dataset.name, dataset.digest, dataset.tags.get(_CONTEXT_TAG)
