"""How a verb ended, for a person and for a program."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from trimtab.atoms.check import Check, Verdict
from trimtab.atoms.digest import SHORT
from trimtab.engine.step import Done


@dataclass(slots=True)
class Outcome:
    """What a command prints: lines for people, facts for programs, and whether it passed."""

    verb: str
    lines: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    #: False where a Check failed or the thing was refused: exit status 1.
    ok: bool = True

    def add(self, done: Done, what: str) -> None:
        """Take in a step: its note, what it made, and the Checks that did not pass."""
        again = " (remembered)" if done.remembered else ""
        self.lines.append(f"{what}: {done.note or 'done'}{again}")
        self.lines += check_lines(done.checks)
        self.ok = self.ok and not done.with_verdict(Verdict.FAIL, Verdict.BROKEN)
        self.facts.setdefault("steps", []).append(
            {
                "what": what,
                "action": done.action,
                "remembered": done.remembered,
                "note": done.note,
                "made": [{"kind": made.kind, "id": made.id} for made in done.made],
                "checks": check_facts(done.checks),
            }
        )


def check_lines(checks: Iterable[Check]) -> list[str]:
    """The Checks that a person wants to read: all that did not pass."""
    return [
        f"  {check.verdict.value} {check.name}{f' [{check.about}]' if check.about else ''}: {check.says}"
        for check in checks
        if check.verdict is not Verdict.PASS
    ]


def check_facts(checks: Iterable[Check]) -> list[dict[str, Any]]:
    """The Checks as JSON values."""
    return [
        {
            "id": check.id[:SHORT],
            "rule": check.name,
            "about": check.about,
            "verdict": check.verdict.value,
            "value": check.reading.value,
            "n": check.reading.n,
            "says": check.says,
        }
        for check in checks
    ]
