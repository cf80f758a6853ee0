"""Writes a project file for a table and a target: what `trimtab up data.csv --target late` begins with."""

import json
import keyword
import re
from pathlib import Path

import polars as pl

from trimtab.assembly.settings import FILE_NAME
from trimtab.atoms.error import UsageError
from trimtab.loop.train.target import read_target
from trimtab.rows.table import read_files

#: A text column in which nearly every row has a value of its own names rows; it says nothing about others.
NAMING_SHARE = 0.9
#: Fewer rows than this do not tell a name from a value.
NAMING_ROWS = 30

_FILE = '''"""Predicts {target!r} from {data}. Written by `trimtab up`; it is yours now: change what you like."""

{imports}import trimtab as tt

rows = tt.source({source}, {path})

{features}
@tt.model("{name}", rows=rows, target={column},{uses} metrics={metrics})
def {function}(train: tt.Dataset, trial: tt.Trial) -> {estimator}:
    learner = {estimator}(
        max_iter=trial.integer("max_iter", 20, 500, default=100),
        learning_rate=trial.number("learning_rate", 0.01, 0.3, default=0.1, log=True),
        min_samples_leaf=trial.integer("min_samples_leaf", 5, 100, default={leaf}),
        random_state=trial.seed,
    )
    return learner.fit(train.x, train.y)
'''

_DROP = '''
@tt.request_features
def without_names(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Leaves out columns that only name a row."""
    return rows.drop({names})

'''


def write_first_file(folder: Path, data: Path, target: str, file_name: str) -> str:
    """Write the project file and `trimtab.toml` for a table, where there are none yet.

    Args:
        folder: The project's folder; made where it does not exist.
        data: CSV or Parquet file.
        target: Column to predict.
        file_name: Name of the project file.

    Returns:
        The model's name.

    Raises:
        UsageError: The file cannot be read, the target is not among its columns or has one value only, or another
            project file is there already. Nothing was written.
    """
    frame = read_files([data])
    text, name = project_text(frame, data, target, folder)
    place = folder / file_name
    if place.exists():
        if place.read_text(
            encoding="utf-8"
        ) == text or f"target={json.dumps(target, ensure_ascii=False)}," in place.read_text(encoding="utf-8"):
            return name
        raise UsageError(
            f"{place} is there already and predicts something else: "
            "run `trimtab up` without a file to go on with it, or choose another folder with --project"
        )
    folder.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")
    if not (folder / FILE_NAME).exists():
        (folder / FILE_NAME).write_text(
            f'[project]\nname = "{name}"\nfile = "{file_name}"\n', encoding="utf-8"
        )
    return name


def project_text(frame: pl.DataFrame, data: Path, target: str, folder: Path) -> tuple[str, str]:
    """The project file's text for a table, and the model's name."""
    if target not in frame.columns:
        raise UsageError(
            f"--target {target!r}: {data.name} has no such column; it has {_listed(frame.columns)}"
        )
    if len(frame.columns) < 2:
        raise UsageError(
            f"{data.name} has no column beside the target {target!r}: there is nothing to predict from"
        )
    task = read_target(frame.get_column(target), None, f"--target {target!r}: the column").task
    naming = [
        column for column in frame.columns if column != target and _only_names(frame.get_column(column))
    ]
    if len(naming) == len(frame.columns) - 1:
        raise UsageError(
            f"{data.name}: every column beside {target!r} only names rows: there is nothing to predict from"
        )
    name = _word(target)
    estimator = (
        "HistGradientBoostingClassifier" if task == "classification" else "HistGradientBoostingRegressor"
    )
    imports = ("import polars as pl\n" if naming else "") + f"from sklearn.ensemble import {estimator}\n\n"
    metrics = '["log_loss", "roc_auc"]' if task == "classification" else '["rmse", "mae"]'
    text = _FILE.format(
        data=data.name,
        target=target,
        column=json.dumps(target, ensure_ascii=False),
        imports=imports,
        source=json.dumps(_word(data.stem)),
        path=json.dumps(_path(data, folder), ensure_ascii=False),
        features=_DROP.format(names=", ".join(json.dumps(column) for column in naming)) if naming else "",
        uses=" features=[without_names]," if naming else "",
        name=name,
        metrics=metrics,
        function=name,
        estimator=estimator,
        leaf=20 if len(frame) >= 1000 else 5,
    )
    return text, name


def _only_names(column: pl.Series) -> bool:
    if column.dtype != pl.String or len(column) < NAMING_ROWS:
        return False
    return column.n_unique() >= NAMING_SHARE * len(column)


def _word(text: str) -> str:
    """`text` as a Python name: what it becomes in addresses and in code."""
    word = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_").lower() or "model"
    if word[0].isdigit() or keyword.iskeyword(word) or word in ("rows", "tt", "pl"):
        word = f"model_{word}"
    return word


def _path(data: Path, folder: Path) -> str:
    place, root = data.resolve(), folder.resolve()
    return (place.relative_to(root) if place.is_relative_to(root) else place).as_posix()


def _listed(columns: list[str]) -> str:
    shown = ", ".join(columns[:20])
    return shown if len(columns) <= 20 else f"{shown} and {len(columns) - 20} more"
