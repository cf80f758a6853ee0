"""A proxy between a client and a server that cuts the line at a word, before or after passing it on."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class CuttingProxy:
    """Passes bytes on at 127.0.0.1; an `armed` word in what a client sends cuts that client's line, once."""

    def __init__(self, port: int) -> None:
        """Stand before the server at `port`."""
        self._target = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        #: The word, and whether it still reaches the server.
        self.armed: tuple[bytes, bool] | None = None
        self.cuts = 0
        self._open = True
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no further clients."""
        self._open = False
        self._listening.close()

    def _accept(self) -> None:
        while self._open:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._target)) as server:
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    try:
                        sent = ready.recv(65536)
                    except OSError:
                        return
                    if not sent:
                        return
                    if ready is server:
                        client.sendall(sent)
                    elif self.armed is not None and self.armed[0] in sent:
                        (_, passes), self.armed = self.armed, None
                        if passes:
                            server.sendall(sent)
                            server.recv(65536)  # it is done, and nobody is told
                        self.cuts += 1
                        return
                    else:
                        server.sendall(sent)


@contextmanager
def cutting_proxy(port: int) -> Iterator[CuttingProxy]:
    """A proxy before `port` for the length of a block."""
    proxy = CuttingProxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
