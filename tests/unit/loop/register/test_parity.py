"""Parity of answers and of features: what counts as a difference."""

import numpy as np
import polars as pl
import pytest

from trimtab.atoms.check import Verdict
from trimtab.atoms.error import ModelRefused
from trimtab.loop.register.feature_parity import compare_features
from trimtab.loop.register.judgement import judge_parity
from trimtab.loop.register.parity import compare_answers
from trimtab.rows.encoding import learn_encoding


def test_equal_answers_agree() -> None:
    trained = np.array([[0.2, 0.8], [0.5, 0.5]])
    agreement = compare_answers(trained, trained + 1e-6, 1e-4)
    assert (agreement.rows, agreement.differing) == (2, 0)
    assert agreement.largest_difference == pytest.approx(1e-6)
    assert judge_parity(agreement, "").verdict is Verdict.PASS


def test_one_row_beyond_the_tolerance_is_counted_and_fails() -> None:
    trained = np.full((1000, 2), 0.5)
    served = trained.copy()
    served[17] = [0.499, 0.501]
    agreement = compare_answers(trained, served, 1e-4)
    assert agreement.differing == 1
    judgement = judge_parity(agreement, "")
    assert judgement.verdict is Verdict.FAIL
    assert judgement.reading.value == 0.001
    assert "1 of 1,000" in judgement.says


def test_values_are_held_against_their_own_size() -> None:
    trained = np.array([0.0, 1000.0, -5000.0])  # 2,000 is their mean size
    assert compare_answers(trained, trained * (1 + 5e-5), 1e-4).differing == 0
    assert compare_answers(trained, trained * (1 + 5e-4), 1e-4).differing == 2
    assert compare_answers(trained, trained + np.array([0.1, 0, 0]), 1e-4).differing == 0
    assert compare_answers(trained, trained + np.array([0.3, 0, 0]), 1e-4).differing == 1


def test_an_answer_that_only_one_gives_differs_without_limit() -> None:
    trained, served = np.array([1.0, np.nan, np.nan]), np.array([np.nan, np.nan, 2.0])
    agreement = compare_answers(trained, served, 1e-4)
    assert agreement.differing == 2
    assert agreement.largest_difference == np.inf
    assert judge_parity(agreement, "").verdict is Verdict.FAIL


@pytest.mark.parametrize("shape", [(3,), (3, 3), (2, 2), (0, 2)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelRefused, match="shape"):
        compare_answers(np.zeros((3, 2)) if shape[0] else np.zeros((0, 2)), np.zeros(shape), 1e-4)


FRAME = pl.DataFrame({"a": [1.0, None, 3.0], "sky": [0.5, 0.25, None], "c": ["x", "y", None]})
ENCODING = learn_encoding(FRAME, ["a", "sky", "c"])
VIEWS = frozenset({"sky"})


def test_equal_features_pass() -> None:
    parity = compare_features(FRAME, FRAME, ENCODING, VIEWS)
    assert (parity.verdict, parity.same.tolist()) == (Verdict.PASS, [True, True, True])


@pytest.mark.parametrize("column", ["a", "c", "sky"])
def test_another_value_fails_and_is_named(column: str) -> None:
    other = FRAME.with_columns(pl.col(column).reverse().alias(column))
    parity = compare_features(FRAME, other, ENCODING, VIEWS)
    assert parity.verdict is Verdict.FAIL
    assert repr(column) in parity.says


def test_a_view_value_that_is_not_online_is_unsure() -> None:
    parity = compare_features(FRAME, FRAME.with_columns(sky=pl.lit(None, pl.Float64)), ENCODING, VIEWS)
    assert (parity.verdict, parity.differing, parity.same.tolist()) == (
        Verdict.UNSURE,
        0,
        [False, False, True],
    )


def test_a_missing_value_of_a_request_feature_fails() -> None:
    parity = compare_features(FRAME, FRAME.with_columns(a=pl.lit(None, pl.Float64)), ENCODING, VIEWS)
    assert (parity.verdict, parity.differing) == (Verdict.FAIL, 2)
