"""Names: what people type, and the record it means."""

import pytest

from trimtab.atoms.error import UsageError
from trimtab.testing.example_year import MODEL, SOURCE
from trimtab.testing.memory_store import memory_store
from trimtab.views.memory import Memory
from trimtab.views.name import resolve


def test_each_form_means_its_record(year: Memory) -> None:
    versions = year.releases.versions(MODEL)
    assert resolve(year, f"{MODEL}@3") == versions[2].bundle
    assert resolve(year, f"{MODEL}@v3") == versions[2].bundle
    assert resolve(year, f"{MODEL}@champion") == versions[1].bundle
    assert resolve(year, MODEL) == versions[1].bundle
    assert resolve(year, f"{SOURCE}/2013-02") == year.spans.snapshots(SOURCE)[1]
    assert resolve(year, SOURCE) == year.spans.snapshot(SOURCE)
    assert resolve(year, versions[0].bundle) == versions[0].bundle
    assert resolve(year, versions[0].bundle[:10].upper()) == versions[0].bundle


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("late_arrival@9", "has no version '9'"),
        ("flights/1999-01", "has no span '1999-01'"),
        ("nonsense", "names nothing here"),
        ("abc", "names nothing here"),
        ("ffffffffffff", "no artifact, check or action"),
    ],
)
def test_what_means_nothing_says_what_would(year: Memory, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        resolve(year, text)


def test_a_prefix_of_several_asks_for_more(year: Memory) -> None:
    """Ids of Actions begin with the time: some share their first digits."""
    with pytest.raises(UsageError, match="give more digits"):
        resolve(year, year.timeline.recent(1, ("promote",))[0].record.id[:6])


def test_an_empty_store_says_so() -> None:
    memory = Memory(memory_store())
    memory.refresh()
    with pytest.raises(UsageError, match="nothing is recorded yet"):
        resolve(memory, "flights")
