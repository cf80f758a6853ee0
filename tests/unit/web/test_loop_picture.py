"""The drawing of the loop: ten stages from their cards, each verdict as a word and a sign."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from trimtab.atoms.check import Verdict
from trimtab.views.stage import StageState
from trimtab.web.loop_picture import CARDS, GLYPHS, VERBS, loop_picture

LOOP = Path(__file__).parents[3] / "src/trimtab/loop"


def words(drawing: str) -> list[str]:
    """The texts of a drawing."""
    return [element.text or "" for element in ElementTree.fromstring(drawing).iter("text")]


def test_the_stages_are_the_folders_of_the_loop() -> None:
    assert sorted(VERBS) == sorted(path.name for path in LOOP.iterdir() if (path / "__init__.py").exists())
    assert [card.verb for card in CARDS] == list(VERBS)


@pytest.mark.parametrize("narrow", [False, True])
def test_every_stage_is_drawn_once(narrow: bool) -> None:
    said = words(loop_picture({}, {}, narrow=narrow))
    for verb in VERBS:
        assert said.count(verb) == 1
    assert said.count("not yet") == 10


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_verdict_is_never_told_by_colour_alone(verdict: Verdict) -> None:
    state = StageState(verb="monitor", verdict=verdict)
    state.checks[verdict] = 3
    drawing = loop_picture({"monitor": state}, {})
    assert f"{GLYPHS[verdict]} {verdict.value}" in words(drawing)
    assert f"3 {verdict.value}" in words(drawing)
    assert f"monitor {verdict.value}" in drawing
    assert len(set(GLYPHS.values())) == len(GLYPHS)


def test_a_note_takes_the_place_of_the_last_action() -> None:
    assert "v7 answers" in words(loop_picture({}, {"serve": "v7 answers"}))


def test_the_loop_closes_in_the_drawing() -> None:
    assert words(loop_picture({}, {})).count("retrain-order") == 2
