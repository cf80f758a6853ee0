"""Data is known again by its digest, however it came to be."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from trimtab.assembly.recording.dataset import describe
from trimtab.atoms.error import UsageError

FRAME = pl.DataFrame(
    {"a": [1, 2, None], "b": ["x", None, "z"], "c": [0.5, 1.5, 2.5], "d": [True, False, None]}
)


def digest(data: Any) -> str:
    return describe(data, None, "").digest


def test_equal_frames_have_one_digest_and_others_another() -> None:
    doubled = pl.concat([FRAME, FRAME])
    assert {digest(FRAME), digest(doubled.slice(3, 3)), digest(pl.concat([FRAME[:1], FRAME[1:]]))} == {
        digest(FRAME)
    }
    others = [
        FRAME,
        FRAME[:2],
        FRAME.reverse(),
        FRAME.rename({"a": "e"}),
        FRAME.select("b", "a", "c", "d"),
        doubled,
    ]
    assert len({digest(each) for each in others}) == len(others)
    table = FRAME.to_pandas()
    assert digest(table) == digest(table.copy())
    assert len({digest(table), digest(table[:2]), digest(table.rename(columns={"a": "e"}))}) == 3


def test_columns_and_counts_are_told_in_mlflows_words() -> None:
    told = describe(FRAME, "rows", "training")
    assert [each["type"] for each in json.loads(told.schema)["mlflow_colspec"]] == [
        "long",
        "string",
        "double",
        "boolean",
    ]
    assert json.loads(told.profile) == {"num_rows": 3, "num_elements": 12}
    assert told.tags == {"mlflow.data.context": "training"}


def test_arrays_files_folders_and_snapshots_are_described(tmp_path: Path) -> None:
    array = np.arange(6.0).reshape(3, 2)
    assert digest(array) == digest(array.copy())
    assert len({digest(array), digest(array.T), digest(array.astype("f4")), digest(array.reshape(6))}) == 4
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("x\n1\n")
    whole, file = describe(tmp_path / "data", None, ""), describe(str(tmp_path / "data" / "a.csv"), None, "")
    assert (whole.name, file.name, file.source_type) == ("data", "a", "local")
    assert json.loads(whole.profile) == {"num_files": 1, "size_bytes": 4}
    (tmp_path / "data" / "a.csv").rename(tmp_path / "data" / "b.csv")
    assert digest(tmp_path / "data") != whole.digest
    assert digest(tmp_path / "data" / "b.csv") == file.digest
    snapshot = describe("ab" * 32, None, "")
    assert (snapshot.source_type, snapshot.digest) == ("trimtab-snapshot", "ab" * 32)


@pytest.mark.parametrize(
    "wrong",
    [
        3,
        FRAME.lazy(),
        np.array([object()]),
        pd.DataFrame({"a": [[1], [2]]}),
        "no such file",
        Path("no such file"),
    ],
)
def test_what_cannot_be_described_is_refused(wrong: Any) -> None:
    with pytest.raises(UsageError):
        describe(wrong, None, "")


def test_an_empty_frame_and_a_series_are_data_too() -> None:
    assert digest(pl.DataFrame()) != digest(pl.DataFrame({"a": []}))
    assert json.loads(describe(pd.DataFrame({"a": [1]}), None, "").profile)["num_rows"] == 1


def test_a_name_and_what_it_is_read_for_are_text_whatever_was_given() -> None:
    told = describe(np.zeros(3), 3, 7)  # type: ignore[arg-type]
    assert (told.name, told.tags) == ("3", {"mlflow.data.context": "7"})
    with pytest.raises(UsageError, match="empty"):
        describe(np.zeros(3), " ", "")
