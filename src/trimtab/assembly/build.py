"""Asking for a challenger: it is built in a process of its own, so that the memory of training is given back."""

import msgspec

from trimtab.assembly.session import Session
from trimtab.atoms.instant import iso
from trimtab.ports.executor import Executor


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """How the building of a challenger ended."""

    #: True where a bundle was registered.
    ok: bool
    #: Artifact id of the bundle.
    bundle: str | None = None
    version: int | None = None
    note: str = ""
    #: What the gate said.
    gate: str = ""
    #: Checks that decided it.
    because: tuple[str, ...] = ()


def build(
    executor: Executor,
    session: Session,
    model: str,
    *,
    order: str | None = None,
    force: bool = False,
    project_file: str | None = None,
) -> Built:
    """Build a challenger in a child process.

    Args:
        order: Artifact id of the retrain order that this answers.
        force: Register also what the gate refused: a person's decision.
        project_file: Another project file than the settings name.
    """
    found = executor.call(
        "trimtab.assembly.build_child:build_here",
        {
            "folder": str(session.project.folder),
            "store": session.project.place.words,
            "model": model,
            "now": iso(session.store.now()),
            "by": session.by,
            "parent": session.parent,
            "order": order,
            "force": force,
            "project_file": project_file,
        },
        session.say,
    )
    session.memory.refresh()
    return msgspec.convert(found, Built)
