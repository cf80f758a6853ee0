"""A window holds what was served between two moments, each row once, with its outcome."""

import json
import time
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from trimtab.atoms.content.window import Window
from trimtab.loop.monitor import CARD
from trimtab.loop.monitor.record import OutcomeBook, read_predictions
from trimtab.loop.monitor.seal import seal
from trimtab.rows.served_row import answer_matrix, answered, truth_codes, truth_values
from trimtab.rows.table import read_table
from trimtab.testing.workbench import Workbench

DAY = datetime(2013, 3, 5, tzinfo=UTC)


def _record(name, *, at="2013-03-05T12:00:00.000000Z", answers=([0.3, 0.7],), **fields):
    record = {
        "id": name,
        "at": at,
        "bundle": "b" * 64,
        "version": 1,
        "role": "champion",
        "inputs": {"flight": [f"{name}-{row}" for row in range(len(answers or [0]))]},
        "features": {"x": [1.5] * len(answers or [0])},
        "answers": None if answers is None else list(answers),
        "error": None,
        "latency_ms": 2.0,
        "fell_back": False,
    }
    return json.dumps(record | fields).encode()


def _seal(records, outcomes=(), *, key=None, event_time=None):
    bench = Workbench()
    done = bench.run(
        CARD,
        "monitor",
        lambda work: seal(
            work,
            model="toy",
            records=records,
            outcomes=outcomes,
            first=DAY,
            last=DAY + timedelta(days=1),
            span="2013-03-05",
            key=key,
            event_time=event_time,
        ),
    )
    window = bench.store.read(done.first("window").id, Window)
    return window, read_table(bench.store.part(window.table))


def test_rows_join_their_outcomes_by_request_and_row():
    """The later outcome of a row wins; a row without one has none."""
    outcomes = [
        {"id": "r1", "row": 1, "truth": 0},
        {"id": "r1", "row": 1, "truth": 1},
        {"id": "other", "row": 0, "truth": 1},
    ]
    window, frame = _seal(
        [_record("r1", answers=([0.3, 0.7], [0.4, 0.6]))], [json.dumps(o).encode() for o in outcomes]
    )
    assert frame.get_column("truth").to_list() == [None, "1"]
    assert (window.rows, window.outcomes) == (2, 1)
    assert answer_matrix(frame, 2).tolist() == [[0.3, 0.7], [0.4, 0.6]]


def test_rows_join_their_outcomes_by_key():
    """A key names a row whatever request it came in; numbers and texts of it are one."""
    records = [_record("r1", inputs={"flight": [17]}), _record("r2", inputs={"flight": [18.0]})]
    outcomes = [b'{"id": null, "key": "17", "truth": "late"}', b'{"id": null, "key": 18, "truth": "early"}']
    _, frame = _seal(records, outcomes, key="flight")
    assert frame.sort("request_id").get_column("truth").to_list() == ["late", "early"]


@pytest.mark.parametrize("named_last", [True, False])
def test_of_an_outcome_by_row_and_one_by_key_the_later_counts(named_last):
    """A correction may name the row in another way than the first report."""
    outcomes = [b'{"id": "r1", "row": 0, "truth": "by row"}', b'{"key": 17, "truth": "by key"}']
    ordered = outcomes if named_last else outcomes[::-1]
    _, frame = _seal([_record("r1", inputs={"flight": [17]})], ordered, key="flight")
    assert frame.get_column("truth").to_list() == ["by key" if named_last else "by row"]


def test_a_request_counts_once_and_the_first_record_wins():
    """A log that was written twice after a crash gives the same window."""
    twice = [_record("r1"), _record("r2"), _record("r1", answers=([0.9, 0.1],))]
    window, frame = _seal(twice)
    assert window.rows == 2
    assert frame.filter(pl.col("request_id") == "r1").get_column("p1").to_list() == [0.7]


def test_event_time_places_a_row_in_its_window():
    """Rows belong to the moment that they speak of, not to that of the question; the end is excluded."""
    records = [
        _record("in", at="2013-03-01T00:00:00Z", inputs={"t": ["2013-03-05T00:00:00Z"]}),
        _record("out", inputs={"t": ["2013-03-06T00:00:00.000000Z"]}),
        _record("naive", at="2013-03-01T00:00:00Z", inputs={"t": ["2013-03-05"]}),
        _record("without", inputs={"t": [None]}),
    ]
    _, frame = _seal(records, event_time="t")
    assert set(frame.get_column("request_id")) == {"in", "naive", "without"}


def test_roles_are_kept_apart_and_a_fallen_back_answer_counts_once():
    """The canary failed and the champion answered: one row was answered, and the canary has an error."""
    records = [
        _record("r1", bundle="c" * 64, version=2, role="canary", answers=None, error="boom"),
        _record("r1", fell_back=True),
        _record("r1", bundle="c" * 64, version=2, role="shadow"),
    ]
    window, frame = _seal(records)
    assert window.rows == 1
    assert answered(frame).get_column("fell_back").to_list() == [True]
    served = {served.role: served for served in window.served}
    assert (served["canary"].requests, served["canary"].errors, served["canary"].latency_ms_p50) == (
        1,
        1,
        None,
    )
    assert (served["champion"].errors, served["champion"].latency_ms_p50) == (0, 2.0)
    assert set(served) == {"champion", "canary", "shadow"}


def test_columns_of_several_layouts_and_types_go_together():
    """Bundles with other features, whole numbers among fractions, a feature called like a column of ours."""
    records = [
        _record("r1", features={"x": [1], "role": ["pilot"]}),
        _record("r2", features={"x": [2.5]}),
        _record("r3", features={"x": [None], "z": [True]}, answers=([0.2, 0.3, 0.5],)),
    ]
    _, frame = _seal(records)
    rows = frame.sort("request_id")
    assert rows.get_column("feature.x").to_list() == [1.0, 2.5, None]
    assert rows.get_column("feature.role").to_list() == ["pilot", None, None]
    assert rows.get_column("role").unique().to_list() == ["champion"]
    assert rows.get_column("p2").to_list() == [None, None, 0.5]


def test_an_empty_window_is_a_window():
    """Nothing was asked: no row, all columns, nobody served."""
    window, frame = _seal([])
    assert (window.rows, window.outcomes, window.served) == (0, 0, ())
    assert "truth" in frame.columns
    assert answer_matrix(frame, 2).shape == (0, 2)


def test_a_regression_has_a_value():
    """One number a row."""
    _, frame = _seal([_record("r1", answers=[4, 2.5])], [b'{"id": "r1", "row": 1, "truth": 3}'])
    assert answer_matrix(frame, 0).tolist() == [4.0, 2.5]
    assert truth_values(frame.get_column("truth"))[1] == 3.0


@pytest.mark.parametrize(
    ("classes", "texts", "codes"),
    [
        ((0, 1), ["1", "true", "0", "7", None], [1, 1, 0, -1, -1]),
        ((False, True), ["true", "1", "True", "false"], [1, 1, 1, 0]),
        (("no", "yes"), ["yes", "no", "1"], [1, 0, -1]),
        ((1, 2, 3), ["3", "1"], [2, 0]),
    ],
)
def test_outcomes_find_their_class(classes, texts, codes):
    """A caller reports 1, true or "yes": the class it means is found, and an unknown label is none."""
    assert truth_codes(pl.Series(texts), classes).tolist() == codes


def test_a_day_of_a_thousand_requests_is_sealed_quickly():
    """A thousand requests of 20 features, from their bytes, in well under a second."""
    features = {f"f{place}": [place * 1.5] for place in range(20)}
    records = [_record(f"r{place}", features=features) for place in range(1000)]
    outcomes = OutcomeBook(
        json.dumps({"id": f"r{place}", "row": 0, "truth": 1}).encode() for place in range(1000)
    )
    bench = Workbench()
    best = min(_seconds(bench, records, outcomes) for _ in range(3))
    assert best < 0.5, f"{best * 1000:.0f} ms"


def _seconds(bench, records, outcomes):
    start = time.perf_counter()
    bench.run(
        CARD,
        "monitor",
        lambda work: seal(
            work,
            model="toy",
            records=records,
            outcomes=outcomes,
            first=DAY,
            last=DAY + timedelta(days=1),
            span="a day",
            key=None,
            event_time=None,
        ),
    )
    return time.perf_counter() - start


def test_records_may_be_read_before():
    """The assembly reads the log once and gives the same records to several windows."""
    records = read_predictions([_record("r1"), _record("r1")])
    assert len(records) == 1
    window, _ = _seal(records)
    assert window.rows == 1
