"""Signatures: exactly these bytes, by exactly this key, from a file that nobody else can read."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from trimtab.adapters.signature import Signer
from trimtab.atoms.error import ConfigurationRefused, ModelRefused


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def test_what_was_signed_verifies_also_in_another_process(keys: Path) -> None:
    signature, key_id = Signer(keys).sign(b"manifest")
    Signer(keys).verify(b"manifest", signature, key_id)
    assert Signer(keys).sign(b"manifest") == (signature, key_id)


def test_every_file_is_the_owners_alone(keys: Path) -> None:
    Signer(keys).sign(b"manifest")
    files = list(keys.iterdir())
    assert len(files) == 2
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_changed_bytes_are_refused(keys: Path) -> None:
    signature, key_id = Signer(keys).sign(b"manifest")
    with pytest.raises(ModelRefused, match="not what key"):
        Signer(keys).verify(b"manifesT", signature, key_id)


@pytest.mark.parametrize("place", [0, 63, 127])
def test_a_changed_signature_is_refused(keys: Path, place: int) -> None:
    signature, key_id = Signer(keys).sign(b"manifest")
    other = "0" if signature[place] != "0" else "1"
    with pytest.raises(ModelRefused):
        Signer(keys).verify(b"manifest", signature[:place] + other + signature[place + 1 :], key_id)


@pytest.mark.parametrize("signature", ["", "zz", "00"])
def test_what_is_no_signature_is_refused(keys: Path, signature: str) -> None:
    _, key_id = Signer(keys).sign(b"manifest")
    with pytest.raises(ModelRefused):
        Signer(keys).verify(b"manifest", signature, key_id)


@pytest.mark.parametrize("key_id", ["0" * 16, "", "../signing", "a" * 15 + "/"])
def test_an_unknown_key_is_refused(keys: Path, key_id: str) -> None:
    signature, _ = Signer(keys).sign(b"manifest")
    with pytest.raises(ModelRefused, match="does not trust"):
        Signer(keys).verify(b"manifest", signature, key_id)


def test_another_projects_key_is_trusted_once_its_public_half_lies_there(keys: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    signature, key_id = Signer(theirs).sign(b"manifest")
    Signer(keys).sign(b"mine")
    with pytest.raises(ModelRefused, match="does not trust"):
        Signer(keys).verify(b"manifest", signature, key_id)
    (keys / f"{key_id}.pub").write_bytes((theirs / f"{key_id}.pub").read_bytes())
    Signer(keys).verify(b"manifest", signature, key_id)


def test_a_key_under_another_keys_name_is_refused(keys: Path, tmp_path: Path) -> None:
    _, mine = Signer(keys).sign(b"mine")
    signature, theirs = Signer(tmp_path / "theirs").sign(b"manifest")
    (keys / f"{mine}.pub").write_bytes((tmp_path / "theirs" / f"{theirs}.pub").read_bytes())
    with pytest.raises(ModelRefused, match="another key"):
        Signer(keys).verify(b"manifest", signature, mine)


def test_a_private_key_that_others_can_read_is_refused(keys: Path) -> None:
    Signer(keys).sign(b"manifest")
    (keys / "signing.key").chmod(0o640)
    with pytest.raises(ConfigurationRefused, match="chmod 600"):
        Signer(keys).sign(b"manifest")


def test_many_first_signers_share_one_key(keys: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: Signer(keys).sign(b"manifest"), range(16)))
    assert len(set(made)) == 1
    assert sorted(path.suffix for path in keys.iterdir()) == [".key", ".pub"]
