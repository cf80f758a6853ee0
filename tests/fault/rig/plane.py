"""The prediction plane over a store with a weighted sum as its model. Arguments: store, file for the address."""

import json
import sys
from pathlib import Path

from trimtab.adapters.local_store import open_store
from trimtab.assembly.child import ending_in_words
from trimtab.atoms.content.bundle import Bundle, Manifest, Parity
from trimtab.atoms.content.encoding import ColumnEncoding, Encoding
from trimtab.atoms.content.model import Environment
from trimtab.atoms.content.snapshot import Column
from trimtab.atoms.content.traffic_plan import TrafficPlan
from trimtab.engine.store import Store
from trimtab.loop.serve.server import run
from trimtab.testing.linear_runtime import LinearRuntime
from trimtab.testing.storyteller import Storyteller

MODEL = "toy"
ROW = {"x": 2.0}
ANSWER = 6.0


def release_toy(store: Store) -> None:
    """Put a bundle of the model into the store, and a plan that serves it."""
    tell = Storyteller(store, store.now())
    golden = {"rows": [ROW], "features": [[2.0]], "outputs": [ANSWER]}
    column = ColumnEncoding(name="x", dtype="Float64", role="number")
    manifest = Manifest(
        model=MODEL,
        trained="0" * 64,
        task="regression",
        classes=(),
        target="y",
        runtime="linear",
        graph=tell.part(b"[3.0]"),
        encoding=Encoding(columns=(column,)),
        inputs=(Column(name="x", dtype="Float64"),),
        request_features=(),
        views=(),
        slices=(),
        key=None,
        event_time=None,
        code="",
        files=(),
        environment=Environment(python="3.11", platform="test", packages={}),
        parity=Parity(rows=1, differing=0, largest_difference=0.0, tolerance=1e-5),
        golden=tell.part(json.dumps(golden).encode()),
    )
    bundle = tell.thing(Bundle(manifest=manifest, signature="", key_id=""))
    tell.tell("register", "register", MODEL, made=[bundle])
    plan = tell.thing(TrafficPlan(model=MODEL, champion=bundle.id, champion_version=1))
    tell.tell("release", "promote", MODEL, made=[plan])


def main() -> None:
    """Serve until told to stop."""
    with ending_in_words():
        store = open_store(Path(sys.argv[1]))
        run(
            store,
            runtimes={"linear": LinearRuntime()},
            verify=lambda content, signature, key_id: None,
            port=0,
            ready_file=Path(sys.argv[2]),
        )
        store.close()


if __name__ == "__main__":
    main()
