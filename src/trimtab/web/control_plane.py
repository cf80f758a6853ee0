"""The control plane as a process: listens on one address and shows one store."""

import os
import signal
import socket
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from trimtab.assembly.child import STORE, end_with_parent, ending_in_words, open_many_files
from trimtab.assembly.entrance import Entrance, entrance_of
from trimtab.assembly.planes import free_port
from trimtab.assembly.project import Project, open_project
from trimtab.assembly.session import person
from trimtab.assembly.token_ring import TokenRing
from trimtab.assembly.tracking_place import open_project_tracking
from trimtab.atoms.actor import Actor
from trimtab.tracking.tracking import Tracking
from trimtab.web.access.gate import Gate
from trimtab.web.access.table import Table
from trimtab.web.application import application
from trimtab.web.joined_write import JoinedHttp

#: Seconds that requests under way may take to end after the server was told to stop.
DRAIN_SECONDS = 5
_BACKLOG = 2048


def serve_page(
    project: Project, *, host: str, port: int, ready: Path | None = None, predictions: str = ""
) -> None:
    """Show the project's store until SIGINT or SIGTERM.

    Args:
        ready: File to write the address into once the page can be asked for.
        predictions: Address of the prediction plane, shown on the page.

    Raises:
        ConfigurationRefused: Other machines could reach it without saying who they are.
        WritingEnded: The disk refused a flush, so that nothing can be acknowledged any more.
    """
    with open_project_tracking(project) as tracking, _following(tracking):
        entrance = entrance_of(project, "control", host, tracking.store)
        chosen = free_port(host, port, "--port")
        with TokenRing(tracking.store) as ring:
            local = None if entrance.tokens else Actor(by=person())
            shown = application(
                tracking.store,
                tracking,
                project_name=project.name,
                models=list(project.models),
                prediction_url=predictions,
                allowed_hosts=entrance.hosts,
                gate=Gate(project.name, ring=ring, local=local),
                secure=entrance.secure,
            )
            _listen(shown, entrance, host, chosen, ready)
    if shown.ended is not None:
        raise shown.ended


@contextmanager
def _following(tracking: Tracking) -> Iterator[None]:
    """Take in what runs log while it comes, so that the first reader after a burst does not wait for all of it."""
    tracking.follower.start()
    try:
        yield
    finally:
        tracking.follower.stop()


def _listen(shown: Table, entrance: Entrance, host: str, port: int, ready: Path | None) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
        if ready is not None:
            _announce(ready, entrance.scheme, host, listener.getsockname()[1])
        _Server(shown, entrance).run([listener])


class _Server(uvicorn.Server):
    """Ends when it was told to stop, or when nothing can be written any more."""

    def __init__(self, shown: Table, entrance: Entrance) -> None:
        super().__init__(
            uvicorn.Config(
                shown,
                http=JoinedHttp,
                loop="uvloop",
                ws="none",
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=DRAIN_SECONDS,
                ssl_certfile=entrance.certificate,
                ssl_keyfile=entrance.key,
            )
        )
        self._shown = shown

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """End on SIGTERM and SIGINT. (uvicorn would raise them again: the caller could close nothing.)"""
        before = {each: signal.signal(each, self.handle_exit) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, action in before.items():
                signal.signal(number, action)

    async def on_tick(self, counter: int) -> bool:
        """Whether to stop; uvicorn asks ten times a second."""
        return await super().on_tick(counter) or self._shown.ended is not None


def _announce(ready: Path, scheme: str, host: str, port: int) -> None:
    name = f"[{host}]" if ":" in host else host
    draft = ready.with_suffix(".tmp")
    draft.write_text(f"{scheme}://{name}:{port}", encoding="utf-8")
    draft.replace(ready)


def main() -> None:
    """Run as a child process: FOLDER HOST PORT READY [PREDICTIONS], with the store in the environment."""
    end_with_parent()
    open_many_files()
    folder, host, port, ready, *more = sys.argv[1:]
    with ending_in_words():
        project = open_project(Path(folder), os.environ[STORE], declarations=False)
        serve_page(project, host=host, port=int(port), ready=Path(ready), predictions=more[0] if more else "")


if __name__ == "__main__":
    main()
