"""Evidence: the full table behind a Check's one reading."""

from typing import Any, ClassVar

from trimtab.atoms.content.content import Content


class Evidence(Content, frozen=True, kw_only=True):
    """Numbers that a Check points to; `name` says what they are."""

    kind: ClassVar[str] = "evidence"

    name: str
    facts: dict[str, Any]
