"""A bundle runs its own code: beside other bundles, from memory, leaving nothing behind."""

import sys
from pathlib import Path

import polars as pl
import pytest

from trimtab.atoms.error import ModelRefused
from trimtab.rows.bundled_code import load_declarations, load_functions

PROJECT = b'''
"""The project."""
from __future__ import annotations
import polars as pl
import trimtab as tt
import trimtab_no_such_library as heavy
from heavier import everything
import helpers.scale as scale
from helpers import shift as shifting

SIZES = {"a": 1}
SIZES.update(b=10)
rows = tt.source("rows", "rows.csv")


@tt.request_features
def sized(rows: pl.LazyFrame) -> pl.LazyFrame:
    from helpers.deep.down import LEAST
    return rows.with_columns(y=scale.scaled("x") + SIZES["b"] + shifting.by() + LEAST)


@tt.model("m", rows=rows, target="late", features=[sized])
def fit(train, trial):
    return heavy.Model(everything)
'''
FILES = {
    "project": PROJECT,
    "helpers.scale": b"import polars as pl\nfrom . import factor\n"
    b"def scaled(c):\n    return pl.col(c) * factor.FACTOR\n",
    "helpers.factor": b"FACTOR = 2\n",
    "helpers.shift": b"def by():\n    return 100\n",
    "helpers": b"READY = True\n",
    "helpers.deep.down": b"from .. import READY\nLEAST = 1000 * READY\n",
}
ROWS = pl.DataFrame({"x": [1, 2]})


def computed(files: dict[str, bytes]) -> list[int]:
    [function] = load_functions(files, "project", ["sized"])
    return list(function.compute(ROWS.lazy()).collect()["y"])


def test_features_run_without_the_training_libraries() -> None:
    """The project imports libraries that are not here; the features do not need them."""
    assert computed(FILES) == [1112, 1114]


def test_two_bundles_with_different_code_stand_side_by_side() -> None:
    other = FILES | {"helpers.factor": b"FACTOR = 3\n"}
    [ours] = load_functions(FILES, "project", ["sized"])
    [theirs] = load_functions(other, "project", ["sized"])
    assert [list(each.compute(ROWS.lazy()).collect()["y"]) for each in (ours, theirs, ours)] == [
        [1112, 1114],
        [1113, 1116],
        [1112, 1114],
    ]


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules of the caller with the same names are neither used nor replaced."""
    monkeypatch.chdir(tmp_path)
    impostor = type(sys)("helpers")
    monkeypatch.setitem(sys.modules, "helpers", impostor)
    before = dict(sys.modules)
    assert computed(FILES) == [1112, 1114]
    assert dict(sys.modules) == before
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_without_a_project_library_is_refused_by_name() -> None:
    with pytest.raises(ModelRefused, match=r"module 'project' does not run: .*trimtab_no_such_library"):
        load_declarations(FILES, "project")
    with pytest.raises(ModelRefused, match=r"module 'helpers.scale' does not run: ImportError"):
        computed({name: text for name, text in FILES.items() if name != "helpers.factor"})


def test_declarations_are_given_by_name() -> None:
    light = PROJECT.replace(b"import trimtab_no_such_library as heavy\n", b"").replace(
        b"from heavier import everything\n", b""
    )
    declared = load_declarations(FILES | {"project": light}, "project")
    assert sorted(declared) == ["fit", "rows", "sized"]


def test_features_that_are_not_at_the_top_are_found() -> None:
    project = b"""
import trimtab as tt
@tt.request_features
def own(rows):
    return rows
other_name = own
del own
"""
    assert [each.name for each in load_functions({"project": project}, "project", ["own"])] == ["own"]
    with pytest.raises(ModelRefused, match="declares no request features 'gone'"):
        load_functions({"project": project}, "project", ["gone"])
    assert load_functions({}, "project", []) == []
