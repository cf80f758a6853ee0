"""The loop as a drawing, from the stages' cards: ten stages in a ring, each with how it stands."""

from collections.abc import Callable, Mapping
from html import escape
from importlib import import_module
from typing import NamedTuple

from trimtab.atoms.check import Verdict
from trimtab.engine.card import Card
from trimtab.views.stage import SEVERITY, StageState
from trimtab.web.svg import picture, tag, told, words

VERBS = (
    *("ingest", "validate", "featurize", "train", "evaluate"),
    *("register", "release", "serve", "monitor", "trigger"),
)

CARDS: tuple[Card, ...] = tuple(import_module(f"trimtab.loop.{verb}").CARD for verb in VERBS)

#: A verdict is never told by its colour alone.
GLYPHS = {Verdict.PASS: "✓", Verdict.FAIL: "✕", Verdict.UNSURE: "?", Verdict.BROKEN: "!"}


class _Shape(NamedTuple):
    width: float
    height: float
    box: tuple[float, float]
    #: Upper left corner of the n-th stage's box.
    place: Callable[[int], tuple[float, float]]
    name: str


def _wide_place(number: int) -> tuple[float, float]:
    column = number if number < 5 else 9 - number
    return 12.0 + column * 228, 12.0 if number < 5 else 288.0


def _narrow_place(number: int) -> tuple[float, float]:
    row = number if number < 5 else 9 - number
    return 4.0 if number < 5 else 212.0, 6.0 + row * 122


WIDE = _Shape(1120, 392, (184, 92), _wide_place, "wide")
NARROW = _Shape(384, 594, (168, 92), _narrow_place, "narrow")


def loop_picture(stages: Mapping[str, StageState], notes: Mapping[str, str], *, narrow: bool = False) -> str:
    """Draw the loop.

    Args:
        stages: How each stage stands, by verb; one that is missing has not acted.
        notes: What to write on a stage in place of its last Action.
        narrow: Two columns of five for a phone, in place of two rows of five.
    """
    shape = NARROW if narrow else WIDE
    parts = [_markers(shape)]
    for number in range(len(CARDS)):
        parts.append(_forward(shape, number))
    if not narrow:
        parts.extend(_feedback(shape))
    for number, card in enumerate(CARDS):
        state = stages.get(card.verb) or StageState(verb=card.verb)
        parts.append(_box(shape, number, card, state, notes.get(card.verb) or _last(state, narrow)))
    label = "The loop: " + "; ".join(_spoken(stages, card.verb) for card in CARDS)
    return picture(shape.width, shape.height, label, *parts, class_=f"loop {shape.name}")


def _spoken(stages: Mapping[str, StageState], verb: str) -> str:
    verdict = stages[verb].verdict if verb in stages else None
    return f"{verb} {verdict.value if verdict else 'no verdict'}"


def _markers(shape: _Shape) -> str:
    heads = [
        tag(
            "marker",
            tag("path", d="M0 0.5L7 4L0 7.5z", class_=f"{name}-head"),
            id=f"{shape.name}-{name}",
            viewBox="0 0 8 8",
            refX=6.5,
            refY=4,
            markerWidth=9,
            markerHeight=9,
            markerUnits="userSpaceOnUse",
            orient="auto",
        )
        for name in ("flow", "back")
    ]
    return tag("defs", *heads)


def _middle(shape: _Shape, number: int) -> tuple[float, float]:
    x, y = shape.place(number)
    return x + shape.box[0] / 2, y + shape.box[1] / 2


def _forward(shape: _Shape, number: int) -> str:
    """The arrow from a stage to the next one: always straight across or straight down."""
    (x1, y1), (x2, y2) = _middle(shape, number), _middle(shape, (number + 1) % len(CARDS))
    across, down = shape.box[0] / 2 + 3, shape.box[1] / 2 + 3
    if abs(x2 - x1) > abs(y2 - y1):
        sign = 1 if x2 > x1 else -1
        x1, x2 = x1 + sign * across, x2 - sign * across
    else:
        sign = 1 if y2 > y1 else -1
        y1, y2 = y1 + sign * down, y2 - sign * down
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_="flow", marker_end=f"url(#{shape.name}-flow)")


def _feedback(shape: _Shape) -> list[str]:
    """What a later stage gives that an earlier one takes: this is what closes the loop."""
    curves, labels = [], []
    for giver, card in enumerate(CARDS):
        for taker, earlier in enumerate(CARDS[:giver]):
            kinds = [kind for kind in card.gives if kind in earlier.takes]
            if kinds and giver - taker > 1:
                curve, at = _chord(shape, giver, taker)
                curves.append(curve)
                labels.append(words(", ".join(kinds), *at, class_="back-label", anchor="middle"))
    # Labels last: no curve may run through a word.
    return curves + labels


def _chord(shape: _Shape, giver: int, taker: int) -> tuple[str, tuple[float, float]]:
    """A curve through the middle of the ring, and where its word stands."""
    (x1, y1), (x2, y2) = _middle(shape, giver), _middle(shape, taker)
    half = shape.box[1] / 2 + 4
    x1, y1 = x1 + 34, y1 - half
    if taker < 5:
        y2 += half
        way = f"M{x1:.0f} {y1:.0f}C{x1:.0f} {y1 - 96:.0f} {x2:.0f} {y2 + 96:.0f} {x2:.0f} {y2:.0f}"
        at = (x2, y2 + 40)
    else:
        x2, y2 = x2 - 20, y2 - half
        way = f"M{x1:.0f} {y1:.0f}C{x1:.0f} {y1 - 60:.0f} {x2:.0f} {y2 - 60:.0f} {x2:.0f} {y2:.0f}"
        at = ((x1 + x2) / 2, y1 - 41)
    return tag("path", d=way, class_="back", marker_end=f"url(#{shape.name}-back)"), at


def _box(shape: _Shape, number: int, card: Card, state: StageState, note: str) -> str:
    (x, y), (width, height) = shape.place(number), shape.box
    verdict = state.verdict
    mood = verdict.value.lower() if verdict else "none"
    parts = [
        told(card.sentence),
        tag("rect", x=x, y=y, width=width, height=height, rx=8, class_="box"),
        tag(
            "path",
            d=f"M{x + 8:.0f} {y:.0f}h-0a8 8 0 0 0 -8 8v{height - 16:.0f}a8 8 0 0 0 8 8z",
            class_="stripe",
        ),
        words(card.verb, x + 20, y + 29, "verb"),
    ]
    if verdict is not None:
        parts.append(words(f"{GLYPHS[verdict]} {verdict.value}", x + width - 12, y + 29, "verdict", "end"))
    parts.append(words(note, x + 20, y + 54, "last"))
    parts.append(words(_counts(card, state), x + 20, y + 76, "counts"))
    box = tag("g", *parts, class_=f"stage {mood}{' running' if state.last and state.ended is None else ''}")
    return tag("a", box, href=f"/id/{escape(state.last.id)}") if state.last else box


def _last(state: StageState, narrow: bool) -> str:
    if state.last is None:
        return "not yet"
    if state.ended is None:
        return f"{state.last.kind}: running"
    ended = "" if state.ended.outcome.value == "done" else f" {state.ended.outcome.value}"
    return f"{state.last.kind}{ended} · {state.last.at[5 if narrow else 0 : 10]}"


def _counts(card: Card, state: StageState) -> str:
    counts = [
        f"{state.checks[verdict]:,} {verdict.value}"
        for verdict in reversed(SEVERITY)
        if state.checks[verdict]
    ]
    if counts:
        return " · ".join(counts[:2])
    return f"{len(card.judges)} rules" if card.judges else "judges nothing"
