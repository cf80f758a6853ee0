"""`trimtab serve`: the prediction plane of one project."""

import os
import sys
from pathlib import Path

from trimtab.adapters.native_runtime import NativeRuntime
from trimtab.adapters.onnx_runtime import OnnxRuntime
from trimtab.adapters.signature import Signer
from trimtab.assembly.child import STORE, end_with_parent, ending_in_words, open_many_files
from trimtab.assembly.entrance import entrance_of, refuse_foreign
from trimtab.assembly.project import Project, open_project
from trimtab.assembly.token_ring import TokenRing
from trimtab.loop.serve.guard import Guard
from trimtab.loop.serve.limit import Limits
from trimtab.loop.serve.server import run


def serve(
    project: Project, *, host: str | None = None, port: int | None = None, ready: Path | None = None
) -> None:
    """Answer predictions until Ctrl-C or SIGTERM.

    Args:
        ready: File to write the address into once the plane listens.

    Raises:
        ConfigurationRefused: Other machines could reach it without saying who they are.
    """
    settings = project.settings.serve
    where = host or settings.host
    refuse_foreign(project.folder, project.settings, "serve", where)
    store = project.open_store()
    try:
        entrance = entrance_of(project, "serve", where, store)
        with TokenRing(store) as ring:
            run(
                store,
                runtimes={
                    "onnx": OnnxRuntime(),
                    "native": NativeRuntime(project.settings.train.trusted_types),
                },
                verify=Signer(project.store_folder / "keys").verify,
                host=where,
                port=settings.port if port is None else port,
                strict=settings.strict,
                limits=Limits(body_bytes=settings.max_body_bytes, rows=settings.max_rows),
                allow_hosts=settings.allowed_hosts,
                guard=Guard(ring, project.name, required=entrance.tokens),
                certificate=entrance.certificate,
                key=entrance.key,
                ready_file=ready,
                say=print,
            )
    finally:
        store.close()


def main() -> None:
    """Run as a child process: FOLDER HOST PORT READY, with the store in the environment."""
    end_with_parent()
    open_many_files()
    folder, host, port, ready = sys.argv[1:5]
    with ending_in_words():
        project = open_project(Path(folder), os.environ[STORE], declarations=False)
        serve(project, host=host, port=int(port), ready=Path(ready))


if __name__ == "__main__":
    main()
