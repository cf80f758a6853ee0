"""`trimtab up`: everything on this machine, from a table to a watched prediction service."""

from pathlib import Path

from trimtab.adapters.local_process import LocalProcess
from trimtab.adapters.system_clock import SystemClock
from trimtab.assembly.child import Child
from trimtab.assembly.detached import alone, announce, detach_this, refuse_second, stop_detached
from trimtab.assembly.entrance import refuse_foreign, require_entrance
from trimtab.assembly.planes import (
    free_port,
    start_controller,
    start_page,
    start_prediction_plane,
    watch_over,
)
from trimtab.assembly.project import Project, find_folder, open_project
from trimtab.assembly.session import Say
from trimtab.assembly.settings import read_settings
from trimtab.atoms.error import TrimtabError, UsageError


def up(
    folder: Path | None,
    *,
    data: Path | None,
    target: str | None,
    store: str | None,
    host: str | None,
    port: int | None,
    serve_port: int | None,
    detach: bool,
    say: Say,
) -> None:
    """Run the loop, the predictions and the page until Ctrl-C; a second start goes on where the first one stood.

    Args:
        data: A table to begin with: the project file is written for it.
        target: The table's column to predict.

    Raises:
        UsageError: Bad input, or a port in use; nothing was changed.
        ConfigurationRefused: Other machines could reach a plane without saying who they are.
        TrimtabError: The gate refused the first model.
    """
    root = _folder(folder, data)
    settings = read_settings(root)
    page_host, plane_host = host or settings.control.host, host or settings.serve.host
    for plane, where in (("control", page_host), ("serve", plane_host)):
        refuse_foreign(root, settings, plane, where)
    page_port = free_port(page_host, settings.control.port if port is None else port, "--port")
    plane_port = free_port(
        plane_host, settings.serve.port if serve_port is None else serve_port, "--serve-port"
    )
    if data is not None and target is not None:
        LocalProcess().call(
            "trimtab.assembly.first_turn:write_file",
            {"folder": str(root), "data": str(data), "target": target, "file_name": settings.project.file},
        )
    project = open_project(root, store, declarations=False)
    refuse_second(project)
    for plane, where in (("control", page_host), ("serve", plane_host)):
        require_entrance(project, plane, where)
    if detach:
        ports = ["--port", str(page_port), "--serve-port", str(plane_port)]
        detach_this(project, ["up", *(["--host", host] if host else []), *ports], say)
        return
    with alone(project):
        models = LocalProcess().call(
            "trimtab.assembly.first_turn:first_turn",
            {"folder": str(root), "store": project.place.words},
            say,
        )
        _run(project, models, page_host, page_port, plane_host, plane_port, say)


def down(folder: Path | None, *, store: str | None) -> list[str]:
    """Stop what runs for a project."""
    return stop_detached(open_project(folder, store, declarations=False))


def _run(
    project: Project,
    models: list[str],
    page_host: str,
    page_port: int,
    plane_host: str,
    plane_port: int,
    say: Say,
) -> None:
    plane, predictions = start_prediction_plane(project, host=plane_host, port=plane_port)
    children = {"prediction plane": plane}
    try:
        page, address = start_page(project, host=page_host, port=page_port, predictions=predictions)
        children["control plane"] = page
        children["controller"] = start_controller(project)
    except TrimtabError:
        for child in children.values():
            child.stop()
        raise

    def restart(name: str) -> Child:
        if name == "prediction plane":
            return start_prediction_plane(project, host=plane_host, port=plane_port)[0]
        if name == "control plane":
            return start_page(project, host=page_host, port=page_port, predictions=predictions)[0]
        return start_controller(project)

    lines = [f"predictions: {predictions}/predict/{name}" for name in models]
    announce(project, [*lines, f"the page:    {address}"], say)
    watch_over(children, restart, SystemClock(), say)


def _folder(folder: Path | None, data: Path | None) -> Path:
    """Where the project is, or will be written."""
    if data is None:
        return find_folder(folder)
    if not data.exists():
        raise UsageError(f"{data}: no such file")
    return (folder or Path.cwd()).resolve()
