"""Features as serving computes them, beside the features that the model was trained on, on the same rows."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trimtab.atoms.check import Verdict
from trimtab.atoms.content.encoding import Encoding
from trimtab.rows.encoding import encode


@dataclass(frozen=True, slots=True)
class FeatureParity:
    """What came of it."""

    verdict: Verdict
    rows: int
    differing: int
    says: str
    #: Rows whose features are the same bit for bit, shape (rows,).
    same: NDArray[np.bool_]


def compare_features(
    trained: pl.DataFrame, served: pl.DataFrame, encoding: Encoding, view_columns: frozenset[str]
) -> FeatureParity:
    """Compare encoded features, so that only what the model would see counts.

    A view's value that training had and the online store does not have is no difference: old values are
    forgotten and new ones may still be on their way. It makes the verdict UNSURE.

    Args:
        trained: Rows of the feature table.
        served: The same rows by the serving path.
        view_columns: Features that come from views.
    """
    left, right = encode(trained, encoding), encode(served, encoding)
    # A column of one row may be computed otherwise in its last digit: a neighbour in float32 is the same value.
    unequal = np.logical_not(np.isclose(left, right, rtol=2e-7, atol=0.0, equal_nan=True)).reshape(left.shape)
    names = [column.name for column in encoding.columns]
    absent = np.column_stack(
        [
            served[name].is_null().to_numpy() & unequal[:, place]
            if name in view_columns
            else np.zeros(len(left), dtype=np.bool_)
            for place, name in enumerate(names)
        ]
    )
    wrong = unequal & ~absent
    rows, differing = len(left), int(wrong.any(axis=1).sum())
    same = ~unequal.any(axis=1)
    if differing:
        worst = names[int(wrong.sum(axis=0).argmax())]
        says = (
            f"{differing:,} of {rows:,} rows have other features when served, {worst!r} most often: "
            "its code must give the same for one row as for many"
        )
        return FeatureParity(Verdict.FAIL, rows, differing, says, same)
    if absent.any():
        missing = int(absent.any(axis=1).sum())
        says = f"{missing:,} of {rows:,} rows have view values that are not online; all else is the same"
        return FeatureParity(Verdict.UNSURE, rows, 0, says, same)
    return FeatureParity(Verdict.PASS, rows, 0, f"{rows:,} rows have the same features when served", same)
