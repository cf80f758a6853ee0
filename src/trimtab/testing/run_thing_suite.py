"""What every run index must keep. Subclass each class in a test module that has the fixture `make` of
`run_index_suite`."""

import math
from itertools import permutations

from msgspec.structs import replace

from trimtab.atoms.run import (
    LastPoint,
    LoggedDataset,
    LoggedFile,
    ModelLink,
    ModelMetric,
    ModelStatus,
    RunStatus,
)
from trimtab.atoms.run_event import RunEvent
from trimtab.testing.run_index_suite import (
    NAN,
    MakeIndex,
    experiment,
    head,
    model_head,
    record,
    take,
)


class IndexKeepsThings:
    """What is said about runs and their files is found as it was said last."""

    def test_a_head_replaces_the_head_and_nothing_else(self, make: MakeIndex) -> None:
        index = make()
        take(index, head("r"), RunEvent(owner="r", parameters={"depth": "3"}, tags={"a": "1"}))
        ended = head("r", "4", 5, status=RunStatus.KILLED, ended_ms=9, sealed="x", note="why", stage="train")
        take(index, ended)
        found = index.runs.find("r")
        assert found is not None
        assert found.head == ended
        assert (found.parameters, found.tags) == ({"depth": "3"}, {"a": "1"})

    def test_a_parameter_is_what_it_was_first_and_a_tag_what_it_was_last(self, make: MakeIndex) -> None:
        index = make()
        first = RunEvent(owner="r", at_us=5, parameters={"depth": "3"}, tags={"a": "1", "b": "1"})
        later = RunEvent(
            owner="r", at_us=6, parameters={"depth": "2", "width": ""}, tags={"a": "0", "b": None, "c": None}
        )
        take(index, head("r"), head("s"), first)
        take(index, later)
        found = index.runs.find("r")
        assert found is not None
        assert (found.parameters, found.tags) == ({"depth": "3", "width": ""}, {"a": "0"})

    def test_texts_of_any_language(self, make: MakeIndex) -> None:
        index = make()
        take(
            index,
            head("läuft", by="person:Zoë"),
            RunEvent(owner="läuft", tags={"日本": "\U0001f600\n\0 '\""}),
        )
        found = index.runs.find("läuft")
        assert found is not None
        assert found.tags == {"日本": "\U0001f600\n\0 '\""}

    def test_datasets_and_models_of_a_run(self, make: MakeIndex) -> None:
        index = make()
        old = LoggedDataset(name="d", digest="1", schema="{}", tags={"mlflow.data.context": "train"})
        new = LoggedDataset(name="d", digest="1", source="s3://x", tags={"mlflow.data.context": "eval"})
        other = LoggedDataset(name="d", digest="2")
        links = (ModelLink(model="m-1"), ModelLink(model="m-2", step=2))
        take(
            index,
            head("r"),
            RunEvent(owner="r", datasets=(old, other), models_in=links, models_out=links[:1]),
        )
        take(
            index, RunEvent(owner="r", at_us=1, datasets=(new,), models_out=(ModelLink(model="m-1", step=5),))
        )
        found = index.runs.find("r")
        assert found is not None
        assert found.datasets == (new, other)
        assert found.models_in == links
        assert found.models_out == (ModelLink(model="m-1", step=5),)

    def test_files_of_runs_and_models(self, make: MakeIndex) -> None:
        index = make()
        paths = ("a", "a/b", "a/c/d", "a-b", "a0", "b/ä")
        files = tuple(LoggedFile(path=path, size_bytes=3, blobs=(path, "x"), at_us=1) for path in paths)
        take(index, head("r"), model_head("m-1"), RunEvent(owner="r", files=files))
        take(index, RunEvent(owner="m-1", files=(LoggedFile(path="a", size_bytes=0, blobs=(), at_us=2),)))
        assert index.files.find("r", "a/c/d") == files[2]
        assert index.files.find("r", "a/c") is None
        assert index.files.find("nobody", "a") is None
        assert [file.path for file in index.files.under("r")] == sorted(paths)
        assert [file.path for file in index.files.under("r", "a")] == ["a/b", "a/c/d"]
        assert index.files.under("r", "") == index.files.under("r")
        assert index.files.under("nobody") == []
        assert index.files.under("m-1")[0].blobs == ()

    def test_files_taken_away_and_put_again(self, make: MakeIndex) -> None:
        index = make()
        paths = ("a", "a/b", "a/c/d", "a-b", "a0", "b")
        files = tuple(LoggedFile(path=path, size_bytes=3, blobs=(path,), at_us=1) for path in paths)
        take(index, head("r"), RunEvent(owner="r", files=files))
        again = LoggedFile(path="a/b", size_bytes=9, blobs=("new",), at_us=2)
        take(index, RunEvent(owner="r", at_us=1, removed=("a", "nothing"), files=(again,)))
        assert [file.path for file in index.files.under("r")] == ["a-b", "a/b", "a0", "b"]
        assert index.files.find("r", "a/b") == again


class IndexKeepsGroups:
    """Experiments and logged models are found as they were said last."""

    def test_the_default_experiment_is_there_from_the_beginning(self, make: MakeIndex) -> None:
        index = make()
        found = index.experiments.find("0")
        assert found is not None
        assert (found.name, found.deleted) == ("Default", False)
        assert index.experiments.named("Default") == found
        renamed = experiment("0", "Standard", tags={"a": "1"})
        take(index, renamed)
        assert index.experiments.find("0") == renamed
        assert index.experiments.named("Default") is None

    def test_experiments_by_id_and_by_name(self, make: MakeIndex) -> None:
        index = make()
        one = experiment("12", "fraud", 5, tags={"team": "x", "old": "1"})
        gone = experiment("13", "late", 6, deleted=True)
        take(index, one, gone)
        assert index.experiments.find("12") == index.experiments.named("fraud") == one
        assert index.experiments.named("late") == gone
        assert index.experiments.find("14") is index.experiments.named("") is None

    def test_a_logged_model_and_its_metrics(self, make: MakeIndex) -> None:
        index = make()
        begun = model_head("m-1", run="r", type="Agent")
        take(index, head("r"), begun)
        ready = model_head("m-1", run="r", type="Agent", status=ModelStatus.READY)
        told = {"owner": "r", "points_model": "m-1"}
        take(index, ready, RunEvent(owner="m-1", parameters={"k": "v"}, tags={"t": "1", "u": "2"}))
        take(index, RunEvent(points=record(("acc", 1, 0.5, 7), ("acc", 2, 0.25, 8)), **told))  # type: ignore[arg-type]
        take(index, RunEvent(points=record(("acc", 1, NAN, 9)), points_dataset=("d", "1"), **told))  # type: ignore[arg-type]
        take(index, RunEvent(points=record(("acc", 2, 0.75, 6)), **told))  # type: ignore[arg-type]
        take(index, RunEvent(owner="m-1", points=record(("size", 0, 3.0, 1))))
        found = index.models.find("m-1")
        assert found is not None
        assert found.head == ready
        assert (found.parameters, found.tags) == ({"k": "v"}, {"t": "1", "u": "2"})
        plain, on_data, own = found.metrics
        assert plain == ModelMetric(name="acc", last=LastPoint(value=0.25, step=2, at_us=8), run="r")
        assert on_data.dataset == ("d", "1")
        assert math.isnan(on_data.last.value)
        assert own == ModelMetric(name="size", last=LastPoint(value=3.0, step=0, at_us=1), run="")
        assert len(index.runs.points("r", "acc")) == 4


class IndexTakesInAnyOrder:
    """The moments of events say what holds, not the order in which they are taken in."""

    def test_in_whatever_order_it_comes_to_the_same(self, make: MakeIndex) -> None:
        index = make()
        events = [
            RunEvent(
                owner="r", at_us=1, parameters={"a": "2"}, tags={"t": "1", "u": "1"}, files=(_file("x/y"),)
            ),
            RunEvent(owner="r", at_us=2, parameters={"a": "1"}, tags={"t": None}, removed=("x",)),
            RunEvent(
                owner="r", at_us=2, tags={"u": "2"}, files=(_file("x/z"), _file("y")), datasets=(_data("d"),)
            ),
            RunEvent(
                owner="r", at_us=3, tags={"u": "0"}, removed=("y",), datasets=(_data("e"), _data("d", "s"))
            ),
        ]
        answers = set()
        for number, order in enumerate(permutations(events)):
            take(index, head(f"r{number}"), *(replace(event, owner=f"r{number}") for event in order))
            found = index.runs.find(f"r{number}")
            assert found is not None
            answers.add(repr((replace(found, head=head("r")), index.files.under(f"r{number}"))))
        assert len(answers) == 1
        found = index.runs.find("r0")
        assert found is not None
        assert (found.parameters, found.tags) == ({"a": "2"}, {"u": "0"})
        assert found.datasets == (_data("d", "s"), _data("e"))
        assert [file.path for file in index.files.under("r0")] == ["x/z"]

    def test_of_one_moment_the_greater_tag_and_the_lesser_parameter_hold(self, make: MakeIndex) -> None:
        index = make()
        for run, values in (("r", ("1", "2")), ("s", ("2", "1"))):
            events = [RunEvent(owner=run, at_us=1, parameters={"a": v}, tags={"t": v}) for v in values]
            take(index, head(run), *events, RunEvent(owner=run, at_us=1, tags={"t": None}))
            found = index.runs.find(run)
            assert found is not None
            assert (found.parameters, found.tags) == ({"a": "1"}, {"t": "2"})


def _file(path: str) -> LoggedFile:
    return LoggedFile(path=path, size_bytes=1, blobs=("b",), at_us=0)


def _data(name: str, source: str = "") -> LoggedDataset:
    return LoggedDataset(name=name, digest="1", source=source)
