"""The loop closes, and folders, cards, commands and pages tell the same story."""

import os
import re
import subprocess
import sys
from pathlib import Path

import draw_loop
import pytest

from trimtab.atoms.content import content
from trimtab.engine.card import ALWAYS_GIVEN, Card

ROOT = Path(__file__).resolve().parents[2]

PAGES = [
    *("README.md", "CONTRIBUTING.md"),
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")),
]

#: Kinds of artifact that no stage starts from: people and reports read them.
TERMINAL = {"run-log"}

#: Kinds of artifact that no stage makes: what people decide about runs, models and access, and files they stored.
DECIDED = {"change", "stored-model"}


@pytest.fixture(scope="module")
def cards() -> list[Card]:
    return draw_loop.cards()


def test_folders_are_the_verbs() -> None:
    folders = {path.parent.name for path in (ROOT / "src/trimtab/loop").glob("*/__init__.py")}
    assert folders == set(draw_loop.VERBS)


def test_each_card_is_named_like_its_folder(cards: list[Card]) -> None:
    assert [card.verb for card in cards] == list(draw_loop.VERBS)


def test_whatever_a_stage_gives_another_takes(cards: list[Card]) -> None:
    given = {kind for card in cards for kind in card.gives}
    taken = {kind for card in cards for kind in card.takes}
    assert given - taken == TERMINAL, (
        "given and never taken: take it somewhere, or name it in TERMINAL with a reason"
    )


def test_whatever_a_stage_takes_a_stage_gives(cards: list[Card]) -> None:
    given = {kind for card in cards for kind in card.gives}
    taken = {kind for card in cards for kind in card.takes}
    assert not taken - given, "taken, but no stage gives it: what comes from outside is `takes_from_outside`"


def test_the_last_stage_leads_back_to_an_early_one(cards: list[Card]) -> None:
    back = {(cards[giver].verb, cards[taker].verb) for giver, taker, _ in draw_loop.feedback(cards)}
    assert ("trigger", "train") in back, "nothing leads from trigger back to train: the loop does not close"


def test_every_kind_on_a_card_is_a_kind_of_content(cards: list[Card]) -> None:
    for module in (ROOT / "src/trimtab/atoms/content").glob("*.py"):
        __import__(f"trimtab.atoms.content.{module.stem}")
    on_cards = {kind for card in cards for kind in (*card.takes, *card.gives)} | set(ALWAYS_GIVEN) | DECIDED
    assert on_cards == set(content.KINDS), (
        "a card names a kind that trimtab/atoms/content lacks, or leaves one out"
    )


def test_every_kind_is_in_the_glossary(cards: list[Card]) -> None:
    words = set(re.findall(r"[a-z-]+", (ROOT / "docs/glossary.md").read_text(encoding="utf-8").lower()))
    missing = {kind for card in cards for kind in card.gives} - words
    assert not missing, f"docs/glossary.md does not explain {sorted(missing)}"


def test_no_rule_is_judged_by_two_stages(cards: list[Card]) -> None:
    rules = [rule for card in cards for rule in card.judges]
    assert len(rules) == len(set(rules)), "one rule on two cards: name the two judgements apart"


def test_the_drawn_pages_are_what_the_cards_say() -> None:
    stale = [
        path.name for path, text in draw_loop.drawn().items() if path.read_text(encoding="utf-8") != text
    ]
    assert not stale, f"{stale} out of date: run `make docs`"


@pytest.fixture(scope="module")
def help_text() -> str:
    program = "from trimtab.cli.program import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", program, "--help"],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return ran.stdout


def commands(help_text: str) -> list[str]:
    """The commands that `trimtab --help` lists, in its order."""
    return re.findall(r"^[\s│|]+([a-z]+)\s{2,}\S", help_text, flags=re.M)


def test_the_verbs_are_commands_in_the_order_of_the_loop(help_text: str) -> None:
    listed = [command for command in commands(help_text) if command in draw_loop.VERBS]
    assert listed == list(draw_loop.VERBS)


@pytest.mark.parametrize("page", PAGES)
def test_pages_name_only_commands_that_exist(page: str, help_text: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = set(
        re.findall(r"(?:^\s*(?:\$ )?(?:\.venv/bin/)?|`(?:\.venv/bin/)?)trimtab ([a-z]+)", text, flags=re.M)
    )
    unknown = named - set(commands(help_text))
    assert not unknown, f"{page}: {sorted(unknown)} are no commands of `trimtab --help`"


@pytest.mark.parametrize("page", PAGES)
def test_pages_name_only_make_commands_that_exist(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.M))
    unknown = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, flags=re.M)) - known
    assert not unknown, f"{page}: the Makefile has no {sorted(unknown)}"
