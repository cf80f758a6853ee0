"""What every model runtime must do: subclass the class where there is a fixture `make`.

`make(task)` gives the runtime, the bytes of a model for `task` (`classification` into two classes or
`regression`) that it can open, and the number of features that the model takes.
"""

from collections.abc import Callable
from contextlib import closing
from threading import Thread

import numpy as np
import pytest

from trimtab.atoms.error import ModelRefused
from trimtab.ports.model_runtime import ModelRuntime

MakeRuntime = Callable[[str], tuple[ModelRuntime, bytes, int]]


def rows_of(width: int, rows: int = 20) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    """The same rows each time, some numbers missing."""
    dice = np.random.default_rng(7)
    table = dice.normal(size=(rows, width)).astype(np.float32)
    table[3, 0] = np.nan
    return table


class ModelRuntimeAnswers:
    """One format, opened only where it is that, answering by the rows alone."""

    @pytest.mark.parametrize("task", ["classification", "regression"])
    def test_a_row_has_one_answer_in_whatever_company(self, make: MakeRuntime, task: str) -> None:
        runtime, graph, width = make(task)
        rows = rows_of(width)
        with closing(runtime.load(graph, task)) as model:
            together = model.answer(rows)
            again = model.answer(rows)
            alone = np.concatenate([model.answer(rows[place : place + 1]) for place in range(len(rows))])
        assert np.array_equal(again, together)
        assert np.allclose(alone, together, rtol=0, atol=1e-6)
        assert np.array_equal(rows, rows_of(width), equal_nan=True), "the rows were changed"
        assert together.shape == ((20, 2) if task == "classification" else (20,))
        if task == "classification":
            assert np.allclose(together.sum(axis=1), 1.0, atol=1e-5)
            assert ((together >= 0) & (together <= 1)).all()

    def test_threads_do_not_disturb_each_other(self, make: MakeRuntime) -> None:
        runtime, graph, width = make("regression")
        rows = rows_of(width)
        wrong: list[int] = []
        with closing(runtime.load(graph, "regression")) as model:
            expected = model.answer(rows)

            def ask(number: int) -> None:
                for _ in range(10):
                    if not np.array_equal(model.answer(rows[number:]), expected[number:]):
                        wrong.append(number)

            threads = [Thread(target=ask, args=(number,)) for number in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert wrong == []

    @pytest.mark.parametrize(
        "graph", [b"", b"\0" * 64, b"rubbish", b"\x80\x04K\x01."], ids=["empty", "zeros", "text", "pickle"]
    )
    def test_bytes_of_another_format_are_refused(self, make: MakeRuntime, graph: bytes) -> None:
        runtime, _, _ = make("regression")
        with pytest.raises(ModelRefused):
            runtime.load(graph, "regression")
