"""Makes a store and works in it; acknowledges over a socket that nobody reads. Argument: the folder to work in."""

import socket
import sys
from pathlib import Path

from operation import BlobPut, LargeBlobPut, LedgerAppend, ReleaseStep, StreamAppend, prepare

from trimtab.adapters.local_store import open_store

KINDS = {
    "blob": BlobPut,
    "large": LargeBlobPut,
    "stream": StreamAppend,
    "ledger": LedgerAppend,
    "release": ReleaseStep,
}


def main() -> None:
    """Two openings of one store, with the same work in both."""
    folder = Path(sys.argv[1])
    line, _nobody = socket.socketpair()
    for first in (1, 4):
        store = open_store(folder / "store")
        line.send(f"store {first}".encode())
        if first == 1:
            prepare(store, folder)
            line.send(b"prepared 1")
        for number in range(first, first + 2):
            for name, kind in KINDS.items():
                kind(store, folder).do(number)
                line.send(f"{name} {number}".encode())
        store.close()
        line.send(f"closed {first}".encode())


if __name__ == "__main__":
    main()
