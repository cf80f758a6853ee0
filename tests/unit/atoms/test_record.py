"""Actions' ids, moments, and the bytes of records."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from trimtab.atoms.action import action_id
from trimtab.atoms.content.evidence import Evidence
from trimtab.atoms.entry import RECORD_NAMES, id_prefix, parse_record, record_bytes
from trimtab.atoms.error import UsageError
from trimtab.atoms.instant import iso, parse_instant
from trimtab.testing.example_record import action, artifact, check, closing


def test_ids_of_actions_sort_by_time_and_are_unique() -> None:
    start = datetime(2013, 1, 1, tzinfo=UTC)
    ids = [action_id(start + timedelta(milliseconds=number)) for number in range(50)]
    assert ids == sorted(ids)
    assert len({action_id(start) for _ in range(1000)}) == 1000
    assert len(ids[0]) == 28


def test_moments_are_utc_and_written_one_way() -> None:
    berlin = timezone(timedelta(hours=1))
    assert iso(datetime(2013, 2, 1, 6, tzinfo=berlin)) == "2013-02-01T05:00:00.000000Z"
    assert parse_instant("2013-02-01T05:00:00.000000Z") == datetime(2013, 2, 1, 5, tzinfo=UTC)
    assert parse_instant("2013-02-01") == datetime(2013, 2, 1, tzinfo=UTC)
    assert parse_instant("2013-02-01T06:00+01:00") == datetime(2013, 2, 1, 5, tzinfo=UTC)
    with pytest.raises(ValueError, match="time zone"):
        iso(datetime(2013, 2, 1))


def test_every_record_comes_back_from_its_bytes() -> None:
    opened, thing = action(by="policy:x", because=("c" * 64,)), artifact(1)
    for record in (opened, thing, check(thing.id, number=3), closing(opened, (thing,))):
        body = record_bytes(record)
        read = parse_record(RECORD_NAMES[type(record)], body)
        assert read == record
        assert record_bytes(read) == body


def test_content_has_one_form_before_and_after_it_was_stored() -> None:
    content = Evidence(name="x", facts={"n": 1, "share": 0.5})
    assert Evidence.parse(content.canonical_bytes()).canonical_bytes() == content.canonical_bytes()


def test_a_typed_id() -> None:
    assert id_prefix(" ABCDEF0 ") == "abcdef0"
    with pytest.raises(UsageError, match="6 or more"):
        id_prefix("abcde")
