"""A feature table is point in time, in fixed order, and the same by the path that serving takes."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from trimtab.atoms.check import Check, Verdict
from trimtab.atoms.content.content import Part
from trimtab.atoms.content.feature_table import FeatureTable
from trimtab.atoms.content.snapshot import Snapshot, Span
from trimtab.atoms.digest import digest_bytes
from trimtab.atoms.error import UsageError
from trimtab.engine.step import Done
from trimtab.loop.featurize import CARD
from trimtab.loop.featurize.featurize import featurize
from trimtab.loop.featurize.online import materialize_online
from trimtab.rows.column import columns_of
from trimtab.rows.table import read_table, table_bytes
from trimtab.spec.feature import Feature, FeatureView, RequestFeatures
from trimtab.spec.model import ModelSpec
from trimtab.spec.source import Source
from trimtab.testing.workbench import Workbench

START = datetime(2013, 1, 1, tzinfo=UTC)
FLIGHTS = Source("flights", "f.csv", key="id", event_time="at", known_time="known")
WEATHER = Source("weather", "w.csv", key="place", event_time="seen")


def hours(count: float) -> datetime:
    return START + timedelta(hours=count)


def flights(day: int, rows: int = 30) -> pl.DataFrame:
    places = range(day * rows, (day + 1) * rows)
    return pl.DataFrame(
        {
            "id": list(places),
            "at": [hours(24 * day + 0.5 * (place % rows)) for place in places],
            "known": [hours(24 * day + 0.5 * (place % rows)) for place in places],
            "place": [("EWR", "JFK")[place % 2] for place in places],
            "x": [float(place * 7 % 13) for place in places],
            "late": [place * 5 % 11 > 5 for place in places],
        }
    )


def weather(count: int = 48) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "place": ["EWR", "JFK"] * count,
            "seen": [hours(place // 2) for place in range(2 * count)],
            "wind": [float(place) for place in range(2 * count)],
            "sky": [("clear", None)[place % 2] for place in range(2 * count)],
        }
    )


SKY = FeatureView("sky_view", WEATHER, "place", lambda rows: rows, max_age="3h")
HOUR = RequestFeatures("hour", lambda rows: rows.with_columns(hour=pl.col("at").dt.hour()))


def spec(features: Sequence[Feature] = (HOUR, SKY), **changed: Any) -> ModelSpec:
    fields: dict[str, Any] = {"slices": ("place",), "rows": FLIGHTS, "target": "late", **changed}
    return ModelSpec(name="late", fit=lambda train, trial: None, features=tuple(features), **fields)


class Hangar:
    """Snapshots made by hand, and the stage run over them."""

    def __init__(self) -> None:
        self.bench = Workbench()
        self.done: Done | None = None

    def snapshot(self, source: Source, spans: dict[str, pl.DataFrame]) -> str:
        kept = []
        for name, rows in spans.items():
            content = table_bytes(rows)
            self.bench.store.blobs.put(content)
            part = Part(blob=digest_bytes(content), size_bytes=len(content))
            kept.append(Span(name=name, rows=rows.height, table=part))
        return self.bench.keep(
            Snapshot(
                source=source.name,
                columns=columns_of(next(iter(spans.values()))),
                spans=tuple(kept),
                key=source.key,
                event_time=source.event_time,
                known_time=source.known_time,
            )
        )

    def featurize(
        self,
        model: ModelSpec | None = None,
        days: Sequence[pl.DataFrame] | None = None,
        sky: pl.DataFrame | None = None,
        **given: Any,
    ) -> tuple[FeatureTable, pl.DataFrame]:
        model = model or spec()
        spans = {f"2013-01-0{day + 1}": rows for day, rows in enumerate(days or [flights(0), flights(1)])}
        rows_id = self.snapshot(model.rows, spans)
        views = {"sky_view": self.snapshot(WEATHER, {"all": weather() if sky is None else sky})}
        self.done = self.bench.run(
            CARD,
            "materialize",
            lambda work: featurize(work, model, rows_id, views, list(spans), **given),
            [rows_id, *views.values()],
        )
        table = self.bench.store.read(self.done.first("feature-table").id, FeatureTable)
        parts = [read_table(self.bench.store.part(span.table)) for span in table.spans]
        return table, pl.concat(parts)

    def online(self, values: pl.DataFrame, since: datetime | None = None) -> str:
        snapshot = self.snapshot(WEATHER, {"all": values})
        since_us = None if since is None else int(since.timestamp() * 1e6)
        done = self.bench.run(
            CARD, "materialize", lambda work: materialize_online(work, SKY, snapshot, since_us), [snapshot]
        )
        return done.note

    def check(self, rule: str) -> Check:
        assert self.done is not None
        return next(check for check in self.done.checks if check.name == rule)


@pytest.fixture
def hangar() -> Hangar:
    return Hangar()


def test_a_table_has_key_time_features_and_target_in_order(hangar: Hangar) -> None:
    table, frame = hangar.featurize(code="abc")
    assert [column.name for column in table.features] == ["place", "x", "hour", "wind", "sky"]
    assert frame.columns == ["id", "at", "place", "x", "hour", "wind", "sky", "late"]
    assert (table.key, table.event_time, table.target, table.code) == ("id", "at", "late", "abc")
    assert [(span.name, span.rows) for span in table.spans] == [("2013-01-01", 30), ("2013-01-02", 30)]
    assert table.spans[0].first == "2013-01-01T00:00:00.000000Z"
    first = frame.filter(pl.col("id") == 5).row(0, named=True)
    assert (first["at"], first["place"], first["wind"]) == (hours(2.5), "JFK", 5.0)


def test_values_that_are_too_old_are_missing(hangar: Hangar) -> None:
    _, frame = hangar.featurize(sky=weather(2))
    assert frame["wind"].is_not_null().to_list() == [
        row["at"] <= hours(4) for row in frame.iter_rows(named=True)
    ]


def test_slices_that_are_no_features_are_kept_beside_them(hangar: Hangar) -> None:
    drops = RequestFeatures("drops", lambda rows: rows.select("x"))
    table, frame = hangar.featurize(spec([drops], slices=("place", "known")))
    assert [column.name for column in table.features] == ["x"]
    assert frame.columns == ["id", "at", "x", "place", "known", "late"]


def test_rows_without_a_target_are_dropped_and_counted(hangar: Hangar) -> None:
    gone = flights(1).with_columns(late=pl.lit(None, pl.Boolean))
    some = flights(0).with_columns(late=pl.when(pl.col("id") > 3).then("late"))
    table, frame = hangar.featurize(days=[some, gone])
    assert [(span.name, span.rows) for span in table.spans] == [("2013-01-01", 26)]
    assert frame.height == 26
    assert hangar.done is not None
    assert "34 rows without late left out" in hangar.done.note
    with pytest.raises(UsageError, match="no row of the chosen spans has a value in 'late'"):
        hangar.featurize(days=[gone])


def test_the_same_inputs_make_the_same_table_and_spans_share_blobs() -> None:
    one, other = Hangar(), Hangar()
    table, _ = one.featurize()
    assert other.featurize()[0] == table
    longer, _ = one.featurize(days=[flights(0), flights(1), flights(2)])
    assert longer.spans[:2] == table.spans


def test_serving_has_the_same_features(hangar: Hangar) -> None:
    hangar.featurize()
    assert hangar.check("features.parity").verdict is Verdict.UNSURE
    assert "nothing of sky_view is online" in hangar.check("features.parity").says
    assert hangar.online(weather()) == "96 values of sky_view online"
    assert hangar.online(weather(), since=hours(47)) == "2 values of sky_view online"
    hangar.featurize()
    check = hangar.check("features.parity")
    assert (check.verdict, check.reading.value, check.reading.n) == (Verdict.PASS, 0.0, 60)


def test_rows_newer_than_what_is_online_are_not_compared(hangar: Hangar) -> None:
    hangar.online(weather(2))
    hangar.featurize()
    check = hangar.check("features.parity")
    assert (check.verdict, check.reading.n) == (Verdict.PASS, 3)


def test_other_values_online_fail_parity(hangar: Hangar) -> None:
    hangar.online(weather().with_columns(wind=pl.col("wind") + 1))
    hangar.featurize()
    check = hangar.check("features.parity")
    assert check.verdict is Verdict.FAIL
    assert "60 of 60 rows have other features when served, mostly 'wind'" in check.says


def test_features_that_look_at_other_rows_fail_parity(hangar: Hangar) -> None:
    """Row order does not matter to a mean, yet a request alone has another one."""
    mean = RequestFeatures("mean", lambda rows: rows.with_columns(mean=pl.col("x") - pl.col("x").mean()))
    hangar.featurize(spec([mean]))
    assert hangar.check("features.parity").verdict is Verdict.FAIL
    assert "'mean'" in hangar.check("features.parity").says
    hangar.featurize(spec([HOUR]))
    assert hangar.check("features.parity").verdict is Verdict.PASS


LEAKS: dict[str, tuple[Callable[[], pl.Expr], Verdict]] = {
    "the target as text": (lambda: pl.col("late").cast(pl.String), Verdict.FAIL),
    "the target turned round": (lambda: (~pl.col("late")).cast(pl.Int64), Verdict.FAIL),
    "a number that parts the classes": (lambda: pl.col("late") * 100 + pl.col("x"), Verdict.UNSURE),
    "a hint": (lambda: pl.col("late") * 8 + pl.col("x"), Verdict.PASS),
    "a constant": (lambda: pl.lit(1), Verdict.PASS),
}


@pytest.mark.parametrize(("leak", "verdict"), LEAKS.values(), ids=LEAKS)
def test_a_feature_that_is_the_target_fails(
    hangar: Hangar, leak: Callable[[], pl.Expr], verdict: Verdict
) -> None:
    days = [flights(day).with_columns(leak=leak()) for day in range(2)]
    hangar.featurize(spec([]), days)
    check = hangar.check("features.leakage")
    assert check.verdict is verdict
    assert check.about == ("" if verdict is Verdict.PASS else "leak")


def test_a_number_that_orders_rows_like_the_target_fails(hangar: Hangar) -> None:
    days = [
        flights(day, 60).with_columns(late=pl.col("id") * 1.8 + 32, leak=pl.col("id") * 2.0)
        for day in range(2)
    ]
    hangar.featurize(spec([]), days)
    assert (hangar.check("features.leakage").verdict, hangar.check("features.leakage").about) == (
        Verdict.FAIL,
        "leak",
    )


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (spec(target="gone"), "target='gone' is no column of 'flights'; there are id, at"),
        (spec(slices=("gone",)), "slice 'gone' is no column"),
        (
            spec([RequestFeatures("cheat", lambda rows: rows.with_columns(y=pl.col("late")))]),
            "request features 'cheat' failed: ColumnNotFoundError",
        ),
        (spec([RequestFeatures("drops", lambda rows: rows.select("at"))]), "there is no feature"),
        (
            spec([RequestFeatures("own", lambda rows: rows.with_columns(wind=1)), SKY]),
            "feature view 'sky_view': the rows have a column 'wind' too",
        ),
        (
            spec([FeatureView("other", WEATHER, "place", lambda rows: rows)]),
            "'other': 'weather' has no snapshot",
        ),
    ],
)
def test_what_does_not_fit_is_named(hangar: Hangar, model: ModelSpec, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        hangar.featurize(model)


def test_functions_of_a_bundle_may_stand_in(hangar: Hangar) -> None:
    other = RequestFeatures("hour", lambda rows: rows.with_columns(hour=pl.lit(7)))
    _, frame = hangar.featurize(functions=[other])
    assert frame["hour"].unique().to_list() == [7]
