"""Releases: who answers, who did, and what became of each version."""

from trimtab.testing.example_year import MODEL
from trimtab.views.memory import Memory


def test_the_plan_in_force_is_the_newest(year: Memory) -> None:
    state = year.releases.plan(MODEL)
    assert state is not None
    assert (state.kind, state.plan.champion_version, state.plan.stage) == ("roll-back", 2, "full")
    assert state.plan.challenger is None
    assert state.because
    assert state == year.releases.history(MODEL)[-1]


def test_history_keeps_every_plan_in_order(year: Memory) -> None:
    kinds = [state.kind for state in year.releases.history(MODEL)]
    assert kinds == ["promote", "shadow", "canary", "canary", "promote", "shadow", "canary", "roll-back"]
    moments = [state.since for state in year.releases.history(MODEL)]
    assert moments == sorted(moments)


def test_versions_are_numbered_by_registration_and_know_their_end(year: Memory) -> None:
    versions = year.releases.versions(MODEL)
    assert [(version.number, version.status) for version in versions] == [
        (1, "retired"),
        (2, "champion"),
        (3, "rolled-back"),
    ]
    assert len({version.bundle for version in versions}) == 3
    assert all(year.store.artifact(version.bundle).kind == "bundle" for version in versions)
    assert all(year.store.artifact(version.model).kind == "model" for version in versions)


def test_champions_are_listed_in_the_order_they_came(year: Memory) -> None:
    assert year.releases.champions(MODEL) == [1, 2]


def test_a_bundle_is_found_by_its_id(year: Memory) -> None:
    third = year.releases.versions(MODEL)[2]
    assert year.releases.version_of(third.bundle) == (MODEL, third)
    assert year.releases.version_of("0" * 64) is None


def test_an_unknown_model_has_nothing(year: Memory) -> None:
    assert year.releases.plan("nobody") is None
    assert year.releases.history("nobody") == []
    assert year.releases.champions("nobody") == []
