"""A bucket is opened, or refused in a sentence that says what to do."""

import json
import re
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from parts import s3_way
from parts.s3 import BUCKET, SECRET_KEY, RcloneServer, S3Server
from parts.s3_way import S3Way
from trimtab.adapters.s3_blobs import S3Blobs, open_s3_blobs
from trimtab.adapters.s3_blobs.bucket import Bucket
from trimtab.adapters.s3_blobs.place import Place
from trimtab.atoms.error import ConfigurationRefused, StoreError, UsageError

WayTo = Callable[..., S3Way]


def test_a_later_opening_needs_one_request(s3_server: S3Server, way_to: WayTo) -> None:
    way = way_to(s3_server.endpoint)
    url = f"s3://{BUCKET}/opened?endpoint={way.endpoint}"
    open_s3_blobs(url)
    first = len(way.seen)
    open_s3_blobs(url)
    assert (first, len(way.seen) - first) == (2, 1)


def test_a_server_that_ignores_create_only_puts_is_refused(s3_server: S3Server, way_to: WayTo) -> None:
    way = way_to(s3_server.endpoint)
    way.decide = lambda request: s3_way.IGNORE_CREATE_ONLY
    url = f"s3://{BUCKET}/ignored?endpoint={way.endpoint}"
    for _ in range(2):
        with pytest.raises(ConfigurationRefused, match=rf"{way.endpoint} overwrites .* If-None-Match"):
            open_s3_blobs(url)
    way.decide = lambda request: s3_way.PASS
    assert open_s3_blobs(url).put(b"abc")


def test_rclone_is_such_a_server(rclone: RcloneServer) -> None:
    with pytest.raises(ConfigurationRefused, match="If-None-Match"):
        open_s3_blobs(f"s3://{BUCKET}?endpoint={rclone.endpoint}")


def test_wrong_credentials(rclone: RcloneServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value, word in (
        ("AWS_SECRET_ACCESS_KEY", "a wrong and secret key", "SignatureDoesNotMatch"),
        ("AWS_ACCESS_KEY_ID", "AKIAANOTHERONE", "InvalidAccessKeyId"),
    ):
        monkeypatch.setenv(name, value)
        with pytest.raises(StoreError, match=f"refuses these credentials .{word}.: check AWS_") as refused:
            open_s3_blobs(f"s3://{BUCKET}?endpoint={rclone.endpoint}")
        shown = "".join(traceback.format_exception(refused.value))
        assert "a wrong and secret key" not in shown


def test_an_authority_of_ones_own_is_trusted_when_it_is_named(
    rclone: RcloneServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, key = certificate(tmp_path / "own")
    other, _ = certificate(tmp_path / "other")
    rclone.kill()
    rclone.start("--cert", str(own), "--key", str(key))
    url = f"s3://{BUCKET}?endpoint={rclone.endpoint}"
    assert url.endswith(f"https://127.0.0.1:{rclone.port}")
    for bundle in (None, str(other)):
        if bundle:
            monkeypatch.setenv("AWS_CA_BUNDLE", bundle)
        with pytest.raises(StoreError, match="no connection"):
            open_s3_blobs(url, patience_s=0.1)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(own))
    with pytest.raises(ConfigurationRefused, match="If-None-Match"):  # it was understood
        open_s3_blobs(url)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "none"))
    with pytest.raises(ConfigurationRefused, match=r"AWS_CA_BUNDLE names .*none.*No such file"):
        open_s3_blobs(url)


def certificate(stem: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that vouches for itself, and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, stem.name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    stem.with_suffix(".crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    stem.with_suffix(".key").write_bytes(private)
    return stem.with_suffix(".crt"), stem.with_suffix(".key")


def test_a_missing_bucket(s3_server: S3Server) -> None:
    with pytest.raises(StoreError, match=f"no bucket elsewhere at {s3_server.endpoint}: make it"):
        open_s3_blobs(f"s3://elsewhere?endpoint={s3_server.endpoint}")


def test_a_bucket_that_goes_missing_is_no_missing_blob(s3_server: S3Server) -> None:
    place = Place(bucket="elsewhere", prefix="", endpoint=s3_server.endpoint, region="us-east-1")
    gone = S3Blobs(Bucket(place))
    with pytest.raises(StoreError, match="no bucket elsewhere"):
        gone.put(b"abc")
    with pytest.raises(StoreError, match="no bucket elsewhere"):
        gone.get("0" * 64)
    with pytest.raises(StoreError, match="no bucket elsewhere"):
        list(gone.stored())


def test_no_connection_ends_within_the_bound(s3_credentials: None) -> None:
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        url = f"s3://{BUCKET}?endpoint=http://127.0.0.1:{taken.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(StoreError, match=r"fails \(no connection\): nothing was acknowledged"):
            open_s3_blobs(url, patience_s=1.0)
    assert 0.2 < time.monotonic() - started < 5


def test_the_library_is_named_where_it_is_not_installed(
    s3_credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "obstore"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(ConfigurationRefused, match=re.escape("pip install 'trimtab[s3]'")):
        open_s3_blobs(f"s3://{BUCKET}?endpoint=http://127.0.0.1:1")


def test_what_is_printed_of_it_holds_no_secret(s3_url: str) -> None:
    blobs = open_s3_blobs(s3_url)
    for thing in (blobs, blobs._bucket, blobs._bucket._short, blobs._bucket.place):
        assert SECRET_KEY not in repr(thing)
    assert BUCKET in repr(blobs)


class _Metadata(BaseHTTPRequestHandler):
    """The address at which a cloud machine is told its role and keys."""

    def answer(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        said = {
            "/latest/api/token": "token",
            "/latest/meta-data/iam/security-credentials/": "role",
            "/latest/meta-data/iam/security-credentials/role": json.dumps(
                {
                    "AccessKeyId": "AKIAROLE",
                    "SecretAccessKey": "the role's",
                    "Token": "t",
                    "Expiration": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
                }
            ),
        }[self.path].encode()
        self.send_response_only(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_PUT = answer

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Paths that were asked for at the metadata address; no credentials are set."""
    server = HTTPServer(("127.0.0.1", 0), _Metadata)
    server.asked = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    yield server.asked  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


def test_the_clouds_own_credentials_are_asked_for_when_the_url_says_so_and_only_then(
    s3_server: S3Server, metadata: list[str]
) -> None:
    url = s3_server.url()
    with pytest.raises(StoreError, match="AWS_ACCESS_KEY_ID"):
        open_s3_blobs(url)
    assert metadata == []
    blobs = open_s3_blobs(f"{url}&metadata=true")
    assert blobs.get(blobs.put(b"abc")) == b"abc"
    assert any("security-credentials/role" in path for path in metadata)


def test_a_url_of_another_form(s3_credentials: None) -> None:
    with pytest.raises(UsageError, match="s3://bucket/prefix"):
        open_s3_blobs("gs://bucket")
