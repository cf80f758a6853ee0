"""A process that forks one worker a case: what is imported once is not imported five hundred times.

Takes, over a Unix socket, one message a case: JSON with `folder` and `operation`, and the descriptor of the socket
that the worker talks over. Acknowledgements go over sockets, so that every write and flush is the store's.
"""

import json
import os
import signal
import socket
import sys
import threading
from pathlib import Path

from operation import OPERATIONS

from trimtab.adapters.local_store import open_store
from trimtab.atoms.error import TrimtabError


def work(case: dict[str, str], line: socket.socket) -> None:
    """Open the store, say which thread is who, then do what is asked for until the line ends."""
    folder = Path(case["folder"])
    store = open_store(folder / "store")
    operation = OPERATIONS[case["operation"]](store, folder)
    operation.warm()
    threads = {thread.name: thread.native_id for thread in threading.enumerate()}
    threads["MainThread"] = os.getpid()  # a fork keeps the number of the thread that it was made from
    line.sendall(json.dumps({"pid": os.getpid(), "threads": threads}).encode() + b"\n")
    for wanted in line.makefile("r"):
        number = int(wanted)
        try:
            operation.do(number)
        except TrimtabError as refused:
            told = f"refused {number} {type(refused).__name__}: {refused}"
        except BaseException as raised:
            told = f"raised {number} {type(raised).__name__}: {raised}"
        else:
            told = f"done {number}"
        line.sendall(told.replace("\n", " ").encode() + b"\n")


def main() -> None:
    """Fork a worker for each message until the socket ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    orders = socket.socket(fileno=int(sys.argv[1]))
    while True:
        message, descriptors, _, _ = socket.recv_fds(orders, 65536, 1)
        if not message:
            return
        if os.fork() == 0:
            orders.close()
            status = 1
            try:
                with socket.socket(fileno=descriptors[0]) as line:
                    work(json.loads(message), line)
                status = 0
            finally:
                os._exit(status)
        os.close(descriptors[0])


if __name__ == "__main__":
    main()
