"""The rows that a challenger is judged on: never seen by it, nor, for a comparison, by the champion."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trimtab.atoms.content.bundle import Bundle
from trimtab.atoms.content.encoding import Encoding
from trimtab.atoms.content.feature_table import FeatureTable
from trimtab.atoms.content.model import Model
from trimtab.atoms.error import UsageError
from trimtab.engine.work import Work
from trimtab.rows.encoding import encode
from trimtab.rows.holdout import MOST_BLOCKS, blocks, model_holdout_mask
from trimtab.rows.served_row import label_text, truth_codes
from trimtab.rows.table import read_table

#: float32 rows (n, features) to probabilities (n, classes) or values (n,).
Answer = Callable[[Any], Any]
#: Name of the column that remembers a row's place in its table.
_PLACE = "_place"


@dataclass(frozen=True, slots=True)
class Champion:
    """The bundle that answers now."""

    #: Artifact id of the bundle.
    bundle: str
    encoding: Encoding
    #: Feature table of the same rows as the challenger's, by the champion's own feature code.
    table: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class GateRows:
    """Held-out rows with their outcomes, and what is needed to make simple models."""

    #: The held-out rows, with slice columns.
    frame: pl.DataFrame
    #: Class codes or values, shape (n,).
    truth: NDArray[Any]
    #: Block of each row, shape (n,), and what a block is: `days` or `blocks of rows`.
    blocks: NDArray[Any]
    block_word: str
    #: The challenger's answers, shape (n, classes) or (n,).
    answers: NDArray[np.float64]
    #: Encoded held-out and training rows, and the training rows' outcomes.
    encoded: NDArray[np.float32]
    training: NDArray[np.float32]
    training_truth: NDArray[Any]
    #: The champion's answers on the rows where `fair` is True; None without a champion.
    champion: NDArray[np.float64] | None
    #: Rows that the champion has not seen either, shape (n,).
    fair: NDArray[np.bool_]


def gate_rows(
    work: Work, model: Model, table_id: str, challenger: Answer, champion: Champion | None
) -> GateRows:
    """Gather the rows and the answers to them.

    Raises:
        UsageError: The champion's feature table does not hold the same rows.
    """
    table = work.read(table_id, FeatureTable)
    frame = _rows(work, table)
    mask = pl.Series(_unseen(frame, model, table))
    held, training = frame.filter(mask), frame.filter(~mask)
    days = blocks(held.drop(_PLACE), table.event_time, table.key)
    classes = len(model.classes)
    encoded = encode(held, model.encoding)
    answers = np.asarray(challenger(encoded), dtype=np.float64)
    fair, theirs = np.zeros(held.height, dtype=np.bool_), None
    if champion is not None:
        fair, theirs = _champion_answers(work, champion, model, table, table_id, frame, held)
    return GateRows(
        frame=held,
        truth=_outcomes(held.get_column(table.target), model.classes),
        blocks=days,
        block_word="days" if days.max(initial=0) >= MOST_BLOCKS else "blocks of rows",
        answers=answers.reshape(held.height, classes) if classes else answers.reshape(held.height),
        encoded=encoded,
        training=encode(training, model.encoding),
        training_truth=_outcomes(training.get_column(table.target), model.classes),
        champion=theirs,
        fair=fair,
    )


def _rows(work: Work, table: FeatureTable) -> pl.DataFrame:
    """Rows with an outcome, each with its place."""
    parts = [read_table(work.part(span.table)) for span in table.spans]
    frame = pl.concat(parts, how="vertical_relaxed") if parts else pl.DataFrame()
    return frame.with_row_index(_PLACE).filter(pl.col(table.target).is_not_null())


def _unseen(frame: pl.DataFrame, model: Model, table: FeatureTable) -> NDArray[np.bool_]:
    """Which rows a model was not trained on; without a key the row itself decides, so without its place."""
    rows = frame.drop(_PLACE)
    return model_holdout_mask(rows, model)


def _outcomes(target: pl.Series, classes: Sequence[Any]) -> NDArray[Any]:
    if not classes:
        return target.cast(pl.Float64).to_numpy().astype(np.float64)
    distinct = target.unique()
    texts = pl.Series([label_text(value) for value in distinct.to_list()], dtype=pl.String)
    codes = pl.DataFrame({"_value": distinct, "_code": truth_codes(texts, classes)})
    joined = target.to_frame("_value").join(codes, on="_value", how="left", maintain_order="left")
    return joined.get_column("_code").to_numpy().astype(np.int64)


def _champion_answers(
    work: Work,
    champion: Champion,
    model: Model,
    table: FeatureTable,
    table_id: str,
    frame: pl.DataFrame,
    held: pl.DataFrame,
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Which held-out rows the champion never saw, and its answers to them in the challenger's classes."""
    manifest = work.read(champion.bundle, Bundle).manifest
    if manifest.task != model.task:
        raise UsageError(
            f"model {model.name!r} is a {model.task} and its champion a {manifest.task}: "
            "give the new one another name"
        )
    theirs = frame if champion.table == table_id else _same_rows(work, champion.table, table, frame)
    mask = pl.Series(_unseen(theirs, work.read(manifest.trained, Model), table))
    unseen = set(theirs.filter(mask).get_column(_PLACE).to_list())
    fair = np.array([place in unseen for place in held.get_column(_PLACE).to_list()], dtype=np.bool_)
    asked = held.filter(fair).select(_PLACE).join(theirs, on=_PLACE, how="left", maintain_order="left")
    answers = np.asarray(champion.answer(encode(asked, champion.encoding)), dtype=np.float64)
    if not model.classes:
        return fair, answers.reshape(asked.height)
    return fair, _in_classes(
        answers.reshape(asked.height, len(manifest.classes)), manifest.classes, model.classes
    )


def _same_rows(work: Work, table_id: str, table: FeatureTable, frame: pl.DataFrame) -> pl.DataFrame:
    """The champion's features of the challenger's rows, with the challenger's places."""
    other = work.read(table_id, FeatureTable)
    theirs = pl.concat([read_table(work.part(span.table)) for span in other.spans], how="vertical_relaxed")
    if table.key is not None and other.key == table.key:
        places = frame.select(table.key, _PLACE)
        joined = places.join(theirs, on=table.key, how="inner", maintain_order="left")
        if joined.height == frame.height:
            return joined
    elif [span.rows for span in other.spans] == [span.rows for span in table.spans]:
        return theirs.with_row_index(_PLACE)
    raise UsageError(
        f"model {table.model!r}: the champion's feature table does not hold the rows of the challenger's; "
        "materialize it from the same snapshot"
    )


def _in_classes(
    answers: NDArray[np.float64], given: Sequence[Any], wanted: Sequence[Any]
) -> NDArray[np.float64]:
    """Probabilities in the order of `wanted`; a class that the champion does not know gets 0."""
    place = {label_text(value): column for column, value in enumerate(given)}
    made = np.zeros((len(answers), len(wanted)))
    for column, value in enumerate(wanted):
        source = place.get(label_text(value))
        if source is not None:
            made[:, column] = answers[:, source]
    return made
