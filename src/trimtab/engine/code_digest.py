"""What user code is called: a digest of all that a function can reach, and of nothing else."""

import functools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from trimtab.atoms.digest import digest_bytes, digest_value
from trimtab.engine.project_source import ProjectSource, is_installed, package_version
from trimtab.rows.statement import (
    Import,
    ModuleSource,
    attribute_chains,
    imports_in,
    plain_text,
    used_names,
)


def code_digest(functions: Sequence[Callable[..., Any]], root: Path) -> str:
    """Digest of the functions and of everything of the project that they can reach.

    Reached are functions, classes and constants, in the same module and in modules under `root`, through
    names, attributes of imported modules, imports inside functions, decorators, defaults and closures.
    Installed packages enter as name and version. Comments, docstrings, formatting and what is not reached do
    not count.

    Args:
        functions: In an order that counts.
        root: The project's folder.

    Raises:
        UsageError: A file of the project is not valid Python.
    """
    reach = _Reach(ProjectSource(root))
    entries = [reach.enter(function) for function in functions]
    return digest_value(
        "code",
        {
            "entries": entries,
            "statements": sorted(reach.texts),
            "values": sorted(reach.values),
            "packages": sorted(reach.packages),
        },
    )


def project_modules(functions: Sequence[Callable[..., Any]], root: Path) -> dict[str, Path]:
    """The project's files that the functions need to run elsewhere, by dotted module name.

    These are the files that define them and all of the project's modules that these import, directly or not.
    """
    project = ProjectSource(root)
    found: dict[str, Path] = {}
    waiting: list[tuple[str, Path]] = []
    for function in functions:
        code = getattr(_innermost(function), "__code__", None)
        path = _source_path(code)
        if path is not None and not is_installed(path):
            waiting.append((_module_name(function, path), path))
    while waiting:
        name, path = waiting.pop()
        if path in found.values():
            continue
        found[name] = path
        for imported in project.imported_by(project.read(path, name)):
            target = project.path(imported)
            if target is not None:
                waiting.append((imported, target))
    return dict(sorted(found.items()))


class _Reach:
    """Walks from functions to all that they use, keeping what it saw."""

    def __init__(self, project: ProjectSource) -> None:
        self._project = project
        self.texts: set[str] = set()
        self.packages: set[str] = set()
        self.values: set[str] = set()
        self._seen: set[tuple[str, str]] = set()
        self._held: list[object] = []

    def enter(self, function: Any) -> str:
        """Reach from a function (or any callable); returns its name."""
        if any(function is held for held in self._held):
            return str(getattr(function, "__qualname__", type(function).__qualname__))
        self._held.append(function)
        if isinstance(function, functools.partial):
            self.values.add(f"partial {self._value(function.args)} {self._value(function.keywords)}")
            return self.enter(function.func)
        if isinstance(function, MethodType):
            self.values.add(self._value(function.__self__))
            return self.enter(function.__func__)
        if hasattr(function, "__wrapped__"):
            self.enter(function.__wrapped__)
        if isinstance(function, FunctionType):
            return self._function(function)
        kind = function if isinstance(function, type) else type(function)
        self._class(kind)
        if function is not kind:
            self.values.add(self._value(function))
        return kind.__qualname__

    def _function(self, function: FunctionType) -> str:
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            if cell.cell_contents is not function:
                self.values.add(f"{function.__qualname__}.{name} = {self._value(cell.cell_contents)}")
        path = _source_path(function.__code__)
        if path is None:
            self.values.add(f"{function.__qualname__} = {_code_digest(function.__code__)}")
            for name in function.__code__.co_names:
                if isinstance(function.__globals__.get(name), FunctionType):
                    self.enter(function.__globals__[name])
        elif is_installed(path):
            self._package(function.__module__)
        else:
            line = function.__code__.co_firstlineno
            self._definition(path, function.__module__, function.__qualname__, line)
        return function.__qualname__

    def _class(self, kind: type) -> None:
        file = getattr(sys.modules.get(kind.__module__), "__file__", None)
        if file is None or is_installed(Path(file).resolve()):
            self._package(kind.__module__)
        else:
            self._definition(Path(file).resolve(), kind.__module__, kind.__qualname__, 0)

    def _definition(self, path: Path, module_name: str, qualname: str, line: int) -> None:
        module = self._project.read(path, module_name)
        top = qualname.partition(".")[0]
        if top in module.binders:
            self._name(module, top)
            return
        for place, statement in enumerate(module.statements):
            if statement.lineno <= line <= (statement.end_lineno or 0):
                self._statement(module, place)

    def _name(self, module: ModuleSource, name: str) -> None:
        """Reach what `name` is in `module`."""
        if (module.name, name) in self._seen:
            return
        self._seen.add((module.name, name))
        imports = module.imported.get(name, [])
        for place in [*module.binders.get(name, []), *module.changers(name)]:
            self._statement(module, place)
        for each in imports:
            self._import(module, each, set())
        if name not in module.binders:
            for place in module.stars:
                for each in imports_in(module.statements[place]):
                    self._import(module, Import(each.module, name, name, each.level), set())

    def _statement(self, module: ModuleSource, place: int) -> None:
        if (module.name, f"statement {place}") in self._seen:
            return
        self._seen.add((module.name, f"statement {place}"))
        statement = module.statements[place]
        nested = list(imports_in(statement))
        if not (nested and _is_import(statement)):
            self.texts.add(f"{module.place}\n{plain_text(statement)}")
            chains = attribute_chains(statement)
            for each in nested:
                self._import(module, each, chains.get(each.bound, set()))
            for name in used_names(statement):
                self._used(module, name, chains.get(name, set()))

    def _used(self, module: ModuleSource, name: str, chains: set[tuple[str, ...]]) -> None:
        for each in module.imported.get(name, []):
            self._import(module, each, chains)
        if name in module.binders or module.stars:
            self._name(module, name)

    def _import(self, module: ModuleSource, each: Import, chains: set[tuple[str, ...]]) -> None:
        """Reach what an import brings, as far as the attributes in `chains` use it."""
        full = module.absolute(each.module, each.level)
        self.texts.add(f"{module.place}\nfrom {full} import {each.name} as {each.bound}")
        if each.name is None:
            self._module_used(full, chains)
        elif each.name != "*" and self._project.has(full):
            source = self._project.module(full)
            if source is not None and (each.name in source.binders or source.stars):
                self._name(source, each.name)
            elif self._project.has(f"{full}.{each.name}"):
                self._module_used(f"{full}.{each.name}", chains)
        elif self._project.has(f"{full}.{each.name}".lstrip(".")):
            self._module_used(f"{full}.{each.name}".lstrip("."), chains)
        else:
            self._package(full)

    def _module_used(self, name: str, chains: set[tuple[str, ...]]) -> None:
        if not self._project.has(name):
            self._package(name)
            return
        for chain in chains:
            at, rest = name, chain
            while rest and not self._binds(at, rest[0]) and self._project.has(f"{at}.{rest[0]}"):
                at, rest = f"{at}.{rest[0]}", rest[1:]
            source = self._project.module(at)
            if source is None:
                continue
            if rest:
                self._name(source, rest[0])
            else:  # the module itself is passed on: anything in it may be used
                for place in range(len(source.statements)):
                    self._statement(source, place)

    def _binds(self, module: str, name: str) -> bool:
        source = self._project.module(module)
        return source is not None and name in source.binders

    def _package(self, module: str) -> None:
        version = package_version(module)
        if version is not None:
            self.packages.add(version)

    def _value(self, value: Any) -> str:
        """A value that a function carries along, as text that does not change from run to run."""
        if value is None or isinstance(value, bool | int | float | complex | str | bytes):
            return repr(value)
        if isinstance(value, dict):
            items = sorted(f"{self._value(key)}: {self._value(item)}" for key, item in value.items())
            return "{" + ", ".join(items) + "}"
        if isinstance(value, list | tuple):
            return f"{type(value).__name__}({', '.join(map(self._value, value))})"
        if isinstance(value, set | frozenset):
            return f"{type(value).__name__}({', '.join(sorted(map(self._value, value)))})"
        if isinstance(value, ModuleType):
            self._module_used(value.__name__, {()})
            return value.__name__
        if callable(value) or isinstance(value, type):
            return self.enter(value) if not any(value is held for held in self._held) else "again"
        if any(value is held for held in self._held):
            return "again"
        self._held.append(value)
        self._class(type(value))
        return f"{type(value).__qualname__} {self._value(getattr(value, '__dict__', {}))}"


def _is_import(statement: Any) -> bool:
    return type(statement).__name__ in ("Import", "ImportFrom")


def _innermost(function: Any) -> Any:
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif isinstance(function, MethodType):
            function = function.__func__
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        else:
            return function


def _source_path(code: CodeType | None) -> Path | None:
    """The file that the code was compiled from; None where there is none any more."""
    if code is None:
        return None
    path = Path(code.co_filename)
    return path.resolve() if path.suffix == ".py" and path.is_file() else None


def _module_name(function: Any, path: Path) -> str:
    name = getattr(_innermost(function), "__module__", None)
    return path.stem if name in (None, "__main__") else str(name)


def _code_digest(code: CodeType) -> str:
    """Digest of code that has no source file, by what it does."""
    constants = [_code_digest(each) if isinstance(each, CodeType) else repr(each) for each in code.co_consts]
    return digest_bytes(b"\n".join([code.co_code, repr((code.co_names, constants)).encode()]))
