"""A better challenger is found better, a worse one worse, an equal one no worse; too little is said to be."""

from datetime import timedelta

import numpy as np
import pytest

from trimtab.atoms.check import Verdict
from trimtab.atoms.error import UsageError
from trimtab.loop.evaluate.blessing import decide_blessing
from trimtab.loop.evaluate.gate_rows import Champion
from trimtab.loop.evaluate.policy import Policy


def _of(checks, rule, about=""):
    [check] = [check for check in checks if check.name == rule and check.about == about]
    return check


@pytest.fixture(params=[(0, 1), ("no", "yes"), ("a", "b", "c"), ()], ids=str, scope="module")
def any_gate(request, make_gate):
    """A gate for each kind of target."""
    return make_gate(classes=request.param)


def test_a_better_challenger_is_blessed(any_gate):
    """It beats the champion, the constant and the best single feature, and says by how much."""
    card, checks = any_gate.judge(any_gate.worse(0.0), any_gate.champion(any_gate.worse(0.6)))
    check = _of(checks, "quality.champion")
    assert check.verdict is Verdict.PASS
    assert check.reading.low > 0
    assert "against the champion's" in check.says
    assert "on 6,000 rows over 20 days: better by" in check.says
    assert {check.verdict for check in checks} == {Verdict.PASS}
    assert decide_blessing(checks, Policy(), first=False).kind == "bless"
    assert (card.rows, card.blocks) == (6000, 20)
    assert {score.who for score in card.scores} == {"challenger", "champion", "baseline", "constant"}
    assert all(score.low <= score.value <= score.high for score in card.scores if score.low is not None)


def test_a_worse_challenger_is_refused(any_gate):
    """Noise on its inputs costs it the gate, however good it is against the constant."""
    _, checks = any_gate.judge(any_gate.worse(0.6), any_gate.champion(any_gate.worse(0.0)))
    check = _of(checks, "quality.champion")
    assert check.verdict is Verdict.FAIL
    assert "worse by" in check.says
    assert check.reading.high < check.limit.at_least
    blessing = decide_blessing(checks, Policy(), first=False)
    assert blessing.kind == "refuse"
    assert check.id in blessing.because


def test_an_equal_challenger_is_no_worse(any_gate):
    """The champion's own answers again: within the margin, so the younger model may take over."""
    same = any_gate.worse(0.3)
    card, checks = any_gate.judge(same, any_gate.champion(same))
    assert _of(checks, "quality.champion").verdict is Verdict.PASS
    [decisive] = [one for one in card.comparisons if one.against == "champion"][:1]
    assert decisive.verdict == "no-worse"


def test_a_model_that_learnt_nothing_is_refused(gate):
    """As a first model, without any rival, it fails on the constant."""

    def coin(rows):
        chance = np.random.default_rng(0).uniform(0.2, 0.8, len(rows))
        return np.column_stack([1 - chance, chance])

    _, checks = gate.judge(coin)
    assert _of(checks, "quality.baseline", "constant").verdict is Verdict.FAIL
    assert decide_blessing(checks, Policy(), first=True).kind == "refuse"


def test_a_model_that_one_column_beats_is_refused(gate):
    """It uses only the weaker of the two columns."""
    _, checks = gate.judge(lambda rows: gate.perfect(np.column_stack([0 * rows[:, 0], rows[:, 1]])))
    check = _of(checks, "quality.baseline", "one feature")
    assert check.verdict is Verdict.FAIL
    assert "the best single feature's" in check.says


def test_few_rows_are_unsure_and_ask_for_labels(make_gate):
    """Eight held-out rows: nothing is decided, the number of labels is said, and a champion stays."""
    gate = make_gate(rows_a_day=2, held_out=4)
    _, checks = gate.judge(gate.worse(0.0), gate.champion(gate.worse(0.6)))
    check = _of(checks, "quality.champion")
    assert check.verdict is Verdict.UNSURE
    assert "more labels would decide" in check.says
    assert decide_blessing(checks, Policy(), first=False).kind == "refuse"
    assert decide_blessing(checks, Policy(unsure="bless"), first=False).kind == "bless"


def test_a_first_model_on_few_rows_is_blessed_without_evidence(make_gate):
    """There is nobody whom it could be worse than, and the note says what is missing."""
    gate = make_gate(rows_a_day=2, held_out=4)
    _, checks = gate.judge(gate.worse(0.0))
    blessing = decide_blessing(checks, Policy(), first=True)
    assert blessing.kind == "bless"
    assert blessing.note.startswith("blessed without evidence")


def test_a_first_model_with_evidence_says_so(gate):
    """The note is the comparison with the constant."""
    _, checks = gate.judge(gate.worse(0.0))
    blessing = decide_blessing(checks, Policy(), first=True)
    assert blessing.kind == "bless"
    assert "against the constant's" in blessing.note


def test_every_look_at_the_same_rows_costs_confidence(gate):
    """The fifth model is held to a wider interval than the first, and is said to be the fifth."""
    champion = gate.champion(gate.worse(0.5, seed=3))
    first, fifth = (
        _of(gate.judge(gate.worse(0.4), champion, looks=looks)[1], "quality.champion") for looks in (0, 4)
    )
    assert fifth.reading.low < first.reading.low
    assert "look 5 at these rows" in fifth.says
    assert "look" not in first.says


def test_answers_that_are_no_probability_are_refused(gate):
    """One NaN, one value over 1."""

    def broken(rows):
        answers = gate.perfect(rows)
        answers[3] = np.nan
        answers[5] = [-0.5, 1.5]
        return answers

    _, checks = gate.judge(broken, gate.champion(gate.worse(0.5)))
    check = _of(checks, "quality.finite")
    assert check.verdict is Verdict.FAIL
    assert check.reading.value == 2
    assert decide_blessing(checks, Policy(unsure="bless"), first=False).kind == "refuse"


def test_rows_that_the_champion_learnt_from_are_left_out(gate):
    """A champion that was trained ten days longer is met on the ten days that neither saw."""
    champion = gate.champion(gate.worse(0.6), until=gate.until + timedelta(days=10))
    _, checks = gate.judge(gate.worse(0.0), champion)
    check = _of(checks, "quality.champion")
    assert check.reading.n == 3000
    assert "over 10 days" in check.says


def test_a_champion_that_saw_everything_cannot_be_compared(gate):
    """Nothing fair is left: UNSURE, which keeps the champion."""
    champion = gate.champion(gate.worse(0.6), until=gate.until + timedelta(days=100))
    _, checks = gate.judge(gate.worse(0.0), champion)
    check = _of(checks, "quality.champion")
    assert check.verdict is Verdict.UNSURE
    assert "nothing fair" in check.says
    assert decide_blessing(checks, Policy(), first=False).kind == "refuse"


def test_a_champion_with_its_own_features_is_met_on_the_same_rows(gate):
    """Its feature table holds the rows in another order; the key brings them together."""
    shuffled = gate.rows.sample(fraction=1.0, shuffle=True, seed=1)
    table = gate.bench.table("toy", shuffled, ("x", "z", "c"), key="key", event_time="at")
    same = gate.worse(0.0)
    _, checks = gate.judge(same, gate.champion(same, table=table))
    check = _of(checks, "quality.champion")
    assert check.verdict is Verdict.PASS
    assert check.reading.value == pytest.approx(0.0, abs=1e-12)
    other = gate.bench.table("toy", shuffled.head(100), ("x", "z", "c"), key="key", event_time="at")
    with pytest.raises(UsageError, match="same snapshot"):
        gate.judge(same, gate.champion(same, table=other))


@pytest.mark.parametrize("order", [("c", "a", "b"), ("b", "a")], ids=str)
def test_a_champions_classes_are_put_in_the_challengers_order(make_gate, order):
    """The same answers in another order are the same; a class that it never heard of gets nothing from it."""
    gate = make_gate(classes=("a", "b", "c"))
    trained = gate.trained(seed=5, until=gate.until)
    places = [gate.classes.index(name) for name in order]
    champion = Champion(
        bundle=gate.bench.bundle("toy", trained, gate.encoding, classes=order),
        encoding=gate.encoding,
        table=gate.table,
        answer=lambda rows: gate.perfect(rows)[:, places],
    )
    _, checks = gate.judge(gate.perfect, champion)
    gained = _of(checks, "quality.champion").reading.value
    assert gained == pytest.approx(0.0, abs=1e-9) if len(order) == 3 else gained > 1.0


def test_a_slice_that_is_harmed_is_named(gate):
    """Better on the whole, but the wrong way round where c is 'd'."""

    def harms(rows):
        answers = gate.perfect(rows)
        third = rows[:, 2] == 4
        answers[third] = answers[third][:, ::-1]
        return answers

    card, checks = gate.judge(harms, gate.champion(gate.worse(1.0)), slices=("c",))
    assert _of(checks, "quality.champion").verdict is Verdict.PASS
    summary, named = _of(checks, "quality.slice"), _of(checks, "quality.slice", "c=d")
    assert summary.verdict is named.verdict is Verdict.FAIL
    assert "1 of 3 slices" in summary.says
    assert decide_blessing(checks, Policy(), first=False).kind == "refuse"
    assert {score.where for score in card.scores} >= {"c=a", "c=b", "c=d"}


def test_small_slices_are_shown_and_not_judged(gate):
    """A slice of too few rows is UNSURE and does not refuse."""
    policy = Policy(replicates=500, slice_rows=5000)
    _, checks = gate.judge(gate.worse(0.0), gate.champion(gate.worse(0.6)), slices=("c",), policy=policy)
    assert _of(checks, "quality.slice").verdict is Verdict.UNSURE
    assert decide_blessing(checks, policy, first=False).kind == "bless"


def test_the_first_declared_metric_decides(gate):
    """A score that grows is judged the right way round, and its margin is a share of what it lacks."""
    _, checks = gate.judge(
        gate.worse(0.0), gate.champion(gate.worse(0.6)), metrics=("roc_auc", "log_loss"), slices=("c",)
    )
    check = _of(checks, "quality.champion")
    assert check.says.startswith("roc_auc")
    assert check.verdict is Verdict.PASS
    assert check.limit.at_least == pytest.approx(-0.01 * 0.25, rel=0.3)


def test_a_metric_of_the_other_task_is_an_error(gate):
    """It names the metric and those that there are."""
    with pytest.raises(UsageError, match=r"'rmse' is none for classification; there are accuracy"):
        gate.judge(gate.perfect, metrics=("rmse",))


def test_a_slice_that_is_no_column_is_an_error(gate):
    """It names the column."""
    with pytest.raises(UsageError, match="no column 'airport'"):
        gate.judge(gate.perfect, slices=("airport",))


def test_the_same_evaluation_gives_the_same_scorecard(gate):
    """Intervals come from fixed seeds."""
    one, other = (gate.judge(gate.worse(0.0), gate.champion(gate.worse(0.6)))[0] for _ in range(2))
    assert one == other
