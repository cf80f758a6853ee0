"""`trimtab serve`: the prediction plane of one project."""

import os
import sys
from pathlib import Path

from trimtab.adapters.native_runtime import NativeRuntime
from trimtab.adapters.onnx_runtime import OnnxRuntime
from trimtab.adapters.signature import Signer
from trimtab.assembly.child import STORE, end_with_parent, ending_in_words
from trimtab.assembly.project import Project, open_project
from trimtab.loop.serve.limit import Limits
from trimtab.loop.serve.server import run


def serve(
    project: Project, *, host: str | None = None, port: int | None = None, ready: Path | None = None
) -> None:
    """Answer predictions until Ctrl-C or SIGTERM.

    Args:
        ready: File to write the address into once the plane listens.
    """
    settings = project.settings.serve
    store = project.open_store()
    try:
        run(
            store,
            runtimes={"onnx": OnnxRuntime(), "native": NativeRuntime(project.settings.train.trusted_types)},
            verify=Signer(project.store_folder / "keys").verify,
            host=host or settings.host,
            port=settings.port if port is None else port,
            strict=settings.strict,
            limits=Limits(body_bytes=settings.max_body_bytes, rows=settings.max_rows),
            allow_hosts=settings.allowed_hosts,
            ready_file=ready,
            say=print,
        )
    finally:
        store.close()


def main() -> None:
    """Run as a child process: FOLDER HOST PORT READY, with the store in the environment."""
    end_with_parent()
    folder, host, port, ready = sys.argv[1:5]
    with ending_in_words():
        project = open_project(Path(folder), os.environ[STORE], declarations=False)
        serve(project, host=host, port=int(port), ready=Path(ready))


if __name__ == "__main__":
    main()
