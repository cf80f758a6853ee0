"""The native runtime: a child process that may die without harm."""

import io
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from trimtab.adapters import native_child
from trimtab.adapters.estimator_file import write_estimator
from trimtab.adapters.native_frame import ANSWERS, array, frame, read_frame
from trimtab.adapters.native_runtime import NativeModel, NativeRuntime
from trimtab.atoms.error import ExecutorDied, ModelRefused

X = pd.DataFrame(np.random.default_rng(0).normal(size=(120, 2)).astype(np.float32), columns=["a", "b"])
ROWS = X.to_numpy(np.float32)
#: Says what a child says when it has loaded its estimator.
READY = "printf 'K%016d' 0 | tr 0 '\\000'"
#: Chooses its column by name, so that the child must give it the names of training.
CLASSIFIER = make_pipeline(
    ColumnTransformer([("scaled", StandardScaler(), ["b"])]), LogisticRegression()
).fit(X, X["b"] > 0)


@pytest.fixture(scope="module")
def running() -> Iterator[NativeModel]:
    model = NativeRuntime().load(write_estimator(CLASSIFIER), "classification")
    yield model
    model.close()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_answers_as_the_estimator_does(running: NativeModel) -> None:
    assert np.array_equal(running.answer(ROWS), CLASSIFIER.predict_proba(X))


def test_a_killed_child_is_started_again_and_the_call_answered(running: NativeModel) -> None:
    first = running.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert running.answer(ROWS[:3]).shape == (3, 2)
    assert running.pid not in (None, first)
    assert not alive(first)


def test_rows_that_the_estimator_cannot_take_are_an_error_and_no_death(running: NativeModel) -> None:
    before = running.pid
    with pytest.raises(ModelRefused, match="NaN"):
        running.answer(np.float32([[np.nan, np.nan]]))
    assert running.pid == before
    assert running.answer(ROWS[:1]).shape == (1, 2)


def test_values_come_flat() -> None:
    estimator = HistGradientBoostingRegressor(max_iter=3).fit(X, X["a"])
    said = read_frame(io.BytesIO(native_child._answer(estimator, "regression", ["a", "b"], ROWS)))
    assert said is not None
    kind, height, width, content = said
    assert kind == ANSWERS
    assert np.array_equal(array(content, height, width, "<f8"), estimator.predict(X))


def test_a_frame_that_is_cut_off_is_no_frame() -> None:
    whole = frame(ANSWERS, b"12345678", 1, 1)
    assert read_frame(io.BytesIO(whole)) == (ANSWERS, 1, 1, b"12345678")
    for size in range(len(whole)):
        assert read_frame(io.BytesIO(whole[:size])) is None


def test_closing_ends_the_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "python"
    program.write_text("\n".join(["#!/bin/sh", READY, "exec sleep 60"]) + "\n")
    program.chmod(0o700)
    monkeypatch.setattr("trimtab.adapters.native_runtime.sys.executable", str(program))
    model = NativeRuntime().load(b"x", "regression")
    pid = model.pid
    assert pid is not None
    assert alive(pid)
    model.close()
    model.close()
    assert not alive(pid)


def test_bytes_that_are_no_estimator_are_refused_and_leave_no_child() -> None:
    with pytest.raises(ModelRefused, match="no stored estimator"):
        NativeRuntime().load(b"\x80\x04\x95", "classification")


def test_a_child_that_dies_on_every_call_is_an_error_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In the child's place stands a program that loads and then dies with words.
    program = tmp_path / "python"
    lines = ["#!/bin/sh", READY, "sleep 0.2", "echo out of cheese >&2", "exit 3"]
    program.write_text("\n".join(lines) + "\n")
    program.chmod(0o700)
    monkeypatch.setattr("trimtab.adapters.native_runtime.sys.executable", str(program))
    model = NativeRuntime(patience_seconds=20).load(b"x", "regression")
    with pytest.raises(ExecutorDied, match="out of cheese"):
        model.answer(ROWS[:1])
    model.close()


def test_a_child_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "python"
    program.write_text("\n".join(["#!/bin/sh", READY, "exec sleep 60"]) + "\n")
    program.chmod(0o700)
    monkeypatch.setattr("trimtab.adapters.native_runtime.sys.executable", str(program))
    model = NativeRuntime(patience_seconds=0.3).load(b"x", "regression")
    pid = model.pid
    with pytest.raises(ExecutorDied, match="no answer within"):
        model.answer(ROWS[:1])
    assert model.pid is None
    assert pid is not None
    assert not alive(pid)
