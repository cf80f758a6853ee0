"""Which rows are held out: the newest, or the same ones whatever else comes."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from trimtab.atoms.content.content import Part
from trimtab.atoms.content.encoding import ColumnEncoding, Encoding
from trimtab.atoms.content.model import Environment, Model
from trimtab.rows.holdout import blocks, holdout_mask, holdout_start, model_holdout, start_text


def hourly(hours: int, *, start: datetime = datetime(2013, 1, 1, tzinfo=UTC)) -> pl.DataFrame:
    return pl.DataFrame(
        {"id": list(range(hours)), "at": [start + timedelta(hours=hour) for hour in range(hours)]}
    )


def held(frame: pl.DataFrame, share: float = 0.2, **words: object) -> np.ndarray:
    given = {"event_time": "at", "key": "id", "classes": None, **words}
    return holdout_mask(frame, share=share, **given)  # type: ignore[arg-type]


def test_whole_newest_days_are_held_out() -> None:
    frame = hourly(24 * 100)
    mask = held(frame)
    assert frame.filter(mask)["at"].min() == datetime(2013, 3, 22, tzinfo=UTC)
    assert frame.filter(~mask)["at"].max() < frame.filter(mask)["at"].min()
    assert mask.sum() == 24 * 20


def test_at_least_ten_days_where_there_are_thirty() -> None:
    frame = hourly(24 * 40)
    assert frame.filter(held(frame))["at"].dt.date().n_unique() == 10


def test_few_days_are_split_by_rows() -> None:
    frame = hourly(100)
    mask = held(frame)
    assert mask.sum() == 20
    assert mask[-20:].all()


def test_order_of_rows_does_not_matter() -> None:
    frame = hourly(24 * 50)
    mixed = frame.sample(fraction=1.0, shuffle=True, seed=1)
    assert set(frame.filter(held(frame))["id"]) == set(mixed.filter(held(mixed))["id"])


def test_rows_of_one_moment_are_never_divided() -> None:
    frame = pl.DataFrame({"id": range(10), "at": [datetime(2013, 1, 1)] * 9 + [datetime(2013, 1, 1, 1)]})
    assert held(frame).tolist() == [False] * 9 + [True]


def test_rows_of_one_moment_only_are_held_out_by_digest() -> None:
    frame = pl.DataFrame({"id": range(200), "at": [datetime(2013, 1, 1)] * 200})
    assert holdout_start(frame, event_time="at", share=0.2) is None
    assert 15 < held(frame).sum() < 70


def test_dates_and_naive_moments_are_moments() -> None:
    frame = pl.DataFrame(
        {"id": range(60), "at": [datetime(2013, 1, 1) + timedelta(days=d) for d in range(60)]}
    )
    dates = frame.with_columns(pl.col("at").dt.date())
    assert held(frame).sum() == held(dates).sum() == 12


@pytest.mark.parametrize("key", ["id", None])
def test_without_time_a_row_stays_on_its_side_when_others_come(key: str | None) -> None:
    frame = pl.DataFrame({"id": range(1000), "a": [place * 0.5 for place in range(1000)]})
    mask = held(frame, event_time=None, key=key)
    assert 150 < mask.sum() < 250
    half = frame[::2]
    assert held(half, event_time=None, key=key).tolist() == mask[::2].tolist()


def test_equal_rows_without_a_key_keep_their_sides_when_others_come_after_them() -> None:
    frame = pl.DataFrame({"a": [1.5] * 50 + list(range(50))})
    longer = pl.concat([frame, pl.DataFrame({"a": [1.5] * 20 + [7.0] * 20})])
    sides = held(frame, event_time=None, key=None)
    assert 0 < sides[:50].sum() < 50
    assert (held(longer, event_time=None, key=None)[:100] == sides).all()


def test_a_small_class_is_on_both_sides() -> None:
    frame = pl.DataFrame({"id": range(100)})
    for start in range(0, 90, 7):
        classes = pl.Series(["rare" if start <= place < start + 2 else "plenty" for place in range(100)])
        mask = held(frame, event_time=None, classes=classes)
        assert mask[start : start + 2].sum() == 1


@pytest.mark.parametrize("rows", [2, 3, 5])
def test_neither_side_is_empty(rows: int) -> None:
    for share in (0.01, 0.5, 0.99):
        mask = held(pl.DataFrame({"id": range(rows)}), share=share, event_time=None)
        assert 0 < mask.sum() < rows


def model(start: datetime | None, *, key: str | None = None, share: float = 0.2) -> Model:
    feature = ColumnEncoding(name="a", dtype="Float64", role="number")
    return Model(
        name="m",
        task="regression",
        classes=(),
        encoding=Encoding(columns=(feature,)),
        estimator=Part(blob="0", size_bytes=0),
        parameters={},
        seed=0,
        code="",
        files=(),
        environment=Environment(python="", platform="", packages={}),
        rows_train=0,
        rows_holdout=0,
        holdout_from=start_text(start),
        holdout_share=share,
        target="y",
        key=key,
        event_time="at" if start else None,
    )


def test_a_model_finds_its_held_out_rows_again_and_newer_ones() -> None:
    frame = hourly(24 * 60)
    start = holdout_start(frame, event_time="at", share=0.2)
    trained = model(start)
    assert model_holdout(frame, trained).equals(frame.filter(held(frame)))
    longer = hourly(24 * 70)
    assert model_holdout(longer, trained).height == held(frame).sum() + 240


@pytest.mark.parametrize("key", ["id", None])
def test_without_time_too_whatever_other_columns_there_are(key: str | None) -> None:
    frame = pl.DataFrame({"id": range(300), "a": np.arange(300.0), "y": np.arange(300.0) % 7})
    mask = holdout_mask(frame, event_time=None, key=key, share=0.2, classes=None, features=["a"], target="y")
    other = frame.with_row_index("place").with_columns(slice=pl.lit("x"))
    assert model_holdout(other, model(None, key=key))["id"].to_list() == frame.filter(mask)["id"].to_list()


def test_blocks_are_days() -> None:
    codes = blocks(hourly(24 * 12), "at", None)
    assert len(np.unique(codes)) == 12
    assert (np.diff(codes) >= 0).all()


def test_blocks_of_few_days_are_stretches_of_time() -> None:
    frame = hourly(100)
    codes = blocks(frame[::-1], "at", None)
    assert len(np.unique(codes)) == 50
    assert (np.diff(codes) <= 0).all()


def test_blocks_without_time_go_by_the_key() -> None:
    frame = pl.DataFrame({"id": [7, 8, 7, 9], "a": [1, 2, 3, 4]})
    codes = blocks(frame, None, "id")
    assert codes[0] == codes[2]
    assert codes.max() < 50


def test_the_outcome_says_nothing_of_the_side_where_rows_repeat() -> None:
    random = np.random.default_rng(3)
    frame = pl.DataFrame({"x": random.integers(0, 20, 5000), "y": random.integers(0, 2, 5000)})
    given = {"event_time": None, "key": None, "share": 0.2, "classes": frame["y"], "features": ["x"]}
    mask = holdout_mask(frame, target="y", **given)  # type: ignore[arg-type]
    assert 0.17 < mask.mean() < 0.23
    rates = pl.DataFrame({"x": frame["x"], "y": frame["y"], "held": mask})
    by_side = rates.group_by("x", "held").agg(pl.col("y").mean()).pivot("held", index="x", values="y")
    difference = (by_side["true"] - by_side["false"]).abs().mean()
    assert isinstance(difference, float)
    assert difference < 0.15, "what was learnt of a row's twins must hold for the row"
