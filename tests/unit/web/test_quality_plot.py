"""The plot of quality: a mark for each verdict, a line for each release, and no number outside its panel."""

import re
from xml.etree import ElementTree

import msgspec
import pytest

from trimtab.atoms.check import Verdict
from trimtab.atoms.content.traffic_plan import TrafficPlan
from trimtab.views.quality import QualityPoint
from trimtab.views.release import PlanState
from trimtab.web.quality_plot import MOST_WINDOWS, quality_plot


def point(
    day: int, value: float | None, verdict: Verdict = Verdict.PASS, limit: float | None = 0.5
) -> QualityPoint:
    """A window's reading."""
    return QualityPoint(
        span=f"2024-{1 + day // 28:02}-{1 + day % 28:02}",
        first=f"2024-{1 + day // 28:02}-{1 + day % 28:02}T00:00:00.000000Z",
        value=value,
        low=None if value is None else value - 0.02,
        high=None if value is None else value + 0.02,
        limit=limit,
        n=100,
        verdict=verdict,
        version=1,
        window="w",
        check="c",
    )


def release(kind: str, champion: int, at: str, challenger: int | None = None) -> PlanState:
    """A traffic plan in force."""
    plan = TrafficPlan(model="m", champion="b", champion_version=champion, challenger_version=challenger)
    return PlanState(artifact_id="p", plan=plan, since=at, action="a", kind=kind, note="<why>")


def test_without_a_reading_there_is_no_plot() -> None:
    assert quality_plot([], [], []) == ""
    assert quality_plot([point(1, None)], [point(1, None)], []) == ""


@pytest.mark.parametrize("days", [1, 2, 5, 40, 200])
@pytest.mark.parametrize("narrow", [False, True])
def test_every_number_lies_within_the_picture(days: int, narrow: bool) -> None:
    loss = [point(day, 0.4 + day % 7 / 50) for day in range(days)]
    drawing = quality_plot(loss, [point(day, 0.01, limit=0.04) for day in range(days)], [], narrow=narrow)
    root = ElementTree.fromstring(drawing)
    width, height = (float(each) for each in root.attrib["viewBox"].split()[2:])
    for element in root.iter():
        for name in ("x", "x1", "x2", "cx"):
            assert 0 <= float(element.attrib.get(name, 0)) <= width, (element.tag, name)
        for name in ("y", "y1", "y2", "cy"):
            assert 0 <= float(element.attrib.get(name, 0)) <= height, (element.tag, name)
    assert "nan" not in drawing
    assert "inf" not in drawing


def test_verdicts_have_shapes_of_their_own() -> None:
    loss = [point(day, 0.4, verdict) for day, verdict in enumerate(Verdict)]
    drawing = quality_plot(loss, [], [])
    for verdict in Verdict:
        assert len(re.findall(f'class="mark {verdict.value.lower()}"', drawing)) == 1
        assert f": {verdict.value}" in drawing


def test_promotions_and_roll_backs_are_told_apart() -> None:
    loss = [point(day, 0.4) for day in range(20)]
    releases = [
        release("promote", 1, "2023-12-01T00:00:00.000000Z"),
        release("canary", 1, "2024-01-09T00:00:00.000000Z", challenger=2),
        release("promote", 2, "2024-01-10T00:00:00.000000Z"),
        release("canary", 2, "2024-01-15T00:00:00.000000Z", challenger=3),
        release("roll-back", 2, "2024-01-15T06:00:00.000000Z"),
    ]
    drawing = quality_plot(loss, [], releases)
    texts = [element.text for element in ElementTree.fromstring(drawing).iter("text")]
    assert [text for text in texts if text and text.startswith(("v", "↩"))] == ["v1", "v2", "↩ v3"]
    assert "&lt;why&gt;" in drawing


def test_a_flat_line_and_missing_limits_are_drawn() -> None:
    flat = [
        QualityPoint(
            span=f"2024-01-0{day}",
            first=f"2024-01-0{day}T00:00:00.000000Z",
            value=0.0,
            low=None,
            high=None,
            limit=None,
            n=0,
            verdict=Verdict.UNSURE,
            version=None,
            window="w",
            check="c",
        )
        for day in (1, 2)
    ]
    assert 'class="value"' in quality_plot(flat, [], [])
    assert 'class="limit"' not in quality_plot(flat, [], [])


def test_old_windows_leave_the_picture() -> None:
    moments = [
        f"{2000 + place // 300}-01-01T{place // 60 % 24:02}:{place % 60:02}:00Z"
        for place in range(MOST_WINDOWS + 100)
    ]
    loss = [msgspec.structs.replace(point(0, 0.4), first=moment) for moment in moments]
    assert len(re.findall('class="mark pass"', quality_plot(loss, [], []))) == MOST_WINDOWS
