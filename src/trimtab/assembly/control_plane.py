"""`trimtab server`: pages, API and controller of one project, without predictions."""

from trimtab.adapters.system_clock import SystemClock
from trimtab.assembly.child import Child
from trimtab.assembly.detached import alone, announce, detach_this, refuse_second
from trimtab.assembly.entrance import refuse_foreign, require_entrance
from trimtab.assembly.planes import free_port, start_controller, start_page, watch_over
from trimtab.assembly.project import Project
from trimtab.assembly.session import Say


def server(
    project: Project,
    *,
    host: str | None,
    port: int | None,
    detach: bool = False,
    controller: bool = True,
    say: Say = print,
) -> None:
    """Show the page and turn the loop until Ctrl-C; where there is no project file, no loop turns.

    Args:
        detach: Return as soon as they run.
        controller: False: show only; nothing is judged or decided.

    Raises:
        UsageError: A server runs on this store already, or something listens on the port.
        ConfigurationRefused: Other machines could reach it without saying who they are.
    """
    refuse_second(project)
    host = host or project.settings.control.host
    refuse_foreign(project.folder, project.settings, "control", host)
    require_entrance(project, "control", host)
    wanted = free_port(host, project.settings.control.port if port is None else port, "--port")
    if detach:
        show_only = [] if controller else ["--no-controller"]
        detach_this(project, ["server", "--host", host, "--port", str(wanted), *show_only], say)
        return
    with alone(project):
        _run(project, host, wanted, controller, say)


def _run(project: Project, host: str, port: int, controller: bool, say: Say) -> None:
    page, address = start_page(project, host=host, port=port)
    children, said = {"control plane": page}, [f"the page: {address}"]
    if controller and (project.folder / project.file).exists():
        children["controller"] = start_controller(project)
    elif controller:
        said.append(f"no {project.file} in {project.folder}: runs are recorded and shown, and no loop turns")
    announce(project, said, say)

    def restart(name: str) -> Child:
        if name == "controller":
            return start_controller(project)
        return start_page(project, host=host, port=port)[0]

    watch_over(children, restart, SystemClock(), say)
