"""A control plane that tests start for themselves: a project in a folder, its server as a child, an address to ask."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trimtab.assembly.child import Child
from trimtab.assembly.planes import run_folder, start_page
from trimtab.assembly.project import Project, open_project


@dataclass(frozen=True, slots=True)
class Control:
    """A control plane that runs."""

    #: `http://127.0.0.1:PORT`
    address: str
    project: Project
    child: Child

    @property
    def log(self) -> str:
        """What it wrote up to now."""
        return (run_folder(self.project) / "control-plane.log").read_text(encoding="utf-8", errors="replace")


@contextmanager
def control(
    folder: Path,
    settings: str = "",
    *,
    host: str | None = None,
    port: int = 0,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Control]:
    """Run the control plane, without a controller, on a project in `folder` while the block runs.

    Args:
        settings: Text of `trimtab.toml`; written where it is given.
        port: 0: any that is free. Give the one of before to start a server again where clients look for it.
        environment: Variables beside this process's own, for the child.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if settings or not (folder / "trimtab.toml").exists():
        (folder / "trimtab.toml").write_text(settings, encoding="utf-8")
    project = open_project(folder, declarations=False)
    before = dict(os.environ)
    os.environ.update(environment or {})
    try:
        child, address = start_page(project, host=host, port=port)
    finally:
        os.environ.clear()
        os.environ.update(before)
    try:
        yield Control(address, project, child)
    finally:
        child.stop()
