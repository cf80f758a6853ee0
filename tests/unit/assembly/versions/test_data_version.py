"""What NAME@WHICH means, and what a pointer may say."""

from datetime import timedelta
from pathlib import Path

import pytest

from trimtab.assembly.versions.data_pointer import Pointer, read_pointer, without_secrets
from trimtab.assembly.versions.data_version import choose, choose_pair, log_account
from trimtab.atoms.artifact import artifact_of
from trimtab.atoms.content.content import Part
from trimtab.atoms.content.snapshot import Snapshot, Span
from trimtab.atoms.error import UsageError
from trimtab.engine.store import Store
from trimtab.testing.memory_store import memory_store
from trimtab.testing.storyteller import Storyteller
from trimtab.views.version import read_versions


def snapshot(number: int, *, known_time: str | None = None) -> Snapshot:
    spans = tuple(
        Span(name=f"2024-01-0{day}", rows=10, table=Part(blob="0" * 64, size_bytes=1))
        for day in range(1, number + 1)
    )
    return Snapshot(source="sales", columns=(), spans=spans, known_time=known_time)


@pytest.fixture
def store() -> Store:
    """Three versions of `sales`, a day apart."""
    made = memory_store()
    teller = Storyteller(made, made.now())
    for number in (1, 2, 3):
        teller.tell("ingest", "ingest", "sales", made=[teller.thing(snapshot(number))], note=f"came {number}")
        teller.now += timedelta(days=1)
    return made


def test_the_log_tells_versions_in_order(store: Store) -> None:
    lines = log_account(store, "sales")
    assert [line["version"] for line in lines] == ["v1", "v2", "v3"]
    assert [line["rows"] for line in lines] == [10, 20, 30]
    assert [line["note"] for line in lines] == ["came 1", "came 2", "came 3"]
    assert log_account(store, None) == lines
    with pytest.raises(UsageError, match="there are sales"):
        log_account(store, "sails")


def test_every_way_to_name_a_version(store: Store) -> None:
    versions = read_versions(store.ledger)
    one, two, three = versions.of("sales")

    def number(which: str) -> int:
        return choose(store, versions, f"sales{which}").version.number

    assert (number(""), number("@v1"), number("@v3")) == (3, 1, 3)
    assert number(f"@{two.snapshot[:8]}") == 2
    assert number(f"@{one.at}") == 1
    assert number(f"@{two.at[:10]}") == 2
    assert number(f"@at:{three.at[:10]}T23:59:59+00:00") == 3
    assert number("@2999-01-01") == 3
    chosen = choose(store, versions, "sales@2024-01-02")
    assert (chosen.span, chosen.version.number) == ("2024-01-02", 3)
    assert choose(store, versions, "sales@span:2024-01-02").span == "2024-01-02"


@pytest.mark.parametrize(
    ("which", "words"),
    [
        ("v4", "v1 to v3"),
        ("v0", "v1 to v3"),
        ("abcdef0", "no version has a snapshot"),
        ("1999-12-31", "the first"),
        ("soon", "a date such as"),
        ("span:2024-02-01", "2024-01-01 ... 2024-01-03"),
    ],
)
def test_what_names_nothing_is_told_what_would(store: Store, which: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        choose(store, read_versions(store.ledger), f"sales@{which}")


def test_with_a_known_time_the_past_is_there_before_the_first_ingest() -> None:
    made = memory_store()
    teller = Storyteller(made, made.now())
    teller.tell("ingest", "ingest", "sales", made=[teller.thing(snapshot(1, known_time="known"))])
    chosen = choose(made, read_versions(made.ledger), "sales@at:1999-12-31")
    assert chosen.known_by is not None
    assert chosen.known_by.isoformat() == "1999-12-31T23:59:59.999999+00:00"


def test_a_forgotten_version_says_when_and_by_whom(store: Store) -> None:
    first = read_versions(store.ledger).of("sales")[0].snapshot
    Storyteller(store, store.now() + timedelta(days=9)).tell("engine", "forget", "", took=[first])
    lines = log_account(store, "sales")
    assert [bool(line["forgotten"]) for line in lines] == [True, False, False]
    with pytest.raises(
        UsageError, match=r"sales@v1 was forgotten on .* by action .*person:example.*data log"
    ):
        choose(store, read_versions(store.ledger), "sales@v1")
    assert choose(store, read_versions(store.ledger), "sales@v2").version.number == 2


def test_pairs(store: Store) -> None:
    def numbers(before: str, after: str | None) -> tuple[int, int]:
        was, now = choose_pair(store, before, after)
        return was.version.number, now.version.number

    assert numbers("sales", None) == (2, 3)
    assert numbers("sales@v1", None) == (1, 3)
    assert numbers("sales@v3", "sales@v1") == (3, 1)


def pointer() -> Pointer:
    artifact = artifact_of(snapshot(1))[0]
    return Pointer(
        layout=1,
        source='odd "name" \\ é\n',
        sort="table",
        path="sales",
        snapshot=artifact.id,
        content=artifact.content,
        at="2024-01-01T00:00:00.000000Z",
        files=1,
        size_bytes=2,
    )


def test_a_pointer_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "sales.trimtab"
    path.write_text(pointer().text())
    assert read_pointer(path) == pointer()


@pytest.mark.parametrize(
    ("was", "becomes", "words"),
    [
        ('content = "', 'content = "0', "no digest"),
        ("layout = 1", "layout = 2", "upgrade"),
        ("files = 1", "files = 1\nmore = 2", "more"),
        ("files = 1", "files = ", "no pointer"),
        ('path = "sales"', "", "path"),
    ],
)
def test_an_altered_pointer_is_refused(tmp_path: Path, was: str, becomes: str, words: str) -> None:
    path = tmp_path / "sales.trimtab"
    assert was in pointer().text()
    path.write_text(pointer().text().replace(was, becomes))
    with pytest.raises(UsageError, match=words):
        read_pointer(path)


def test_a_pointer_to_another_content_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sales.trimtab"
    path.write_text(pointer().text().replace(pointer().content, "0" * 64))
    with pytest.raises(UsageError, match="altered"):
        read_pointer(path)


def test_a_url_is_written_without_secrets() -> None:
    assert without_secrets("s3://key:secret@bucket/prefix?token=x#y") == "s3://bucket/prefix"
    assert without_secrets("") == ""
    url = "s3://bucket/prefix?endpoint=http://127.0.0.1:9000&region=eu-1&secret=x"
    assert without_secrets(url) == "s3://bucket/prefix?endpoint=http://127.0.0.1:9000&region=eu-1"
    assert without_secrets("s3://bucket?endpoint=http://user:secret@host") == "s3://bucket"
