"""What `trimtab ingest` is to bring in: declared sources, or a file or folder that no project file names."""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from trimtab.assembly.folder_steps import ingest_folder_source
from trimtab.assembly.outcome import Outcome
from trimtab.assembly.project import Project, open_project
from trimtab.assembly.session import open_session
from trimtab.atoms.error import UsageError
from trimtab.loop.ingest.folder import Progress
from trimtab.spec.source import Source

#: What a source that no project file declares may be called; `@` and `/` part a name from what follows it.
_NAME = re.compile(r"[\w.+-]+")


@dataclass(slots=True)
class Intake:
    """What is to be ingested, parted by what it needs."""

    project: Project
    folders: dict[str, Path] = field(default_factory=dict)
    tables: list[Source] = field(default_factory=list)


def intake(folder: Path | None, store: str | None, what: str | None, name: str | None) -> Intake:
    """Find out what `trimtab ingest WHAT --name NAME` means.

    Args:
        what: A declared source, or a path from here; None: all declared sources.

    Raises:
        UsageError: It is neither, or the name is taken or cannot be one.
    """
    bare = open_project(folder, store, declarations=False)
    declared = (bare.folder / bare.file).exists()
    if not declared and what is not None and not Path(what).exists():
        raise UsageError(
            f"{what} does not exist, and there is no {bare.file} in {bare.folder} that declares it"
        )
    project = open_project(folder, store) if declared or what is None else bare
    if what is None or (what in project.sources and name is None):
        sources = [project.source(what)] if what else list(project.sources.values())
        return _parted(project, sources)
    if not Path(what).exists():
        project.source(what)
        raise UsageError(f"source {what!r} has its name from {project.file}: leave --name out")
    return _parted(project, [_undeclared(project, Path(what), name)])


def ingest_folders(found: Intake, progress: Progress) -> Outcome:
    """Bring the folders of an intake into snapshots."""
    outcome = Outcome("ingest")
    with open_session(found.project) as session:
        for name, folder in found.folders.items():
            done = ingest_folder_source(session, name, folder, progress)
            if done is None:
                outcome.lines.append(f"{name}: no file changed")
            else:
                outcome.add(done, name)
            outcome.facts[name] = session.memory.spans.snapshot(name)
    return outcome


def _parted(project: Project, sources: list[Source]) -> Intake:
    found = Intake(project)
    for source in sources:
        place = project.folder / source.path
        if place.is_dir():
            found.folders[source.name] = place
        else:
            found.tables.append(source)
    return found


def _undeclared(project: Project, path: Path, name: str | None) -> Source:
    place = path.resolve()
    known = name or (place.name if path.is_dir() else place.stem)
    if not _NAME.fullmatch(known):
        raise UsageError(f"{known!r} cannot be a source's name: give letters, digits and . _ - + with --name")
    if known in project.sources:
        declared = project.sources[known]
        if (project.folder / declared.path).resolve() == place:
            return declared
        raise UsageError(
            f"{project.file} declares a source {known!r} at {declared.path}: give another one with --name"
        )
    return Source(name=known, path=str(place))


def merged(one: Outcome, other: Outcome) -> Outcome:
    """Two outcomes of one command as one."""
    steps = [*one.facts.get("steps", []), *other.facts.get("steps", [])]
    facts = {**one.facts, **other.facts, **({"steps": steps} if steps else {})}
    return replace(one, lines=[*one.lines, *other.lines], facts=facts, ok=one.ok and other.ok)
