"""The prediction server: the plane on a socket, until it is told to stop."""

import errno
import ipaddress
import os
import signal
import socket
import threading
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import uvicorn

from trimtab.atoms.error import ConfigurationRefused, UsageError
from trimtab.engine.store import Store
from trimtab.loop.serve.guard import Guard
from trimtab.loop.serve.limit import Limits
from trimtab.loop.serve.loaded_bundle import Verify, load_bundle
from trimtab.loop.serve.plane import Plane
from trimtab.loop.serve.strict_http import StrictHttp
from trimtab.loop.serve.traffic import Traffic
from trimtab.ports.model_runtime import ModelRuntime

#: How long requests under way may take to end after the server was told to stop.
DRAIN_SECONDS = 10
_BACKLOG = 2048


def run(
    store: Store,
    *,
    runtimes: Mapping[str, ModelRuntime],
    verify: Verify,
    host: str = "127.0.0.1",
    port: int = 8600,
    models: Collection[str] | None = None,
    strict: bool = True,
    limits: Limits | None = None,
    best_effort_log: bool = False,
    allow_hosts: Collection[str] = (),
    guard: Guard | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
    ready_file: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are then answered before this returns.

    Args:
        port: 0 takes any free port.
        models: The models to serve; None: every model that has a traffic plan, now or later.
        guard: Asks for tokens; None: whoever reaches the server may ask it.
        certificate: A PEM file, with its `key`: the server speaks TLS; None: plain HTTP.
        ready_file: Gets the server's address once it listens. Whether it can answer is `/v2/health/ready`.
        say: Gets the line that tells a person the address.

    Raises:
        ConfigurationRefused: `host` can be reached from other machines, and no tokens tell who calls.
        UsageError: The port is taken, or `host` is no address of this machine.
        WritingEnded: The disk refused a flush, so that no prediction can be answered any more.
    """
    if guard is None or not guard.required:
        require_loopback(host)
    listening = listen(host, port)
    address = _address("http" if certificate is None else "https", host, listening.getsockname()[1])
    traffic = Traffic(store, partial(load_bundle, store, runtimes=runtimes, verify=verify), models=models)
    plane = Plane(
        store,
        traffic,
        limits=limits,
        strict=strict,
        best_effort_log=best_effort_log,
        hosts=(*allow_hosts, host),
        guard=guard,
    )
    server = _Server(plane, partial(_announce, address, ready_file, say), certificate, key)
    try:
        server.run(sockets=[listening])
    finally:
        listening.close()
        if ready_file is not None:
            ready_file.unlink(missing_ok=True)
    if plane.ended is not None:
        raise plane.ended


def require_loopback(host: str) -> None:
    """Refuse to be reachable from other machines while nobody is asked who they are."""
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ConfigurationRefused(
            f"--host {host}: other machines could ask this server without saying who they are: "
            "listen on 127.0.0.1, or ask for tokens"
        )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; UsageError where the port is taken or the host is not of this machine."""
    name = host.strip("[]")
    try:
        family, _, _, _, place = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise UsageError(f"{host} is no address that can be listened on: {error}") from error
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(place)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise UsageError(
                f"port {port} on {host} is in use by another program: stop it, or choose another port with "
                "`--serve-port PORT`"
            ) from error
        raise UsageError(f"port {port} on {host} cannot be listened on: {error.strerror}") from error
    return listening


class _Server(uvicorn.Server):
    """Tells the address when the application has started; returns when it was told to stop, or can log no more."""

    def __init__(
        self, plane: Plane, announce: Callable[[], None], certificate: Path | None, key: Path | None
    ) -> None:
        super().__init__(_configuration(plane, certificate, key))
        self._plane = plane
        self._announce = announce

    async def on_tick(self, counter: int) -> bool:
        """Whether to stop; uvicorn asks ten times a second."""
        return await super().on_tick(counter) or self._plane.ended is not None

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Drain on SIGTERM and SIGINT. (uvicorn would raise them again: the caller could close nothing.)"""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {
            number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, action in before.items():
                signal.signal(number, action)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._announce()


def _configuration(plane: Plane, certificate: Path | None, key: Path | None) -> uvicorn.Config:
    return uvicorn.Config(
        plane,
        http=StrictHttp,
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )


def _announce(address: str, ready_file: Path | None, say: Callable[[str], None]) -> None:
    if ready_file is not None:
        draft = ready_file.with_name(f"{ready_file.name}.{os.getpid()}")
        draft.write_text(f"{address}\n", encoding="utf-8")
        os.replace(draft, ready_file)
    say(f"predictions on {address}")


def _address(scheme: str, host: str, port: int) -> str:
    return f"{scheme}://[{host}]:{port}" if ":" in host.strip("[]") else f"{scheme}://{host}:{port}"
