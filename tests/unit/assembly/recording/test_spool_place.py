"""Each server has its own spool; an address holds no secret."""

from pathlib import Path

import pytest

import trimtab
from trimtab.assembly.recording.spool_place import server_address, spool_folder, spool_root, spooled_servers
from trimtab.atoms.error import UsageError


def test_servers_do_not_share_a_spool_and_are_known_again() -> None:
    urls = ["http://127.0.0.1:8500", "http://127.0.0.1:8501", "https://track.example.org/team"]
    folders = [spool_folder(url) for url in urls]
    assert len(set(folders)) == 3
    assert spool_folder(urls[0]) == folders[0]
    assert spooled_servers() == sorted(urls)
    with pytest.raises(UsageError, match=r"which server.*8501"):
        trimtab.sync()


def test_the_place_follows_the_platform_where_nobody_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRIMTAB_SPOOL")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("sys.platform", "linux")
    assert spool_root() == tmp_path / "state" / "trimtab" / "spool"
    monkeypatch.setenv("XDG_STATE_HOME", "not/absolute")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert spool_root() == tmp_path / ".local" / "state" / "trimtab" / "spool"
    monkeypatch.setattr("sys.platform", "darwin")
    assert spool_root() == tmp_path / "Library" / "Application Support" / "trimtab" / "spool"


def test_nothing_waits_where_nothing_was_kept() -> None:
    assert trimtab.sync().waits == ""


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8500", "ftp://x", "http://", "http://a b", "http://x/?token=1"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        server_address(url)


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError) as raised:
        server_address("http://ann:hunter2@track.example.org")
    assert "hunter2" not in str(raised.value)
    assert server_address("https://track.example.org/") == "https://track.example.org"
