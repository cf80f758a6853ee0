"""Where a store is: what the settings say, and what the command line says in their stead."""

from pathlib import Path

import pytest

from trimtab.assembly.settings import StoreSettings
from trimtab.assembly.store_place import StorePlace, place_of
from trimtab.atoms.error import UsageError

LEDGER = "postgresql://trimtab@db.example/trimtab"
BLOBS = "s3://models/trimtab?region=eu"
SMALL = StoreSettings(copies_bytes=5)
FAR = StoreSettings(ledger=LEDGER, blobs=BLOBS, copies_bytes=5)


def test_a_folder_of_the_project_is_the_default(tmp_path: Path) -> None:
    assert place_of(SMALL, tmp_path) == StorePlace(folder=tmp_path / ".trimtab", copies_bytes=5)


def test_the_settings_move_ledger_and_blobs_out_of_the_folder(tmp_path: Path) -> None:
    place = place_of(FAR, tmp_path)
    assert place == StorePlace(folder=tmp_path / ".trimtab", ledger=LEDGER, blobs=BLOBS, copies_bytes=5)


@pytest.mark.parametrize("words", ["other", "file://other"])
def test_another_folder_is_another_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    monkeypatch.chdir(tmp_path)
    place = place_of(FAR, tmp_path / "project", words)
    assert place == StorePlace(folder=tmp_path / "other", copies_bytes=5)


def test_a_url_moves_its_part_only(tmp_path: Path) -> None:
    place = place_of(StoreSettings(blobs=BLOBS, copies_bytes=5), tmp_path, LEDGER)
    assert place == StorePlace(folder=tmp_path / ".trimtab", ledger=LEDGER, blobs=BLOBS, copies_bytes=5)


def test_a_process_that_is_given_the_words_finds_the_same_place(tmp_path: Path) -> None:
    folder = tmp_path / "with a space"
    place = StorePlace(folder=folder, ledger=LEDGER, blobs=BLOBS, copies_bytes=5)
    assert place_of(StoreSettings(url="elsewhere", copies_bytes=5), tmp_path / "x", place.words) == place


def test_a_secret_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_PASSWORD", "p4ss")
    settings = StoreSettings(ledger="postgresql://me:${LEDGER_PASSWORD}@db/x")
    assert place_of(settings, tmp_path).ledger == "postgresql://me:p4ss@db/x"
    monkeypatch.delenv("LEDGER_PASSWORD")
    with pytest.raises(UsageError, match=r"\[store\] ledger: .*LEDGER_PASSWORD"):
        place_of(settings, tmp_path)


def test_what_nobody_can_open_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"mysql://.*postgresql://.*s3://"):
        place_of(StoreSettings(), tmp_path, "mysql://db/x")
