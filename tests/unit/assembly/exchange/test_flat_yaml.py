"""The YAML of meta files is read as PyYAML, which wrote them, reads it."""

from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trimtab.assembly.exchange.flat_yaml import read_flat_yaml
from trimtab.atoms.error import UsageError

WORDS = st.sampled_from(
    ["a", "long " * 8, ": ", " #", "'", '"', "\n", "\n\n", "- ", "ü", "\t", "\\", "{}", "null", "7", ""]
)
TEXTS = st.one_of(
    st.lists(WORDS, max_size=8).map("".join),
    st.text(st.characters(exclude_characters="\x85\u2028\u2029", codec="utf-8"), max_size=30),
)
#: Keys of meta files are of these characters, and in one line.
KEYS = st.text("abc._/ -7:'", min_size=1, max_size=12)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**12), 10**13), st.floats(allow_nan=False), TEXTS
)
FILES = st.dictionaries(
    KEYS,
    st.one_of(
        SCALARS, st.dictionaries(KEYS, TEXTS, max_size=3), st.builds(list), st.lists(TEXTS, max_size=3)
    ),
    max_size=6,
)


def written(value: dict[str, Any]) -> str:
    """As MLflow writes its meta files."""
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(value, default_flow_style=False, allow_unicode=True, Dumper=dumper)
    return text


@settings(max_examples=200)
@given(value=FILES.filter(bool))
@example(value={"name": "?0", "list": ["?0", ":0", "-0"]})
def test_what_mlflow_writes_is_read_as_it_was(value: dict[str, Any]) -> None:
    assert read_flat_yaml(written(value), "meta.yaml") == yaml.safe_load(written(value))


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system [ls]",
        "a: !!python/object:x.y {}",
        "a: &x 1",
        "a: *x",
        "a: |\n  text",
        "a: {b: c}",
        "- a\n- b",
        "a: 'never ends",
        "just text",
        "a: 1\n   b: 2\n x",
        "? a\n: b",
    ],
)
def test_anything_else_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(UsageError, match=r"meta.yaml, line \d+: not the YAML"):
        read_flat_yaml(text, "meta.yaml")
