"""Ed25519 signatures over bundles: trust comes from here, never from a file's format."""

import os
import re
import secrets
from pathlib import Path
from typing import Any

from trimtab.adapters.durable_file import flush_folder
from trimtab.atoms.digest import digest_bytes
from trimtab.atoms.error import ConfigurationRefused, ModelRefused

_PRIVATE = "signing.key"


class Signer:
    """Signs with the project's private key; verifies with every public key that lies beside it.

    The folder holds `signing.key` (PKCS8, readable by its owner only) and one `KEY_ID.pub` for each key whose
    bundles are trusted; removing a `.pub` file withdraws the trust. The pair is made when something is first
    signed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def sign(self, content: bytes) -> tuple[str, str]:
        """The signature in hex, and the id of the key: 16 hex digits of the public key's SHA-256.

        Raises:
            ConfigurationRefused: The private key can be read by others, or is damaged.
        """
        private = self._private_key()
        return private.sign(content).hex(), _key_id(_raw(private.public_key()))

    def verify(self, content: bytes, signature: str, key_id: str) -> None:
        """Return where the signature is this key's over exactly these bytes.

        Raises:
            ModelRefused: The key is not trusted here, or the bytes are not what was signed.
        """
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        # The id comes from the bundle: only its own alphabet may become part of a path.
        path = self._folder / f"{key_id}.pub"
        if not re.fullmatch(r"[0-9a-f]{16}", key_id) or not path.is_file():
            raise ModelRefused(
                f"the bundle is signed with key {key_id[:32]!r}, which {self._folder} does not trust"
            )
        try:
            raw = bytes.fromhex(path.read_text(encoding="ascii").strip())
            if _key_id(raw) != key_id:
                raise ModelRefused(f"{path} holds another key than its name says; restore it")
            Ed25519PublicKey.from_public_bytes(raw).verify(bytes.fromhex(signature), content)
        except InvalidSignature as error:
            raise ModelRefused(
                f"the bundle is not what key {key_id} signed: its bytes or its signature changed"
            ) from error
        except ValueError as error:
            raise ModelRefused(f"the signature or the key {path} cannot be read: {error}") from error

    def _private_key(self) -> Any:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        path = self._folder / _PRIVATE
        if not path.exists():
            self._make(path)
        if path.stat().st_mode & 0o077:
            raise ConfigurationRefused(f"{path} can be read by others: run chmod 600 {path}")
        try:
            private = load_pem_private_key(path.read_bytes(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise ConfigurationRefused(f"{path} is no private key: restore it from a backup") from error
        if not isinstance(private, Ed25519PrivateKey):
            raise ConfigurationRefused(f"{path} is no Ed25519 key: restore it from a backup")
        if not self._public(private).exists():
            if any(self._folder.glob("*.pub")):
                # A changed bit makes another key, as good as any: it must not be trusted because it is here.
                raise ConfigurationRefused(
                    f"{path} is the private key of no .pub file beside it: it was changed, or is trusted no more: "
                    f"restore both from a backup, or move {path.name} away and a new pair is made"
                )
            self._write_public(private)
        return private

    def _make(self, path: Path) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        private = Ed25519PrivateKey.generate()
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self._write_public(private)
        if not _write(path, pem, replace=False):
            self._public(private).unlink(missing_ok=True)  # nothing was signed with it

    def _public(self, private: Any) -> Path:
        return self._folder / f"{_key_id(_raw(private.public_key()))}.pub"

    def _write_public(self, private: Any) -> None:
        _write(self._public(private), _raw(private.public_key()).hex().encode() + b"\n", replace=True)


def _raw(public: Any) -> bytes:
    return bytes(public.public_bytes_raw())


def _key_id(raw: bytes) -> str:
    return digest_bytes(raw)[:16]


def _write(path: Path, content: bytes, *, replace: bool) -> bool:
    """Write a file for its owner alone, wholly or not at all; without `replace` the first writer wins.

    Returns:
        Whether the file now holds `content`.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        if replace:
            draft.rename(path)
        else:
            os.link(draft, path)
    except FileExistsError:
        return False  # another process made the key first: its key is the project's
    finally:
        draft.unlink(missing_ok=True)
    flush_folder(path.parent)
    return True
