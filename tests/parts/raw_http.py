"""HTTP as bytes on a socket: what a client never sends, and what comes back."""

import socket
import time
from contextlib import suppress
from urllib.parse import urlsplit


def send_raw(address: str, request: bytes, *, seconds: float = 5.0, wait: bool = True) -> bytes:
    """Send bytes, and give back all that the server answers until it closes, or says nothing more for a moment.

    Args:
        wait: False: end the sending side after the bytes, so that the server knows that no more comes.
    """
    parts = urlsplit(address)
    said = b""
    with socket.create_connection((parts.hostname, parts.port), timeout=seconds) as line:
        try:
            line.sendall(request)
            if not wait:
                with suppress(OSError):  # the server has answered and closed already
                    line.shutdown(socket.SHUT_WR)
            line.settimeout(0.5 if wait else seconds)
            while chunk := line.recv(65536):
                said += chunk
        except (TimeoutError, ConnectionResetError, BrokenPipeError):
            return said
    return said


def status_of(answer: bytes) -> int:
    """Of an answer's first line; 0 where the server closed without a word."""
    words = answer.split(b" ", 2)
    return int(words[1]) if answer.startswith(b"HTTP/") and len(words) > 1 and words[1].isdigit() else 0


def push_long_body(address: str, head: bytes, size: int, *, chunked: bool) -> tuple[bytes, float]:
    """Send a head and `size` bytes of body; the answer, and the seconds until its first byte."""
    parts = urlsplit(address)
    piece = b"x" * 1_000_000
    began = time.monotonic()
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as line:
        line.sendall(head)
        line.settimeout(0.0)
        sent, waiting = 0, b""
        while sent < size or waiting:
            if not waiting:
                waiting = b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece
                sent += len(piece)
            try:
                waiting = waiting[line.send(waiting) :]
            except BlockingIOError:
                pass
            except (BrokenPipeError, ConnectionResetError):
                break
            try:
                if first := line.recv(65536):
                    return first, time.monotonic() - began
                break
            except BlockingIOError:
                continue
            except ConnectionResetError:
                break
        line.settimeout(10)
        return line.recv(65536), time.monotonic() - began
