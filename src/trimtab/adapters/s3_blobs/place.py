"""Where a bucket is, as a URL says it: `s3://bucket/prefix?endpoint=https://...&region=...`."""

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import msgspec

from trimtab.atoms.error import ConfigurationRefused, StoreError, UsageError

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"[A-Za-z0-9!_.*'()=-]+(/[A-Za-z0-9!_.*'()=-]+)*|")
#: What may stand in the query; everything else is refused, so that a secret has no place there.
_OPTIONS = ("endpoint", "region", "allow_http", "metadata")
_ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
#: Each of these lines is one way of telling who asks.
_CREDENTIALS = (
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    ("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI",),
    ("AWS_SKIP_SIGNATURE",),
)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A bucket, the prefix in it, and the server that holds it; no secret is in here."""

    bucket: str
    #: Without slashes at its ends; empty for the whole bucket.
    prefix: str
    #: Address of the server; None for Amazon's own in `region`.
    endpoint: str | None
    region: str

    @property
    def server(self) -> str:
        """The server as a message names it."""
        return self.endpoint or f"Amazon S3 in {self.region}"


def read_place(url: str, environment: Mapping[str, str]) -> Place:
    """Where `url` points, with what the usual `AWS_...` variables add to it.

    Raises:
        UsageError: The URL has another form.
        ConfigurationRefused: It holds a secret, or names plain http on another machine.
        StoreError: Nothing says who asks, and the URL does not ask for the machine's own role.
    """
    parts = urlsplit(url)
    if parts.scheme != "s3":
        raise UsageError(f"{shown(url)} is no S3 URL: write s3://bucket/prefix")
    _refuse_secrets(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    prefix = parts.path.strip("/")
    if not _BUCKET.fullmatch(parts.netloc):
        raise UsageError(f"{shown(url)}: {parts.netloc!r} is no name of a bucket")
    if not _PREFIX.fullmatch(prefix) or {".", ".."} & set(prefix.split("/")):
        raise UsageError(f"{shown(url)}: the prefix may hold letters, digits and ! _ . * ' ( ) = - only")
    endpoint = options.get("endpoint") or _first(environment, _ENDPOINT_VARIABLES)
    if endpoint is not None:
        _check_endpoint(endpoint, allow_http=_is_true(options.get("allow_http", "")))
    if not _is_true(options.get("metadata", "")):
        _check_credentials(environment)
    return Place(
        bucket=parts.netloc,
        prefix=prefix,
        endpoint=endpoint.rstrip("/") if endpoint else None,
        region=options.get("region")
        or _first(environment, ("AWS_REGION", "AWS_DEFAULT_REGION"))
        or "us-east-1",
    )


def shown(url: str) -> str:
    """`url` as it may be printed: whatever could be a secret is `***`."""
    parts = urlsplit(url)
    options = [
        (name, _without_user(value) if name in _OPTIONS else "***")
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    query = urlencode(options, safe="/:*[]@", quote_via=quote)
    return _without_user(f"{parts.scheme}://{parts.netloc}{parts.path}") + (f"?{query}" if query else "")


def _without_user(address: str) -> str:
    return re.sub(r"//[^/]*@", "//***@", address)


def _refuse_secrets(url: str) -> None:
    parts = urlsplit(url)
    names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    secret = "@" in parts.netloc or any(re.search(r"key|secret|token|password", name) for name in names)
    if secret or _without_user(parts.query) != parts.query:
        raise ConfigurationRefused(
            f"{shown(url)} holds credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment "
            "instead, and give these ones up"
        )
    unknown = [name for name in names if name not in _OPTIONS]
    if unknown or parts.fragment:
        raise UsageError(f"{shown(url)}: an S3 URL takes the options {', '.join(_OPTIONS)}, nothing else")


def _check_endpoint(endpoint: str, *, allow_http: bool) -> None:
    parts = urlsplit(endpoint)
    if "@" in parts.netloc:
        raise ConfigurationRefused("the S3 endpoint holds credentials: set AWS_ACCESS_KEY_ID ... instead")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise UsageError(f"{endpoint!r} is no S3 endpoint: write https://host or https://host:port")
    if parts.scheme == "http" and not allow_http and not _is_loopback(parts.hostname):
        raise ConfigurationRefused(
            f"{endpoint} is plain http on another machine, so anyone on the way could read and change what is "
            "stored: use https, or add allow_http=true to the URL"
        )


def _check_credentials(environment: Mapping[str, str]) -> None:
    if any(all(environment.get(name) for name in names) for names in _CREDENTIALS):
        return
    raise StoreError(
        "nothing says who may read and write the bucket: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and "
        "AWS_SESSION_TOKEN where there is one), or AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE; add metadata=true "
        "to the URL to use the role of this cloud machine"
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_true(text: str) -> bool:
    return text.lower() in ("true", "1", "yes")


def _first(environment: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((environment[name] for name in names if environment.get(name)), None)
