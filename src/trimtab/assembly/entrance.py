"""The entrance of a plane: who must show a token there, and whether it may be opened at all."""

import ipaddress
import re
import ssl
from dataclasses import dataclass
from pathlib import Path

from trimtab.assembly.project import Project
from trimtab.assembly.settings import FILE_NAME, ControlSettings, ServeSettings, Settings
from trimtab.assembly.token import all_tokens
from trimtab.atoms.error import ConfigurationRefused
from trimtab.atoms.instant import iso
from trimtab.atoms.token import TokenState
from trimtab.engine.store import Store

#: Names and addresses as a `Host` header holds them.
_HOST = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\]")


@dataclass(frozen=True, slots=True)
class Entrance:
    """How a plane may be entered."""

    #: Whether each request must show a token.
    tokens: bool
    #: Names that it answers to beside loopback's.
    hosts: tuple[str, ...]
    #: PEM files; None: plain HTTP.
    certificate: Path | None = None
    key: Path | None = None
    #: Whether a proxy stands before it.
    proxied: bool = False

    @property
    def secure(self) -> bool:
        """Whether whoever is elsewhere reaches it by TLS."""
        return self.proxied or self.certificate is not None

    @property
    def scheme(self) -> str:
        """Of its address."""
        return "http" if self.certificate is None else "https"


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address to listen on."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def entrance_of(project: Project, plane: str, host: str, store: Store) -> Entrance:
    """The entrance that the settings make.

    Args:
        plane: `control` or `serve`: the table of the settings.
        host: Address to listen on.

    Raises:
        ConfigurationRefused: Other machines could reach it without saying who they are; the message says what to add.
    """
    settings = _of(project.settings, plane)
    refuse_foreign(project.folder, project.settings, plane, host)
    demands = settings.auth == "always" or settings.behind_proxy or not is_loopback(host)
    if not is_loopback(host) and not _any_living(project, store):
        raise ConfigurationRefused(
            f"listening on {host} is refused: nobody could get in, for this project has no living token: "
            "make one with `trimtab token create NAME --role admin`"
        )
    certificate, key = _certificate(project.folder, settings)
    return Entrance(
        tokens=demands,
        hosts=settings.allowed_hosts,
        certificate=certificate,
        key=key,
        proxied=settings.behind_proxy,
    )


def require_entrance(project: Project, plane: str, host: str) -> None:
    """As `entrance_of`, for whoever only wants to know before it starts something."""
    store = project.open_store()
    try:
        entrance_of(project, plane, host, store)
    finally:
        store.close()


def refuse_foreign(folder: Path, all_settings: Settings, plane: str, host: str) -> None:
    """As `entrance_of`, of what the settings alone say; the store is not asked."""
    settings = _of(all_settings, plane)
    _certificate(folder, settings)
    for name in settings.allowed_hosts:
        if not _HOST.fullmatch(name):
            raise ConfigurationRefused(
                f"{FILE_NAME}: {plane}.allowed_hosts: no request names the host {name!r}: give a name or an address "
                "alone, without scheme, port, path or *, and IPv6 in brackets"
            )
    if is_loopback(host):
        return
    wanting = []
    if not settings.allowed_hosts:
        wanting.append('allowed_hosts = ["the name that clients call it by"]')
    if not settings.tls_certificate and not settings.behind_proxy:
        wanting.append("tls_certificate and tls_key, or behind_proxy = true where a proxy speaks TLS for it")
    if wanting:
        raise ConfigurationRefused(
            f"listening on {host} is refused, for other machines reach it: "
            f"add to [{plane}] in {FILE_NAME}: {'; and '.join(wanting)}; or listen on 127.0.0.1"
        )


def _any_living(project: Project, store: Store) -> bool:
    now = iso(store.now())
    return any(token.state(now) is TokenState.LIVING for token in all_tokens(store, project=project.name))


def _of(settings: Settings, plane: str) -> ControlSettings | ServeSettings:
    return settings.control if plane == "control" else settings.serve


def _certificate(folder: Path, settings: ControlSettings | ServeSettings) -> tuple[Path | None, Path | None]:
    if not settings.tls_certificate:
        return None, None
    files = folder / settings.tls_certificate, folder / settings.tls_key
    for file in files:
        if not file.is_file():
            raise ConfigurationRefused(f"{FILE_NAME}: {file}: no such file, and TLS was asked for")
    try:
        # A password is asked for at the terminal otherwise, where a server may have none.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*files, password="")
    except OSError as error:
        raise ConfigurationRefused(
            f"{FILE_NAME}: tls_certificate and tls_key cannot be used ({error}): they are PEM files, the certificate "
            "with what leads to its root, and its key without a password"
        ) from error
    return files
