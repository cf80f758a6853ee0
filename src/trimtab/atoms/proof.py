"""The proof of an entry: its chain value follows from the one before it and from the record's canonical bytes."""

import msgspec

from trimtab.atoms.entry import RECORD_NAMES, Entry, chain_value, record_bytes

_sorted = msgspec.json.Encoder(order="sorted")


def proven_bytes(previous: str, entry: Entry) -> bytes | None:
    """The canonical bytes of the entry's record; None where its chain value does not follow from them.

    Args:
        previous: Chain value of the entry before.
    """
    name = RECORD_NAMES[type(entry.record)]
    # msgspec writes a few numbers in another form than the canonical one, ten times as fast: the chain tells.
    quick = _sorted.encode(entry.record)
    if chain_value(previous, name, quick) == entry.chain:
        return quick
    body = record_bytes(entry.record)
    return body if chain_value(previous, name, body) == entry.chain else None
