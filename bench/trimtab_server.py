"""The same model behind Trimtab: trained, encoded, compiled, signed, released, served from a store on disk.

    python bench/trimtab_server.py FOLDER PORT [--best-effort]

`prepare` writes the store; with features, each request goes through a polars frame.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
from flight_model import MODEL, estimator, made_up_rows

from trimtab.adapters.compile_onnx import compile_estimator
from trimtab.adapters.local_store import open_store
from trimtab.adapters.onnx_runtime import OnnxRuntime
from trimtab.adapters.signature import Signer
from trimtab.atoms.action import Action, Closing, Outcome, action_id
from trimtab.atoms.artifact import artifact_of
from trimtab.atoms.content.bundle import Bundle, Manifest, Parity, manifest_bytes
from trimtab.atoms.content.content import Content, Part
from trimtab.atoms.content.encoding import Encoding
from trimtab.atoms.content.model import Environment, SourceFile
from trimtab.atoms.content.traffic_plan import TrafficPlan
from trimtab.atoms.instant import iso
from trimtab.engine.store import Store
from trimtab.loop.serve.server import run
from trimtab.rows.bundled_code import load_functions
from trimtab.rows.column import columns_of
from trimtab.rows.encoding import encode, learn_encoding
from trimtab.rows.feature_frame import request_frame
from trimtab.rows.request_row import json_rows

CODE = b"""import polars as pl
import trimtab as tt

@tt.request_features
def departure(rows):
    return rows.with_columns(evening=pl.col("hour") >= 17, far=(pl.col("distance") / 100).floor())
"""


def prepare(folder: Path, *, features: bool) -> None:
    """Write a store with one released bundle."""
    store = open_store(folder)
    rows = made_up_rows()
    inputs = rows.drop("late")
    functions = load_functions({"project": CODE}, "project", ["departure"]) if features else []
    frame = request_frame(inputs, functions)
    encoding = learn_encoding(frame, frame.columns)
    matrix = encode(frame, encoding)
    fitted = estimator()
    fitted.fit(pd.DataFrame(matrix, columns=list(frame.columns)), rows["late"].to_numpy().astype(np.int64))
    graph = compile_estimator(fitted, matrix.shape[1], frame.columns, "classification")
    signer = Signer(folder / "keys")
    manifest = _manifest(store, graph, encoding, inputs, matrix, features=features)
    signature, key_id = signer.sign(manifest_bytes(manifest))
    bundle = _record(store, "register", Bundle(manifest=manifest, signature=signature, key_id=key_id))
    _record(store, "release", TrafficPlan(model=MODEL, champion=bundle, champion_version=1))
    store.close()


def _manifest(
    store: Store,
    graph: bytes,
    encoding: Encoding,
    inputs: pl.DataFrame,
    matrix: np.ndarray,
    *,
    features: bool,
) -> Manifest:
    running = OnnxRuntime().load(graph, "classification")
    golden = {
        "rows": json_rows(inputs.head(8)),
        "features": [[None if np.isnan(cell) else float(cell) for cell in row] for row in matrix[:8]],
        "outputs": running.answer(matrix[:8]).tolist(),
    }
    return Manifest(
        model=MODEL,
        trained="0" * 64,
        task="classification",
        classes=(False, True),
        target="late",
        runtime="onnx",
        graph=_part(store, graph),
        encoding=encoding,
        inputs=columns_of(inputs),
        request_features=("departure",) if features else (),
        views=(),
        slices=(),
        key=None,
        event_time=None,
        code="",
        files=(SourceFile(module="project", text=_part(store, CODE)),) if features else (),
        environment=Environment(python=sys.version.split()[0], platform=sys.platform, packages={}),
        parity=Parity(rows=8, differing=0, largest_difference=0.0, tolerance=1e-5),
        golden=_part(store, json.dumps(golden).encode()),
    )


def _part(store: Store, content: bytes) -> Part:
    return Part(blob=store.blobs.put(content), size_bytes=len(content))


def _record(store: Store, stage: str, content: Content) -> str:
    artifact, body = artifact_of(content)
    store.blobs.put(body)
    at = iso(store.now())
    action = Action(
        id=action_id(store.now()), kind=stage, stage=stage, subject=MODEL, by="person:bench", at=at
    )
    closing = Closing(action=action.id, outcome=Outcome.DONE, made=(artifact.id,), at=at)
    store.ledger.append([action, artifact, closing])
    return artifact.id


def main() -> None:
    """Serve what was prepared."""
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    store = open_store(folder)
    run(
        store,
        runtimes={"onnx": OnnxRuntime()},
        verify=Signer(folder / "keys").verify,
        port=port,
        best_effort_log="--best-effort" in sys.argv,
    )


if __name__ == "__main__":
    main()
