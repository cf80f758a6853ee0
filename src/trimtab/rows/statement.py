"""A module's top-level statements and the names they bind and use: what code digests and bundles build on."""

import ast
import dis
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from types import CodeType


@dataclass(frozen=True, slots=True)
class Import:
    """One name that an import statement binds."""

    #: Dotted module, without the dots of a relative import.
    module: str
    #: What is taken from it: None for `import module`, `*` for all of it.
    name: str | None
    #: The name in the importing code; of `import a.b` that is `a`.
    bound: str
    #: Dots of a relative import.
    level: int = 0


class ModuleSource:
    """A module's source as statements. Comments, docstrings and formatting do not exist here."""

    def __init__(
        self, content: bytes, name: str, *, is_package: bool = False, place: str | None = None
    ) -> None:
        self.name = name
        #: What the module is called in a digest: the same in every checkout.
        self.place = name if place is None else place
        self.is_package = is_package
        self.tree = ast.parse(content, filename=f"{name}.py")

    @cached_property
    def statements(self) -> list[ast.stmt]:
        """The top-level statements in order."""
        return self.tree.body

    @cached_property
    def binders(self) -> dict[str, list[int]]:
        """Places of the statements that bind each name."""
        binders: dict[str, list[int]] = {}
        for place, statement in enumerate(self.statements):
            for name in _bound(statement):
                binders.setdefault(name, []).append(place)
        return binders

    @cached_property
    def stars(self) -> list[int]:
        """Places of `from x import *`."""
        return [
            place
            for place, statement in enumerate(self.statements)
            if any(each.name == "*" for each in imports_in(statement))
        ]

    def changers(self, name: str) -> list[int]:
        """Places of statements that may change what `name` holds without binding it: `TABLE.update(...)`."""
        return self._mentions.get(name, [])

    @cached_property
    def _mentions(self) -> dict[str, list[int]]:
        mentions: dict[str, list[int]] = {}
        for place, statement in enumerate(self.statements):
            if isinstance(statement, ast.Import | ast.ImportFrom) or _only_defines(statement):
                continue
            for name in used_names(statement):
                mentions.setdefault(name, []).append(place)
        return mentions

    @cached_property
    def imported(self) -> dict[str, list[Import]]:
        """The top-level imports by the name they bind."""
        found: dict[str, list[Import]] = {}
        for statement in self.statements:
            if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                for each in imports_in(statement):
                    found.setdefault(each.bound, []).append(each)
        return found

    def absolute(self, module: str, level: int) -> str:
        """The full name of an import with `level` dots."""
        if level == 0:
            return module
        parts = self.name.split(".")
        keep = len(parts) - level + (1 if self.is_package else 0)
        return ".".join([*parts[: max(keep, 0)], *([module] if module else [])])


def imports_in(node: ast.AST) -> Iterator[Import]:
    """Every import in the node, also inside functions."""
    for found in ast.walk(node):
        if isinstance(found, ast.Import):
            for alias in found.names:
                bound = alias.asname or alias.name.partition(".")[0]
                module = alias.name if alias.asname else bound
                yield Import(module, None, bound)
                if not alias.asname and "." in alias.name:
                    yield Import(alias.name, None, "")
        elif isinstance(found, ast.ImportFrom):
            for alias in found.names:
                yield Import(found.module or "", alias.name, alias.asname or alias.name, found.level)


def used_names(statement: ast.stmt) -> set[str]:
    """Global names that the statement reads, by the compiler's own rules of scope."""
    code = compile(ast.Module([statement], []), "<statement>", "exec", dont_inherit=True)
    return set(_global_names(code))


def attribute_chains(node: ast.AST) -> dict[str, set[tuple[str, ...]]]:
    """How each name is used: `a.b.c` and bare `a` give {"a": {("b", "c"), ()}}."""
    chains: dict[str, set[tuple[str, ...]]] = {}
    inner: set[int] = set()
    for found in ast.walk(node):  # outer attributes come before the ones inside them
        if isinstance(found, ast.Attribute | ast.Name) and id(found) not in inner:
            path: list[str] = []
            walk: ast.expr = found
            while isinstance(walk, ast.Attribute):
                path.append(walk.attr)
                walk = walk.value
                inner.add(id(walk))
            if isinstance(walk, ast.Name):
                chains.setdefault(walk.id, set()).add(tuple(reversed(path)))
    return chains


def plain_text(statement: ast.stmt) -> str:
    """The statement without comments, formatting and docstrings: equal texts do the same."""
    copied = ast.parse(ast.unparse(statement))
    for node in ast.walk(copied):
        body = getattr(node, "body", None)
        if (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
            and isinstance(body[0].value.value, str)
        ):
            node.body = body[1:] or [ast.Pass()]
    return ast.unparse(copied)


def _bound(statement: ast.stmt) -> set[str]:
    """Names that a top-level statement binds in the module."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    names: set[str] = set()
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
            continue
        if isinstance(node, ast.Lambda):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        if isinstance(node, ast.Import | ast.ImportFrom):
            names.update(each.bound for each in imports_in(node))
        if isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
        waiting.extend(ast.iter_child_nodes(node))
    return names - {"", "*"}


def _only_defines(statement: ast.stmt) -> bool:
    """Whether the statement gives names a value and cannot change another name's value in passing."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return True
    if isinstance(statement, ast.AnnAssign):
        return isinstance(statement.target, ast.Name)
    return isinstance(statement, ast.Assign) and all(
        isinstance(target, ast.Name | ast.Tuple) for target in statement.targets
    )


def _global_names(code: CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_NAME", "LOAD_GLOBAL", "LOAD_CLASSDEREF"):
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _global_names(constant)
