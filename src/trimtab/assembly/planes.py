"""Starting the planes of a project as children, and watching over them."""

import contextlib
import errno
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from trimtab.assembly.child import Child, start, wait_until_ready
from trimtab.assembly.project import Project
from trimtab.atoms.error import TrimtabError, UsageError
from trimtab.ports.clock import Clock


def free_port(host: str, wanted: int, option: str) -> int:
    """`wanted`, where it is free (0: any).

    Raises:
        UsageError: Something listens there already, or the address is not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, wanted))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise UsageError(
                    f"{host}:{wanted} cannot be listened on: {error.strerror or error}"
                ) from error
            raise UsageError(
                f"port {wanted} on {host} is in use: stop what listens there (`trimtab down`?), "
                f"or choose another with {option}"
            ) from error
        return int(probe.getsockname()[1])


def start_prediction_plane(
    project: Project, *, host: str | None = None, port: int | None
) -> tuple[Child, str]:
    """The prediction plane as a child, once it listens; returns it with its address."""
    host = host or project.settings.serve.host
    return _start(project, "prediction plane", "trimtab.assembly.prediction_plane", host, port or 0)


def start_page(
    project: Project, *, host: str | None = None, port: int | None, predictions: str = ""
) -> tuple[Child, str]:
    """The control plane's pages and API as a child, once they listen; returns it with its address."""
    host = host or project.settings.control.host
    return _start(project, "control plane", "trimtab.web.control_plane", host, port or 0, predictions)


def start_controller(project: Project) -> Child:
    """The controller as a child."""
    log = run_folder(project) / "controller.log"
    return start("controller", "trimtab.assembly.controller", [str(project.folder)], log, project.place.words)


def run_folder(project: Project) -> Path:
    """Where running processes leave their logs and addresses."""
    return project.store_folder / "run"


def watch_over(
    children: dict[str, Child], restart: Callable[[str], Child], clock: Clock, say: Callable[[str], None]
) -> None:
    """Wait for SIGINT or SIGTERM; start again what ends before, then stop all.

    Raises:
        TrimtabError: A child ended five times within ten seconds; with its last words.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *ignored: stop.set())
    starts = {name: [clock.monotonic()] for name in children}
    try:
        while not stop.wait(0.5):
            for name, child in list(children.items()):
                if child.running():
                    continue
                recent = [moment for moment in starts[name] if clock.monotonic() - moment < 10]
                if len(recent) >= 5:
                    raise TrimtabError(f"{name} keeps ending: {child.last_words()}")
                say(f"{name} ended ({child.process.returncode}); starting it again")
                starts[name] = [*recent, clock.monotonic()]
                children[name] = restart(name)
    finally:
        for child in children.values():
            child.stop()


def _start(project: Project, name: str, module: str, host: str, port: int, *more: str) -> tuple[Child, str]:
    folder = run_folder(project)
    folder.mkdir(parents=True, exist_ok=True)
    ready = folder / f"{name.replace(' ', '-')}.address"
    with contextlib.suppress(FileNotFoundError):
        ready.unlink()
    arguments = [str(project.folder), host, str(port), str(ready), *more]
    child = start(name, module, arguments, folder / f"{name.replace(' ', '-')}.log", project.place.words)
    return child, wait_until_ready(child, ready)
