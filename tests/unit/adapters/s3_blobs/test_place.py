"""What a URL of a bucket may say, and what is never printed of it."""

import pytest

from trimtab.adapters.s3_blobs.place import read_place, shown
from trimtab.atoms.error import ConfigurationRefused, StoreError, TrimtabError, UsageError

KEYS = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "very secret"}


def test_a_url_names_bucket_prefix_server_and_region() -> None:
    place = read_place("s3://models/team/a/?endpoint=https://s3.example.org&region=eu-west-1", KEYS)
    assert (place.bucket, place.prefix) == ("models", "team/a")
    assert (place.endpoint, place.region) == ("https://s3.example.org", "eu-west-1")


def test_what_the_url_does_not_say_comes_from_the_usual_variables() -> None:
    place = read_place("s3://models", KEYS)
    assert (place.prefix, place.endpoint, place.region) == ("", None, "us-east-1")
    said = {"AWS_ENDPOINT_URL": "https://general", "AWS_DEFAULT_REGION": "eu-north-1"}
    place = read_place("s3://models", KEYS | said)
    assert (place.endpoint, place.region) == ("https://general", "eu-north-1")
    place = read_place("s3://models", KEYS | said | {"AWS_ENDPOINT_URL_S3": "https://special/"})
    assert place.endpoint == "https://special"


@pytest.mark.parametrize("host", ["127.0.0.1:5000", "127.8.8.8", "localhost:9000", "[::1]:9000"])
def test_plain_http_is_for_this_machine(host: str) -> None:
    assert read_place(f"s3://models?endpoint=http://{host}", KEYS).endpoint == f"http://{host}"


def test_plain_http_to_another_machine_needs_a_word_more() -> None:
    url = "s3://models?endpoint=http://192.168.1.5:9000"
    with pytest.raises(ConfigurationRefused, match="allow_http=true"):
        read_place(url, KEYS)
    with pytest.raises(ConfigurationRefused, match="https"):
        read_place("s3://models", KEYS | {"AWS_ENDPOINT_URL": "http://store.example.org"})
    assert read_place(f"{url}&allow_http=true", KEYS).endpoint == "http://192.168.1.5:9000"


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"AWS_ACCESS_KEY_ID": "AKIA"},
        {"AWS_SECRET_ACCESS_KEY": "very secret"},
        {"AWS_ROLE_ARN": "arn"},
        {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
    ],
)
def test_without_credentials_the_variables_are_named_and_the_clouds_own_are_not_asked_for(
    environment: dict[str, str],
) -> None:
    with pytest.raises(StoreError, match=r"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.*metadata=true"):
        read_place("s3://models", environment)
    assert read_place("s3://models?metadata=true", environment).bucket == "models"


@pytest.mark.parametrize(
    "url",
    [
        "https://models.s3.amazonaws.com",
        "s3://",
        "s3://Models",
        "s3://a",
        "s3://models/../other",
        "s3://models/a//b",
        "s3://models/a b",
        "s3://models/%2e%2e",
        "s3://models?colour=red",
        "s3://models#part",
        "s3://models?endpoint=ftp://host",
        "s3://models?endpoint=https://host/?a=b",
        "s3://models?endpoint=host",
    ],
)
def test_other_forms_are_refused(url: str) -> None:
    with pytest.raises(UsageError):
        read_place(url, KEYS)


@pytest.mark.parametrize(
    "url",
    [
        "s3://AKIA:hidden@models/prefix",
        "s3://models?access_key_id=hidden",
        "s3://models?secret_access_key=hidden&region=eu",
        "s3://models?session_token=hidden",
        "s3://models?password=hidden",
        "s3://models?endpoint=https://me:hidden@host",
        "s3://models?endpoint=https%3A%2F%2Fme%3Ahidden%40host",
    ],
)
def test_a_secret_in_a_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(TrimtabError) as refused:
        read_place(url, KEYS)
    assert refused.type is ConfigurationRefused
    assert "hidden" not in str(refused.value)
    assert "hidden" not in shown(url)
    assert "***" in shown(url)


def test_what_is_no_secret_is_shown() -> None:
    url = "s3://models/team/a?endpoint=http://127.0.0.1:5000&region=eu-west-1"
    assert shown(url) == url
    assert shown("s3://models") == "s3://models"
