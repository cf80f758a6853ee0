"""How long one row takes through the model that is to be served."""

import statistics

import numpy as np
from numpy.typing import NDArray

from trimtab.ports.clock import Clock
from trimtab.ports.model_runtime import RunningModel

#: Calls that are measured, after a tenth as many that are not; fewer where they take too long altogether.
CALLS = 200
MOST_SECONDS = 2.0


def one_row_ms(running: RunningModel, rows: NDArray[np.float32], clock: Clock) -> tuple[float, int]:
    """Median time of a call with one row, in milliseconds, and the number of calls behind it."""
    for place in range(CALLS // 10):
        running.answer(rows[place % len(rows)][None, :])
        if place == 0:
            begun = clock.monotonic()
        elif clock.monotonic() - begun > MOST_SECONDS / 4:
            break
    times: list[float] = []
    started = clock.monotonic()
    for place in range(CALLS):
        row = rows[place % len(rows)][None, :]
        before = clock.monotonic()
        running.answer(row)
        after = clock.monotonic()
        times.append((after - before) * 1000)
        if after - started > MOST_SECONDS:
            break
    return statistics.median(times), len(times)
