"""Writes the table of settings in docs/interfaces.md from assembly/settings.py, comments included.

`python scripts/list_settings.py` writes it; with `--check` it only says whether the page is current.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src/trimtab/assembly/settings.py"
PAGE = ROOT / "docs/interfaces.md"
START, END = "<!-- settings: written by scripts/list_settings.py -->", "<!-- end of settings -->"


def rows(source: str) -> Iterator[str]:
    """Lines of the table: section, name, default, meaning; without a `#:` comment no meaning."""
    lines = source.splitlines()
    for node in ast.parse(source).body:
        section = ast.get_docstring(node) if isinstance(node, ast.ClassDef) else None
        if not isinstance(node, ast.ClassDef) or section is None or not section.startswith("["):
            continue
        for part in node.body:
            if (
                isinstance(part, ast.AnnAssign)
                and isinstance(part.target, ast.Name)
                and part.value is not None
            ):
                default = _toml(ast.unparse(part.value))
                meaning = " ".join(_comment(lines, part.lineno))
                yield f"| `{section} {part.target.id}` | `{default}` | {meaning} |"


def _comment(lines: list[str], number: int) -> list[str]:
    """The `#:` lines right above a line."""
    above: list[str] = []
    while (text := lines[number - 2].strip()).startswith("#:"):
        above.insert(0, text.removeprefix("#:").strip())
        number -= 1
    return above


def _toml(value: str) -> str:
    """A Python literal as TOML writes it."""
    parsed = ast.literal_eval(value)
    if isinstance(parsed, tuple):
        return f"[{', '.join(_toml(repr(item)) for item in parsed)}]"
    return {True: "true", False: "false"}[parsed] if isinstance(parsed, bool) else value.replace("'", '"')


def page() -> str:
    """The page with the table as the code gives it."""
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.partition(START)[0], text.partition(END)[2]
    table = ["| setting | default | meaning |", "|---|---|---|", *rows(SOURCE.read_text(encoding="utf-8"))]
    return "\n".join([before + START, "", *table, "", END + after])


def main() -> int:
    """Write the page, or say that it is out of date."""
    text = page()
    if text == PAGE.read_text(encoding="utf-8"):
        return 0
    if "--check" in sys.argv:
        sys.stdout.write(f"{PAGE.relative_to(ROOT)}: out of date: run `make docs`\n")
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
