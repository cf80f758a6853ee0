"""What every run index must do. Subclass each class in a test module that has the fixture `make`.

`make()` opens an index that is empty at first, and the same one again when called again. What it keeps and how it
searches have suites of their own: `run_thing_suite` and `run_search_suite`.
"""

import threading
from collections.abc import Callable, Sequence

import pytest

from trimtab.atoms.error import StoreError
from trimtab.atoms.metric_point import Points, encode_points
from trimtab.atoms.run import (
    Experiment,
    LastPoint,
    LoggedDataset,
    LoggedFile,
    LoggedModelHead,
    ModelLink,
    RunHead,
    RunStatus,
)
from trimtab.atoms.run_event import RunEvent
from trimtab.ports.run_index import Position, RunIndex, Tracked
from trimtab.ports.streams import Cursor

MakeIndex = Callable[[], RunIndex]
NAN, INF = float("nan"), float("inf")


def head(id: str, experiment: str = "0", started_ms: int = 0, **more: object) -> RunHead:
    """A run that has just begun."""
    given = {"status": RunStatus.RUNNING, "by": "person:ann", **more}
    return RunHead(id=id, experiment=experiment, started_ms=started_ms, **given)  # type: ignore[arg-type]


def model_head(id: str, experiment: str = "0", created_ms: int = 0, **more: object) -> LoggedModelHead:
    """A logged model that has just begun."""
    given = {"name": "tree", "updated_ms": created_ms, **more}
    return LoggedModelHead(id=id, experiment=experiment, created_ms=created_ms, **given)  # type: ignore[arg-type]


def experiment(id: str, name: str, created_ms: int = 0, **more: object) -> Experiment:
    """An experiment."""
    given = {"updated_ms": created_ms, **more}
    return Experiment(id=id, name=name, created_ms=created_ms, **given)  # type: ignore[arg-type]


def record(*points: tuple[str, int, float, int]) -> bytes:
    """Encoded points from metric, step, value and moment."""
    gathered = Points()
    gathered.extend(points)
    return encode_points(gathered)


def take(index: RunIndex, *tracked: Tracked) -> None:
    """Take in what follows what was taken in."""
    after = index.position()
    assert index.take(tracked, after=after, upto=Position(entry=after.entry + 1, cursor=after.cursor))


def rows(points: Points) -> list[tuple[int, str, int]]:
    """Step, value and moment of each point; text, as NaN is not itself."""
    return [(point.step, repr(point.value), point.at_us) for point in points]


class IndexTakes:
    """Taking in is whole or not at all, from where the index is to where it will be."""

    def test_a_new_index_is_at_the_beginning(self, make: MakeIndex) -> None:
        assert make().position() == Position()

    def test_it_stands_where_it_was_brought(self, make: MakeIndex) -> None:
        upto = Position(entry=7, cursor=Cursor(segments={"a": 12, "b": 1 << 40}))
        assert make().take([head("r")], after=Position(), upto=upto)
        assert make().position() == upto

    def test_of_two_that_read_the_same_one_wins(self, make: MakeIndex) -> None:
        one, other = make(), make()
        assert one.take([head("r")], after=Position(), upto=Position(entry=1))
        assert not other.take([head("s")], after=Position(), upto=Position(entry=2))
        assert other.position() == Position(entry=1)
        assert other.runs.find("s") is None

    def test_what_fails_changes_nothing(self, make: MakeIndex) -> None:
        index = make()
        take(index, head("r"))
        events = [RunEvent(owner="r", parameters={"depth": "3"}), RunEvent(owner="r", points=b"\xff")]
        with pytest.raises(StoreError):
            index.take([head("s"), *events], after=Position(entry=1), upto=Position(entry=2))
        assert index.position() == Position(entry=1)
        found = index.runs.find("r")
        assert found is not None
        assert not found.parameters
        assert index.runs.find("s") is None
        # And what was numbered meanwhile is not mistaken for what was kept.
        take(index, head("s"), RunEvent(owner="s", parameters={"width": "4"}))
        assert index.runs.find("s").parameters == {"width": "4"}  # type: ignore[union-attr]
        assert index.runs.find("r").parameters == {}  # type: ignore[union-attr]

    def test_taking_the_same_again_changes_nothing(self, make: MakeIndex) -> None:
        index = make()
        events = every_kind_of_event()
        take(index, head("r"), model_head("m-1"), *events)
        before = everything(index)
        take(index, *events)
        take(index, *events, *events)
        assert everything(index) == before

    def test_an_event_of_nobody_is_passed_over(self, make: MakeIndex) -> None:
        index = make()
        take(index, RunEvent(owner="r", parameters={"early": "1"}), head("r"))
        take(index, RunEvent(owner="r", points=record(("loss", 1, 1.0, 1)), points_model="m-nobody"))
        found = index.runs.find("r")
        assert found is not None
        assert found.parameters == {}
        assert list(found.metrics) == ["loss"]
        assert index.models.find("m-nobody") is None


class IndexShared:
    """Any number may take in and read at once."""

    def test_threads_that_take_at_once_lose_nothing(self, make: MakeIndex) -> None:
        indexes = [make() for _ in range(4)]
        take(indexes[0], head("r"))

        def add(place: int) -> None:
            for step in range(10):
                points = record((f"loss-{place}", step, float(step), step))
                while True:
                    after = indexes[place].position()
                    upto = Position(entry=after.entry + 1)
                    if indexes[place].take([RunEvent(owner="r", points=points)], after=after, upto=upto):
                        break

        threads = [threading.Thread(target=add, args=(place,)) for place in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert indexes[0].position().entry == 41
        for place in range(4):
            assert len(indexes[0].runs.points("r", f"loss-{place}")) == 10

    def test_a_reader_sees_all_of_a_take_or_nothing(self, make: MakeIndex) -> None:
        reader, writer = make(), make()
        take(writer, head("r"))
        done = threading.Event()

        def write() -> None:
            for step in range(60):
                told = RunEvent(
                    owner="r", at_us=step, tags={"step": str(step)}, points=record(("loss", step, step, step))
                )
                take(writer, told)
            done.set()

        thread = threading.Thread(target=write)
        thread.start()
        while not done.is_set():
            found = reader.runs.find("r")
            assert found is not None
            if found.metrics:
                assert found.tags["step"] == str(found.metrics["loss"].step)
        thread.join()


class IndexKeepsPoints:
    """Points are kept each once and in their order; the last of them is known without them."""

    def test_points_come_in_their_order_each_once(self, make: MakeIndex) -> None:
        index = make()
        points = [("loss", 2, 0.5, 9), ("loss", 1, INF, 5), ("loss", 1, -1.0, 5), ("loss", 1, 7.0, 4)]
        take(index, head("r"), RunEvent(owner="r", points=record(*points, *points)))
        take(index, RunEvent(owner="r", points=record(("other", 9, 9.0, 9), points[0])))
        assert rows(index.runs.points("r", "loss")) == [
            (1, "7.0", 4),
            (1, "-1.0", 5),
            (1, "inf", 5),
            (2, "0.5", 9),
        ]
        assert rows(index.runs.points("r", "nothing")) == []
        assert rows(index.runs.points("nobody", "loss")) == []

    def test_every_value_comes_back_as_it_was(self, make: MakeIndex) -> None:
        index = make()
        values = [NAN, -INF, -1.7e308, -1.0, -5e-324, -0.0, 0.0, 5e-324, 0.1, 1.7e308, INF]
        points = [("loss", 1, value, 1) for value in reversed(values)]
        take(index, head("r"), RunEvent(owner="r", points=record(*points)))
        found = [point.value for point in index.runs.points("r", "loss")]
        assert [repr(value) for value in found] == [repr(value) for value in values]

    def test_steps_and_moments_may_be_anything_of_64_bits(self, make: MakeIndex) -> None:
        index = make()
        least, most = -(1 << 63), (1 << 63) - 1
        take(
            index,
            head("r"),
            RunEvent(owner="r", points=record(("a", most, 1.0, least), ("a", least, 2.0, most))),
        )
        assert rows(index.runs.points("r", "a")) == [(least, "2.0", most), (most, "1.0", least)]

    @pytest.mark.parametrize(
        ("points", "last"),
        [
            ([(1, 5.0, 9), (2, 1.0, 1)], (2, 1.0, 1)),
            ([(1, 5.0, 9), (1, 6.0, 8)], (1, 5.0, 9)),
            ([(1, 5.0, 9), (1, 6.0, 9), (1, -7.0, 9)], (1, 6.0, 9)),
            ([(1, NAN, 9), (1, -INF, 9)], (1, -INF, 9)),
            ([(1, -INF, 9), (1, NAN, 9)], (1, -INF, 9)),
            ([(1, 5.0, 9), (2, NAN, 1)], (2, NAN, 1)),
            ([(-2, 5.0, 9), (-1, 6.0, 1)], (-1, 6.0, 1)),
        ],
    )
    def test_the_last_point_is_of_the_highest_step_then_the_latest_then_the_highest(
        self, make: MakeIndex, points: Sequence[tuple[int, float, int]], last: tuple[int, float, int]
    ) -> None:
        step, value, at_us = last
        for together in (True, False):
            index, run = make(), f"r-{together}"
            take(index, head(run))
            events = [RunEvent(owner=run, points=record(("loss", s, v, us))) for s, v, us in points]
            if together:
                take(index, *events)
            else:
                for event in events:
                    take(index, event)
            found = index.runs.find(run)
            assert found is not None
            known = found.metrics["loss"]
            assert (known.step, known.at_us, repr(known.value)) == (step, at_us, repr(value))
            in_order = list(index.runs.points(run, "loss"))
            assert (in_order[-1].step, repr(in_order[-1].value)) == (step, repr(value))

    def test_many_metrics_in_one_record(self, make: MakeIndex) -> None:
        index = make()
        points = [(f"metric-{place % 7}", place, float(place), place) for place in range(700)]
        take(index, head("r"), RunEvent(owner="r", points=record(*points)))
        found = index.runs.find("r")
        assert found is not None
        assert len(found.metrics) == 7
        assert found.metrics["metric-3"] == LastPoint(value=696.0, step=696, at_us=696)
        assert len(index.runs.points("r", "metric-3")) == 100


def every_kind_of_event() -> list[RunEvent]:
    """Events of the run `r` and the logged model `m-1` with everything in them."""
    return [
        RunEvent(owner="r", points=record(("loss", 1, 1.0, 1), ("loss", 2, NAN, 2)), points_model="m-1"),
        RunEvent(owner="r", points=record(("loss", 2, NAN, 2)), points_dataset=("d", "1")),
        RunEvent(owner="r", parameters={"depth": "3"}, tags={"a": "1", "gone": None}),
        RunEvent(
            owner="r", files=(LoggedFile(path="x", size_bytes=1, blobs=("b",), at_us=1),), removed=("y",)
        ),
        RunEvent(
            owner="r", datasets=(LoggedDataset(name="d", digest="1"),), models_in=(ModelLink(model="m-1"),)
        ),
        RunEvent(owner="m-1", parameters={"k": "v"}, tags={"t": "1"}, points=record(("size", 1, 2.0, 3))),
    ]


def everything(index: RunIndex) -> str:
    """All that is said about `r` and `m-1`, as text, as NaN is not itself."""
    loss = index.runs.points("r", "loss")
    return repr((index.runs.find("r"), index.models.find("m-1"), index.files.under("r"), rows(loss)))
