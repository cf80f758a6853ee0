"""A few strokes of SVG; colours come from the style sheet by class, so light and dark are one drawing."""

from collections.abc import Sequence
from html import escape


def tag(name: str, *inside: str, **attributes: object) -> str:
    """An element; `class_` is `class`, an underscore in a name is a hyphen, None leaves an attribute out."""
    words = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_number(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{words}>{''.join(inside)}</{name}>" if inside else f"<{name}{words}/>"


def words(text: str, x: float, y: float, class_: str = "", anchor: str | None = None) -> str:
    """Text with its baseline at (x, y)."""
    return tag("text", escape(text), x=x, y=y, class_=class_ or None, text_anchor=anchor)


def line(points: Sequence[tuple[float, float]], class_: str) -> str:
    """A line through points."""
    return tag("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points), class_=class_)


def told(text: str) -> str:
    """What is shown when the pointer rests on the element, and read out by a screen reader."""
    return tag("title", escape(text))


def picture(width: float, height: float, label: str, *inside: str, class_: str = "") -> str:
    """A whole drawing, as wide as its place."""
    return tag(
        "svg",
        *inside,
        viewBox=f"0 0 {_number(width)} {_number(height)}",
        role="img",
        aria_label=label,
        class_=class_ or None,
    )


def _number(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
