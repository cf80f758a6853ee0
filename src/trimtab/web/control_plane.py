"""The control plane as a process: listens on one address and shows one store."""

import os
import socket
import sys
from pathlib import Path

import uvicorn

from trimtab.assembly.child import STORE, end_with_parent, ending_in_words
from trimtab.assembly.planes import free_port, refuse_foreign
from trimtab.assembly.project import Project, open_project
from trimtab.web.application import application


def serve_page(
    project: Project, *, host: str, port: int, ready: Path | None = None, predictions: str = ""
) -> None:
    """Show the project's store until SIGINT or SIGTERM.

    Args:
        ready: File to write the address into once the page can be asked for.
        predictions: Address of the prediction plane, shown on the page.
    """
    refuse_foreign(host)
    chosen = free_port(host, port, "--port")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    store = project.open_store()
    try:
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, chosen))
            listener.listen(128)
            if ready is not None:
                _announce(ready, host, listener.getsockname()[1])
            shown = application(
                store,
                project_name=project.name,
                models=list(project.models),
                prediction_url=predictions,
                allowed_hosts=project.settings.control.allowed_hosts,
            )
            settings = uvicorn.Config(
                shown, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=2
            )
            uvicorn.Server(settings).run([listener])
    finally:
        store.close()


def _announce(ready: Path, host: str, port: int) -> None:
    name = f"[{host}]" if ":" in host else host
    draft = ready.with_suffix(".tmp")
    draft.write_text(f"http://{name}:{port}", encoding="utf-8")
    draft.replace(ready)


def main() -> None:
    """Run as a child process: FOLDER HOST PORT READY [PREDICTIONS], with the store in the environment."""
    end_with_parent()
    folder, host, port, ready, *more = sys.argv[1:]
    with ending_in_words():
        project = open_project(Path(folder), os.environ[STORE], declarations=False)
        serve_page(project, host=host, port=int(port), ready=Path(ready), predictions=more[0] if more else "")


if __name__ == "__main__":
    main()
