"""Quality over time as a drawing: loss with interval and limit, bias below, releases across."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from trimtab.atoms.check import Verdict
from trimtab.atoms.instant import parse_instant
from trimtab.views.axis import Tick, nice_ticks, time_ticks
from trimtab.views.quality import QualityPoint
from trimtab.views.release import PlanState
from trimtab.web.svg import line, picture, tag, told, words

#: Windows that are drawn; older ones are left of the picture.
MOST_WINDOWS = 400

Scale = Callable[[float], float]


class _Panel(NamedTuple):
    left: float
    right: float
    top: float
    bottom: float


class _Point(NamedTuple):
    at: float
    value: float
    low: float
    high: float
    limit: float | None
    point: QualityPoint


def quality_plot(
    loss: Sequence[QualityPoint],
    bias: Sequence[QualityPoint],
    releases: Sequence[PlanState],
    *,
    narrow: bool = False,
) -> str:
    """Draw the two series over one time axis; empty where no window has a loss yet."""
    width, left, right = (400.0, 46.0, 390.0) if narrow else (1120.0, 58.0, 1108.0)
    heights = (250.0, 92.0) if narrow else (236.0, 84.0)
    upper, lower = _points(loss), _points(bias)
    if not upper:
        return ""
    moments = [point.at for point in (*upper, *lower)]
    x = _scale(min(moments), max(moments), left + 6, right - 6)
    top = 34.0
    bottom = top + heights[0]
    floor = bottom + 34 + heights[1] if lower else bottom
    ticks = time_ticks(min(moments), max(moments), 4 if narrow else 9)
    panels = [_Panel(left, right, top, bottom)] + ([_Panel(left, right, bottom + 34, floor)] if lower else [])
    parts = [_ground(panel) for panel in panels] + [_time_axis(ticks, x, panels)]
    parts.extend(_series("loss", upper, panels[0], x, around_zero=False))
    if lower:
        parts.extend(_series("bias", lower, panels[1], x, around_zero=True))
    parts.append(_releases(releases, x, (left, right), (top, floor)))
    parts.append(_hover(upper, lower, _Panel(left, right, top, floor), x))
    label = f"Loss of the champion over {len(upper)} windows, {upper[0].point.span} to {upper[-1].point.span}"
    return picture(width, floor + 26, label, *parts, class_=f"plot {'narrow' if narrow else 'wide'}")


def _points(series: Sequence[QualityPoint]) -> list[_Point]:
    points = []
    for point in series[-MOST_WINDOWS:]:
        if point.value is None:
            continue
        low = point.value if point.low is None else point.low
        high = point.value if point.high is None else point.high
        points.append(
            _Point(parse_instant(point.first).timestamp(), point.value, low, high, point.limit, point)
        )
    return sorted(points, key=lambda point: point.at)


def _scale(low: float, high: float, start: float, end: float) -> Scale:
    width = high - low or 1.0
    return lambda value: start + (value - low) / width * (end - start)


def _ground(panel: _Panel) -> str:
    width, height = panel.right - panel.left, panel.bottom - panel.top
    return tag("rect", x=panel.left, y=panel.top, width=width, height=height, class_="panel")


def _series(name: str, points: list[_Point], panel: _Panel, x: Scale, *, around_zero: bool) -> list[str]:
    values = [each for point in points for each in (point.low, point.high)]
    limits = [point.limit for point in points if point.limit is not None]
    values += limits + ([-limit for limit in limits] + [0.0] if around_zero else [])
    reach = (max(values) - min(values)) or abs(max(values)) or 1.0
    low, high = min(values) - reach * 0.06, max(values) + reach * 0.06
    y = _scale(low, high, panel.bottom, panel.top)
    parts: list[str] = []
    for value in nice_ticks(low, high, 3 if around_zero else 5):
        parts.append(tag("line", x1=panel.left, x2=panel.right, y1=y(value), y2=y(value), class_="grid"))
        parts.append(words(f"{value:.4g}", panel.left - 7, y(value) + 4, "tick", "end"))
    metric = points[-1].point.metric
    title = name if around_zero or not metric else f"{name}: {metric}"
    if around_zero:
        parts.append(tag("line", x1=panel.left, x2=panel.right, y1=y(0), y2=y(0), class_="zero"))
    band = [(x(point.at), y(point.high)) for point in points]
    band += [(x(point.at), y(point.low)) for point in reversed(points)]
    parts.append(tag("polygon", points=" ".join(f"{a:.1f},{b:.1f}" for a, b in band), class_="band"))
    parts.extend(_limits(points, panel, x, y, around_zero))
    parts.append(line([(x(point.at), y(point.value)) for point in points], "value"))
    parts.extend(_mark(point, x, y) for point in points)
    parts.append(words(title, panel.right - 6, panel.top + 14, "axis-name", "end"))
    return parts


def _limits(points: list[_Point], panel: _Panel, x: Scale, y: Scale, around_zero: bool) -> list[str]:
    """The limit as steps; it moves where a new champion sets another one."""
    drawn = []
    for sign in (1, -1) if around_zero else (1,):
        steps: list[tuple[float, float]] = []
        for point in points:
            if point.limit is None:
                continue
            height = y(sign * point.limit)
            if steps and steps[-1][1] != height:
                steps.append((x(point.at), steps[-1][1]))
            steps.append((x(point.at), height))
        if steps:
            drawn.append(line([*steps, (panel.right, steps[-1][1])], "limit"))
    return drawn


def _mark(point: _Point, across: Scale, down: Scale) -> str:
    """A point that did not pass has a shape of its own."""
    x, y = across(point.at), down(point.value)
    verdict = point.point.verdict
    if verdict is Verdict.FAIL:
        return tag("path", d=f"M{x - 4:.1f} {y - 4:.1f}l8 8m0 -8l-8 8", class_="mark fail")
    if verdict is Verdict.UNSURE:
        return tag("path", d=f"M{x:.1f} {y - 4:.1f}l4 4l-4 4l-4 -4z", class_="mark unsure")
    if verdict is Verdict.BROKEN:
        return tag("rect", x=x - 3, y=y - 3, width=6, height=6, class_="mark broken")
    return tag("circle", cx=x, cy=y, r=1.6, class_="mark pass")


def _time_axis(ticks: list[Tick], x: Scale, panels: list[_Panel]) -> str:
    parts: list[str] = []
    for tick in ticks:
        at = x(tick.at)
        if panels[0].left <= at <= panels[0].right:
            parts.extend(
                tag("line", x1=at, x2=at, y1=panel.top, y2=panel.bottom, class_="grid") for panel in panels
            )
            parts.append(words(tick.label, at, panels[-1].bottom + 18, "tick", "middle"))
    return tag("g", *parts)


def _releases(
    releases: Sequence[PlanState], x: Scale, across: tuple[float, float], down: tuple[float, float]
) -> str:
    """A line where another version began to answer, one of another kind where one was taken back."""
    parts, taken = [], -1000.0
    before: PlanState | None = None
    for state in releases:
        at = min(max(x(parse_instant(state.since).timestamp()), across[0]), across[1])
        said = f"{state.since[:16].replace('T', ' ')} {state.kind}: {state.note}"
        if state.kind in ("promote", "roll-back"):
            failed = before.plan.challenger_version or before.plan.champion_version if before else None
            back = state.kind == "roll-back"
            label = f"↩ v{failed}" if back else f"v{state.plan.champion_version}"
            mood = "released back" if back else "released"
            raised = 12 if at - taken < 34 else 0
            taken = at
            parts.append(
                tag(
                    "g",
                    told(said),
                    tag("line", x1=at, x2=at, y1=down[0] - 4 - raised, y2=down[1]),
                    words(label, min(at + 3, across[1] - 22), down[0] - 6 - raised, "release-name"),
                    class_=mood,
                )
            )
        before = state
    return tag("g", *parts) if parts else ""


def _hover(upper: list[_Point], lower: list[_Point], panel: _Panel, x: Scale) -> str:
    """An unseen column a window that tells its numbers."""
    bias = {point.point.span: point.point for point in lower}
    columns = []
    for place, point in enumerate(upper):
        before = x(upper[place - 1].at) if place else panel.left
        after = x(upper[place + 1].at) if place + 1 < len(upper) else panel.right
        here = x(point.at)
        start, end = (before + here) / 2 if place else panel.left, (here + after) / 2
        said = _numbers("loss", point.point)
        if point.point.span in bias:
            said += "\n" + _numbers("bias", bias[point.point.span])
        said = f"{point.point.span} · v{point.point.version} · n = {point.point.n:,}\n{said}"
        column = tag(
            "rect",
            told(said),
            x=start,
            y=panel.top,
            width=max(end - start, 0.5),
            height=panel.bottom - panel.top,
        )
        columns.append(tag("a", column, href=f"/id/{point.point.check}"))
    return tag("g", *columns, class_="hover")


def _numbers(name: str, point: QualityPoint) -> str:
    between = "" if point.low is None or point.high is None else f" [{point.low:.4g}, {point.high:.4g}]"
    against = "" if point.limit is None else f" limit {point.limit:.4g}"
    return f"{name} {point.value:.4g}{between}{against}: {point.verdict.value}"
