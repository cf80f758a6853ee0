"""A bundle's own source, run in memory and apart from every other module of this process."""

import ast
import builtins
from collections.abc import Callable, Mapping, Sequence
from types import CodeType, ModuleType
from typing import Any

from trimtab.atoms.digest import SHORT, digest_value
from trimtab.atoms.error import ModelRefused, TrimtabError
from trimtab.rows.statement import ModuleSource, used_names
from trimtab.spec.feature import FeatureView, RequestFeatures
from trimtab.spec.model import ModelSpec
from trimtab.spec.source import Source

Declaration = Source | FeatureView | RequestFeatures | ModelSpec


def load_functions(
    files: Mapping[str, bytes], project_module: str, names: Sequence[str]
) -> list[RequestFeatures]:
    """The request features called `names`, from a bundle's source files.

    Of the project file only the statements that these functions need are run, so that serving does not load
    the training libraries. Two bundles with different code stand side by side: nothing but libraries enters
    `sys.modules`, nothing is written to disk.

    Args:
        files: Source by dotted module name.
        project_module: Which of them declares the features.

    Raises:
        ModelRefused: The code does not run, or declares no such features.
    """
    if not names:
        return []
    code = _BundledModules(files)
    namespace = vars(code.module(project_module, only=names))
    found = {item.name: item for item in namespace.values() if isinstance(item, RequestFeatures)}
    if not set(names) <= set(found):  # declared under another name, or inside a list
        declared = _declarations(vars(_BundledModules(files).module(project_module)))
        found = {item.name: item for item in _request_features(declared)}
    for name in names:
        if name not in found:
            raise ModelRefused(f"the bundle's code declares no request features {name!r}: register it again")
    return [found[name] for name in names]


def load_declarations(files: Mapping[str, bytes], project_module: str) -> dict[str, object]:
    """Sources, views, features and models that a bundle's project file declares, by variable name.

    Raises:
        ModelRefused: The code does not run.
    """
    return dict(_declarations(vars(_BundledModules(files).module(project_module))))


def _declarations(namespace: Mapping[str, object]) -> dict[str, Declaration]:
    return {name: item for name, item in namespace.items() if isinstance(item, Declaration)}


def _request_features(declared: Mapping[str, Declaration]) -> list[RequestFeatures]:
    alone = [item for item in declared.values() if isinstance(item, RequestFeatures)]
    models = [item for item in declared.values() if isinstance(item, ModelSpec)]
    return alone + [feature for model in models for feature in model.request_features]


class _BundledModules:
    """The modules of one bundle, made when they are first imported, under names that nobody else has."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = dict(files)
        self._made: dict[str, ModuleType] = {}
        texts = {name: content.decode() for name, content in files.items()}
        self._prefix = f"trimtab_bundle_{digest_value('bundled-code', texts)[:SHORT]}"

    def module(self, name: str, only: Sequence[str] = ()) -> ModuleType:
        """The bundle's module called `name`; with `only`, as much of it as those names need."""
        parent, _, own = name.rpartition(".")
        if parent:
            self.module(parent)
        if name in self._made:
            return self._made[name]
        module = ModuleType(f"{self._prefix}.{name}")
        is_package = self._is_package(name)
        package = name if is_package else name.rpartition(".")[0]
        module.__dict__.update(
            __package__=package,
            __file__=f"<bundle>/{name.replace('.', '/')}.py",
            __builtins__={**vars(builtins), "__import__": self._importer(package)},
        )
        if is_package:
            module.__path__ = []
        self._made[name] = module
        if name in self._files:
            try:
                exec(self._compiled(name, is_package, only), module.__dict__)
            except TrimtabError:
                raise
            except Exception as error:
                self._made.pop(name, None)
                raise ModelRefused(
                    f"the bundle's module {name!r} does not run: {type(error).__name__}: {error}"
                ) from error
        if parent:
            setattr(self.module(parent), own, module)
        return module

    def _compiled(self, name: str, is_package: bool, only: Sequence[str]) -> CodeType:
        source = ModuleSource(self._files[name], name, is_package=is_package)
        tree = source.tree
        if only:
            tree = ast.Module([source.statements[place] for place in sorted(needed(source, only))], [])
        return compile(tree, f"<bundle>/{name.replace('.', '/')}.py", "exec", dont_inherit=True)

    def _has(self, name: str) -> bool:
        return name in self._files or self._is_package(name)

    def _is_package(self, name: str) -> bool:
        return any(other.startswith(f"{name}.") for other in self._files)

    def _importer(self, package: str) -> Callable[..., Any]:
        def bundled_import(
            name: str,
            globals: Mapping[str, object] | None = None,
            locals: Mapping[str, object] | None = None,
            fromlist: Sequence[str] = (),
            level: int = 0,
        ) -> Any:
            if level:
                parts = package.split(".")
                parent = ".".join(parts[: len(parts) - level + 1])
                name = f"{parent}.{name}" if parent and name else parent or name
            if not self._has(name):
                if level:
                    raise ModuleNotFoundError(f"the bundle has no module {name!r}")
                return builtins.__import__(name, None, None, fromlist, 0)
            module = self.module(name)
            if not fromlist:
                return self.module(name.partition(".")[0])
            for wanted in fromlist:
                if not hasattr(module, wanted) and self._has(f"{name}.{wanted}"):
                    self.module(f"{name}.{wanted}")
            return module

        return bundled_import


def needed(source: ModuleSource, names: Sequence[str]) -> set[int]:
    """Places of the module's statements without which `names` would not be what they are."""
    places: set[int] = {place for place, each in enumerate(source.statements) if _is_future(each)}
    waiting, seen = list(names), set(names)
    while waiting:
        name = waiting.pop()
        found = source.binders.get(name) or source.stars
        for place in [*found, *source.changers(name)]:
            if place in places:
                continue
            places.add(place)
            statement = source.statements[place]
            for used in used_names(statement) - seen:
                seen.add(used)
                waiting.append(used)
    return places


def _is_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
