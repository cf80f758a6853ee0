"""What looks like a secret is not kept; what a training's command line is full of is."""

import pytest

from trimtab.assembly.recording.redaction import redacted, redacted_command

SECRET = "hunter2SuperSecretValue"


@pytest.mark.parametrize(
    "text",
    [
        f"--password={SECRET}",
        f"--db-password '{SECRET}'".replace(" ", "="),
        f"OPENAI_API_KEY={SECRET}",
        f'{{"api_key": "{SECRET}"}}',
        f"token: {SECRET}",
        f"postgresql://ann:{SECRET}@host/db",
        f"Authorization: Bearer {SECRET}",
        "tt_runner_aaaaaaaaaaaaaaaaaaaaaa" + SECRET,
        "ghp_" + SECRET + "0123456789",
        "hf_" + SECRET + "0123456789",
        "AKIAIOSFODNN7EXAMPLE" and f"aws_secret_access_key={SECRET}",
        f"X-Amz-Signature={SECRET}",
    ],
)
def test_a_secret_is_masked(text: str) -> None:
    assert SECRET not in redacted(text)
    assert "***" in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "train.py",
        "--max_tokens=512",
        "--tokenizer=bert-base-uncased",
        "--author=jane",
        "--depth=8",
        "s3://bucket/data/part-0001.parquet",
        "https://example.org:8080/path",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "/data/ann/projects/flights/2013-01/train.parquet",
    ],
)
def test_what_is_no_secret_is_let_be(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.parametrize("text", ["x", "token", "-token", "a:", "://", "Bearer ", "token "])
def test_a_long_text_takes_no_longer_than_it_is(text: str) -> None:
    """Took hours where each of a million places was tried with each end."""
    assert len(redacted(text * 100_000)) > 0


def test_the_value_after_an_option_goes_too() -> None:
    told = redacted_command(["train.py", "--hf-token", SECRET, "--depth", "3", "--secret", "--verbose", "x"])
    assert told == ["train.py", "--hf-token", "***", "--depth", "3", "--secret", "--verbose", "x"]
