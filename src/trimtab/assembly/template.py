"""A project to start from: what `trimtab new` writes."""

import csv
import io
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from trimtab.assembly.settings import FILE_NAME
from trimtab.atoms.error import UsageError

_PROJECT = '''"""Will this parcel come late? An example: put your own table, target and features here."""

import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier

import trimtab as tt

parcels = tt.source("parcels", "data/raw/*.csv", key="parcel_id", event_time="handed_in_at", span="1w")


@tt.request_features
def hand_in(rows: pl.LazyFrame) -> pl.LazyFrame:
    """From the row itself; the same code runs in training and in serving."""
    at = pl.col("handed_in_at")
    return rows.with_columns(hour=at.dt.hour(), weekday=at.dt.weekday())


@tt.model(
    "late_parcel", rows=parcels, target="late", features=[hand_in], metrics=["log_loss"], slices=["service"]
)
def late_parcel(train: tt.Dataset, trial: tt.Trial) -> HistGradientBoostingClassifier:
    learner = HistGradientBoostingClassifier(
        max_iter=trial.integer("max_iter", 20, 200, default=40),
        learning_rate=trial.number("learning_rate", 0.02, 0.3, default=0.1, log=True),
        min_samples_leaf=40,
        random_state=trial.seed,
    )
    return learner.fit(train.x, train.y)
'''

_SETTINGS = """# Places and policies; everything left out has a working default.
[project]
name = "{name}"

[monitor]
window = "1d"         # what was served is judged day by day

[trigger]
cool_down = "7d"      # at least so long between two retrains
"""

_TEST = '''"""The features of this project do what they say."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import project  # noqa: E402


def test_hour_and_weekday_come_from_the_hand_in_time():
    rows = pl.LazyFrame({"handed_in_at": [datetime(2024, 1, 1, 17, 30, tzinfo=UTC)]})
    features = project.hand_in.compute(rows).collect()
    assert features["hour"].to_list() == [17]
    assert features["weekday"].to_list() == [1]
'''

_CI = """#!/bin/sh
# What a build server runs: the project's own tests, then the loop up to the gate: any failing check fails it.
set -eu
cd "$(dirname "$0")"
python -m pytest -q tests
trimtab ingest
trimtab validate
trimtab featurize
trimtab train
trimtab evaluate
"""

_README = """# {name}

    trimtab up          # the whole loop: train, gate, serve on :8600, the page on :8500
    trimtab status      # where everything stands

- `project.py` says what is predicted from what; `trimtab.toml` says where and by which policies.
- `data/raw` holds the rows; new files are picked up while `trimtab up` runs.
- `notebooks` is for looking, `tests` for the project's own code; `ci.sh` is what a build server runs.
"""

_NOTEBOOK = """{
 "cells": [
  {"cell_type": "markdown", "id": "1", "metadata": {}, "source": ["Look at the rows before you model them."]},
  {"cell_type": "code", "id": "2", "execution_count": null, "metadata": {}, "outputs": [],
   "source": ["import polars as pl\\n", "\\n", "pl.read_csv('../data/raw/parcels.csv').describe()"]}
 ],
 "metadata": {"language_info": {"name": "python"}},
 "nbformat": 4,
 "nbformat_minor": 5
}
"""

_IGNORED = ".trimtab/\n__pycache__/\n.ipynb_checkpoints/\n"

#: Rows of the example: eight weeks of parcels, so that weeks, holdout and slices all have something in them.
ROWS = 4000


def new(folder: Path, name: str | None = None) -> list[str]:
    """Write the project; returns what to say.

    Raises:
        UsageError: One of its files is there already, or the folder cannot be made; nothing was written.
    """
    called = name or folder.resolve().name
    if not called.isprintable() or '"' in called or "\\" in called:
        raise UsageError(
            f"a project cannot be called {called!r}: leave out quotes, backslashes and control characters"
        )
    files = {
        "project.py": _PROJECT,
        FILE_NAME: _SETTINGS.format(name=called),
        "data/raw/parcels.csv": example_rows(),
        "tests/test_project.py": _TEST,
        "notebooks/look.ipynb": _NOTEBOOK,
        "ci.sh": _CI,
        "README.md": _README.format(name=called),
        ".gitignore": _IGNORED,
    }
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file: name a folder")
    there = [file for file in files if (folder / file).exists()]
    if there:
        raise UsageError(f"{folder} holds {', '.join(there)} already: choose another folder")
    for file, text in files.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "ci.sh").chmod(0o755)
    return [f"wrote {file}" for file in files] + [f"next: cd {folder} && trimtab up"]


def example_rows(rows: int = ROWS, seed: int = 11) -> str:
    """A made-up table of parcels as CSV; heavy, far and economy ones come late more often."""
    chance = random.Random(seed)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["parcel_id", "handed_in_at", "service", "weight_kg", "distance_km", "late"])
    start = datetime(2024, 1, 1, tzinfo=UTC)
    for number in range(rows):
        at = start + timedelta(minutes=number * 8 * 7 * 24 * 60 / rows)
        service = chance.choices(["economy", "standard", "express"], [3, 5, 2])[0]
        weight, distance = round(chance.lognormvariate(0.7, 0.6), 2), round(chance.uniform(5, 900))
        risk = {"economy": 0.3, "standard": 0.1, "express": 0.02}[service] + (distance / 1000) ** 2 / 2
        late = int(chance.random() < risk + (0.2 if at.hour >= 17 else 0) + weight / 100)
        table.writerow([f"p{number:05}", at.isoformat(), service, weight, distance, late])
    return text.getvalue()
