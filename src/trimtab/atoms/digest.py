"""Digests: what a thing is called is what it contains."""

import hashlib
from typing import Any

from trimtab.atoms.canonical_json import canonical_json

#: Hex digits of a digest that people see; always resolved back through the ledger.
SHORT = 12


def digest_bytes(content: bytes) -> str:
    """SHA-256 of `content` as 64 lower-case hex digits: what is shown, stored under, or signed."""
    return hashlib.sha256(content).hexdigest()


def digest_value(domain: str, value: Any) -> str:
    """Digest of a JSON value, kept apart by `domain` so that two kinds of record never share an id.

    >>> digest_value("artifact", {}) == digest_value("check", {})
    False
    """
    return digest_bytes(f"trimtab/{domain}/1\n".encode() + canonical_json(value))
