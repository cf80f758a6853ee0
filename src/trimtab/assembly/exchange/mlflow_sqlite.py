"""An MLflow store in a SQLite file, read with SQL: columns that a version of MLflow lacks are empty."""

import math
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from trimtab.assembly.exchange.artifact_place import ArtifactPlace
from trimtab.assembly.exchange.foreign import (
    ForeignExperiment,
    ForeignFile,
    ForeignModel,
    ForeignModelPoints,
    ForeignRegistered,
    ForeignRun,
    ForeignVersion,
    Overview,
)
from trimtab.assembly.exchange.portion import POINTS_AT_ONCE, RUNS_AT_ONCE
from trimtab.atoms.error import UsageError
from trimtab.atoms.metric_point import Points
from trimtab.atoms.run import NAME_TAG, USER_TAG, LoggedDataset, ModelLink, ModelStatus, RunStatus
from trimtab.tracking.registry.registered_model import Stage

#: Values that are asked for in one question.
_VALUES_AT_ONCE = 250
#: Tables of what is not taken over.
_LEFT = {"trace_info": "traces", "assessments": "assessments", "evaluation_datasets": "evaluation datasets"}
_MODEL_STATUS = {1: ModelStatus.PENDING, 2: ModelStatus.READY, 3: ModelStatus.FAILED}
#: The stage by which MLflow's store marks a version that was deleted.
_DELETED_STAGE = "Deleted_Internal"

Row = dict[str, Any]
Answer = TypeVar("Answer")


class SqliteStore:
    """Reads one file; nothing is written to it."""

    def __init__(self, path: Path, artifacts: Path | None = None) -> None:
        """
        Raises:
            UsageError: There is no such file, or it is no MLflow store.
        """
        if not path.is_file():
            raise UsageError(f"{path} is not there: give the path of MLflow's database, as sqlite:///PATH")
        self.shown = f"sqlite:///{path}"
        self.unread: dict[Path, str] = {}
        self._path = path.resolve()
        self._place = ArtifactPlace(self._path.parent, artifacts)
        self._columns = self._read(_columns)
        missing = {"experiments", "runs", "metrics", "params", "tags"} - self._columns.keys()
        if missing:
            raise UsageError(f"{path} is no MLflow store: it has no table {', '.join(sorted(missing))}")

    def experiments(self) -> list[ForeignExperiment]:
        tags = self._grouped("experiment_tags", "experiment_id")
        return [
            ForeignExperiment(
                id=str(row["experiment_id"]),
                name=row["name"],
                deleted=row.get("lifecycle_stage") == "deleted",
                created_ms=row.get("creation_time") or 0,
                updated_ms=row.get("last_update_time") or row.get("creation_time") or 0,
                tags=_pairs(tags[row["experiment_id"]]),
            )
            for row in self._all("experiments", "experiment_id")
        ]

    def runs(self) -> Iterator[list[ForeignRun]]:
        counted = self._rows("SELECT run_uuid, count(*) AS n FROM metrics GROUP BY run_uuid")
        points = {row["run_uuid"]: row["n"] for row in counted}
        some: list[str] = []
        held = 0
        for row in self._rows("SELECT run_uuid FROM runs ORDER BY start_time, run_uuid"):
            some.append(row["run_uuid"])
            held += points.get(row["run_uuid"], 0)
            if len(some) >= RUNS_AT_ONCE or held >= POINTS_AT_ONCE:
                yield self.these(some)
                some, held = [], 0
        if some:
            yield self.these(some)

    def these(self, ids: list[str]) -> list[ForeignRun]:
        """Runs with these ids, in their order, as far as they are there."""
        return self._some_runs(ids, {row["dataset_uuid"]: row for row in self._all("datasets")})

    def models(self) -> list[ForeignModel]:
        parameters = self._grouped("logged_model_params", "model_id")
        tags = self._grouped("logged_model_tags", "model_id")
        metrics = self._grouped("logged_model_metrics", "model_id")
        no_number = self._nan_points()
        return [
            ForeignModel(
                id=row["model_id"],
                experiment=str(row["experiment_id"]),
                name=row["name"],
                type=row["model_type"] or "",
                run=row["source_run_id"] or "",
                status=_MODEL_STATUS.get(row["status"], ModelStatus.PENDING),
                note=row["status_message"] or "",
                created_ms=row["creation_timestamp_ms"],
                updated_ms=row["last_updated_timestamp_ms"],
                deleted=row["lifecycle_stage"] == "deleted",
                parameters={each["param_key"]: each["param_value"] for each in parameters[row["model_id"]]},
                tags={each["tag_key"]: each["tag_value"] for each in tags[row["model_id"]]},
                points=_model_points(metrics[row["model_id"]], no_number),
                place=row["artifact_location"],
            )
            for row in self._all("logged_models", "creation_timestamp_ms")
        ]

    def registered(self) -> list[ForeignRegistered]:
        tags = self._grouped("registered_model_tags", "name")
        aliases = self._grouped("registered_model_aliases", "name")
        versions = self._grouped("model_versions", "name", "version")
        version_tags: dict[tuple[str, int], dict[str, str]] = defaultdict(dict)
        for row in self._all("model_version_tags"):
            version_tags[row["name"], row["version"]][row["key"]] = row["value"]
        return [
            ForeignRegistered(
                name=row["name"],
                description=row["description"] or "",
                created_ms=row["creation_time"],
                updated_ms=row["last_updated_time"] or row["creation_time"],
                tags=_pairs(tags[row["name"]]),
                aliases={each["alias"]: each["version"] for each in aliases[row["name"]]},
                versions=[
                    _version(each, version_tags[row["name"], each["version"]])
                    for each in versions[row["name"]]
                    if each["current_stage"] != _DELETED_STAGE
                ],
            )
            for row in self._all("registered_models", "name")
        ]

    def files(self, place: str) -> list[ForeignFile]:
        return self._place.files(place)

    def overview(self) -> Overview:
        counts = {
            what: self._rows(f"SELECT count(*) AS n FROM {table}")[0]["n"]
            for table, what in _LEFT.items()
            if table in self._columns
        }
        return Overview(
            int(self._rows("SELECT count(*) AS n FROM runs")[0]["n"]),
            {what: count for what, count in counts.items() if count},
        )

    def _some_runs(self, ids: list[str], datasets: dict[str, Row]) -> list[ForeignRun]:
        heads = {row["run_uuid"]: row for row in self._of("runs", "run_uuid", ids)}
        found = {run: _run(head) for run, head in heads.items()}
        for table, field in (("params", "parameters"), ("tags", "tags")):
            for row in self._of(table, "run_uuid", ids):
                getattr(found[row["run_uuid"]], field)[row["key"]] = row["value"] or ""
        self._add_points(found, ids)
        self._add_inputs(found, ids, datasets)
        for run, head in heads.items():
            _name(found[run], head)
        return [found[run] for run in ids if run in found]

    def _add_points(self, found: dict[str, ForeignRun], ids: list[str]) -> None:
        """Row by row: a run may have millions of points."""

        asked = "SELECT run_uuid, key, value, timestamp, step, is_nan FROM metrics WHERE run_uuid IN"

        def read(db: sqlite3.Connection) -> None:
            for some in _some(ids):
                rows = db.execute(f"{asked} ({_marks(some)}) ORDER BY step, timestamp", some)
                for run, key, value, timestamp, step, is_nan in rows:
                    found[run].points.add(key, step or 0, math.nan if is_nan else value, timestamp * 1000)

        self._read(read)

    def _nan_points(self) -> set[tuple[str, str, int, int]]:
        """Points of runs that are no number. MLflow keeps 0 where a logged model was measured by one."""
        if "logged_model_metrics" not in self._columns:
            return set()
        asked = "SELECT run_uuid, key, step, timestamp FROM metrics WHERE is_nan AND run_uuid IN "
        rows = self._rows(f"{asked} (SELECT run_id FROM logged_model_metrics WHERE metric_value = 0)")
        return {(row["run_uuid"], row["key"], row["step"], row["timestamp"]) for row in rows}

    def _add_inputs(self, found: dict[str, ForeignRun], ids: list[str], datasets: dict[str, Row]) -> None:
        if "inputs" not in self._columns:
            return
        read = self._of("inputs", "destination_id", ids)
        tags: dict[str, dict[str, str]] = defaultdict(dict)
        for row in self._of("input_tags", "input_uuid", [row["input_uuid"] for row in read]):
            tags[row["input_uuid"]][row["name"]] = row["value"]
        for row in read:
            if row["source_type"] == "DATASET" and row["source_id"] in datasets:
                run = found[row["destination_id"]]
                run.datasets += (_dataset(datasets[row["source_id"]], tags[row["input_uuid"]]),)
        for row in self._of("inputs", "source_id", ids):
            link = ModelLink(model=row["destination_id"], step=row.get("step") or 0)
            run = found[row["source_id"]]
            if row["source_type"] == "RUN_INPUT":
                run.models_in += (link,)
            elif row["source_type"] == "RUN_OUTPUT":
                run.models_out += (link,)

    def _of(self, table: str, column: str, values: list[str]) -> list[Row]:
        if table not in self._columns:
            return []
        rows: list[Row] = []
        for some in _some(values):
            rows += self._rows(f"SELECT * FROM {table} WHERE {column} IN ({_marks(some)})", some)
        return rows

    def _all(self, table: str, order: str = "rowid") -> list[Row]:
        return self._rows(f"SELECT * FROM {table} ORDER BY {order}") if table in self._columns else []

    def _grouped(self, table: str, column: str, order: str = "rowid") -> dict[Any, list[Row]]:
        groups: dict[Any, list[Row]] = defaultdict(list)
        for row in self._all(table, order):
            groups[row[column]].append(row)
        return groups

    def _rows(self, sql: str, values: list[str] | None = None) -> list[Row]:
        def read(db: sqlite3.Connection) -> list[Row]:
            cursor = db.execute(sql, values or [])
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

        return self._read(read)

    def _read(self, question: Callable[[sqlite3.Connection], Answer]) -> Answer:
        try:
            with closing(sqlite3.connect(f"file:{quote(str(self._path))}?mode=ro", uri=True)) as db:
                return question(db)
        except sqlite3.Error as error:
            raise UsageError(f"{self._path} cannot be read as MLflow's database: {error}") from error


def _some(values: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(values), _VALUES_AT_ONCE):
        yield values[start : start + _VALUES_AT_ONCE]


def _marks(values: list[str]) -> str:
    return ",".join("?" * len(values))


def _columns(db: sqlite3.Connection) -> dict[str, set[str]]:
    tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {table: {row[1] for row in db.execute(f'PRAGMA table_info("{table}")')} for table in tables}


def _pairs(rows: list[Row]) -> dict[str, str]:
    return {row["key"]: row["value"] or "" for row in rows}


def _run(row: Row) -> ForeignRun:
    return ForeignRun(
        id=row["run_uuid"],
        experiment=str(row["experiment_id"]),
        status=RunStatus(row["status"] or RunStatus.RUNNING),
        deleted=row["lifecycle_stage"] == "deleted",
        started_ms=row["start_time"] or 0,
        ended_ms=row["end_time"],
        place=row["artifact_uri"] or "",
    )


def _name(run: ForeignRun, row: Row) -> None:
    """What older versions of MLflow say in columns is said in tags here."""
    for tag, column in ((NAME_TAG, "name"), (USER_TAG, "user_id")):
        if row.get(column) and tag not in run.tags:
            run.tags[tag] = row[column]


def _dataset(row: Row, tags: dict[str, str]) -> LoggedDataset:
    return LoggedDataset(
        name=row["name"],
        digest=row["digest"],
        source_type=row["dataset_source_type"],
        source=row["dataset_source"],
        schema=row["dataset_schema"] or "",
        profile=row["dataset_profile"] or "",
        tags=tags,
    )


def _model_points(rows: list[Row], no_number: set[tuple[str, str, int, int]]) -> list[ForeignModelPoints]:
    groups: dict[tuple[str, str, str], Points] = defaultdict(Points)
    for row in rows:
        where = row["run_id"], row["dataset_name"] or "", row["dataset_digest"] or ""
        point = row["run_id"], row["metric_name"], row["metric_step"], row["metric_timestamp_ms"]
        value = math.nan if row["metric_value"] is None or point in no_number else row["metric_value"]
        at_us = row["metric_timestamp_ms"] * 1000
        groups[where].add(row["metric_name"], row["metric_step"], value, at_us)
    return [
        ForeignModelPoints(run=run, dataset=(name, digest), points=points)
        for (run, name, digest), points in groups.items()
    ]


def _version(row: Row, tags: dict[str, str]) -> ForeignVersion:
    return ForeignVersion(
        number=row["version"],
        source=row["source"] or "",
        run=row["run_id"] or "",
        logged_model="",
        run_link=row.get("run_link") or "",
        description=row["description"] or "",
        stage=Stage(row["current_stage"] or Stage.NONE),
        created_ms=row["creation_time"],
        updated_ms=row["last_updated_time"] or row["creation_time"],
        tags=tags,
        place=row.get("storage_location") or row["source"] or "",
    )
