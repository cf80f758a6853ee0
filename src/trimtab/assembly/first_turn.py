"""The first turn of a project, in a process of its own: data in, a champion for every model."""

from pathlib import Path

from trimtab.adapters.local_process import LocalProcess
from trimtab.assembly.controller import bring_data
from trimtab.assembly.first_file import write_first_file
from trimtab.assembly.project import open_project
from trimtab.assembly.session import Session, open_session, progress
from trimtab.assembly.turn import Loop
from trimtab.atoms.error import TrimtabError
from trimtab.spec.model import ModelSpec


def write_file(*, folder: str, data: str, target: str, file_name: str) -> str:
    """Write the project file for a table; returns the model's name."""
    return write_first_file(Path(folder), Path(data), target, file_name)


def first_turn(*, folder: str, store: str) -> list[str]:
    """Bring the data in, and give every model that has none a champion; returns the models' names.

    Raises:
        TrimtabError: The gate refused a first model.
    """
    project = open_project(Path(folder), store)
    with open_session(project, say=progress) as session, session.operation("trimtab up"):
        bring_data(session)
        for spec in project.models.values():
            if session.memory.releases.plan(spec.name) is None:
                _first_champion(session, spec)
    return list(project.models)


def _first_champion(session: Session, spec: ModelSpec) -> None:
    loop = Loop(session, spec, LocalProcess())
    built = loop.build()
    if not built.ok:
        raise TrimtabError(f"model {spec.name!r} is not served: {built.note}")
    for line in loop.release(built):
        session.say(line)
