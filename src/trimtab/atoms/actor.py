"""Who acts: a person, or a token that a person gave."""

import msgspec


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """What an Action says about who decided."""

    #: `person:NAME`, `token:NAME` or `policy:NAME`.
    by: str
    #: The Action that gave the token: what is done with a token is a step of giving it. None for a person.
    parent: str | None = None
