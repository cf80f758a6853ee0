"""What was judged: a check is a reading held against a limit, with a verdict."""

from enum import StrEnum

import msgspec

from trimtab.atoms.canonical_json import plain
from trimtab.atoms.digest import digest_bytes, digest_value

_sorted = msgspec.json.Encoder(order="sorted")


class Verdict(StrEnum):
    """How a Check ended."""

    PASS = "PASS"
    FAIL = "FAIL"
    #: The evidence does not decide; no data is UNSURE, never PASS.
    UNSURE = "UNSURE"
    #: The judging itself failed; the Check says why.
    BROKEN = "BROKEN"


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured: a value with its unit, its interval and how much stood behind it."""

    #: None where there is nothing to measure.
    value: float | None
    unit: str = ""
    #: 95 % interval, where the method gives one.
    low: float | None = None
    high: float | None = None
    #: Rows (or requests, or spans: the unit's own) behind the value.
    n: int = 0


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """What the reading is held against; a bound that is None does not bind."""

    at_least: float | None = None
    at_most: float | None = None


class Subjects(msgspec.Struct, frozen=True, kw_only=True):
    """The artifacts that were judged, by id."""

    candidate: str
    #: What the candidate was compared with, where it was.
    baseline: str | None = None


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One judgement. Its id is the digest of everything but `at`: the same judgement twice is the same Check."""

    id: str
    #: Name of the rule and digest of the rules artifact that it was read from: `drift.location@3fa9...`.
    rule: str
    subjects: Subjects
    #: The column, slice, metric or service level that was looked at; empty for the whole.
    about: str = ""
    reading: Reading
    limit: Limit
    verdict: Verdict
    #: The sentence a person reads: what was found, against what, how sure.
    says: str = ""
    #: Artifact that holds the evidence in full, where there is one.
    evidence: str | None = None
    #: When it was judged, UTC, ISO 8601.
    at: str

    @property
    def name(self) -> str:
        """The rule's name without the digest."""
        return self.rule.partition("@")[0]


def check_id(check: Check) -> str:
    """The id that `check` must have."""
    fields = plain(check)
    return digest_value("check", {name: fields[name] for name in fields if name not in ("id", "at")})


def has_its_id(check: Check) -> bool:
    """Whether the id of `check` is the one that it must have."""
    said = msgspec.to_builtins(check)
    del said["id"], said["at"]
    # msgspec writes a few numbers in another form than the canonical one, ten times as fast: the digest tells.
    quick = digest_bytes(b"trimtab/check/1\n" + _sorted.encode(said))
    return quick == check.id or check_id(check) == check.id


def check_of(
    *,
    rule: str,
    subjects: Subjects,
    reading: Reading,
    limit: Limit,
    verdict: Verdict,
    at: str,
    about: str = "",
    says: str = "",
    evidence: str | None = None,
) -> Check:
    """Make a Check with the id that it must have."""
    draft = Check(
        id="",
        rule=rule,
        subjects=subjects,
        about=about,
        reading=reading,
        limit=limit,
        verdict=verdict,
        says=says,
        evidence=evidence,
        at=at,
    )
    return msgspec.structs.replace(draft, id=check_id(draft))
