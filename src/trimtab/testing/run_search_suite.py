"""How every run index must search. Subclass each class in a test module that has the fixture `make` of
`run_index_suite`."""

from collections.abc import Sequence

import pytest

from trimtab.atoms.error import UsageError
from trimtab.atoms.run import LoggedDataset, ModelStatus, RunStatus
from trimtab.atoms.run_event import RunEvent
from trimtab.atoms.run_query import Comparison, Deleted, Field, Order, Query
from trimtab.ports.run_index import RunIndex
from trimtab.testing.run_index_suite import (
    INF,
    NAN,
    MakeIndex,
    experiment,
    head,
    model_head,
    record,
    take,
)

METRIC, PARAMETER, TAG, ATTRIBUTE, DATASET = (
    Field.METRIC,
    Field.PARAMETER,
    Field.TAG,
    Field.ATTRIBUTE,
    Field.DATASET,
)


def asks(
    field: Field, key: str, operator: str, value: str | float | tuple[str, ...] | None = None
) -> Comparison:
    """A condition."""
    return Comparison(field=field, key=key, operator=operator, value=value)


def by(field: Field, key: str, ascending: bool = True) -> Order:
    """A key of an order."""
    return Order(field=field, key=key, ascending=ascending)


def fill(index: RunIndex) -> None:
    """Five runs in two experiments, of which one is deleted."""
    take(
        index,
        experiment("1", "one", 10, tags={"team": "x"}),
        experiment("20", "Two", 30),
        experiment("3", "three", 20, deleted=True),
        head("a", "1", 100, status=RunStatus.FINISHED, ended_ms=150),
        head("b", "1", 100, by="token:bot"),
        head("c", "20", 300, status=RunStatus.FAILED, ended_ms=350, stage="train"),
        head("d", "20", 50),
        head("gone", "1", 500, deleted=True),
        RunEvent(owner="a", points=record(("rmse", 1, 0.5, 1), ("acc", 1, 1.0, 1)), parameters={"model": "tree"}),
        RunEvent(owner="b", points=record(("rmse", 1, NAN, 1), ("acc", 1, -INF, 1)), parameters={"model": "Tree"}),
        RunEvent(owner="c", points=record(("rmse", 1, 3.0, 1)), parameters={"model": "a_b%c\nd"}),
        RunEvent(owner="gone", points=record(("rmse", 1, 0.1, 1))),
        RunEvent(owner="a", tags={"mlflow.runName": "Straße", "mlflow.user": "ann", "note": ""}),
        RunEvent(owner="b", tags={"mlflow.runName": "STRASSE", "mlflow.user": "bob"}),
        RunEvent(owner="c", tags={"mlflow.runName": "ÄRGER"}),
        RunEvent(
            owner="a",
            datasets=(
                LoggedDataset(name="d1", digest="x", tags={"mlflow.data.context": "train"}),
                LoggedDataset(name="d2", digest="y"),
            ),
        ),
        RunEvent(owner="d", datasets=(LoggedDataset(name="d1", digest="z"),)),
    )  # fmt: skip


class IndexFilters:
    """Conditions hold as MLflow's hold."""

    @pytest.mark.parametrize(
        ("where", "found"),
        [
            ([], "cabd"),
            ([asks(METRIC, "rmse", "<", 1)], "a"),
            ([asks(METRIC, "rmse", ">=", 0.5)], "ca"),
            ([asks(METRIC, "rmse", "=", 0.5)], "a"),
            ([asks(METRIC, "rmse", "!=", 0.5)], "cb"),
            ([asks(METRIC, "acc", "<=", -INF)], "b"),
            ([asks(METRIC, "acc", "<", INF)], "ab"),
            ([asks(METRIC, "rmse", "IS-NULL")], "d"),
            ([asks(METRIC, "rmse", "IS-NOT-NULL")], "cab"),
            ([asks(METRIC, "nobody's", "<", 1)], ""),
            ([asks(METRIC, "nobody's", "IS-NULL")], "cabd"),
            ([asks(PARAMETER, "model", "=", "tree")], "a"),
            ([asks(PARAMETER, "model", "!=", "tree")], "cb"),
            ([asks(PARAMETER, "model", "LIKE", "%ree")], "ab"),
            ([asks(PARAMETER, "model", "LIKE", "t%")], "a"),
            ([asks(PARAMETER, "model", "ILIKE", "t%")], "ab"),
            ([asks(PARAMETER, "model", "LIKE", "a_b%c_d")], "c"),
            ([asks(PARAMETER, "model", "LIKE", "tre")], ""),
            ([asks(PARAMETER, "model", "IN", ("tree", "Tree", "x"))], "ab"),
            ([asks(PARAMETER, "model", "NOT-IN", ("tree", "x"))], "cb"),
            ([asks(PARAMETER, "model", "IS-NULL")], "d"),
            ([asks(TAG, "note", "=", "")], "a"),
            ([asks(TAG, "note", "IS-NULL")], "cbd"),
            ([asks(TAG, "mlflow.runName", "ILIKE", "%s%")], "ab"),
            ([asks(TAG, "mlflow.runName", "ILIKE", "är%")], "c"),
            ([asks(ATTRIBUTE, "run_name", "LIKE", "STR%")], "b"),
            ([asks(ATTRIBUTE, "Run name", "=", "ÄRGER")], "c"),
            ([asks(ATTRIBUTE, "user_id", "=", "ann")], "a"),
            ([asks(ATTRIBUTE, "run_id", "IN", ("a", "d", "gone"))], "ad"),
            ([asks(ATTRIBUTE, "status", "=", "RUNNING")], "bd"),
            ([asks(ATTRIBUTE, "status", "!=", "RUNNING")], "ca"),
            ([asks(ATTRIBUTE, "start_time", ">", 99)], "cab"),
            ([asks(ATTRIBUTE, "created", "<", 99.5)], "d"),
            ([asks(ATTRIBUTE, "end_time", "<", 1e300)], "ca"),
            ([asks(ATTRIBUTE, "end_time", "IS-NULL")], "bd"),
            ([asks(ATTRIBUTE, "experiment", "=", "20")], "cd"),
            ([asks(ATTRIBUTE, "stage", "=", "")], "abd"),
            ([asks(ATTRIBUTE, "by", "LIKE", "token:%")], "b"),
            ([asks(ATTRIBUTE, "artifact_uri", "LIKE", "%/1/a/artifacts")], "a"),
            ([asks(DATASET, "name", "=", "d1")], "ad"),
            ([asks(DATASET, "name", "!=", "d1")], "a"),
            ([asks(DATASET, "name", "=", "d1"), asks(DATASET, "digest", "=", "y")], "a"),
            ([asks(DATASET, "context", "=", "train")], "a"),
            ([asks(DATASET, "context", "!=", "train")], ""),
            ([asks(DATASET, "digest", "IN", ("x", "z"))], "ad"),
            (
                [
                    asks(METRIC, "rmse", "<", 9),
                    asks(METRIC, "acc", ">", 0),
                    asks(PARAMETER, "model", "=", "tree"),
                ],
                "a",
            ),
            ([asks(METRIC, "rmse", ">", 0), asks(METRIC, "rmse", "<", 1)], "a"),
        ],
    )
    def test_conditions(self, make: MakeIndex, where: Sequence[Comparison], found: str) -> None:
        index = make()
        fill(index)
        query = Query(where=tuple(where))
        page = index.runs.search(query)
        assert "".join(run.head.id for run in page.items) == found
        assert index.runs.count(query) == len(found)
        assert page.after == ""

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            (Query(deleted=Deleted.ONLY), ["gone"]),
            (Query(deleted=Deleted.TOO), ["gone", "c", "a", "b", "d"]),
            (Query(experiments=("1",)), ["a", "b"]),
            (Query(experiments=("20", "1", "nobody's")), ["c", "a", "b", "d"]),
            (Query(experiments=("nobody's",)), []),
            (Query(experiments=tuple(str(number) for number in range(20, 40_000))), ["c", "d"]),
        ],
    )
    def test_which_experiments_and_whether_deleted(
        self, make: MakeIndex, query: Query, found: list[str]
    ) -> None:
        index = make()
        fill(index)
        assert [run.head.id for run in index.runs.search(query).items] == found
        assert index.runs.count(query) == len(found)

    def test_a_run_is_found_by_what_it_is_now(self, make: MakeIndex) -> None:
        index = make()
        fill(index)
        wanted = Query(where=(asks(METRIC, "rmse", "<", 1), asks(TAG, "best", "=", "1")))
        assert index.runs.count(wanted) == 0
        take(index, RunEvent(owner="c", points=record(("rmse", 2, 0.25, 1)), tags={"best": "1"}))
        assert [run.head.id for run in index.runs.search(wanted).items] == ["c"]
        take(index, RunEvent(owner="c", points=record(("rmse", 3, 9.0, 1))))
        assert index.runs.count(wanted) == 0
        take(index, RunEvent(owner="c", at_us=1, tags={"best": None}), head("c", "1", 300))
        assert index.runs.count(Query(where=(asks(TAG, "best", "IS-NOT-NULL"),))) == 0
        assert index.runs.count(Query(experiments=("1",))) == 3

    @pytest.mark.parametrize(
        "where",
        [
            asks(METRIC, "rmse", "LIKE", "x"),
            asks(METRIC, "rmse", "<", "1"),
            asks(METRIC, "rmse", "<", NAN),
            asks(METRIC, "rmse", "<", None),
            asks(METRIC, "rmse", "<", 10**400),
            asks(PARAMETER, "model", "<", "1"),
            asks(PARAMETER, "model", "=", 1.0),
            asks(PARAMETER, "model", "IN", ()),
            asks(PARAMETER, "model", "IN", "tree"),
            asks(PARAMETER, "model", "; DROP TABLE run", "1"),
            asks(TAG, "a", "LIKE", "%" * 1_001),
            asks(ATTRIBUTE, "t.n", "=", "1"),
            asks(ATTRIBUTE, "run_id", "<", "1"),
            asks(ATTRIBUTE, "start_time", "=", "1"),
            asks(DATASET, "schema", "=", "1"),
            asks(DATASET, "name", "IS-NULL"),
        ],
    )
    def test_what_cannot_be_asked_is_refused(self, make: MakeIndex, where: Comparison) -> None:
        index = make()
        with pytest.raises(UsageError, match=f"{where.field[:5]}[a-z]*[.]"):
            index.runs.search(Query(where=(where,)))
        with pytest.raises(UsageError):
            index.runs.count(Query(where=(where,)))

    @pytest.mark.parametrize("limit", [0, -1, 50_001])
    def test_a_page_has_bounds(self, make: MakeIndex, limit: int) -> None:
        with pytest.raises(UsageError, match="1 to 50000"):
            make().runs.search(Query(limit=limit))

    def test_experiments(self, make: MakeIndex) -> None:
        index = make()
        fill(index)

        def found(*where: Comparison, **more: object) -> list[str]:
            page = index.experiments.search(Query(where=where, **more))  # type: ignore[arg-type]
            return [each.id for each in page.items]

        assert found() == ["20", "1", "0"]
        assert found(deleted=Deleted.ONLY) == ["3"]
        assert found(asks(ATTRIBUTE, "name", "ILIKE", "t%")) == ["20"]
        assert found(asks(TAG, "team", "=", "x")) == ["1"]
        assert found(asks(TAG, "team", "IS-NULL")) == ["20", "0"]
        assert found(asks(ATTRIBUTE, "creation_time", ">", 9)) == ["20", "1"]
        assert found(order=(by(ATTRIBUTE, "experiment_id"),), deleted=Deleted.TOO) == ["0", "1", "3", "20"]
        assert found(order=(by(ATTRIBUTE, "name", False),)) == ["1", "20", "0"]
        take(index, experiment("1", "one", 10))
        assert found(asks(TAG, "team", "=", "x")) == []
        with pytest.raises(UsageError, match="metric"):
            found(asks(METRIC, "rmse", "<", 1))


class IndexOrders:
    """What lacks a key comes last either way; ties go by the start, the newest first, then by id."""

    @pytest.mark.parametrize(
        ("order", "found"),
        [
            ([by(METRIC, "rmse")], "acbd"),
            ([by(METRIC, "rmse", False)], "cabd"),
            ([by(METRIC, "acc")], "bacd"),
            ([by(METRIC, "acc", False)], "abcd"),
            ([by(METRIC, "nobody's")], "cabd"),
            ([by(PARAMETER, "model")], "bcad"),
            ([by(PARAMETER, "model", False)], "acbd"),
            ([by(TAG, "note")], "acbd"),
            ([by(ATTRIBUTE, "run_name")], "bacd"),
            ([by(ATTRIBUTE, "end_time", False)], "cabd"),
            ([by(ATTRIBUTE, "start_time")], "dabc"),
            ([by(ATTRIBUTE, "status"), by(ATTRIBUTE, "start_time")], "cadb"),
            ([by(ATTRIBUTE, "status", False), by(METRIC, "rmse", False)], "bdac"),
            ([by(ATTRIBUTE, "run_id", False)], "dcba"),
        ],
    )
    def test_orders(self, make: MakeIndex, order: Sequence[Order], found: str) -> None:
        index = make()
        fill(index)
        items = index.runs.search(Query(order=tuple(order))).items
        assert "".join(run.head.id for run in items) == found
        # The same, a thing at a time.
        one_by_one, after = "", ""
        for _ in found:
            page = index.runs.search(Query(order=tuple(order), limit=1, after=after))
            one_by_one, after = one_by_one + page.items[0].head.id, page.after
        assert (one_by_one, after) == (found, "")

    @pytest.mark.parametrize(
        "order",
        [(by(ATTRIBUTE, "nothing"),), (by(DATASET, "name"),), (by(METRIC, "a"), by(METRIC, "a", False))],
    )
    def test_what_cannot_be_ordered_by_is_refused(self, make: MakeIndex, order: tuple[Order, ...]) -> None:
        with pytest.raises(UsageError, match=r"nothing|name|twice"):
            make().runs.search(Query(order=order))


class IndexPages:
    """A page begins after the last thing of the one before, whatever came or went meanwhile."""

    def test_what_comes_meanwhile_moves_nothing(self, make: MakeIndex) -> None:
        index = make()
        take(index, *(head(f"r{number}", started_ms=number) for number in range(5)))
        first = index.runs.search(Query(limit=2))
        assert [run.head.id for run in first.items] == ["r4", "r3"]
        take(
            index, head("new", started_ms=9), head("r3", started_ms=3, deleted=True), head("r0", deleted=True)
        )
        second = index.runs.search(Query(limit=2, after=first.after))
        assert [run.head.id for run in second.items] == ["r2", "r1"]
        assert second.after == ""

    def test_a_last_page_that_is_full_has_none_after_it(self, make: MakeIndex) -> None:
        index = make()
        take(index, *(head(f"r{number}") for number in range(4)))
        first = index.runs.search(Query(limit=2))
        assert index.runs.search(Query(limit=2, after=first.after)).after == ""

    def test_a_token_is_of_one_question(self, make: MakeIndex) -> None:
        index = make()
        take(index, *(head(f"r{number}") for number in range(4)))
        after = index.runs.search(Query(limit=2)).after
        assert len(index.runs.search(Query(limit=50, after=after)).items) == 2
        with pytest.raises(UsageError, match="another question"):
            index.runs.search(Query(limit=2, after=after, experiments=("0",)))
        with pytest.raises(UsageError, match="another question"):
            index.runs.search(Query(limit=2, after=after, order=(by(METRIC, "a"),)))

    @pytest.mark.parametrize("after", ["x", "page-x", "=", "AAAA", "ä", "\0", "AAAAAAAAAAAAAAAA", "page-1"])
    def test_what_is_no_token_is_refused(self, make: MakeIndex, after: str) -> None:
        with pytest.raises(UsageError, match="page"):
            make().runs.search(Query(after=after))


class IndexSearchesModels:
    """A logged model has several values of a metric, by run and data: one of them is enough."""

    def fill(self, index: RunIndex) -> None:
        take(
            index,
            head("r"),
            model_head("m-a", "1", 1, run="r", type="Agent"),
            model_head("m-b", "1", 2, status=ModelStatus.READY),
            model_head("m-c", "2", 3),
            model_head("m-gone", "1", 4, deleted=True),
            RunEvent(owner="m-a", parameters={"k": "v"}, tags={"t": "1"}),
            RunEvent(owner="r", points_model="m-a", points=record(("acc", 9, 0.9, 1))),
            RunEvent(
                owner="r", points_model="m-a", points=record(("acc", 1, 0.2, 5)), points_dataset=("d", "1")
            ),
            RunEvent(
                owner="r", points_model="m-b", points=record(("acc", 1, 0.5, 2)), points_dataset=("d", "2")
            ),
        )

    @pytest.mark.parametrize(
        ("where", "found"),
        [
            ([], "cba"),
            ([asks(METRIC, "acc", ">", 0.4)], "ba"),
            ([asks(METRIC, "acc", "<", 0.4)], "a"),
            ([asks(METRIC, "acc", ">", 0.4), asks(DATASET, "name", "=", "d")], "b"),
            ([asks(METRIC, "acc", "IS-NULL")], "c"),
            ([asks(METRIC, "acc", "IS-NOT-NULL"), asks(DATASET, "digest", "=", "1")], "a"),
            ([asks(DATASET, "name", "=", "d")], "ba"),
            ([asks(DATASET, "name", "=", "d"), asks(DATASET, "digest", "IN", ("2", "3"))], "b"),
            ([asks(PARAMETER, "k", "=", "v"), asks(TAG, "t", "LIKE", "_")], "a"),
            ([asks(ATTRIBUTE, "status", "=", "READY")], "b"),
            ([asks(ATTRIBUTE, "source_run_id", "=", "r")], "a"),
            ([asks(ATTRIBUTE, "model_type", "!=", "")], "a"),
            ([asks(ATTRIBUTE, "creation_time", ">=", 2)], "cb"),
            ([asks(ATTRIBUTE, "model_id", "IN", ("m-a", "m-gone"))], "a"),
            ([asks(ATTRIBUTE, "name", "=", "tree")], "cba"),
        ],
    )
    def test_conditions(self, make: MakeIndex, where: Sequence[Comparison], found: str) -> None:
        index = make()
        self.fill(index)
        items = index.models.search(Query(where=tuple(where))).items
        assert "".join(model.head.id.removeprefix("m-") for model in items) == found

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            # By the newest of its values: that of m-a is 0.2.
            (Query(order=(by(METRIC, "acc"),)), "abc"),
            (Query(order=(by(METRIC, "acc", False),)), "bac"),
            (Query(order=(by(METRIC, "acc"),), where=(asks(DATASET, "digest", "=", "2"),)), "b"),
            (Query(order=(by(ATTRIBUTE, "last_updated_timestamp"),)), "abc"),
            (Query(order=(by(PARAMETER, "k"), by(ATTRIBUTE, "model_id"))), "abc"),
            (Query(experiments=("1",), deleted=Deleted.ONLY), "gone"),
        ],
    )
    def test_orders(self, make: MakeIndex, query: Query, found: str) -> None:
        index = make()
        self.fill(index)
        items = index.models.search(query).items
        assert "".join(model.head.id.removeprefix("m-") for model in items) == found

    def test_the_context_of_data_is_not_known_of_a_model(self, make: MakeIndex) -> None:
        with pytest.raises(UsageError, match="name, digest"):
            make().models.search(Query(where=(asks(DATASET, "context", "=", "train"),)))
