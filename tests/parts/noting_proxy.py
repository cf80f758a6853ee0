"""A proxy in front of a server that notes every answer, for tests that ask what a client wanted and did not get."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_CHUNK = 1 << 16


@dataclass(slots=True)
class Notes:
    """What passed."""

    #: `http://127.0.0.1:PORT` of the proxy.
    address: str = ""
    #: First line of each request with the status of its answer, in order.
    calls: list[tuple[str, int]] = field(default_factory=list)
    #: Requests for things that do not exist, by a call that does.
    nothing_there: set[str] = field(default_factory=set)

    def unanswered(self) -> set[str]:
        """Requests whose answer was that there is no such thing to ask for."""
        return {request for request, status in self.calls if status in (405, 501)}

    def failed(self) -> set[tuple[str, int]]:
        """Requests that the server failed at, by a defect of its own."""
        return {(request, status) for request, status in self.calls if status >= 500 and status != 501}

    def unknown(self) -> set[str]:
        """Requests answered by 404 that do not say, in MLflow's words, that the thing asked for does not exist."""
        return {request for request, status in self.calls if status == 404} - self.nothing_there


@contextmanager
def noting_proxy(target: str) -> Iterator[Notes]:
    """Pass on what comes to a server while the block runs; one connection there for each one here."""
    host, _, port = target.removeprefix("http://").rpartition(":")
    notes = Notes()
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    notes.address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    accepting = threading.Thread(target=_accept, args=(listener, (host, int(port)), notes), daemon=True)
    accepting.start()
    try:
        yield notes
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(10)


def _accept(listener: socket.socket, server: tuple[str, int], notes: Notes) -> None:
    while True:
        try:
            near, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(near, server, notes), daemon=True).start()


def _serve(near: socket.socket, server: tuple[str, int], notes: Notes) -> None:
    try:
        far = socket.create_connection(server)
    except OSError:
        near.close()
        return
    asked: list[str] = []
    back = threading.Thread(target=_answers, args=(far, near, asked, notes), daemon=True)
    back.start()
    _requests(near, far, asked)
    back.join()
    near.close()
    far.close()


def _requests(near: socket.socket, far: socket.socket, asked: list[str]) -> None:
    for head, first, rest in _messages(near, far, _request_length):
        asked.append(first)
        _pass_on(near, far, head, rest)
    _end(far)


def _answers(far: socket.socket, near: socket.socket, asked: list[str], notes: Notes) -> None:
    for head, first, rest in _messages(far, near, _answer_length):
        request, status = asked[-1] if asked else "?", int(first.split(" ")[1])
        notes.calls.append((request, status))
        whole = head
        while status == 404 and rest > 0 and len(whole) < len(head) + rest and (more := far.recv(rest)):
            whole += more
        if status == 404 and b'"RESOURCE_DOES_NOT_EXIST"' in whole:
            notes.nothing_there.add(request)
        _pass_on(far, near, whole, rest if rest < 0 else rest - (len(whole) - len(head)))
    _end(near)


def _messages(source: socket.socket, to: socket.socket, length_of):  # type: ignore[no-untyped-def]
    """Each message's head, its first line, and how many bytes of its body are still to come; -1: until the end."""
    data = b""
    while True:
        while b"\r\n\r\n" not in data:
            try:
                more = source.recv(_CHUNK)
            except OSError:
                return
            if not more:
                return
            data += more
        head, _, data = data.partition(b"\r\n\r\n")
        length = length_of(head)
        body, data = (data, b"") if length < 0 else (data[:length], data[length:])
        first = head.partition(b"\r\n")[0].decode("latin-1")
        yield head + b"\r\n\r\n" + body, first, -1 if length < 0 else length - len(body)


def _pass_on(source: socket.socket, to: socket.socket, data: bytes, rest: int) -> None:
    try:
        to.sendall(data)
        while rest:
            more = source.recv(_CHUNK if rest < 0 else min(rest, _CHUNK))
            if not more:
                return
            to.sendall(more)
            rest -= len(more) if rest > 0 else 0
    except OSError:
        return


def _request_length(head: bytes) -> int:
    return _length(head, 0)


def _answer_length(head: bytes) -> int:
    return _length(head, -1)


def _length(head: bytes, default: int) -> int:
    for line in head.lower().split(b"\r\n")[1:]:
        if line.startswith(b"content-length:"):
            return int(line[15:])
        if line.startswith(b"transfer-encoding:"):
            return -1
    return default


def _end(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        return
