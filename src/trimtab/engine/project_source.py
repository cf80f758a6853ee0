"""The project's own modules, found by name under its folder; everything else is an installed package."""

import sys
from importlib import metadata
from pathlib import Path

from trimtab.atoms.error import UsageError
from trimtab.rows.statement import ModuleSource, imports_in

#: Folders of installed packages; a virtual environment may well lie in the project's folder.
_INSTALLED = ("site-packages", "dist-packages")


class ProjectSource:
    """Modules under `root` as statements, each read once."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._by_path: dict[Path, ModuleSource] = {}
        self._paths: dict[str, Path | None] = {}
        own = [Path(entry).resolve() for entry in sys.path if entry]
        self._bases = [self.root, *(base for base in own if base != self.root and self._is_own(base))]

    def path(self, name: str) -> Path | None:
        """The file of the module called `name`; None where the project has no such module."""
        if name not in self._paths:
            self._paths[name] = self._find(name)
        return self._paths[name]

    def has(self, name: str) -> bool:
        """Whether `name` is a module or a folder of modules of the project."""
        if self.path(name) is not None:
            return True
        relative = Path(*name.split("."))
        return any((base / relative).is_dir() and any((base / relative).glob("*.py")) for base in self._bases)

    def module(self, name: str) -> ModuleSource | None:
        """The module called `name`; None for a folder without `__init__.py` and for what is no own module."""
        path = self.path(name)
        return None if path is None else self.read(path, name)

    def read(self, path: Path, name: str) -> ModuleSource:
        """The module in the file `path`.

        Raises:
            UsageError: The file is no Python that this interpreter understands.
        """
        if path not in self._by_path:
            try:
                is_package = path.name == "__init__.py"
                place = self._place(path, name)
                source = ModuleSource(path.read_bytes(), name, is_package=is_package, place=place)
            except (SyntaxError, ValueError) as error:
                raise UsageError(f"{path}: {error}") from error
            self._by_path[path] = source
        return self._by_path[path]

    def imported_by(self, module: ModuleSource) -> set[str]:
        """The project's modules that `module` imports, wherever in it, with the packages around them."""
        found: set[str] = set()
        for each in imports_in(module.tree):
            full = module.absolute(each.module, each.level)
            candidates = [full, f"{full}.{each.name}"] if each.name and full else [full or each.name or ""]
            for name in candidates:
                parts = name.split(".")
                found.update(".".join(parts[:end]) for end in range(1, len(parts) + 1))
        return {name for name in found if name and self.path(name) is not None}

    def _find(self, name: str) -> Path | None:
        loaded = getattr(sys.modules.get(name), "__file__", None)
        if loaded is not None and self._is_own(Path(loaded).resolve()):
            return Path(loaded).resolve()
        relative = Path(*name.split("."))
        for base in self._bases:
            for path in (base / relative.with_suffix(".py"), base / relative / "__init__.py"):
                if path.is_file() and self._is_own(path):
                    return path
        return None

    def _place(self, path: Path, name: str) -> str:
        inside = path.is_relative_to(self.root)
        return path.relative_to(self.root).as_posix() if inside else name.rpartition(".")[2]

    def _is_own(self, path: Path) -> bool:
        return path.is_relative_to(self.root) and not is_installed(path)


def is_installed(path: Path) -> bool:
    """Whether the file belongs to an installed package or to Python itself."""
    library = Path(metadata.__file__).parents[2]
    return any(part in _INSTALLED for part in path.parts) or path.is_relative_to(library)


def package_version(module: str) -> str | None:
    """`name==version` of the installed package that a module comes from.

    None for Python's own modules, and for Trimtab: its releases are no change of the user's code.
    """
    top = module.partition(".")[0]
    if not top or top in sys.stdlib_module_names or top == "trimtab":
        return None
    names = sorted(set(_distributions().get(top, ())))
    if names:
        return ", ".join(f"{name}=={metadata.version(name)}" for name in names)
    return f"{top}=={getattr(sys.modules.get(top), '__version__', 'unknown')}"


_FOUND: dict[str, list[str]] = {}


def _distributions() -> dict[str, list[str]]:
    if not _FOUND:
        _FOUND.update(metadata.packages_distributions())
    return _FOUND
