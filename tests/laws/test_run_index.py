"""Whatever is taken in and whatever is asked: SQLite and the fake answer alike."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.adapters.sqlite_run_index import open_run_index
from trimtab.atoms.run import LoggedDataset, LoggedFile, RunStatus
from trimtab.atoms.run_event import RunEvent
from trimtab.atoms.run_query import Comparison, Deleted, Field, Order, Page, Query
from trimtab.ports.run_index import Position, RunIndex, Tracked
from trimtab.testing.memory_run_index import MemoryRunIndex
from trimtab.testing.run_index_suite import INF, NAN, experiment, head, model_head, record, rows

RUNS, MODELS, EXPERIMENTS = ("a", "b", "c", "d"), ("m-1", "m-2"), ("0", "7", "12")
KEYS, TEXTS = ("x", "y"), ("", "t", "T", "tt", "ß", "t_%", "É", "é")
NUMBERS = (NAN, INF, -INF, -0.0, 0.0, 1.0, -1.5)
CONTEXTS = ({}, {"mlflow.data.context": "t"}, {"mlflow.data.context": "T"})
key, text, number, small = (
    st.sampled_from(KEYS),
    st.sampled_from(TEXTS),
    st.sampled_from(NUMBERS),
    st.integers(0, 2),
)

POINTS = st.lists(st.tuples(key, small, number, small), max_size=4)
DATASETS = st.builds(LoggedDataset, name=key, digest=key, tags=st.sampled_from(CONTEXTS))
FILES = st.builds(
    LoggedFile,
    path=st.sampled_from(("p", "p/q", "p/q/r", "p-")),
    size_bytes=small,
    blobs=st.tuples(key),
    at_us=small,
)
EVENTS = st.builds(
    lambda points, **more: RunEvent(points=record(*points) if points else b"", **more),
    points=POINTS,
    owner=st.sampled_from((*RUNS, *MODELS, "nobody")),
    points_model=st.sampled_from(("", "", *MODELS, "nobody", "a")),
    points_dataset=st.tuples(key, key),
    parameters=st.dictionaries(key, text, max_size=2),
    tags=st.dictionaries(st.sampled_from((*KEYS, "mlflow.runName")), st.none() | text, max_size=2),
    datasets=st.lists(DATASETS, max_size=2).map(tuple),
    files=st.lists(FILES, max_size=2).map(tuple),
    at_us=small,
    removed=st.lists(st.sampled_from(("p", "p/q")), max_size=1).map(tuple),
)
RUN_HEADS = st.builds(
    head,
    st.sampled_from(RUNS),
    st.sampled_from(EXPERIMENTS),
    small,
    deleted=st.booleans(),
    status=st.sampled_from(RunStatus),
    ended_ms=st.none() | small,
)
MODEL_HEADS = st.builds(
    model_head, st.sampled_from(MODELS), st.sampled_from(EXPERIMENTS), small, deleted=st.booleans(), name=text
)
GROUPS = st.builds(
    experiment,
    st.sampled_from(EXPERIMENTS),
    text,
    small,
    deleted=st.booleans(),
    tags=st.dictionaries(key, text, max_size=2),
)
TAKES = st.lists(
    st.lists(RUN_HEADS | EVENTS | EVENTS | MODEL_HEADS | GROUPS, max_size=8), min_size=1, max_size=4
)


def comparisons(
    texts: tuple[str, ...], numbers: tuple[str, ...], data: tuple[str, ...]
) -> "st.SearchStrategy[Comparison]":
    """Conditions that can be answered, about things with these attributes."""
    named = st.tuples(st.sampled_from((Field.PARAMETER, Field.TAG)), key) | st.tuples(
        st.just(Field.ATTRIBUTE), st.sampled_from(texts)
    )
    numbered = st.tuples(st.just(Field.METRIC), key) | st.tuples(
        st.just(Field.ATTRIBUTE), st.sampled_from(numbers)
    )
    of_data = st.tuples(st.just(Field.DATASET), st.sampled_from(data))
    with_text = st.tuples(
        named | of_data, st.sampled_from(("=", "!=", "LIKE", "ILIKE")), text | st.sampled_from(RUNS)
    )
    with_texts = st.tuples(
        named | of_data, st.sampled_from(("IN", "NOT-IN")), st.lists(text, min_size=1, max_size=3).map(tuple)
    )
    finite = st.sampled_from([each for each in NUMBERS if each == each])
    with_number = st.tuples(numbered, st.sampled_from(("=", "!=", "<", "<=", ">", ">=")), finite)
    null = st.tuples(named | numbered, st.sampled_from(("IS-NULL", "IS-NOT-NULL")), st.none())
    return (with_text | with_texts | with_number | null).map(
        lambda asked: Comparison(field=asked[0][0], key=asked[0][1], operator=asked[1], value=asked[2])  # type: ignore[arg-type]
    )


def queries(
    asked: "st.SearchStrategy[Comparison]", attributes: tuple[str, ...]
) -> "st.SearchStrategy[Query]":
    """Questions of up to three conditions and three keys."""
    ordered = st.tuples(st.sampled_from((Field.METRIC, Field.PARAMETER, Field.TAG)), key) | st.tuples(
        st.just(Field.ATTRIBUTE), st.sampled_from(attributes)
    )
    orders = st.lists(st.tuples(ordered, st.booleans()), max_size=3, unique_by=lambda each: each[0])
    return st.builds(
        Query,
        experiments=st.lists(st.sampled_from(EXPERIMENTS), max_size=2).map(tuple),
        where=st.lists(asked, max_size=3).map(tuple),
        order=orders.map(
            lambda keys: tuple(Order(field=field, key=name, ascending=up) for (field, name), up in keys)
        ),
        deleted=st.sampled_from(Deleted),
        limit=st.integers(1, 3),
    )


RUN_TEXTS = ("run_id", "status", "experiment_id", "artifact_uri", "run_name", "user_id", "stage")
RUN_NUMBERS = ("start_time", "end_time")
RUN_QUERIES = queries(
    comparisons(RUN_TEXTS, RUN_NUMBERS, ("name", "digest", "context")),
    (*(name for name in RUN_TEXTS), *RUN_NUMBERS),
)
MODEL_TEXTS, MODEL_NUMBERS = ("name", "model_id", "status", "source_run_id"), ("creation_timestamp",)
MODEL_QUERIES = queries(
    comparisons(MODEL_TEXTS, MODEL_NUMBERS, ("name", "digest")), (*MODEL_TEXTS, *MODEL_NUMBERS)
)


def told(index: RunIndex, takes: Iterable[Iterable[Tracked]]) -> None:
    for number, tracked in enumerate(takes):
        assert index.take(list(tracked), after=Position(entry=number), upto=Position(entry=number + 1))


def pages(search: Callable[[Query], Page[Any]], query: Query) -> Iterator[object]:
    """Every page of a question."""
    for _ in range(len(RUNS) + 1):
        page = search(query)
        yield page.items
        if not page.after:
            return
        query = msgspec.structs.replace(query, after=page.after)
    raise AssertionError("the pages do not end")


def everything(index: RunIndex, run_query: Query, model_query: Query) -> list[bytes]:
    """All that an index says, in bytes, as NaN is not itself."""
    answers: list[object] = [index.runs.count(run_query)]
    answers += [*pages(index.runs.search, run_query), *pages(index.models.search, model_query)]
    answers += [index.experiments.find(id) for id in EXPERIMENTS]
    answers.append(index.experiments.search(Query(deleted=Deleted.TOO)).items)
    for id in (*RUNS, *MODELS):
        answers += [
            index.runs.find(id),
            index.models.find(id),
            index.files.under(id),
            index.files.under(id, "p"),
        ]
        answers += [rows(index.runs.points(id, metric)) for metric in KEYS]
    return [msgspec.msgpack.encode(answer, order="sorted") for answer in answers]


@settings(deadline=None, max_examples=80)
@given(takes=TAKES, run_query=RUN_QUERIES, model_query=MODEL_QUERIES)
def test_sqlite_answers_as_the_fake(takes: list[list[Tracked]], run_query: Query, model_query: Query) -> None:
    fake = MemoryRunIndex()
    told(fake, takes)
    with TemporaryDirectory() as folder:
        index = open_run_index(Path(folder) / "runs.sqlite")
        told(index, takes)
        try:
            assert everything(index, run_query, model_query) == everything(fake, run_query, model_query)
        finally:
            index.close()


@settings(deadline=None, max_examples=40)
@given(takes=TAKES, random=st.randoms(use_true_random=False))
def test_however_events_come_they_come_to_the_same(takes: list[list[Tracked]], random: Random) -> None:
    """All at once, one by one, every one twice, or in another order."""
    flat = [each for tracked in takes for each in tracked]
    heads = [each for each in flat if not isinstance(each, RunEvent)]
    events = [each for each in flat if isinstance(each, RunEvent)]
    mixed = random.sample(events, len(events))
    ways: dict[str, list[list[Tracked]]] = {
        "whole": [[*heads, *events]],
        "single": [heads, *([event] for event in events)],
        "twice": [[*heads, *events], [*events]],
        "mixed": [[*heads, *mixed]],
    }
    answers = []
    with TemporaryDirectory() as folder:
        for name, way in ways.items():
            index = open_run_index(Path(folder) / f"{name}.sqlite")
            told(index, way)
            answers.append(everything(index, Query(limit=3), Query(limit=3)))
            index.close()
    assert all(answer == answers[0] for answer in answers)
