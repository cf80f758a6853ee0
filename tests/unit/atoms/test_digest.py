"""Digests are pinned: a change here makes every store in the world unreadable."""

from trimtab.atoms.artifact import artifact_of
from trimtab.atoms.check import Limit, Reading, Subjects, Verdict, check_of
from trimtab.atoms.content.evidence import Evidence
from trimtab.atoms.digest import digest_bytes, digest_value
from trimtab.atoms.entry import GENESIS, chain_value

EVIDENCE = Evidence(name="counts", facts={"b": 1.5, "a": [1, None]})


def test_bytes() -> None:
    assert digest_bytes(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_values_are_kept_apart_by_domain() -> None:
    assert digest_value("artifact", {}) == "937c8040da9b397262b452c7d99790b1e6afa68862d3811b46014bb2414908f4"
    assert digest_value("check", {}) == "1da3215605db7fe476cf37888befec63b042e72b960b842463468a5365965b8a"


def test_an_artifact() -> None:
    artifact, body = artifact_of(EVIDENCE)
    assert body == b'{"facts":{"a":[1,null],"b":1.5},"name":"counts"}'
    assert artifact.content == "bbeae71afef3fddc79bf60c2a3279b5c226f78ae300e44bc3b744d99a74cd7de"
    assert artifact.id == "7c9b73e1031bd7ed41609ee4862540a05bcce1b63bd4b0e01298ed16f8238f34"
    assert artifact.size_bytes == len(body)


def test_a_check_is_the_same_whenever_it_is_judged() -> None:
    def judged(at: str, value: float) -> str:
        return check_of(
            rule="drift.location@0123456789ab",
            subjects=Subjects(candidate="a" * 64, baseline="b" * 64),
            about="temp",
            reading=Reading(value=value, unit="share", low=0.1, high=0.4, n=1000),
            limit=Limit(at_most=0.3),
            verdict=Verdict.PASS,
            says="temp has not moved",
            at=at,
        ).id

    assert (
        judged("2013-01-01T00:00:00.000000Z", 0.25)
        == "e1949199597c598834ec7d78915308bfe9c268928cb82fee8ba417312f91eb74"
    )
    assert judged("2014-01-01T00:00:00.000000Z", 0.25) == judged("2013-01-01T00:00:00.000000Z", 0.25)
    assert judged("2013-01-01T00:00:00.000000Z", 0.26) != judged("2013-01-01T00:00:00.000000Z", 0.25)
    assert judged("2013-01-01T00:00:00.000000Z", 1) == judged("2013-01-01T00:00:00.000000Z", 1.0)


def test_the_chain() -> None:
    assert (
        chain_value(GENESIS, "action", b"{}")
        == "e8e637f8ae49f4d5a735fc9b4f7d971f0048b2704c7a7a4a81a321611307f871"
    )
