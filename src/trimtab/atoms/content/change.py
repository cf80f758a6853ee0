"""A change: what a decision about experiments, runs, the registry or access set, in plain values."""

from typing import Any, ClassVar

import msgspec

from trimtab.atoms.content.content import Content


class Change(Content, frozen=True, kw_only=True):
    """One fact that holds from the Action on that made it, until a later one says otherwise."""

    kind: ClassVar[str] = "change"

    #: What it is about: `experiment`, `run`, `logged-model`, `registered-model`, `model-version`, `token`.
    what: str
    #: Which one.
    id: str
    #: What is done, a word that its fold knows: `create`, `rename`, `delete`, `set-alias` ...
    does: str
    values: dict[str, Any] = msgspec.field(default_factory=dict)
