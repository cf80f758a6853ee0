"""Draws docs/loop.md and docs/picture.svg from the stages' cards, so that neither can be wrong.

`python scripts/draw_loop.py` writes them; with `--check` it only says whether they are what the cards say.
"""

import importlib
import math
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path

from trimtab.engine.card import Card

ROOT = Path(__file__).resolve().parents[1]

#: The order of the loop; tests/architecture holds it equal to the folders and to the commands.
VERBS = (
    *("ingest", "validate", "featurize", "train", "evaluate"),
    *("register", "release", "serve", "monitor", "trigger"),
)

WIDTH, HEIGHT = 1080, 700
BOX_WIDTH, BOX_HEIGHT = 176, 76
FONT = 'font-family="system-ui, sans-serif" font-size="12"'
INK, QUIET, LINE, FILL, BACK = "#1d2733", "#5b6b7c", "#9fb0c0", "#ffffff", "#0b6e75"


def cards() -> list[Card]:
    """The ten cards in the order of the loop."""
    return [importlib.import_module(f"trimtab.loop.{verb}").CARD for verb in VERBS]


def feedback(loop: list[Card]) -> Iterator[tuple[int, int, list[str]]]:
    """What flows against the order of the loop and so closes it: giver, earlier taker, kinds of artifact."""
    for giver, card in enumerate(loop):
        for taker, earlier in enumerate(loop[:giver]):
            kinds = [kind for kind in card.gives if kind in earlier.takes]
            if kinds:
                yield giver, taker, kinds


# -- the picture --


def picture(loop: list[Card]) -> str:
    """The loop as SVG: the ten stages clockwise, and inside the ring what flows back."""
    places = [_place(number, len(loop)) for number in range(len(loop))]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" {FONT}>',
        "<title>The loop of Trimtab, drawn from its stages' cards</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="12" fill="#f5f8fa"/>',
        *(
            f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
            f'orient="auto"><path d="M0 0L8 4L0 8z" fill="{colour}"/></marker>'
            for name, colour in (("on", LINE), ("back", BACK))
        ),
    ]
    for number, place in enumerate(places):
        parts.append(_arrow(place, places[(number + 1) % len(places)]))
    for giver, taker, kinds in feedback(loop):
        parts.extend(_chord(places[giver], places[taker], ", ".join(kinds)))
    for card, place in zip(loop, places, strict=True):
        parts.extend(_box(card, place))
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _place(number: int, count: int) -> tuple[float, float]:
    angle = 2 * math.pi * number / count - math.pi / 2 - math.pi / count
    return WIDTH / 2 + (WIDTH / 2 - 110) * math.cos(angle), HEIGHT / 2 + (HEIGHT / 2 - 62) * math.sin(angle)


def _edge(start: tuple[float, float], end: tuple[float, float], gap: float = 6) -> tuple[float, float]:
    """Where the line from the middle of a box towards `end` leaves the box."""
    across, down = end[0] - start[0], end[1] - start[1]
    share = min(
        (BOX_WIDTH / 2 + gap) / abs(across) if across else math.inf,
        (BOX_HEIGHT / 2 + gap) / abs(down) if down else math.inf,
    )
    return start[0] + across * share, start[1] + down * share


def _arrow(start: tuple[float, float], end: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = _edge(start, end), _edge(end, start)
    line = f'x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}"'
    return f'<line {line} stroke="{LINE}" stroke-width="2.5" marker-end="url(#on)"/>'


def _chord(start: tuple[float, float], end: tuple[float, float], label: str) -> Iterator[str]:
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    # Bent towards the middle of the ring, so that it keeps clear of the boxes between its ends.
    bend = (middle[0] * 0.35 + WIDTH / 2 * 0.65, middle[1] * 0.35 + HEIGHT / 2 * 0.65)
    (x1, y1), (x2, y2) = _edge(start, bend), _edge(end, bend)
    way = f"M{x1:.0f} {y1:.0f}Q{bend[0]:.0f} {bend[1]:.0f} {x2:.0f} {y2:.0f}"
    yield (
        f'<path d="{way}" fill="none" stroke="{BACK}" stroke-width="1.6" stroke-dasharray="5 4" '
        'marker-end="url(#back)"/>'
    )
    share = 0.68
    along = [
        (1 - share) ** 2 * a + 2 * share * (1 - share) * b + share**2 * c
        for a, b, c in ((x1, bend[0], x2), (y1, bend[1], y2))
    ]
    yield (
        f'<text x="{along[0]:.0f}" y="{along[1]:.0f}" fill="{BACK}" text-anchor="middle" '
        f'paint-order="stroke" stroke="#f5f8fa" stroke-width="5">{escape(label)}</text>'
    )


def _box(card: Card, place: tuple[float, float]) -> Iterator[str]:
    x, y = place[0] - BOX_WIDTH / 2, place[1] - BOX_HEIGHT / 2
    does = (
        f"gives {', '.join(card.gives)}" if card.gives else f"answers {', '.join(card.takes_from_outside)}s"
    )
    rules = f"{len(card.judges)} rules judge here" if card.judges else "judges nothing"
    yield (
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="9" fill="{FILL}" '
        f'stroke="{LINE}"/>'
    )
    middle = f'x="{place[0]:.0f}" text-anchor="middle"'
    yield f'<text {middle} y="{y + 25:.0f}" fill="{INK}" font-size="17" font-weight="600">{card.verb}</text>'
    yield f'<text {middle} y="{y + 46:.0f}" fill="{INK}">{escape(does)}</text>'
    yield f'<text {middle} y="{y + 64:.0f}" fill="{QUIET}">{rules}</text>'


# -- the page --


def page(loop: list[Card]) -> str:
    """The loop as a Markdown page."""
    return "\n".join([*_opening(), *_table(loop), *_kinds(loop), *_stages(loop)]) + "\n"


def _opening() -> list[str]:
    return [
        "# The loop",
        "",
        "<!-- Drawn by scripts/draw_loop.py from the stages' cards: change those and run `make docs`. -->",
        "",
        "Ten stages, each a verb, a folder (`src/trimtab/loop/`) and a command. A stage's card, in the",
        "folder's `__init__.py`, says what it may take, give, judge and decide; the engine refuses what is",
        "not on it, and this page is drawn from the cards. Stages never call one another: each finds what it",
        "needs in the ledger.",
        "",
        "![The loop](picture.svg)",
        "",
        "Dashed: what flows back and closes the loop.",
        "",
    ]


def _table(loop: list[Card]) -> list[str]:
    rows = ["| stage | takes | gives | decides |", "|---|---|---|---|"]
    for card in loop:
        outside = tuple(f"_{word}_" for word in card.takes_from_outside)
        rows.append(
            f"| [{card.verb}](#{card.verb}) | {', '.join((*card.takes, *outside))} | {_words(card.gives)} "
            f"| {_words(card.decides)} |"
        )
    return [*rows, "", "In italics: what comes from outside the ledger.", ""]


def _kinds(loop: list[Card]) -> list[str]:
    kinds = list(dict.fromkeys(kind for card in loop for kind in card.gives))
    rows = ["## Kinds of artifact", "", "| kind | given by | taken by |", "|---|---|---|"]
    for kind in kinds:
        givers = [card.verb for card in loop if kind in card.gives]
        takers = [card.verb for card in loop if kind in card.takes]
        rows.append(f"| {kind} | {_words(givers)} | {_words(takers)} |")
    note = "Beside these any stage may give `rules` (the settings that it judged by) and `evidence`."
    return [*rows, "", note, ""]


def _stages(loop: list[Card]) -> list[str]:
    lines = []
    for card in loop:
        lines += [f"## {card.verb}", "", card.sentence, ""]
        if card.judges:
            lines += ["Judges by " + ", ".join(f"`{rule}`" for rule in card.judges) + ".", ""]
    return lines[:-1]


def _words(words: tuple[str, ...] | list[str]) -> str:
    return ", ".join(words) or "-"


# -- the files --


def drawn() -> dict[Path, str]:
    """Every file that is drawn, with the text that the cards give it."""
    loop = cards()
    return {ROOT / "docs" / "loop.md": page(loop), ROOT / "docs" / "picture.svg": picture(loop)}


def main() -> int:
    """Write the files, or say which of them are out of date."""
    stale = [
        path
        for path, text in drawn().items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        if "--check" not in sys.argv:
            path.write_text(drawn()[path], encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}: {'out of date' if '--check' in sys.argv else 'drawn'}\n")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
