"""Sealing: all that a run logged becomes an artifact that never changes."""

from collections.abc import Sequence

from trimtab.atoms.artifact import Artifact, artifact_of
from trimtab.atoms.content.content import Part
from trimtab.atoms.content.run_log import RunLog, sealed_file, sealed_metric
from trimtab.atoms.content.stored_model import StoredFile, StoredModel
from trimtab.atoms.run import LoggedFile, Run
from trimtab.engine.metric_series import POINTS_MEDIA_TYPE, RunPoints
from trimtab.engine.store import Store
from trimtab.ports.run_index import RunIndex
from trimtab.tracking.file import PIECE_BYTES


def seal_run(store: Store, index: RunIndex, run: Run) -> Artifact:
    """The artifact of a run as the index tells it now, with its bytes kept; not in the ledger yet."""
    log = RunLog(
        model="",
        run=run.head.id,
        experiment=run.head.experiment,
        parameters=dict(run.parameters),
        tags=run.tags,
        metrics={metric: sealed_metric(last) for metric, last in run.metrics.items()},
        series=_series(store, index, run),
        files=tuple(sealed_file(file, PIECE_BYTES) for file in index.files.under(run.head.id)),
        datasets=run.datasets,
        models_in=run.models_in,
        models_out=run.models_out,
    )
    artifact, body = artifact_of(log)
    store.blobs.put(body)
    return artifact


def stored_model(files: Sequence[LoggedFile], below: str = "") -> StoredModel:
    """Files of a model, as an artifact's content that keeps them; their paths are told from the folder `below`."""
    sealed = [sealed_file(file, PIECE_BYTES) for file in sorted(files, key=lambda file: file.path)]
    return StoredModel(
        files=tuple(
            StoredFile(
                path=each.path.removeprefix(f"{below}/") if below else each.path,
                size_bytes=each.size_bytes,
                pieces=each.parts,
            )
            for each in sealed
        )
    )


def _series(store: Store, index: RunIndex, run: Run) -> Part | None:
    if not run.metrics:
        return None
    points = RunPoints()
    for metric in sorted(run.metrics):
        points.take(index.runs.points(run.head.id, metric))
    body = points.sealed()
    return Part(blob=store.blobs.put(body), size_bytes=len(body), media_type=POINTS_MEDIA_TYPE)
