"""Runs side by side: what differs comes first, and the best is marked only where its name says which way is better."""

import math

import pytest

from trimtab.atoms.run import LastPoint, Run, RunHead, RunStatus
from trimtab.views.comparison import compare, comparison_account, short_ids, varying
from trimtab.views.direction import direction
from trimtab.views.elapsed import elapsed, moment
from trimtab.views.short_number import short_number


def run(id: str, parameters: dict[str, str] | None = None, **metrics: float) -> Run:
    """A run with these last values."""
    head = RunHead(
        id=id, experiment="0", status=RunStatus.FINISHED, started_ms=0, ended_ms=1, by="person:ada"
    )
    points = {name: LastPoint(value=value, step=1, at_us=0) for name, value in metrics.items()}
    return Run(head=head, parameters=parameters or {}, metrics=points)


def test_what_differs_comes_first() -> None:
    made = compare(
        [run("a", {"same": "1", "zeta": "2"}, same=1.0, zeta=2.0), run("b", {"same": "1"}, same=1.0)]
    )
    assert [row.name for row in made.parameters] == ["zeta", "same"]
    assert [row.differs for row in made.parameters] == [True, False]
    assert made.parameters[0].values == ("2", None)
    assert [row.name for row in made.metrics] == ["zeta", "same"]


def test_the_best_is_the_least_loss_and_the_largest_auc() -> None:
    made = {
        row.name: row
        for row in compare(
            [run("a", loss=0.5, auc=0.7), run("b", loss=0.4, auc=0.6), run("c", loss=0.4)]
        ).metrics
    }
    assert made["loss"].best == (1, 2)
    assert made["auc"].best == (0,)
    assert made["loss"].delta(0) is None
    assert made["loss"].delta(1) == pytest.approx(-0.1)
    assert made["auc"].delta(2) is None


@pytest.mark.parametrize(
    ("values", "best"),
    [
        ((math.nan, 0.5, 0.6), (1,)),
        ((math.inf, 0.5), (1,)),
        ((0.5, 0.5), ()),
        ((0.5,), ()),
        ((math.nan, 0.5), ()),
    ],
)
def test_only_numbers_that_differ_have_a_best(values: tuple[float, ...], best: tuple[int, ...]) -> None:
    runs = [run(str(place), loss=value) for place, value in enumerate(values)]
    assert compare(runs).metrics[0].best == best


def test_a_direction_that_nobody_can_tell_marks_nothing() -> None:
    row = compare([run("a", learning_rate=0.1), run("b", learning_rate=0.2)]).metrics[0]
    assert (row.better, row.best) == (0, ())


@pytest.mark.parametrize(
    ("name", "way"),
    [
        *(
            (name, -1)
            for name in ("loss", "val_loss", "val/log_loss", "test-rmse", "train_mean_squared_error")
        ),
        *((name, -1) for name in ("valid_0-binary_logloss", "Brier", "eval/perplexity", "triplet_loss")),
        *(
            (name, 1)
            for name in ("roc_auc", "val_accuracy", "test/F1_score", "r2", "training_accuracy_score")
        ),
        *(
            (name, 0)
            for name in ("learning_rate", "epoch", "score", "loss_scale", "gloss", "rows", "validation", "")
        ),
        *((name, 0) for name in ("auc_p_value", "grad_norm", "system/cpu_utilization_percentage")),
    ],
)
def test_a_name_says_its_direction_or_nothing(name: str, way: int) -> None:
    assert direction(name) == way


def test_columns_are_what_tells_the_runs_apart() -> None:
    runs = [
        run("a", {"depth": "3", "seed": "1"}, **{"loss": 1.0, "zeal": 1.0, "system/cpu": 1.0}),
        run("b", {"depth": "4", "seed": "1"}, **{"loss": 2.0, "zeal": 1.0, "system/cpu": 1.0}),
        run("c", {"depth": "4", "seed": "1"}, rare=1.0),
    ]
    parameters, metrics = varying(runs)
    assert parameters == ["depth", "seed"]
    assert metrics == ["loss", "zeal", "rare", "system/cpu"]


def test_the_account_is_strict_json() -> None:
    account = comparison_account(compare([run("a", loss=math.nan), run("b", loss=-math.inf)]))
    row = account["metrics"][0]
    assert row["values"] == ["NaN", "-Infinity"]
    assert row["deltas"] == [None, None]
    assert row["better"] == "smaller"


def test_short_ids_tell_runs_apart() -> None:
    alike = [run("0123456789abcdefXXXX1"), run("0123456789abcdefXXXX2"), run("short")]
    short = short_ids(alike)
    assert len(set(short.values())) == 3
    assert short["short"] == "short"
    assert short_ids([run("0" * 28)]) == {"0" * 28: "0" * 16}
    assert short_ids([]) == {}


def test_times_are_told_in_two_units_at_most() -> None:
    said = {
        0: "0.0 s",
        9_949: "9.9 s",
        59_999: "60 s",
        60_000: "1 min",
        3_599_000: "59 min 59 s",
        3_600_000: "1 h",
    }
    said |= {86_400_000: "1 d", 90_061_000: "1 d 1 h", -5: "0.0 s"}
    assert {time: elapsed(time) for time in said} == said
    assert moment(1_359_694_800_123) == "2013-02-01T05:00:00Z"


def test_numbers_are_short() -> None:
    said = {
        0.0: "0",
        -3.0: "-3",
        0.25487: "0.2549",
        42400.0: "42,400",
        123456.7: "123,457",
        3.2e-7: "3.2e-07",
    }
    said |= {1e12: "1e+12", math.inf: "∞", -math.inf: "-∞", 1.7e308: "1.7e+308"}
    assert {number: short_number(number) for number in said} == said
    assert short_number(math.nan) == "NaN"
