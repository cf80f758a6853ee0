"""What a registered model, an alias and a tag may be called, and what nobody but the pipeline may change."""

import posixpath
import re

from trimtab.atoms.error import Conflict, UsageError
from trimtab.tracking.registry.registered_model import RegisteredModel

MOST_NAME = 256
MOST_ALIAS = 255
MOST_TAG_KEY = 250
MOST_TEXT = 100_000

_ALIAS = re.compile(r"[\w-]+")
_VERSION_ALIAS = re.compile(r"[vV]\d+")

#: The tag by which MLflow's clients mark a prompt: a text with versions, which has no files.
PROMPT_TAG = "mlflow.prompt.is_prompt"


def require_name(name: str) -> None:
    """Refuse what cannot stand in `models:/NAME/3`."""
    if not name.strip():
        raise UsageError("a registered model needs a name")
    if len(name) > MOST_NAME or not name.isprintable():
        raise UsageError(f"a registered model's name has up to {MOST_NAME} printable characters")
    if "/" in name or ":" in name or posixpath.normpath(name) != name or name in (".", ".."):
        raise UsageError(
            f"a registered model cannot be called {name!r}: leave out '/' and ':', and '.' alone"
        )


def require_alias(alias: str) -> None:
    """Refuse what cannot stand in `models:/NAME@ALIAS`, or means something else there."""
    if not _ALIAS.fullmatch(alias) or len(alias) > MOST_ALIAS:
        raise UsageError(
            f"an alias is made of letters, digits, '_' and '-', up to {MOST_ALIAS} of them, unlike {alias[:50]!r}"
        )
    if alias.lower() == "latest" or _VERSION_ALIAS.fullmatch(alias):
        raise UsageError(f"the alias {alias!r} is taken: 'latest' and 'v1', 'v2' ... mean versions already")


def require_tags(tags: dict[str, str] | dict[str, str | None]) -> None:
    """Refuse tags that cannot be kept."""
    for key, value in tags.items():
        if not key.strip() or len(key) > MOST_TAG_KEY:
            raise UsageError(f"a tag's key has 1 to {MOST_TAG_KEY} characters, unlike {key[:50]!r}")
        if value is not None and len(value) > MOST_TEXT:
            raise UsageError(f"tag {key!r}: its value has {len(value):,} characters, more than {MOST_TEXT:,}")


def require_description(description: str) -> None:
    """Refuse a description that is too long."""
    if len(description) > MOST_TEXT:
        raise UsageError(f"the description has {len(description):,} characters, more than {MOST_TEXT:,}")


def require_stored(model: RegisteredModel) -> None:
    """Refuse to change what the pipeline makes."""
    if model.own:
        raise Conflict(
            f"{model.name!r} is made by this project's own pipeline and can only be read here: `trimtab register` "
            "makes a version of it, `trimtab release` moves its traffic and with it the aliases champion and "
            "challenger; to keep a model of your own, register it under another name"
        )
