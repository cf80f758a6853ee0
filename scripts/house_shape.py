"""The shape of the house: rules that no linter has, each with the sentence that says how to mend it.

Run by `make check` through tests/architecture; by hand: `python scripts/house_shape.py`.
"""

import ast
import sys
from collections.abc import Callable, Container, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

MOST_LINES_A_FILE = 400
MOST_LINES_A_FUNCTION = 59
MOST_PUBLIC_METHODS = 7

#: Names that say nothing of what is inside, so that anything ends up there.
VAGUE_NAMES = {"util", "utils", "helper", "helpers", "common", "misc", "base", "core"} | {
    *("manager", "managers", "types", "handler", "handlers", "service", "services")
}
#: Where an import inside a function is the point: heavy or optional libraries, loaded when first used.
LATE_IMPORTS_IN = ("trimtab/adapters/", "trimtab/cli/", "trimtab/assembly/", "trimtab/__init__.py")
COUNTED = (".py", ".js", ".css", ".html", ".jinja")

Rule = Callable[[Path], Iterator[str]]


def long_files(src: Path) -> Iterator[str]:
    """Files that hold more than one idea can."""
    for path in sorted(src.rglob("*")):
        if path.suffix not in COUNTED or not path.is_file():
            continue
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > MOST_LINES_A_FILE:
            yield (
                f"{path.relative_to(src)}: {lines} lines, more than {MOST_LINES_A_FILE}: "
                "it holds more than one idea; give the second one a file of its own"
            )


def long_functions(src: Path) -> Iterator[str]:
    """Functions too long to be read in one look; a docstring is not counted."""
    for path, tree in _modules(src):
        for node in ast.walk(tree):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            lines = (node.end_lineno or node.lineno) - node.lineno + 1 - _docstring_lines(node)
            if lines > MOST_LINES_A_FUNCTION:
                yield (
                    f"{path.relative_to(src)}:{node.lineno}: {node.name} has {lines} lines, more than "
                    f"{MOST_LINES_A_FUNCTION}: name its parts and call them"
                )


def wide_classes(src: Path) -> Iterator[str]:
    """Classes that everybody needs something else of."""
    for path, tree in _modules(src):
        for node in ast.walk(tree):
            if not isinstance(node, ast.ClassDef):
                continue
            public = [
                part.name
                for part in node.body
                if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and _is_asked(part)
            ]
            if len(public) > MOST_PUBLIC_METHODS:
                yield (
                    f"{path.relative_to(src)}:{node.lineno}: class {node.name} has more than "
                    f"{MOST_PUBLIC_METHODS} public methods ({', '.join(public)}): split it by who calls what"
                )


def vague_names(src: Path) -> Iterator[str]:
    """Modules and folders whose name does not say what is inside."""
    for path in sorted(src.rglob("*")):
        if (path.is_dir() or path.suffix == ".py") and path.stem in VAGUE_NAMES:
            yield f"{path.relative_to(src)}: {path.stem!r} says nothing: name it for the one thing it holds"


def late_imports(src: Path) -> Iterator[str]:
    """Imports inside functions, where nothing heavy or optional excuses them."""
    for path, tree in _modules(src):
        if str(path.relative_to(src)).startswith(LATE_IMPORTS_IN):
            continue
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for node in ast.walk(function):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    yield (
                        f"{path.relative_to(src)}:{node.lineno}: import inside {function.name}: move it to "
                        "the top; if that makes a cycle or loads a heavy library, the code belongs elsewhere"
                    )


def cycles(src: Path) -> Iterator[str]:
    """Modules that cannot be understood, tested or loaded without each other."""
    modules = {_module_name(src, path): tree for path, tree in _modules(src)}
    graph = {name: set(_imported(name, tree, modules)) for name, tree in modules.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield f"import cycle: {' -> '.join(reversed(error.args[1]))}: move what both need below both"


RULES: tuple[Rule, ...] = (long_files, long_functions, wide_classes, vague_names, late_imports, cycles)


def complaints(src: Path) -> list[str]:
    """Every break of every rule in the tree below `src`, the folder that holds `trimtab/`."""
    return [f"{rule.__name__}: {complaint}" for rule in RULES for complaint in rule(src)]


def _modules(src: Path) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(src.rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    if ast.get_docstring(node, clean=False) is None:
        return 0
    return (first.end_lineno or first.lineno) - first.lineno + 1


def _is_asked(method: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether callers ask it for something; who opened a thing closes it, so `close` is no further job."""
    if method.name.startswith("_") or method.name == "close":
        return False
    return not any(isinstance(mark, ast.Name) and mark.id == "property" for mark in method.decorator_list)


def _module_name(src: Path, path: Path) -> str:
    parts = path.relative_to(src).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(name: str, tree: ast.Module, known: Container[str]) -> Iterator[str]:
    only_for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in only_for_types:
            continue
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            targets = [target if target in known else node.module for target in whole]
        else:
            continue
        yield from (target for target in targets if target in known and target != name)


def main() -> int:
    """Print the complaints about this clone; 1 where there are some."""
    found = complaints(Path(__file__).resolve().parents[1] / "src")
    for complaint in found:
        sys.stdout.write(complaint + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
