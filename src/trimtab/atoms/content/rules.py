"""Rules: the text and the numbers that a Check applied, kept so that a verdict can be understood years later."""

from typing import Any, ClassVar

from trimtab.atoms.content.content import Content


class Rules(Content, frozen=True, kw_only=True):
    """A named set of settings that a stage judged by."""

    kind: ClassVar[str] = "rules"

    name: str
    settings: dict[str, Any]
