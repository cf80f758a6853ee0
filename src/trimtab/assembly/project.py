"""A project: a folder with a project file and settings, and the store it remembers in."""

import importlib.util
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from trimtab.assembly.settings import FILE_NAME, Settings, read_settings
from trimtab.assembly.store_place import StorePlace, place_of
from trimtab.atoms.error import TrimtabError, UsageError
from trimtab.engine.store import Store
from trimtab.ports.clock import Clock
from trimtab.spec.feature import FeatureView, RequestFeatures
from trimtab.spec.model import ModelSpec
from trimtab.spec.source import Source


@dataclass(frozen=True, slots=True)
class Project:
    """What the project file declares, and where things are."""

    folder: Path
    settings: Settings
    place: StorePlace
    #: Name of the project file.
    file: str = "project.py"
    sources: Mapping[str, Source] = field(default_factory=dict)
    models: Mapping[str, ModelSpec] = field(default_factory=dict)

    @property
    def module(self) -> str:
        """The module that the project file is, here and inside bundles."""
        return Path(self.file).stem

    @property
    def store_folder(self) -> Path:
        """The folder of the store, which is there also where ledger and blobs lie elsewhere."""
        return self.place.folder

    @property
    def name(self) -> str:
        """The project's name for people."""
        return self.settings.project.name or self.folder.name

    def open_store(self, *, clock: Clock | None = None, create: bool = True, copies: bool = True) -> Store:
        """Open the project's store: see `StorePlace.open`."""
        return self.place.open(clock=clock, create=create, copies=copies)

    def model(self, name: str | None) -> ModelSpec:
        """The model called `name`; the only one, where no name is given."""
        if name is None and len(self.models) == 1:
            return next(iter(self.models.values()))
        if name is None or name not in self.models:
            names = ", ".join(self.models) or "none"
            said = f"no model {name!r}" if name else "which model?"
            raise UsageError(f"{said}: {self.file} declares {names}")
        return self.models[name]

    def source(self, name: str) -> Source:
        """The source called `name`."""
        if name not in self.sources:
            raise UsageError(f"no source {name!r}: the project uses {', '.join(self.sources) or 'none'}")
        return self.sources[name]


def find_folder(folder: Path | None) -> Path:
    """The project's folder: as given, else the nearest one upwards with `trimtab.toml`, else here."""
    if folder is not None:
        if not folder.is_dir():
            raise UsageError(f"--project {folder}: no such folder")
        return folder.resolve()
    here = Path.cwd()
    return next((each for each in (here, *here.parents) if (each / FILE_NAME).exists()), here)


def open_project(
    folder: Path | None, store: str | None = None, *, declarations: bool = True, file: str | None = None
) -> Project:
    """Read settings and project file.

    Args:
        folder: The project's folder; None: see `find_folder`.
        store: Folder or URLs of the store, over those in `trimtab.toml`.
        file: Another project file than the one in `trimtab.toml`.
        declarations: False for commands that only read the store: the project file is then not run.

    Raises:
        UsageError: There is no project file, it raises, or it declares nothing; the message names file and line.
    """
    root = find_folder(folder)
    settings = read_settings(root)
    place = place_of(settings.store, root, store)
    name = file or settings.project.file
    if not declarations:
        return Project(folder=root, settings=settings, place=place, file=name)
    module = load_project_file(root / name)
    models = {item.name: item for item in vars(module).values() if isinstance(item, ModelSpec)}
    sources: dict[str, Source] = {}
    for item in vars(module).values():
        for source in _sources_of(item):
            if sources.setdefault(source.name, source) != source:
                raise UsageError(f"{name}: two different sources are called {source.name!r}")
    if not sources:
        raise UsageError(f"{name} declares no source: write rows = tt.source('rows', 'data/*.csv')")
    return Project(folder=root, settings=settings, place=place, file=name, sources=sources, models=models)


def load_project_file(path: Path) -> ModuleType:
    """Run the project file as the module of its name, with its folder importable."""
    if not path.exists():
        raise UsageError(
            f"no project file {path.name} in {path.parent}: "
            "write one, or let `trimtab up data.csv --target COLUMN` or `trimtab new` do it"
        )
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path.name} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except TrimtabError as error:
        raise UsageError(f"{path.name}: {error}") from error
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        raise UsageError(f"{_place(error, path)}: {type(error).__name__}: {error}") from error
    return module


def _place(error: BaseException, path: Path) -> str:
    """`file:line` nearest to the user's mistake: the last frame in the project's folder."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(path.parent)]
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else path.name


def _sources_of(item: object) -> list[Source]:
    if isinstance(item, Source):
        return [item]
    if isinstance(item, FeatureView):
        return [item.source]
    if isinstance(item, RequestFeatures):
        return []
    if isinstance(item, ModelSpec):
        return [item.rows, *(view.source for view in item.views)]
    return []
