"""Alerts: which judgements a person must hear of, in one message a window."""

from collections.abc import Sequence
from dataclasses import dataclass

from trimtab.atoms.check import Check, Verdict

#: Rules whose failure already harms the people who rely on the answers.
CRITICAL = ("quality.loss", "serving.errors", "serving.finite")


@dataclass(frozen=True, slots=True)
class Alert:
    """One incident of one window; related findings are one message."""

    #: `critical`: harm is shown; `warn`: it is likely; `info`: worth knowing.
    severity: str
    title: str
    #: The findings, a line each.
    text: str
    #: Ids of the Checks that it answers.
    because: tuple[str, ...]


def decide_alert(checks: Sequence[Check]) -> Alert | None:
    """The alert that a window's Checks ask for; None where nothing failed (UNSURE alone wakes nobody)."""
    bad = [check for check in checks if check.verdict in (Verdict.FAIL, Verdict.BROKEN)]
    if not bad:
        return None
    if any(check.name in CRITICAL and check.verdict is Verdict.FAIL for check in bad):
        severity = "critical"
    elif all(check.name == "serving.age" for check in bad):
        severity = "info"
    else:
        severity = "warn"
    named = list(dict.fromkeys(_title(check) for check in bad))
    more = f" and {len(named) - 3} more" if len(named) > 3 else ""
    return Alert(
        severity=severity,
        title=", ".join(named[:3]) + more,
        text="\n".join(
            f"{check.name}{f' ({check.about})' if check.about else ''}: {check.says}" for check in bad
        ),
        because=tuple(check.id for check in bad),
    )


def _title(check: Check) -> str:
    """What failed, without the columns: `drift`, `skew`, `loss`, `bias` ..."""
    family, _, what = check.name.partition(".")
    broken = " could not be judged" if check.verdict is Verdict.BROKEN else ""
    return (what if family in ("quality", "serving") else family) + broken
