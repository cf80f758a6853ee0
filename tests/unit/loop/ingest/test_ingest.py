"""A source's files become spans: each row once, unchanged spans shared, what is late or double counted."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trimtab.atoms.check import Check, Verdict
from trimtab.atoms.content.snapshot import Snapshot
from trimtab.atoms.error import UsageError
from trimtab.loop.ingest import CARD
from trimtab.loop.ingest.ingest import fingerprint, ingest
from trimtab.rows.table import read_table
from trimtab.spec.source import Source
from trimtab.testing.workbench import Workbench

DATED = Source("sales", "*.csv", key="id", event_time="at")
KEYED = Source("shops", "*.csv", key="id")
PLAIN = Source("notes", "*.csv")


class Shop:
    """A source in a folder, ingested again and again."""

    def __init__(self, source: Source, folder: Path) -> None:
        self.source, self.folder, self.bench = source, folder, Workbench()
        self.newest: str | None = None
        self.checks: dict[str, Check] = {}
        self.note = ""

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def ingest(self) -> Snapshot:
        files = sorted(self.folder.glob("*.csv"))
        took = [self.newest] if self.newest else []
        done = self.bench.run(
            CARD, "ingest", lambda work: ingest(work, self.source, files, self.newest), took
        )
        self.newest = done.first("snapshot").id
        self.checks = {check.name: check for check in done.checks}
        self.note = done.note
        return self.bench.store.read(self.newest, Snapshot)

    def rows(self, snapshot: Snapshot, span: str) -> pl.DataFrame:
        held = next(each for each in snapshot.spans if each.name == span)
        return read_table(self.bench.store.part(held.table))


def test_rows_are_cut_by_day_in_order_of_time(tmp_path: Path) -> None:
    shop = Shop(DATED, tmp_path)
    shop.write("a.csv", "id,at,x\n3,2013-01-02T09:00:00Z,c\n2,2013-01-01T23:59:59Z,b\n1,2013-01-01,a\n")
    snapshot = shop.ingest()
    assert [(span.name, span.rows) for span in snapshot.spans] == [("2013-01-01", 2), ("2013-01-02", 1)]
    assert shop.rows(snapshot, "2013-01-01")["id"].to_list() == [1, 2]
    assert snapshot.spans[0].first == "2013-01-01T00:00:00.000000Z"
    assert snapshot.spans[0].last == "2013-01-01T23:59:59.000000Z"
    assert (snapshot.columns[0].name, snapshot.columns[0].dtype) == ("id", "Int64")
    assert snapshot.files == fingerprint([tmp_path / "a.csv"])
    assert {name: check.verdict for name, check in shop.checks.items()} == {
        "ingest.duplicates": Verdict.PASS,
        "ingest.freshness": Verdict.PASS,
    }


@pytest.mark.parametrize(
    ("span", "names"), [("1mo", ["2012-12", "2013-01"]), ("1w", ["2012-W52", "2013-W01"])]
)
def test_spans_may_be_weeks_and_months(tmp_path: Path, span: str, names: list[str]) -> None:
    shop = Shop(Source("s", "*.csv", event_time="at", span=span), tmp_path)
    shop.write("a.csv", "at\n2012-12-30\n2013-01-01\n2013-01-02\n")
    assert [each.name for each in shop.ingest().spans] == names


def test_new_files_leave_old_spans_as_they_are(tmp_path: Path) -> None:
    shop = Shop(DATED, tmp_path)
    shop.write("a.csv", "id,at\n1,2013-01-01\n2,2013-01-02\n")
    first = shop.ingest()
    shop.write("b.csv", "id,at\n3,2013-01-02T12:00:00Z\n4,2013-01-03\n")
    second = shop.ingest()
    assert second.spans[0] == first.spans[0]
    assert [span.rows for span in second.spans] == [1, 2, 1]
    assert shop.checks["ingest.freshness"].reading.n == 2
    assert "2 new rows, 1 new spans of 3" in shop.note


def test_the_same_files_make_the_same_snapshot(tmp_path: Path) -> None:
    shop = Shop(DATED, tmp_path)
    shop.write("a.csv", "id,at\n1,2013-01-01\n2,2013-01-02\n")
    first = shop.ingest(), shop.newest
    again = Shop(DATED, tmp_path)
    assert (again.ingest(), again.newest) == first
    shop.ingest()
    assert shop.newest == first[1]
    assert shop.checks["ingest.freshness"].verdict is Verdict.UNSURE


def test_a_row_that_was_there_is_dropped_and_counted(tmp_path: Path) -> None:
    """Within the files and against earlier ones; the first stays, also where the new file sorts first."""
    shop = Shop(DATED, tmp_path)
    shop.write("b.csv", "id,at,x\n1,2013-01-01,first\n1,2013-01-01,second\n,2013-01-01,u\n,2013-01-01,v\n")
    snapshot = shop.ingest()
    assert sorted(shop.rows(snapshot, "2013-01-01")["x"]) == ["first", "u", "v"]
    assert snapshot.spans[0].duplicates == 1
    assert shop.checks["ingest.duplicates"].verdict is Verdict.FAIL
    assert shop.checks["ingest.duplicates"].reading.value == 0.25
    shop.write("a.csv", "id,at,x\n1,2013-01-01,third\n2,2013-01-01,new\n")
    snapshot = shop.ingest()
    assert sorted(shop.rows(snapshot, "2013-01-01")["x"]) == ["first", "new", "u", "v"]
    assert snapshot.spans[0].duplicates == 2


def test_a_key_has_one_row_a_moment(tmp_path: Path) -> None:
    """With an event time a key names what a row speaks of: an airport has weather every hour."""
    shop = Shop(DATED, tmp_path)
    shop.write("a.csv", "id,at\n1,2013-01-01T01:00:00Z\n1,2013-01-01T02:00:00Z\n")
    assert shop.ingest().spans[0].rows == 2


def test_late_rows_are_counted_in_the_span_they_came_late_for(tmp_path: Path) -> None:
    shop = Shop(DATED, tmp_path)
    shop.write("a.csv", "id,at\n1,2013-01-01\n2,2013-01-02\n")
    shop.ingest()
    shop.write("b.csv", "id,at\n3,2013-01-01T10:00:00Z\n4,2013-01-02T10:00:00Z\n5,2012-12-31\n")
    assert [(span.name, span.late) for span in shop.ingest().spans] == [
        ("2012-12-31", 0),
        ("2013-01-01", 1),
        ("2013-01-02", 0),
    ]
    assert "1 rows came late" in shop.note
    shop.write("a.csv", "id,at\n1,2013-01-01\n6,2013-01-01\n2,2013-01-02\n")
    assert [span.late for span in shop.ingest().spans] == [0, 2, 0]


def test_a_changed_file_replaces_its_rows(tmp_path: Path) -> None:
    shop = Shop(DATED, tmp_path)
    shop.write("a.csv", "id,at,x\n1,2013-01-01,old\n2,2013-01-02,stays\n")
    first = shop.ingest()
    shop.write("a.csv", "id,at,x\n1,2013-01-01,new\n2,2013-01-02,stays\n")
    second = shop.ingest()
    assert shop.rows(second, "2013-01-01")["x"].to_list() == ["new"]
    assert second.spans[1] == first.spans[1]
    shop.write("Z.csv", "id,at,x\n1,2013-01-01,newcomer\n")  # sorts before a.csv
    shop.write("a.csv", "id,at,x\n1,2013-01-01,newer\n2,2013-01-02,stays\n")
    assert shop.rows(shop.ingest(), "2013-01-01")["x"].to_list() == ["newer"]
    (tmp_path / "a.csv").unlink()
    (tmp_path / "Z.csv").unlink()
    shop.write("b.csv", "id,at,x\n9,2013-01-09,y\n")
    assert [span.name for span in shop.ingest().spans] == ["2013-01-09"]


@pytest.mark.parametrize("source", [KEYED, PLAIN], ids=["key", "no key"])
def test_without_an_event_time_each_ingest_with_new_rows_is_a_span(tmp_path: Path, source: Source) -> None:
    shop = Shop(source, tmp_path)
    shop.write("a.csv", "id,x\n1,a\n2,b\n")
    assert [(span.name, span.rows) for span in shop.ingest().spans] == [("0001", 2)]
    shop.write("a.csv", "id,x\n1,a\n2,b\n3,c\n")  # the same file, longer
    second = shop.ingest()
    assert [(span.name, span.rows) for span in second.spans] == [("0001", 2), ("0002", 1)]
    shop.write("b.csv", "id,x\n4,d\n")
    third = shop.ingest()
    assert third.spans[:2] == second.spans
    assert shop.rows(third, "0003")["id"].to_list() == [4]


def test_without_a_key_equal_rows_are_two(tmp_path: Path) -> None:
    shop = Shop(PLAIN, tmp_path)
    shop.write("a.csv", "id,x\n1,a\n1,a\n1,\n1,\n")
    snapshot = shop.ingest()
    assert snapshot.spans[0].rows == 4
    assert shop.checks["ingest.duplicates"].verdict is Verdict.UNSURE
    shop.write("b.csv", "id,x\n1,a\n")
    assert [span.rows for span in shop.ingest().spans] == [4, 1]


def test_a_new_column_or_wider_type_takes_all_rows_along(tmp_path: Path) -> None:
    shop = Shop(DATED, tmp_path)
    shop.write("a.csv", "id,at,x\n1,2013-01-01,1\n")
    shop.ingest()
    shop.write("b.csv", "id,at,x,y\n2,2013-01-02,1.5,u\n")
    snapshot = shop.ingest()
    assert [column.dtype for column in snapshot.columns[2:]] == ["Float64", "String"]
    assert shop.rows(snapshot, "2013-01-01")["x"].to_list() == [1.0]
    shop.write("c.csv", "at,id\n2013-01-03,3\n")  # fewer columns, in another order
    assert shop.rows(shop.ingest(), "2013-01-03").row(0)[2:] == (None, None)


def test_rows_without_an_event_time_are_left_out_and_said(tmp_path: Path) -> None:
    shop = Shop(DATED, tmp_path)
    shop.write("a.csv", "id,at\n1,2013-01-01\n2,\n")
    assert [span.rows for span in shop.ingest().spans] == [1]
    assert "1 rows without an event time left out" in shop.note


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,when\n1,2013-01-01\n", r"event_time='at' is no column of \*.csv; there are id, when"),
        ("key,at\n1,2013-01-01\n", "key='id' is no column"),
        ("id,at\n1,2013-01-01\n2,soon\n", "column 'at' holds moments, but row 2 has 'soon'"),
        ("id,at\n1,\n", "no row has a value in the event time column 'at'"),
    ],
)
def test_what_does_not_fit_the_declaration_is_named(tmp_path: Path, text: str, said: str) -> None:
    shop = Shop(DATED, tmp_path)
    shop.write("a.csv", text)
    with pytest.raises(UsageError, match=f"source 'sales': .*{said}"):
        shop.ingest()


def test_files_are_known_by_their_place_and_bytes(tmp_path: Path) -> None:
    (tmp_path / "jan").mkdir()
    (tmp_path / "feb").mkdir()
    for name in ("jan/a.csv", "feb/a.csv"):
        (tmp_path / name).write_text(name)
    prints = fingerprint([tmp_path / "jan/a.csv", tmp_path / "feb/a.csv"])
    assert list(prints) == ["jan/a.csv", "feb/a.csv"]
    assert len(set(prints.values())) == 2
    with pytest.raises(UsageError, match="does not exist"):
        fingerprint([tmp_path / "gone.csv"])
    with pytest.raises(UsageError, match="is a folder"):
        fingerprint([tmp_path / "jan"])


MOMENTS = st.integers(0, 100).map(lambda hours: datetime(2013, 1, 1, tzinfo=UTC) + timedelta(hours=hours))
FILES = st.lists(
    st.lists(st.tuples(st.integers(0, 9), MOMENTS), min_size=1, max_size=6), min_size=1, max_size=4
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FILES)
def test_file_by_file_is_all_at_once(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[tuple[int, datetime]]]
) -> None:
    """However the files arrive, the spans hold the same rows in the same blobs."""
    folder = tmp_path_factory.mktemp("files")
    one_by_one = Shop(DATED, folder)
    for place, rows in enumerate(files):
        lines = [f"{key},{at.isoformat()}" for key, at in rows]
        one_by_one.write(f"{place}.csv", "\n".join(["id,at", *lines, ""]))
        snapshot = one_by_one.ingest()
    at_once = Shop(DATED, folder).ingest()
    assert [(span.name, span.rows, span.table, span.duplicates) for span in snapshot.spans] == [
        (span.name, span.rows, span.table, span.duplicates) for span in at_once.spans
    ]
    assert sum(span.rows for span in at_once.spans) == len({row for rows in files for row in rows})
