"""What commands print: JSON, or text with a little colour."""

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

#: Columns of text where nobody can say how wide the screen is.
WIDE = 160

#: Characters that a terminal takes for orders: whoever names a run must not move somebody else's cursor.
_CONTROLS = dict.fromkeys([*range(9), 11, 12, *range(14, 32), *range(127, 160)], "�")
#: Backslashes before a bracket, or before the markup that follows the text, would take their meaning away.
_MARKUP, _TRAILING = re.compile(r"(\\*)\["), re.compile(r"(\\+)\Z")

_STYLES = {
    "PASS": "green",
    "FAIL": "bold red",
    "UNSURE": "yellow",
    "BROKEN": "magenta",
    "champion": "bold green",
    "challenger": "cyan",
    "rolled-back": "red",
    "retired": "dim",
    "done": "green",
    "failed": "red",
    "abandoned": "yellow",
    "RUNNING": "cyan",
    "FINISHED": "green",
    "FAILED": "red",
    "KILLED": "yellow",
}


def print_json(value: Any) -> None:
    """Print a JSON value for programs."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def screen() -> "Console":
    """Where text for people goes: the terminal with its width and colours, or plain wide lines in a pipe."""
    from rich.console import Console

    if sys.stdout.isatty():
        return Console(highlight=False, emoji=False)
    return Console(
        file=sys.stdout, highlight=False, emoji=False, width=WIDE, no_color=True, force_terminal=False
    )


def table(*headings: str) -> "Table":
    """An empty table in the program's own look; a heading that ends in `#` is for numbers."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for heading in headings:
        made.add_column(heading.removesuffix("#"), justify="right" if heading.endswith("#") else "left")
    return made


def coloured(word: str | None) -> str:
    """A verdict, status or outcome in its colour, as rich markup."""
    if not word:
        return "[dim]-[/]"
    style = _STYLES.get(word)
    return f"[{style}]{word}[/]" if style else plain(word)


def plain(text: str) -> str:
    """Text in which square brackets mean themselves, and nothing means anything to the terminal.

    >>> plain("a[b]\\x1b[31m")
    'a\\\\[b]�\\\\[31m'
    """
    return _MARKUP.sub(r"\1\1\\[", _TRAILING.sub(r"\1\1", text.translate(_CONTROLS)))


def minute(at: str | None) -> str:
    """A moment to the minute: `2013-02-01 05:00`."""
    return at[:16].replace("T", " ") if at else "-"


def number(value: float | None, digits: int = 4) -> str:
    """A number for people, `-` where there is none."""
    return "-" if value is None else f"{value:.{digits}g}"
